"""The leader is killed, again and again, while ends fall due; and who acted when."""

import asyncio
import random
import signal
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from time import sleep

from bench.meadow import CONFIG_MAPS, Meadow, Spread, administrator, config_map, meadow
from bench.table import Figure
from playground import ControlPlane
from playground.lags import endings
from playground.process import eventually
from playground.system import names_replica
from playground.tenure import by_nobody, written

EVERY = 0.05
"""Seconds between ends."""
AHEAD = timedelta(seconds=2)
SEED = 11


def measure(*, quick: bool) -> list[Figure]:
    """Kill the leader in both ways, and hold what was written against the Lease's history."""
    kills = 3 if quick else 20
    with meadow(operators=3) as field:
        since = field.plane.audit_log.position()
        with falling_due(field.plane):
            crash = [_gap(field, signal.SIGKILL, number) for number in range(kills)]
            leave = [_gap(field, signal.SIGTERM, number) for number in range(kills)]
        events = list(field.plane.audit(since))
    acts, astray = [event for event in written(events) if event.accepted], by_nobody(events)
    return [
        _gap_figure("SIGKILL", crash, 3.0, "Kyverno 77 s; client-go's defaults 15-19 s"),
        _gap_figure("SIGTERM", leave, 0.5, "client-go with release 2-4 s"),
        Figure(
            "holder",
            f"writes by a replica that did not hold the Lease, {2 * kills} kills",
            "audit log against the Lease's history",
            "; ".join((f"{len(astray)} of {len(acts)}", *astray[:2])),
            "0",
            not astray and bool(acts),
        ),
    ]


def _gap_figure(name: str, gaps: Sequence[float], limit: float, peer: str) -> Figure:
    worst = max(gaps)
    return Figure(
        "failover",
        f"{name} of the leader -> next DELETE by another, {len(gaps)} times",
        peer,
        str(Spread.of(gaps)),
        f"max ≤ {limit:g} s",
        worst <= limit,
    )


def _gap(field: Meadow, number: signal.Signals, seed: int) -> float:
    """Seconds from the signal to the next accepted DELETE of another replica."""
    leader = field.system.leader()
    _until_deleting(field, leader.name)
    # Not always at the same moment of the lease's renewals.
    sleep(random.Random(SEED + seed).random())
    since, killed_at = field.plane.audit_log.position(), datetime.now(UTC)
    leader.kill(number)
    found: list[datetime] = []

    def taken_over() -> bool:
        ends = endings(field.plane.audit(since), {})
        found.extend(e.at for e in ends if not names_replica(e.replica, leader.name))
        return bool(found)

    if not eventually(taken_over, 30):
        raise RuntimeError(f"no DELETE for 30 s after {number.name} of {leader.name}")
    leader.stop()
    leader.start()
    leader.wait_ready()
    return (found[0] - killed_at).total_seconds()


def _until_deleting(field: Meadow, replica: str) -> None:
    since = field.plane.audit_log.position()

    def deleting() -> bool:
        return any(names_replica(e.replica, replica) for e in endings(field.plane.audit(since), {}))

    if not eventually(deleting, 30):
        raise RuntimeError(f"{replica} leads and ends nothing")


@contextmanager
def falling_due(plane: ControlPlane) -> Generator[None]:
    """Meanwhile create ConfigMaps, each to end two seconds later."""
    stop = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_drizzle(plane, stop.is_set)))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


async def _drizzle(plane: ControlPlane, stopped: Callable[[], bool]) -> None:
    async with administrator(plane) as client:
        number = 0
        while not stopped():
            body = config_map(f"drop-{number:06}", datetime.now(UTC) + AHEAD)
            await client.create(CONFIG_MAPS, body)
            number += 1
            await asyncio.sleep(EVERY)
