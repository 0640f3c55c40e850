"""2,000 NamespaceManagers, which kopf watches: what each costs at a start, in memory, at rest."""

import asyncio
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bench.meadow import administrator, each, stored
from bench.objects import metrics
from bench.processes import cpu_clock, rss_bytes
from bench.table import Figure, at_most
from dayfly_core.objects import NAMESPACE_MANAGERS
from playground import ControlPlane, System
from playground.lags import OPERATOR
from playground.process import Process, eventually

MANY = 2_000
HOME, TARGET = "home", "target"
EVERYTHING = Path(__file__).resolve().parents[1] / "manifests" / "everything"
KIB = 1024


@dataclass(frozen=True, slots=True)
class Start:
    """One start of the operator: CPU-seconds until it is quiet, bytes then."""

    cpu: float
    rss: int


def measure(*, quick: bool) -> list[Figure]:
    """Start the operator without them and with them, in turns of the same length."""
    rounds, seconds = (1, 15) if quick else (3, 60)
    with _system() as system:
        [operator] = system.operators
        bare = [_start(operator) for _ in range(rounds)]
        few = _requests(system, seconds)
        asyncio.run(_fill(system.plane))
        if not eventually(lambda: _looked_at(system.plane) == MANY, 300):
            raise RuntimeError(f"not all of {MANY} managers have a status after 5 minutes")
        full = [_start(operator) for _ in range(rounds)]
        many = _requests(system, seconds)
    cpu = (min(s.cpu for s in full) - min(s.cpu for s in bare)) / MANY * 1000
    memory = (min(s.rss for s in full) - min(s.rss for s in bare)) / MANY / KIB
    what = f"start with {MANY:,} NamespaceManagers"
    return [
        Figure(
            "M1",
            f"{what}, CPU each",
            "the same without",
            f"{cpu:.2f} ms",
            *at_most(cpu, 0.5, " ms"),
        ),
        Figure(
            "M2",
            f"{what}, memory each",
            "the same without",
            f"{memory:.1f} KiB",
            *at_most(memory, 15, " KiB"),
        ),
        Figure(
            "M3",
            f"{MANY:,} NamespaceManagers at rest, requests a minute",
            "the same without",
            f"{many:.1f} : {few:.1f}",
            *at_most(many - few, 1, " more"),
        ),
    ]


@contextmanager
def _system() -> Generator[System]:
    with (
        ControlPlane.start() as plane,
        System.install(plane, admissions=1, operators=1, manifests=EVERYTHING) as system,
    ):
        for name in (HOME, TARGET):
            plane.kubectl("create", "namespace", name)
        yield system


def _manager(number: int) -> dict[str, Any]:
    """Write one as kubectl apply leaves it, with an end in ten days."""
    condition = {"type": "TTL", "params": {"ttlSeconds": 864_000}}
    policy = {"name": "end it some day", "condition": condition, "action": {"type": "DELETE"}}
    applied = {"kubectl.kubernetes.io/last-applied-configuration": "x" * 400}
    return {
        "apiVersion": NAMESPACE_MANAGERS.api_version,
        "kind": NAMESPACE_MANAGERS.kind,
        "metadata": {"name": f"manager-{number}", "annotations": applied},
        "spec": {"namespace": TARGET, "policies": [policy]},
    }


async def _fill(plane: ControlPlane) -> None:
    path = NAMESPACE_MANAGERS.path(HOME)
    async with administrator(plane) as client:
        answers = await each(partial(client.create, path, _manager(i)) for i in range(MANY))
    for answer in answers:
        stored(answer)


def _looked_at(plane: ControlPlane) -> int:
    time.sleep(1.0)  # asking costs
    return sum("status" in item for item in plane.read("nsman", "-n", HOME)["items"])


def _start(operator: Process) -> Start:
    operator.stop()
    operator.start()
    operator.wait_ready()
    if not eventually(lambda: metrics(operator)["dayfly_leading"] == 1, 60):
        raise RuntimeError("it does not lead after a minute")
    if not eventually(lambda: _quiet(operator.pid), 120):
        raise RuntimeError("it is not quiet after two minutes")
    return Start(cpu_clock(operator.pid), rss_bytes(operator.pid))


def _quiet(pid: int) -> bool:
    """Whether it has next to nothing to do for three seconds."""
    before = cpu_clock(pid)
    time.sleep(3.0)
    return cpu_clock(pid) - before < 0.05


def _requests(system: System, seconds: float) -> float:
    """Count what the operator asks in a minute, but for the Lease."""
    since = system.plane.audit_log.position()
    time.sleep(seconds)
    asked = [
        event
        for event in system.plane.audit(since)
        if event.user.username == OPERATOR and event.object_ref.resource != "leases"
    ]
    return len(asked) * 60 / seconds
