"""What all runs of the kill series share: namespaces, and a policy for each role that has one."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from dayfly_core import names
from dayfly_core.objects import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    EXPIRY_POLICIES,
    NAMESPACES,
    Resource,
)
from dayfly_kube.client import Client
from support.plots import stored
from support.timeline_manifests import step

Json = dict[str, Any]
HOST: Final = "receiver.kills.example.com"
HOOK: Final = {"url": f"http://{HOST}/hook"}
REPLICAS: Final = 2

PLACES: Final[Mapping[str, tuple[Resource, list[Json], Json]]] = {
    "plain": (CONFIG_MAPS, [], {}),
    "warn": (CONFIG_MAPS, [step("0s", "NOTIFY")], {}),
    "tell": (CONFIG_MAPS, [step("0s", "NOTIFY", webhook=HOOK)], {}),
    "call": (CONFIG_MAPS, [step("0s", "WEBHOOK", webhook=HOOK), step("0s", "DELETE")], {}),
    "rest": (DEPLOYMENTS, [step("0s", "SCALE_DOWN")], {}),
    "release": (DEPLOYMENTS, [], {"unit": "Release"}),
    "asleep": (NAMESPACES, [step("0s", "SCALE_DOWN")], {}),
    "over": (NAMESPACES, [], {}),
}
"""By the role of what is governed: its kind, timeline, and what else its policy says."""


def place(role: str) -> str:
    """Name of the namespace and the policy of a role."""
    return f"kills-{role}"


def scenery() -> Iterator[Json]:
    """Yield what all runs share: namespaces, and a policy for each role."""
    for role in (*PLACES, "home"):
        yield of(NAMESPACES, {"metadata": {"name": place(role)}})
    for role, (kind, timeline, more) in PLACES.items():
        match = {
            "namespaceSelector": {"matchLabels": _labels(role)},
            "resources": [{"apiGroups": [kind.group], "resources": [kind.plural]}],
        }
        spec = {"match": match, "grace": "5s", "timeline": timeline, "ttl": {"default": "4h"}}
        yield of(EXPIRY_POLICIES, {"metadata": {"name": place(role)}, "spec": spec | more})


def _labels(role: str) -> dict[str, str]:
    if PLACES[role][0] == NAMESPACES:
        return {"kills": role}
    return {"kubernetes.io/metadata.name": place(role)}


def of(kind: Resource, item: Json) -> Json:
    """Say of which kind it is."""
    return {"apiVersion": kind.api_version, "kind": kind.kind} | item


async def is_governed(client: Client, role: str) -> bool:
    """Whether what is created for a role gets an end by its policy."""
    kind = PLACES[role][0]
    labels = _labels(role) if kind == NAMESPACES else {}
    spec = {"spec": workload()} if kind == DEPLOYMENTS else {}
    item = of(kind, {"metadata": {"name": "probe", "labels": labels}} | spec)
    answer = await client.create(kind.path(place(role)), item, params={"dryRun": "All"})
    return stored(answer).label_map.get(names.POLICY) == place(role)


async def create(client: Client, kind: Resource, namespace: str, item: Json) -> str:
    """Create an object; returns its uid."""
    return stored(await client.create(kind.path(namespace), of(kind, item))).uid


def workload() -> Json:
    """Return the spec of a Deployment that is paused, so that no pods come of it."""
    labels = {"app": "a"}
    return {
        "paused": True,
        "replicas": REPLICAS,
        "selector": {"matchLabels": labels},
        "template": {
            "metadata": {"labels": labels},
            "spec": {"containers": [{"name": "a", "image": "a"}]},
        },
    }
