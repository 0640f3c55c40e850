"""NamespaceManagers by the thousand, and the Namespaces that they are about."""

from collections.abc import Mapping
from typing import Final

from bench.meadow import NAMESPACE
from dayfly_core.objects import NAMESPACE_MANAGERS

Body = Mapping[str, object]

YEAR: Final = 31_536_000
"""Seconds."""

APPLIED: Final = {"kubectl.kubernetes.io/last-applied-configuration": "x" * 400}
"""As kubectl apply leaves it."""

SORTS: Final = {0: "off", 7: "off", 14: "off", 19: "pods"}
"""Of 20, three are switched off, and one waits for pods; the others wait for a time."""


def namespace(name: str, **labels: str) -> Body:
    """Build a Namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def target(number: int) -> str:
    """Name the Namespace of one manager."""
    return f"managed-{number:05}"


def waiting(count: int) -> int:
    """Count those of the first so many that have something to wait for."""
    return sum(SORTS.get(number % 20) != "off" for number in range(count))


def manager(number: int) -> Body:
    """Build a NamespaceManager that will not act for a year."""
    sort = SORTS.get(number % 20)
    ttl = {"type": "TTL", "params": {"ttlSeconds": YEAR}}
    pods = {"type": "PODS_SUCCEED", "params": {"initialDelaySeconds": YEAR}}
    spec = {"deactivated": True} if sort == "off" else {}
    return managing(f"m-{number:05}", target(number), pods if sort == "pods" else ttl, spec)


def managing(name: str, target: str, condition: Body, spec: Body) -> Body:
    """Build a NamespaceManager that deletes its Namespace on a condition."""
    policy = {"name": "end it", "condition": condition, "action": {"type": "DELETE"}}
    return {
        "apiVersion": NAMESPACE_MANAGERS.api_version,
        "kind": NAMESPACE_MANAGERS.kind,
        "metadata": {"name": name, "namespace": NAMESPACE, "annotations": APPLIED},
        "spec": {**spec, "namespace": target, "policies": [policy]},
    }
