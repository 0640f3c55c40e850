"""A Stay in place of a patch: what whoever may not change a Namespace can do instead."""

import asyncio
from typing import Any, Final

import msgspec

from dayfly_cli.cluster import Cluster
from dayfly_cli.terminal import Failed
from dayfly_core.objects import NAMESPACES, STAYS, ObjectMeta, Resource
from dayfly_kube.errors import ApiError

ANSWERED_WITHIN: Final = 20
"""Looks for the operator's answer, half a second apart."""

LOOK_EVERY: Final = 0.5
"""Seconds between them."""


class _Condition(msgspec.Struct, frozen=True):
    status: str = ""
    message: str = ""


class _Status(msgspec.Struct, frozen=True):
    conditions: list[_Condition] = []


class _Stay(msgspec.Struct, frozen=True):
    metadata: ObjectMeta
    status: _Status = _Status()


def may_stand_in(resource: Resource, error: ApiError) -> bool:
    """Whether a Stay could do what was forbidden: a Namespace, and its writer has no right to it.

    What a webhook or a policy refuses comes as Forbidden too; a Stay is held to the same rules.
    """
    return resource == NAMESPACES and error.forbidden and "cannot patch resource" in error.message


async def ask(
    cluster: Cluster, namespace: str, spec: dict[str, Any], *, dry_run: bool, wait: bool = True
) -> str:
    """Create a Stay and wait for the answer; returns its name. Raises Failed if it is denied."""
    body = {
        "apiVersion": STAYS.api_version,
        "kind": STAYS.kind,
        "metadata": {"generateName": "cli-", "namespace": namespace},
        "spec": spec,
    }
    params = {"dryRun": "All"} if dry_run else {}
    answer = await cluster.client.create(STAYS.path(namespace), body, params=params)
    stay = msgspec.json.decode(answer, type=_Stay)
    for _ in range(ANSWERED_WITHIN if wait and not dry_run else 0):
        if conditions := stay.status.conditions:
            _granted(stay, conditions[0])
            break
        await asyncio.sleep(LOOK_EVERY)
        path = STAYS.path(namespace, stay.metadata.name)
        stay = msgspec.json.decode(await cluster.client.get(path), type=_Stay)
    return stay.metadata.name


def _granted(stay: _Stay, condition: _Condition) -> None:
    if condition.status == "False":
        raise Failed(f"stay/{stay.metadata.name} was denied: {condition.message}")
