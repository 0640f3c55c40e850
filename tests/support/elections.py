"""A Lease in memory, wires to it that break, and candidates whose open gates are on record.

For virtual time: clocks are the event loop's.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Literal, TypeVar

from dayfly_core.lease import Lease, LeaseMeta, LeaseRecord, Timing
from dayfly_operator.election import Clocks, Election, LostRace
from dayfly_operator.leadership import Leadership

T = TypeVar("T")
TIMING = Timing()  # 3 s, 2.2 s, 0.6 s, 0.6 s
START = datetime(2026, 11, 22, 6, tzinfo=UTC)
Condition = Literal["whole", "refusing", "hanging", "deaf"]
"""Deaf: requests arrive and are carried out, answers never come back."""


def virtual_clocks(seed: int = 0) -> Clocks:
    loop = asyncio.get_running_loop()
    return Clocks(lambda: START + timedelta(seconds=loop.time()), loop.time, Random(seed))


class Cabinet:
    """Where the one Lease is kept: every write makes a version, and wakes who watches."""

    def __init__(self) -> None:
        self.lease: Lease | None = None
        self.versions = 0
        self._changed = asyncio.Event()

    def keep(self, record: LeaseRecord | None) -> Lease:
        self.versions += 1
        self.lease = Lease(LeaseMeta(str(self.versions)), record)
        self._wake()
        return self.lease

    def throw_away(self) -> None:
        self.lease = None
        self._wake()

    def replace(self, version: str, record: LeaseRecord) -> Lease:
        if version != (self.lease.metadata.resource_version if self.lease else ""):
            raise LostRace("the object has been modified")
        return self.keep(record)

    async def changed(self) -> None:
        await self._changed.wait()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    @property
    def record(self) -> LeaseRecord:
        assert self.lease is not None
        return self.lease.spec or LeaseRecord()


@dataclass
class Wire:
    """One candidate's way to the cabinet."""

    cabinet: Cabinet
    condition: Condition = "whole"
    latency: Callable[[], float] = lambda: 0.001
    errors: list[Exception] = field(default_factory=list[Exception])
    """Raised by the next requests, one each, instead of carrying them out."""
    operations: list[str] = field(default_factory=list[str])
    brought: bool = False
    """Whether it ever brought a Lease: else a missing one looks like a first start."""

    async def read(self) -> Lease | None:
        return self._bring(await self._carry("get", lambda: self.cabinet.lease))

    async def write(self, version: str, record: LeaseRecord) -> Lease:
        verb = "update" if version else "create"
        lease = await self._carry(verb, lambda: self.cabinet.replace(version, record))
        self._bring(lease)
        return lease

    async def changes(self) -> AsyncGenerator[Lease | None, None]:
        while True:
            await self._reach()
            yield self._bring(self.cabinet.lease)
            await self.cabinet.changed()
            await asyncio.sleep(self.latency())

    async def _carry(self, verb: str, act: Callable[[], T]) -> T:
        self.operations.append(verb)
        await self._reach()
        if self.errors:
            raise self.errors.pop(0)
        answer = act()
        if self.condition == "deaf":
            await asyncio.Event().wait()
        await asyncio.sleep(self.latency())
        return answer

    def _bring(self, lease: Lease | None) -> Lease | None:
        self.brought = self.brought or lease is not None
        return lease

    async def _reach(self) -> None:
        await asyncio.sleep(self.latency())
        if self.condition == "refusing":
            raise ConnectionRefusedError("connection refused")
        if self.condition == "hanging":
            await asyncio.Event().wait()


@dataclass(frozen=True)
class Opening:
    """From when to when a gate was open."""

    candidate: str
    begin: float
    end: float


class RecordedLeadership(Leadership):
    """Keeps what the gate promised, which is what an effect may rely on."""

    __slots__ = ("openings",)

    def __init__(self, identity: str, monotonic: Callable[[], float]) -> None:
        super().__init__(identity, monotonic)
        self.openings: list[Opening] = []

    def extend(self, valid_until: float, term: int) -> None:
        super().extend(valid_until, term)
        self.openings.append(Opening(self.identity, self._monotonic(), valid_until))

    def close(self) -> None:
        super().close()
        now = self._monotonic()
        self.openings = [
            Opening(o.candidate, o.begin, min(o.end, now)) for o in self.openings if o.begin < now
        ]


class Candidate:
    """One process that stands for election; killing it is what SIGKILL does."""

    def __init__(self, identity: str, cabinet: Cabinet, timing: Timing, *, seed: int = 0) -> None:
        clocks = virtual_clocks(seed)
        self.wire = Wire(cabinet)
        self.leadership = RecordedLeadership(identity, clocks.monotonic)
        self.election = Election(self.wire, self.leadership, timing, clocks)
        self.changes: list[bool] = []
        self.election.on_change(self.changes.append)
        self.task = asyncio.create_task(self.election.run())

    async def kill(self) -> None:
        """Nothing is released, and no effect comes from it any more."""
        self.task.cancel()
        await asyncio.wait([self.task])
        self.leadership.close()

    async def stop(self) -> float:
        """Stop in order; the seconds it took."""
        loop = asyncio.get_running_loop()
        begin = loop.time()
        self.election.stop()
        await self.task
        return loop.time() - begin

    @property
    def leads(self) -> bool:
        return self.leadership.holds()


class World:
    """One Lease and those who stand for it."""

    def __init__(self) -> None:
        self.cabinet = Cabinet()
        self.candidates: list[Candidate] = []

    def stand(self, identity: str) -> Candidate:
        candidate = Candidate(identity, self.cabinet, TIMING, seed=len(self.candidates))
        self.candidates.append(candidate)
        return candidate

    async def leader(self, identity: str = "baz") -> Candidate:
        candidate = self.stand(identity)
        await asyncio.sleep(0.01)
        assert candidate.leads
        return candidate

    @property
    def leading(self) -> list[str]:
        return [c.leadership.identity for c in self.candidates if c.leads]

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def until(self, condition: Callable[[], bool], look: float = 0.01) -> float:
        """Seconds until it is so, looking that often."""
        begin = self.now
        while not condition():
            assert self.now - begin < 60
            await asyncio.sleep(look)
        return self.now - begin


def held_by(holder: str, **more: int) -> LeaseRecord:
    return LeaseRecord(
        holder_identity=holder,
        lease_duration_seconds=more.get("duration", 3),
        lease_transitions=more.get("transitions", 0),
    )


def overlaps(openings: list[Opening]) -> list[tuple[Opening, Opening]]:
    """Pairs of openings of different candidates that share an instant."""
    ordered = sorted(openings, key=lambda o: o.begin)
    return [
        (a, b)
        for i, a in enumerate(ordered)
        for b in ordered[i + 1 :]
        if b.begin < a.end and a.candidate != b.candidate
    ]
