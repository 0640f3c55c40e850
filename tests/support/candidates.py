"""A small world for elections: one linearizable Lease, candidates, and everything that goes wrong.

True time exists only here. Each candidate has its own monotonic clock (any offset, equal rate) and
its own wall clock (any offset). Requests take time in both directions, get lost in both, arrive
after the client gave up; processes stop (SIGSTOP: their clocks go on), crash and start again.
"""

import heapq
import random
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import NamedTuple

from dayfly_core import lease
from dayfly_core.lease import Claim, Lease, LeaseMeta, LeaseRecord, Sighting, StepDown, Timing, Wait

EPOCH = datetime(2026, 11, 22, tzinfo=UTC)


class Refused(Exception):
    """409, 404, a cut connection, or no answer in time: the caller cannot tell what happened."""


class Term(NamedTuple):
    """True time in which a process may act: from the answer until its gate closes."""

    who: str
    start: float
    end: float


@dataclass
class Store:
    """The API server: each operation happens at one instant."""

    version: int = 0
    lease: Lease | None = None

    def write(self, version: str, record: LeaseRecord) -> Lease:
        """POST without a version, PUT with one."""
        stored = self.lease.metadata.resource_version if self.lease else ""
        if stored != version:
            raise Refused
        self.version += 1
        self.lease = Lease(LeaseMeta(str(self.version)), record)
        return self.lease


class View(NamedTuple):
    """What one candidate knows when it decides; ``wall`` is there for those who trust it."""

    me: str
    seen: Sighting
    renewed: float | None
    now: float
    timing: Timing
    wall: datetime


def decide(view: View) -> lease.Step:
    """Decide as the product does."""
    return lease.step(view.me, view.seen, view.renewed, view.now, view.timing)


def valid_until(timing: Timing, started: float, _arrived: float) -> float:
    """Open the gate as the product does."""
    return timing.valid_until(started)


@dataclass(frozen=True)
class Rules:
    """What the candidates go by; the broken ones replace a part."""

    decide: Callable[[View], lease.Step] = decide
    valid_until: Callable[[Timing, float, float], float] = valid_until
    sighted_when_sent: bool = False


@dataclass(frozen=True)
class Faults:
    """How bad it gets: chances per request, and how often a process is hit, in seconds."""

    lost: float = 0.08
    slow: float = 0.15
    pauses_every: float = 12.0
    crashes_every: float = 20.0
    deleted_at: float = 0.0
    quiet: float = 0.0


CALM = Faults(lost=0, slow=0, pauses_every=0, crashes_every=0)

Event = tuple[float, int, Callable[[], None]]
Call = Callable[[Store], Lease | None]
Steps = Generator[float | Call, Lease | None, None]
Answer = Lease | Refused | None


@dataclass
class World:
    """Runs candidates on one heap of events; the same seed gives the same run."""

    seed: int
    timing: Timing
    rules: Rules = field(default_factory=Rules)
    faults: Faults = field(default_factory=Faults)
    now: float = 0.0
    store: Store = field(default_factory=Store)
    terms: list[Term] = field(default_factory=list[Term])
    events: list[Event] = field(default_factory=list[Event])
    count: int = 0

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)

    def at(self, when: float, event: Callable[[], None]) -> None:
        """Let something happen."""
        self.count += 1
        heapq.heappush(self.events, (max(when, self.now), self.count, event))

    def run(self, candidates: int = 3, seconds: float = 90.0) -> "World":
        """Play; returns itself, with all terms."""
        for number in range(candidates):
            Process(self, f"candidate-{number}").start()
        if self.faults.deleted_at:
            self.at(self.faults.deleted_at, self._delete)
        while self.events and self.events[0][0] < seconds:
            self.now, _, event = heapq.heappop(self.events)
            event()
        return self

    def soon(self, every: float) -> float:
        """Draw when something that happens every so often happens next."""
        return max(self.now, self.faults.quiet) + self.dice.expovariate(1 / every)

    def _delete(self) -> None:
        self.store.lease = None

    @property
    def overlaps(self) -> Iterator[tuple[Term, Term]]:
        """Pairs of terms of different processes at one instant."""
        ordered = sorted(self.terms, key=lambda term: term.start)
        for first, second in combinations(ordered, 2):
            if first.who != second.who and second.start < first.end:
                yield first, second


class Process:
    """One run of one candidate, from start to crash: a small elector around ``step``."""

    def __init__(self, world: World, name: str, life: int = 0) -> None:
        self.world, self.dice, self.name = world, world.dice, name
        self.me, self.life = f"{name}_{life}", life
        self.skew = self.dice.uniform(-1e6, 1e6)
        self.wall_skew = self.dice.uniform(-20, 20)
        self.alive, self.stopped_until = True, 0.0
        self.seen: Sighting | None = None
        self.seen_fresh = False
        self.renewed: float | None = None
        self.term: Term | None = None

    def start(self) -> None:
        """Begin after a moment, and meet one's fate later."""
        self._resume(self._steps(), self.world.now + self.dice.uniform(0, 1), None)
        faults, world = self.world.faults, self.world
        if faults.crashes_every:
            world.at(world.soon(faults.crashes_every), self._crash)
        if faults.pauses_every:
            world.at(world.soon(faults.pauses_every), self._pause)

    def _crash(self) -> None:
        self._close_gate()
        self.alive = False
        Process(self.world, self.name, self.life + 1).start()

    def _pause(self) -> None:
        if self.alive:
            self.stopped_until = self.world.now + self.dice.choice((0.3, 1.0, 3.0, 10.0))
            every = self.world.faults.pauses_every
            self.world.at(self.stopped_until + self.dice.expovariate(1 / every), self._pause)

    # The elector: what the shell of the operator does, with generators for coroutines.

    def monotonic(self) -> float:
        return self.world.now + self.skew

    def wall(self) -> datetime:
        return EPOCH + timedelta(seconds=self.world.now + self.wall_skew)

    def _steps(self) -> Steps:
        while True:
            try:
                yield from self._turn()
            except Refused:
                self.seen_fresh = False
                yield self.dice.uniform(0.05, 0.2)

    def _turn(self) -> Steps:
        if self.seen is None or not self.seen_fresh:
            yield from self._look()
        assert self.seen is not None
        timing, seen = self.world.timing, self.seen
        view = View(self.me, seen, self.renewed, self.monotonic(), timing, self.wall())
        match self.world.rules.decide(view):
            case Claim():
                yield from self._claim(seen)
            case StepDown():
                self._close_gate()
                self.renewed = None
            case Wait(until=until):
                yield until - self.monotonic()
                if self.renewed is None:
                    self.seen_fresh = False
                elif self.dice.random() < 0.01:
                    yield from self._release(seen)

    def _look(self) -> Steps:
        sent = self.monotonic()
        found = yield lambda store: store.lease
        arrived = sent if self.world.rules.sighted_when_sent else self.monotonic()
        self.seen, self.seen_fresh = lease.sight(self.seen, found, arrived), True

    def _claim(self, seen: Sighting) -> Steps:
        timing, started = self.world.timing, self.monotonic()
        record = lease.claimed(self.me, seen, self.wall(), timing)
        written = yield lambda store: store.write(seen.version, record)
        self.seen, self.renewed = lease.sight(seen, written, self.monotonic()), started
        self._open_gate(self.world.rules.valid_until(timing, started, self.monotonic()))

    def _release(self, seen: Sighting) -> Steps:
        self._close_gate()
        self.renewed, self.seen_fresh = None, False
        record = lease.released(seen.record, self.wall())
        yield lambda store: store.write(seen.version, record)

    def _open_gate(self, until: float) -> None:
        start, end = self.world.now, until - self.skew
        if end <= start:
            return
        if self.term and self.term.end >= start:
            self.world.terms.remove(self.term)
            start = self.term.start
        self.term = Term(self.me, start, end)
        self.world.terms.append(self.term)

    def _close_gate(self) -> None:
        if self.alive and self.term and self.term.end > self.world.now:
            self.world.terms.remove(self.term)
            self.world.terms.append(Term(self.me, self.term.start, self.world.now))
        self.term = None

    # The network, and being stopped.

    def _resume(self, steps: Steps, when: float, value: Answer) -> None:
        def event() -> None:
            if self.alive and self.stopped_until > self.world.now:
                self._resume(steps, self.stopped_until, value)
            elif self.alive:
                self._advance(steps, value)

        self.world.at(when, event)

    def _advance(self, steps: Steps, value: Answer) -> None:
        wish = steps.throw(value) if isinstance(value, Refused) else steps.send(value)
        if callable(wish):
            self._send(steps, wish)
        else:
            self._resume(steps, self.world.now + max(wish, 0.001), None)

    def _send(self, steps: Steps, call: Call) -> None:
        world, timeout = self.world, self.world.timing.request_timeout
        there, back = self._delay(), self._delay()
        lost = self._bad(world.faults.lost)
        answered = not lost and there + back < timeout

        def arrive() -> None:
            try:
                answer: Answer = call(world.store)
            except Refused as refused:
                answer = refused
            if answered:
                self._resume(steps, world.now + back, answer)

        # Lost on the way there; or on the way back, or late: then it has happened all the same.
        if not lost or self.dice.random() < 0.5:
            world.at(world.now + there, arrive)
        if not answered:
            self._resume(steps, world.now + timeout, Refused())

    def _delay(self) -> float:
        slow = self._bad(self.world.faults.slow)
        return self.dice.uniform(0.1, 3.0) if slow else self.dice.uniform(0.001, 0.03)

    def _bad(self, chance: float) -> bool:
        return self.world.now >= self.world.faults.quiet and self.dice.random() < chance
