"""Leaders that are killed, told to go, or stopped in the middle: who acts next, and who never does.

The audit log of the API server is held against the history of the Lease. The suite runs a tenth of
what ``DAYFLY_SOAK=1`` runs.
"""

import asyncio
import os
import random
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from playground import System
from playground.audit import AuditEvent
from playground.process import Process
from playground.programs import RENEW_DEADLINE
from playground.system import names_replica
from playground.tenure import LATE, by_nobody, tenures, written
from support.plots import Plot, now, until, until_time
from support.replicas import back, frozen
from support.stalls import Stalls

pytestmark = pytest.mark.cluster

SOAK = os.environ.get("DAYFLY_SOAK") == "1"
KILLS = 20 if SOAK else 2
STOPS = 5 if SOAK else 1
SEED = 11
PACE = timedelta(milliseconds=100)
PROMPT = 3.0 if SOAK else 15.0
"""Seconds: a machine that does other things beside this is allowed more; the soak is run alone."""


@pytest.fixture
def operators(rough: System) -> Iterator[System]:
    """Let any of them be killed or stopped."""
    yield rough
    for process in rough.operators:
        process.kill(signal.SIGCONT)
    back(*rough.operators)


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(signal.SIGKILL, id="killed: its lease has to run out"),
        pytest.param(signal.SIGTERM, id="told to go: it lets go of the lease"),
    ],
)
async def test_kill_of_the_leader_while_ends_come(
    operators: System,
    plot: Plot,
    stalls: Stalls,
    figure: Callable[[str], None],
    number: signal.Signals,
) -> None:
    since = operators.plane.audit_log.position()
    changes = [await change(operators, plot, number, turn) for turn in range(KILLS)]
    gaps = [f"{change.took.total_seconds():.2f}" for change in changes]
    figure(f"next DELETE after {number.name}: {', '.join(gaps)} s")
    for change_ in changes:
        assert change_.took - stalls.lost(change_.at, change_.next) < timedelta(seconds=PROMPT)
        assert change_.released is (number == signal.SIGTERM)
    events = list(operators.plane.audit(since))
    assert len(written(events)) > 10 * KILLS
    assert by_nobody(events, still=stalls.spans) == []


@dataclass(frozen=True, slots=True)
class Change:
    """A leader that went, and when the next one acted."""

    at: datetime
    next: datetime
    released: bool
    """Whether it said that it goes, so that nobody had to wait for the end of its Lease."""

    @property
    def took(self) -> timedelta:
        """How long nobody acted."""
        return self.next - self.at


async def change(system: System, plot: Plot, number: signal.Signals, turn: int) -> Change:
    """Send the leader that signal while ends come; nothing is lost by it."""
    since, due = system.plane.audit_log.position(), now() + timedelta(seconds=2)
    ends = {f"drop-{turn:02}-{i:03}": due + i * PACE for i in range(60)}
    await plot.sow(ends)
    # Not always at the same moment of the lease's renewals.
    await until_time(due + timedelta(seconds=0.5 + random.Random(SEED + turn).random()))
    # However long that took, there is something to do when it has gone.
    after = {f"after-{turn:02}-{i:03}": now() + PACE * 10 + i * PACE for i in range(10)}
    await plot.sow(after)
    leader = await asyncio.to_thread(system.leader)
    killed = now()
    leader.kill(number)
    await plot.gone({*ends, *after})
    await until(lambda: others_act(system, since, leader, killed))
    leader.stop()
    back(leader)
    first = min(others(system, since, leader, killed))
    let_go = [t for t in tenures(system.plane.audit(since)) if killed < t.since < first]
    return Change(killed, first, any(not t.holder for t in let_go))


def others(system: System, since: int, leader: Process, moment: datetime) -> list[datetime]:
    """Return when somebody else deleted something after that moment."""
    mine = (received(e) for e in deletions(system, since) if not by(e, leader))
    return [at for at in mine if at > moment]


async def others_act(system: System, since: int, leader: Process, moment: datetime) -> bool:
    return bool(others(system, since, leader, moment))


def deletions(system: System, since: int) -> list[AuditEvent]:
    acts = written(system.plane.audit(since))
    return [event for event in acts if event.verb == "delete" and event.accepted]


def by(event: AuditEvent, replica: Process) -> bool:
    return names_replica(event.sender, replica.name)


async def test_a_leader_that_stops_for_10_s_does_nothing_when_it_goes_on(
    operators: System, plot: Plot, stalls: Stalls
) -> None:
    for turn in range(STOPS):
        await stop_and_go_on(operators, plot, stalls, turn)


async def stop_and_go_on(system: System, plot: Plot, stalls: Stalls, turn: int) -> None:
    leader = await asyncio.to_thread(system.leader)
    since, due = system.plane.audit_log.position(), now() + timedelta(seconds=4)
    ends = {f"tick-{turn}-{i:03}": due + i * PACE / 4 for i in range(480)}
    await plot.sow(ends)
    await until_time(due + timedelta(seconds=0.5 + random.Random(SEED + turn).random()))
    stopped = now()
    with frozen(leader):
        await until_time(now() + timedelta(seconds=10))
        await until(lambda: others_act(system, since, leader, stopped))
    on = now()
    await plot.gone(ends)
    await until(lambda: follows(system, leader))
    events = list(system.plane.audit(since))
    assert by_nobody(events, still=stalls.spans) == []
    closed = last_renewal(events, leader, on) + RENEW_DEADLINE
    late = [
        event
        for event in written(events)
        if by(event, leader)
        and received(event) > closed + LATE + stalls.lost(closed, received(event))
    ]
    # A request that was past the gate when its sender stopped: for a version that is no more.
    under_way = on + PACE * 10
    overtaken = [
        event
        for event in late
        if event.code in (404, 409)
        and received(event) < under_way + stalls.lost(on, received(event))
    ]
    assert late == overtaken


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
