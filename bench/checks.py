"""What a check of PODS_SUCCEED costs, with pods that run for ever."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from bench.meadow import NAMESPACE, Meadow, administrator, created
from bench.objects import NOT_STORED
from bench.processes import cpu_clock
from bench.table import Figure, at_most
from bench.wards import managing, namespace
from dayfly_core import names
from dayfly_core.objects import NAMESPACE_MANAGERS, NAMESPACES, PODS
from dayfly_kube.client import Client
from dayfly_kube.errors import ApiError
from playground import ControlPlane
from playground.lags import OPERATOR

MANAGERS: Final = 20
"""Each looks every second."""

WATCHED: Final = "watched"
PERIODS: Final = 15


@dataclass(frozen=True, slots=True)
class Check:
    """One check: requests by verb and kind, CPU-seconds."""

    requests: Mapping[str, float]
    cpu: float

    def figure(self) -> Figure:
        """Compare with what has to be read by quorum: manager, Namespace, pods."""
        count = sum(self.requests.values())
        target, met = at_most(count, 3.2)
        told = ", ".join(f"{number:.2f} {what}" for what, number in sorted(self.requests.items()))
        return Figure(
            "M6",
            f"requests for a check of PODS_SUCCEED, {MANAGERS} managers, one a second each",
            "what is read by quorum: the manager, its Namespace, its pods",
            f"{count:.2f} ({told}; {self.cpu * 1e3:.1f} CPU-ms)",
            target,
            met,
        )


def check(field: Meadow, at_rest: float) -> Check:
    """Have pods looked at that never succeed; ``at_rest`` are CPU-seconds a second without."""
    asyncio.run(_watched(field.plane))
    [operator] = field.system.operators
    time.sleep(5)
    since, cpu, began = field.plane.audit_log.position(), cpu_clock(operator.pid), time.monotonic()
    time.sleep(PERIODS)
    spent = cpu_clock(operator.pid) - cpu - at_rest * (time.monotonic() - began)
    requests = asked(field.plane, since)
    checks = requests["list pods"]
    if checks < MANAGERS:
        raise RuntimeError(f"{checks} checks of pods in {PERIODS} s")
    return Check({what: number / checks for what, number in requests.items()}, spent / checks)


def asked(plane: ControlPlane, since: int) -> Counter[str]:
    """Count what the operator asked for besides Lease, Events and watches."""
    return Counter(
        f"{e.verb} {e.object_ref.resource}"
        for e in plane.audit(since)
        if e.user.username == OPERATOR
        and e.stage == "ResponseComplete"
        and e.verb != "watch"
        and e.object_ref.resource not in NOT_STORED | {"events"}
        and names.LEASE not in e.target
    )


async def _watched(plane: ControlPlane) -> None:
    params = {"initialDelaySeconds": 0, "periodSeconds": 1, "podLabels": {"app": "test"}}
    condition = {"type": "PODS_SUCCEED", "params": params}
    managers = [managing(f"watching-{i}", WATCHED, condition, {}) for i in range(MANAGERS)]
    async with administrator(plane) as client:
        await created(client, NAMESPACES.path(), [namespace(WATCHED)])
        await _accounts(client)
        await created(client, PODS.path(WATCHED), [_pod(number) for number in range(5)])
        await created(client, NAMESPACE_MANAGERS.path(NAMESPACE), managers)


async def _accounts(client: Client) -> None:
    """Wait for what a pod is not admitted without: its Namespace's service account."""
    path = f"/api/v1/namespaces/{WATCHED}/serviceaccounts/default"
    async with asyncio.timeout(30):
        while True:
            with suppress(ApiError):
                await client.get(path)
                return
            await asyncio.sleep(0.1)


def _pod(number: int) -> Mapping[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"test-{number}", "labels": {"app": "test"}},
        "spec": {"containers": [{"name": "test", "image": "registry.example.com/test:1"}]},
    }
