"""2,000 NamespaceManagers, which kopf watches: a start, memory, rest, what each asks for."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bench.checks import asked, check
from bench.meadow import NAMESPACE, Meadow, administrator, created, meadow
from bench.objects import WRITES, Rest, metrics, rested
from bench.processes import cpu_clock, rss_bytes
from bench.table import Figure, at_most
from bench.wards import manager, namespace, target, waiting
from dayfly_core.objects import NAMESPACE_MANAGERS, NAMESPACES
from playground.process import Process, eventually
from playground.system import EVERYTHING

FEW, MANY = 200, 2_000
KIB = 1024
SETTLED: Final = 8.0
"""Seconds in which what was just made is told."""


@dataclass(frozen=True, slots=True)
class Start:
    """One start of the operator: CPU-seconds until it is quiet, bytes then, requests until then."""

    cpu: float
    rss: int
    requests: Counter[str]

    @property
    def writes(self) -> int:
        """How many of the requests were writes."""
        return sum(n for what, n in self.requests.items() if what.split()[0] in WRITES)


def measure(*, quick: bool) -> list[Figure]:
    """Start the operator without them and with them; rest with few and with many."""
    with meadow(manifests=EVERYTHING) as field:
        return list(_measured(field, 2 * FEW if quick else MANY, quick=quick))


def _measured(field: Meadow, many: int, *, quick: bool) -> Iterator[Figure]:
    rounds, seconds = (1, 15) if quick else (3, 45)
    asyncio.run(_namespaces(field, many))
    without = _starts(field, rounds)
    since = field.plane.audit_log.position()
    _manage(field, range(FEW))
    few = rested(field, seconds)
    _manage(field, range(FEW, many))
    new = asked(field.plane, since)
    rest = rested(field, seconds)
    yield from _starting(many, without, _starts(field, rounds))
    yield _resting(many, few, rest)
    yield _made(many, new)
    yield check(field, rest.cpu / 60).figure()


def _starting(count: int, without: list[Start], full: list[Start]) -> Iterator[Figure]:
    cpu = (min(s.cpu for s in full) - min(s.cpu for s in without)) / count * 1e3
    rss = (min(s.rss for s in full) - min(s.rss for s in without)) / count / KIB
    writes = max(start.writes for start in full)
    what, peer = f"start with {count:,} NamespaceManagers", "the same without, Namespaces and all"
    quick, slim = at_most(cpu, 0.5, " ms"), at_most(rss, 15, " KiB")
    yield Figure("M1", f"{what}, CPU each", peer, f"{cpu:.2f} ms", *quick)
    yield Figure("M2", f"{what}, memory each", peer, f"{rss:.1f} KiB", *slim)
    yield Figure("M4", f"{what}, writes", "", str(writes), "0", not writes)


def _resting(count: int, few: Rest, many: Rest) -> Figure:
    cpu = f"{few.cpu:.2f} → {many.cpu:.2f} CPU-s with it"
    return Figure(
        "M3",
        f"requests at rest besides the Lease, a minute, {FEW} → {count:,} NamespaceManagers",
        "",
        f"{few.requests:.1f} → {many.requests:.1f} ({cpu})",
        *at_most(many.requests - few.requests, 1, " more"),
    )


def _made(count: int, new: Counter[str]) -> Figure:
    writes = sum(n for what, n in new.items() if what.split()[0] in WRITES)
    target, met = at_most(new.total() / count, 3.5)
    return Figure(
        "M5",
        f"requests for each of {count:,} that are new",
        "a look: the manager, its Namespace; its status",
        f"{new.total() / count:.2f}, of them {writes / count:.2f} writes",
        f"{target}, of them ≤ 1.05 writes",
        met and writes <= 1.05 * count,
    )


# What is there, and the operator that starts.


async def _namespaces(field: Meadow, count: int) -> None:
    async with administrator(field.plane) as client:
        bodies = [namespace(target(number)) for number in range(count)]
        await created(client, NAMESPACES.path(), bodies)


def _manage(field: Meadow, numbers: range) -> None:
    """Create managers, and wait until the operator has nothing more to say about them."""
    asyncio.run(_create(field, numbers))
    [operator] = field.system.operators
    if not eventually(lambda: _told(operator, waiting(numbers.stop)), 180):
        raise RuntimeError(f"not all of {numbers.stop} managers are waited for after 3 minutes")
    time.sleep(SETTLED)


async def _create(field: Meadow, numbers: range) -> None:
    async with administrator(field.plane) as client:
        bodies = (manager(number) for number in numbers)
        await created(client, NAMESPACE_MANAGERS.path(NAMESPACE), bodies)


def _told(operator: Process, count: int) -> bool:
    time.sleep(0.5)  # asking costs
    gauges = metrics(operator)
    return gauges["dayfly_deadlines"] >= count and gauges["dayfly_queue_length"] == 0


def _starts(field: Meadow, rounds: int) -> list[Start]:
    return [_start(field) for _ in range(rounds)]


def _start(field: Meadow) -> Start:
    [operator] = field.system.operators
    operator.stop()
    since = field.plane.audit_log.position()
    operator.start()
    operator.wait_ready()
    if not eventually(lambda: metrics(operator)["dayfly_leading"] == 1, 60):
        raise RuntimeError("it does not lead after a minute")
    if not eventually(lambda: _quiet(operator.pid), 120):
        raise RuntimeError("it is not quiet after two minutes")
    return Start(cpu_clock(operator.pid), rss_bytes(operator.pid), asked(field.plane, since))


def _quiet(pid: int) -> bool:
    """Whether it has next to nothing to do for three seconds."""
    before = cpu_clock(pid)
    time.sleep(3.0)
    return cpu_clock(pid) - before < 0.05
