"""Our own kinds as they are put into a world, and what is seen of them there."""

from typing import Any

from dayfly_core import names
from support.own_world import OwnWorld

SPACE = "/api/v1/namespaces/team"
EPHEMERATOR = "/apis/tessellate.io/v1alpha1/ephemerators/eve"
CI = "/apis/k8s.consol.de/v1beta1/namespaces/home/namespacemanagers/ci"
PODS = "/api/v1/namespaces/team/pods"
DEPLOYMENT = "/apis/apps/v1/namespaces/team/deployments/web"

DELETE = {"type": "DELETE"}
SCALE_DOWN = {"type": "SCALE_DOWN"}
WEBHOOK = {"type": "WEBHOOK", "params": {"url": "http://hooks.example.com/"}}
NOTIFY = {"type": "NOTIFY"}


def ephemerator(seconds: int = 10, target: str = "team", enabled: str = "true") -> dict[str, Any]:
    lifetime = {"duration": {"seconds": seconds}}
    spec = {"resourceToWatch": {"namespace": target}, "lifetime": lifetime}
    return {"metadata": {"annotations": {names.ENABLED: enabled}}, "spec": spec}


def ttl(seconds: int, action: dict[str, Any], name: str = "first one") -> dict[str, Any]:
    condition = {"type": "TTL", "params": {"ttlSeconds": seconds}}
    return {"name": name, "condition": condition, "action": action}


def pods(action: dict[str, Any], name: str = "when tests succeed", **more: Any) -> dict[str, Any]:
    params = {"initialDelaySeconds": 5, "periodSeconds": 2, "podLabels": {"type": "test"}, **more}
    condition = {"type": "PODS_SUCCEED", "params": params}
    return {"name": name, "condition": condition, "action": action}


def manager(*policies: dict[str, Any]) -> dict[str, Any]:
    return {"spec": {"namespace": "team", "policies": list(policies)}}


def put_pod(world: OwnWorld, name: str, phase: str, type: str = "test") -> None:
    world.put(f"{PODS}/{name}", {"metadata": {"labels": {"type": type}}})
    world.store.objects[f"{PODS}/{name}"]["status"] = {"phase": phase}


def results(world: OwnWorld) -> list[tuple[str, str]]:
    item = world.get_now(CI) or {}
    policies = item.get("status", {}).get("policies", [])
    return [(each["result"], each.get("reason", "")) for each in policies]


def deactivated(world: OwnWorld) -> bool:
    item = world.get_now(CI)
    return item is not None and item["spec"].get("deactivated") is True


def status(world: OwnWorld) -> dict[str, Any]:
    told: dict[str, Any] = (world.get_now(EPHEMERATOR) or {}).get("status", {})
    return told
