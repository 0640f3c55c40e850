"""What a name that only one may have costs: requests to the API server, and the time of a create.

In turns, one at a time, so that all see the same noise: a ConfigMap and a Namespace that no webhook
is asked about, and a Namespace that becomes an environment. There is no policy: the claim is all
that tells the two Namespaces apart.
"""

import asyncio
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass

import msgspec

from bench.meadow import Meadow, Spread, administrator, call_directly
from bench.table import Figure, at_most
from dayfly_core import names
from dayfly_core.api import ClaimState, NameClaim
from dayfly_core.objects import NAME_CLAIMS, NAMESPACES
from dayfly_kube.client import Client
from dayfly_kube.errors import ApiError
from playground import ControlPlane, System
from playground.audit import AuditEvent

COUNT = 400
WARM_UP = 20
QUIET = "kube-public"
"""A namespace that every cluster's webhooks leave alone."""

READS: Collection[str] = ("get", "list")
WRITES: Collection[str] = ("create", "update", "patch", "delete", "deletecollection")


@dataclass(frozen=True, slots=True)
class Asked:
    """Requests of a program to the API server, for each of so many names."""

    writes: float
    reads: float

    @classmethod
    def by(cls, program: str, events: Sequence[AuditEvent], count: int) -> "Asked":
        """Count them in the audit log, but for what goes on all the time: watches and the Lease."""
        verbs = [
            event.verb
            for event in events
            if event.user_agent.startswith(program)
            and event.stage == "ResponseComplete"
            and event.object_ref.resource != "leases"
        ]
        return cls(*(sum(v in kind for v in verbs) / count for kind in (WRITES, READS)))

    def __str__(self) -> str:
        """Read as ``1.00 writes + 0.00 reads``."""
        return f"{self.writes:.2f} writes + {self.reads:.2f} reads"


@dataclass(frozen=True, slots=True)
class Creates:
    """Seconds of each create, in the order of the turns."""

    config_map: Sequence[float]
    namespace: Sequence[float]
    environment: Sequence[float]


def measure(*, quick: bool) -> list[Figure]:
    """Create environments, then apply each of them twice more."""
    with (
        ControlPlane.start() as plane,
        System.install(plane, admissions=2, operators=1) as system,
    ):
        call_directly(Meadow(plane, system))
        return asyncio.run(_measure(plane, 60 if quick else COUNT))


async def _measure(plane: ControlPlane, count: int) -> list[Figure]:
    async with administrator(plane) as client:
        await _in_force(client)
        for number in range(WARM_UP):
            await _turn(client, f"warm-{number}")
        since = plane.audit_log.position()
        turns = [await _turn(client, f"team-{number}") for number in range(count)]
        await _bound(client, count)
        created, since = list(plane.audit(since)), plane.audit_log.position()
        for _ in range(2):  # the first makes the applier an owner of the label
            await _apply_again(client, count)
        applied = list(plane.audit(since))
    return [
        *_requests(created, applied, count),
        *_times(Creates(*zip(*turns, strict=True))),
    ]


def _requests(
    created: Sequence[AuditEvent], applied: Sequence[AuditEvent], count: int
) -> list[Figure]:
    new, again = (Asked.by("dayfly-admission", events, count) for events in (created, applied))
    operator = Asked.by("dayfly-operator", created, count)
    return [
        Figure(
            "claim",
            f"requests of admission to the API server for each of {count} new environments",
            f"the operator, which binds it: {operator}",
            str(new),
            "≤ 1 write + 1 read",
            new.writes <= 1 and new.reads <= 1,
        ),
        Figure(
            "claim",
            "the same when nothing about it changes: applied twice more",
            "",
            str(again),
            "0",
            not (again.writes or again.reads),
        ),
    ]


def _times(took: Creates) -> list[Figure]:
    bare, plain, claimed = map(Spread.of, (took.config_map, took.namespace, took.environment))
    target, met = at_most(claimed.p99 / bare.p99, 3, "x")
    return [
        Figure(
            "claim",
            "p99 of the create of an environment Namespace, c=1",
            f"bare ConfigMap, no webhook (bare Namespace: {plain.p99 / bare.p99:.2f}x)",
            f"{claimed.p99 / bare.p99:.2f}x ({_milliseconds(claimed.p99, bare.p99)})",
            target,
            met,
        ),
        Figure(
            "claim",
            "p50 of the same",
            f"bare ConfigMap, no webhook (bare Namespace: {plain.p50 / bare.p50:.2f}x)",
            f"{claimed.p50 / bare.p50:.2f}x ({_milliseconds(claimed.p50, bare.p50)})",
            "none: for comparison",
            True,
        ),
    ]


def _milliseconds(ours: float, peer: float) -> str:
    return f"{ours * 1e3:.1f} : {peer * 1e3:.1f} ms"


# What is created.


async def _turn(client: Client, name: str) -> tuple[float, float, float]:
    """Create one of each; seconds until the answers."""
    config_maps = f"/api/v1/namespaces/{QUIET}/configmaps"
    return (
        await _create(client, config_maps, {"metadata": {"name": name}}),
        await _create(client, NAMESPACES.path(), _namespace(f"plain-{name}")),
        await _create(client, NAMESPACES.path(), _environment(name)),
    )


async def _create(client: Client, path: str, body: object) -> float:
    began = time.perf_counter()
    await client.create(path, body)
    return time.perf_counter() - began


def _namespace(name: str, **labels: str) -> dict[str, object]:
    meta = {"name": name, "labels": labels}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}


def _environment(name: str) -> dict[str, object]:
    return _namespace(name, **{names.ENVIRONMENT: name})


async def _apply_again(client: Client, count: int) -> None:
    for number in range(count):
        name = f"team-{number}"
        await client.apply(NAMESPACES.path(name=name), _environment(name), manager="bench")


# Waiting.


class _Listed(msgspec.Struct):
    items: list[NameClaim]


async def _states(client: Client, prefix: str) -> list[ClaimState]:
    """Read the states of the claims of environments whose names begin so."""
    listed = msgspec.json.decode(await client.get_list(NAME_CLAIMS.path()), type=_Listed)
    return [item.spec.state for item in listed.items if item.spec.key.value.startswith(prefix)]


async def _in_force(client: Client) -> None:
    """Wait until the API server asks about environments, and is answered."""
    number = 0
    async with asyncio.timeout(30):
        while not await _states(client, "trial-"):
            number += 1
            with suppress(ApiError):  # it asks, but does not know the certificate yet
                await client.create(NAMESPACES.path(), _environment(f"trial-{number}"))
            await asyncio.sleep(0.2)


async def _bound(client: Client, count: int) -> None:
    """Wait until the operator has seen all of them."""
    wanted = [ClaimState.BOUND] * count
    async with asyncio.timeout(60):
        while await _states(client, "team-") != wanted:  # noqa: ASYNC110
            await asyncio.sleep(0.5)
