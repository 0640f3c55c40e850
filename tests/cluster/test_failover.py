"""Leaders that are killed, told to go, or stopped in the middle: who acts next, and who never does.

The audit log of the API server is held against the history of the Lease. The suite runs a tenth of
what ``DAYFLY_SOAK=1`` runs.
"""

import asyncio
import os
import random
import signal
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from playground import System
from playground.audit import AuditEvent
from playground.process import Process
from playground.programs import RENEW_DEADLINE
from playground.system import names_replica
from playground.tenure import by_nobody, tenures, written
from support.plots import Plot, now, until, until_time
from support.replicas import back, frozen

pytestmark = pytest.mark.cluster

SOAK = os.environ.get("DAYFLY_SOAK") == "1"
KILLS = 20 if SOAK else 2
STOPS = 5 if SOAK else 1
SEED = 11
PACE = timedelta(milliseconds=100)
SHARED = 1 if SOAK else 3
"""Allowance for a machine that does other things beside this; the soak is run alone."""


@pytest.fixture
def operators(rough: System) -> Iterator[System]:
    """Let any of them be killed or stopped."""
    yield rough
    for process in rough.operators:
        process.kill(signal.SIGCONT)
    back(*rough.operators)


@pytest.mark.parametrize(
    ("number", "limit"),
    [
        pytest.param(signal.SIGKILL, 3.0, id="killed: its lease has to run out"),
        pytest.param(signal.SIGTERM, 0.5, id="told to go: it lets go of the lease"),
    ],
)
async def test_kill_of_the_leader_while_ends_come(
    operators: System,
    plot: Plot,
    capsys: pytest.CaptureFixture[str],
    number: signal.Signals,
    limit: float,
) -> None:
    since = operators.plane.audit_log.position()
    gaps = [await gap(operators, plot, number, turn) for turn in range(KILLS)]
    with capsys.disabled():
        print(f"\n  next DELETE after {number.name}: {', '.join(f'{g:.2f}' for g in gaps)} s")
    assert max(gaps) <= limit * SHARED
    events = list(operators.plane.audit(since))
    assert len(written(events)) > 10 * KILLS
    assert by_nobody(events) == []


async def gap(system: System, plot: Plot, number: signal.Signals, turn: int) -> float:
    """Measure the seconds from the signal to the next DELETE, by another; nothing is lost by it."""
    leader = await asyncio.to_thread(system.leader)
    since, due = system.plane.audit_log.position(), now() + timedelta(seconds=2)
    ends = {f"drop-{turn:02}-{i:03}": due + i * PACE for i in range(60)}
    await plot.sow(ends)
    # Not always at the same moment of the lease's renewals.
    await until_time(due + timedelta(seconds=0.5 + random.Random(SEED + turn).random()))
    killed = now()
    leader.kill(number)
    await plot.gone(ends)
    first = min(
        event.request_received_timestamp
        for event in deletions(system, since)
        if event.request_received_timestamp > killed and not by(event, leader)
    )
    leader.stop()
    back(leader)
    return (first - killed).total_seconds()


def deletions(system: System, since: int) -> list[AuditEvent]:
    acts = written(system.plane.audit(since))
    return [event for event in acts if event.verb == "delete" and event.accepted]


def by(event: AuditEvent, replica: Process) -> bool:
    return names_replica(event.sender, replica.name)


async def test_a_leader_that_stops_for_10_s_does_nothing_when_it_goes_on(
    operators: System, plot: Plot
) -> None:
    for turn in range(STOPS):
        await stop_and_go_on(operators, plot, turn)


async def stop_and_go_on(system: System, plot: Plot, turn: int) -> None:
    leader = await asyncio.to_thread(system.leader)
    since, due = system.plane.audit_log.position(), now() + timedelta(seconds=4)
    ends = {f"tick-{turn}-{i:03}": due + i * PACE / 4 for i in range(480)}
    await plot.sow(ends)
    await until_time(due + timedelta(seconds=0.5 + random.Random(SEED + turn).random()))
    with frozen(leader):
        await until_time(now() + timedelta(seconds=10))
    on = now()
    await plot.gone(ends)
    await until(lambda: follows(system, leader))
    events = list(system.plane.audit(since))
    assert by_nobody(events) == []
    closed = last_renewal(events, leader, on) + RENEW_DEADLINE + timedelta(milliseconds=50)
    late = [e for e in written(events) if by(e, leader) and closed < received(e)]
    # A request that was past the gate when its sender stopped: for a version that is no more.
    overtaken = [e for e in late if e.code in (404, 409) and received(e) < on + PACE * 10]
    assert late == overtaken
    assert any(received(e) < on and not by(e, leader) for e in deletions(system, since))


async def follows(system: System, replica: Process) -> bool:
    """Whether it has noticed that another one leads."""
    leading = await asyncio.to_thread(system.leading)
    return leading is not None and leading is not replica and replica.complaint() is None


def received(event: AuditEvent) -> datetime:
    return event.request_received_timestamp


def last_renewal(events: list[AuditEvent], replica: Process, before: datetime) -> datetime:
    """Tell when it last renewed the Lease: its gate closes by that."""
    own = [t for t in tenures(events) if names_replica(t.holder, replica.name)]
    return max(t.valid_until for t in own if t.since < before) - RENEW_DEADLINE
