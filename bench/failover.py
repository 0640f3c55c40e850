"""The leader is killed, again and again, while ends fall due; and who acted when."""

import asyncio
import random
import signal
import threading
from bisect import bisect_right
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import sleep

import msgspec

from bench.meadow import CONFIG_MAPS, Meadow, Spread, administrator, config_map, meadow
from bench.table import Figure
from dayfly_core import instant, names
from dayfly_core.lease import LeaseRecord
from playground import ControlPlane
from playground.audit import AuditEvent
from playground.lags import OPERATOR, endings
from playground.process import eventually
from playground.system import names_replica

EVERY = 0.05
"""Seconds between ends."""
AHEAD = timedelta(seconds=2)
SEED = 11
EFFECTS = frozenset({"delete", "patch", "update"})


def measure(*, quick: bool) -> list[Figure]:
    """Kill the leader in both ways, and then read the audit log once more from the start."""
    kills = 3 if quick else 20
    with meadow(operators=3) as field:
        since = field.plane.audit_log.position()
        with falling_due(field.plane):
            crash = [_gap(field, signal.SIGKILL, number) for number in range(kills)]
            leave = [_gap(field, signal.SIGTERM, number) for number in range(kills)]
        history = History.read(field.plane.audit(since))
        acts = [event for event in field.plane.audit(since) if effect(event)]
    astray = [event for event in acts if not history.allows(event)]
    return [
        _gap_figure("SIGKILL", crash, 3.0, "Kyverno 77 s; client-go's defaults 15-19 s"),
        _gap_figure("SIGTERM", leave, 0.5, "client-go with release 2-4 s"),
        Figure(
            "holder",
            f"writes by a replica that did not hold the Lease, {2 * kills} kills",
            "audit log against the Lease's history",
            f"{len(astray)} of {len(acts)}" + "".join(f"; {_told(e)}" for e in astray[:2]),
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


def effect(event: AuditEvent) -> bool:
    """Whether it is a write of an operator that changed something, other than its own upkeep."""
    return (
        event.user.username == OPERATOR
        and event.verb in EFFECTS
        and event.object_ref.resource not in ("leases", "secrets", "events")
        and event.stage == "ResponseComplete"
        and event.code < 300
    )


@dataclass(frozen=True, slots=True)
class Term:
    """One accepted write of the Lease: who has held it since, and until when without another."""

    at: datetime
    holder: str
    until: datetime


@dataclass(frozen=True, slots=True)
class History:
    """The Lease's writes in the order in which the API server accepted them."""

    terms: Sequence[Term]

    @classmethod
    def read(cls, events: Iterator[AuditEvent]) -> "History":
        """Read the accepted ones from the audit log."""
        accepted = (
            event
            for event in events
            if event.object_ref.resource == "leases"
            and event.object_ref.name == names.LEASE
            and event.verb in ("create", "update", "patch")
            and event.stage == "ResponseComplete"
            and event.code < 300
        )
        return cls(sorted(map(term, accepted), key=lambda found: found.at))

    def allows(self, event: AuditEvent) -> bool:
        """Whether its sender held the Lease when the API server received it."""
        at = event.request_received_timestamp
        index = bisect_right([found.at for found in self.terms], at) - 1
        if index < 0:
            return True  # before the first write that was read
        held = self.terms[index]
        return names_replica(held.holder, sender(event)) and at <= held.until


class _Written(msgspec.Struct):
    spec: LeaseRecord


def term(event: AuditEvent) -> Term:
    """Read what a write of the Lease said; it counts from its answer on."""
    spec = msgspec.json.decode(event.request_object, type=_Written).spec
    lasts = timedelta(seconds=spec.lease_duration_seconds or 0)
    renewed = instant.parse(spec.renew_time) if spec.renew_time else event.stage_timestamp
    return Term(event.stage_timestamp, spec.holder, renewed + lasts)


def sender(event: AuditEvent) -> str:
    """``dayfly-operator-1`` of ``dayfly-operator/0.1.0 (dayfly-operator-1)``."""
    return event.user_agent.rpartition("(")[2].rstrip(")")


def _told(event: AuditEvent) -> str:
    at = instant.render(event.request_received_timestamp)
    return f"{event.verb} {event.target} by {sender(event)} at {at}"
