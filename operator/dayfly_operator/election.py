"""The election as one process lives it: follow, claim, renew, give up, release.

Decisions are :func:`dayfly_core.lease.step`'s. This module sends, receives, waits and reports; it
runs in whatever event loop it is given and knows neither threads nor HTTP.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress
from datetime import datetime
from random import Random
from typing import Final, Protocol, TypeVar

import msgspec
from msgspec.structs import replace

from dayfly_core.lease import (
    Claim,
    Lease,
    LeaseRecord,
    Sighting,
    StepDown,
    Timing,
    Wait,
    claimed,
    released,
    sight,
    step,
)
from dayfly_core.pace import Backoff
from dayfly_operator.announcements import Reports
from dayfly_operator.leadership import SHORTEST_PAUSE, Gate, Leadership

T = TypeVar("T")

JITTER: Final = 0.1
"""Seconds: followers look, and take over, at random moments within it, not all at one."""

UNHEARD_OF: Final = "?"
"""No version of any object."""

LAST_WORDS: Final = 0.05
"""Seconds that a request in flight still has when the process stops: its outcome, if known, makes
the release one request shorter. The release as a whole should take 0.1 s."""


class LostRace(Exception):
    """The write came too late: the Lease has another version, or none, or exists already."""


class NotNow(Exception):
    """The server asks to be left alone for ``after`` seconds."""

    def __init__(self, message: str, after: float) -> None:
        super().__init__(message)
        self.after = after


class Leases(Protocol):
    """The one Lease, as an election needs it. Whatever else it raises means: no answer."""

    async def read(self) -> Lease | None:
        """Return the Lease as it is now, None if there is none."""
        ...

    async def write(self, version: str, record: LeaseRecord) -> Lease:
        """Replace that version (``""``: create it) or raise :class:`LostRace`."""
        ...

    def changes(self) -> AsyncGenerator[Lease | None, None]:
        """Yield the Lease now and after each change, None when it was deleted."""
        ...


class Clocks(msgspec.Struct, frozen=True):
    """What time it is, for people and for decisions; and chance, for jitter."""

    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    """``CLOCK_BOOTTIME``; the same that :class:`Leadership` judges by."""
    random: Random = msgspec.field(default_factory=Random)


class Election:
    """One candidate. :meth:`run` returns after :meth:`stop`, with the Lease released."""

    def __init__(
        self, leases: Leases, leadership: Leadership, timing: Timing, clocks: Clocks
    ) -> None:
        self._leases = leases
        self._gate = Gate(leadership)
        self._me = leadership.identity
        self._timing = timing
        self._clocks = clocks
        self._backoff = Backoff(first=timing.retry, cap=timing.duration)
        self._reports = Reports()
        self._failures = 0
        self._seen: Sighting | None = None
        self._heard_at: float | None = None  # when told the Lease's state; None: has to ask
        self._renewed: float | None = None  # start of the last good claim; None: a follower
        self._owed = False  # a claim was sent, so there may be something to release
        self._stopping = asyncio.Event()
        self._nudge = asyncio.Event()
        self._in_flight: asyncio.Timeout | None = None
        self.beat = clocks.monotonic()
        """When it last did something; it never waits longer than the lease lasts."""

    def on_change(self, listener: Callable[[bool], None]) -> None:
        """Have ``listener(open)`` called, in this event loop, when the gate opens or closes."""
        self._gate.listeners.append(listener)

    def stop(self) -> None:
        """Make :meth:`run` release the Lease and return, whatever it is doing.

        All guarded work must have ended: whoever takes over acts at once.
        """
        if self._stopping.is_set():
            return
        self._stopping.set()
        self._nudge.set()
        if self._in_flight is not None:
            soon = asyncio.get_running_loop().time() + LAST_WORDS
            self._in_flight.reschedule(min(self._in_flight.when() or soon, soon))

    async def run(self) -> None:
        """Follow and lead in turn until stopped; the gate is closed when it returns."""
        try:
            while not self._stopping.is_set():
                await self._follow()
                await self._lead()
            await self._release()
        finally:
            self._gate.close()

    async def _follow(self) -> None:
        async with asyncio.TaskGroup() as group:
            watch = group.create_task(self._watch())
            while self._renewed is None and not self._stopping.is_set():
                await self._pause(await self._attempt())
                # A free Lease is news to all followers at once; let one be first.
                await self._unless_stopped(JITTER * self._clocks.random.random())
            watch.cancel()

    async def _lead(self) -> None:
        while self._renewed is not None and not self._stopping.is_set():
            await self._pause(await self._attempt())

    async def _attempt(self) -> float:
        """Do what is to be done now; the seconds until there is something to do again."""
        self.beat = self._clocks.monotonic()
        try:
            pause = await self._advance()
        except LostRace:
            self._heard_at = None
            return JITTER
        except Exception as error:  # noqa: BLE001 (an elector that dies of a strange answer is worse than the answer: it is reported, and tried again)
            self._heard_at = None
            return self._failed(error)
        self._failures = 0
        self._reports.answered()
        return pause

    async def _advance(self) -> float:
        seen = await self._look()
        now = self._clocks.monotonic()
        match step(self._me, seen, self._renewed, now, self._timing):
            case Claim():
                return await self._claim(seen)
            case StepDown(holder):
                self._renewed = None
                self._gate.close()
                self._reports.following(holder)
                return 0.0
            case Wait(until):
                if self._renewed is None:
                    self._reports.following(seen.record.holder)
                return until - now

    async def _look(self) -> Sighting:
        """Return what is known; ask if it is in doubt or, as a follower, old."""
        now, heard = self._clocks.monotonic(), self._heard_at
        old = self._renewed is None and heard is not None and now - heard >= self._timing.retry
        if self._seen is None or heard is None or old:
            return self._take_in(await self._answer(self._leases.read()))
        return self._seen

    async def _claim(self, seen: Sighting) -> float:
        started = self._clocks.monotonic()
        record = claimed(self._me, seen, self._clocks.now(), self._timing)
        self._owed = True
        self._take_in(await self._answer(self._leases.write(seen.version, record)))
        self._renewed = started
        self._gate.extend(self._timing.valid_until(started), record.transitions)
        self._reports.leading(record.transitions)
        return started + self._timing.retry - self._clocks.monotonic()

    def _take_in(self, lease: Lease | None) -> Sighting:
        now, heard, before = self._clocks.monotonic(), self._heard_at, self._seen
        in_touch = heard is not None and now - heard <= 2 * self._timing.retry
        if before is not None and before.deleted and not in_touch:
            # Missing again is not still missing: it may have been made and held meanwhile.
            before = replace(before, version=UNHEARD_OF)
        self._heard_at = now
        self._seen = sight(before, lease, now)
        return self._seen

    def _failed(self, error: Exception) -> float:
        self._failures += 1
        if not self._stopping.is_set():
            self._reports.failing(error)
        if self._renewed is not None:
            # The deadline is made of retries: none may be lost to waiting after one that hung.
            return max(JITTER, self.beat + self._timing.retry - self._clocks.monotonic())
        asked = error.after if isinstance(error, NotNow) else 0.0
        delay = self._backoff.delay(self._failures, self._clocks.random.random())
        return max(delay, min(asked, self._timing.duration))

    async def _watch(self) -> None:
        """Take in each change while following; when it fails, the looks go on without it."""
        failures = 0
        while True:
            with suppress(Exception):  # looks report what is wrong with the server
                async with aclosing(self._leases.changes()) as changes:
                    async for lease in changes:
                        failures = 0
                        self._take_in(lease)
                        self._nudge.set()
            failures += 1
            await asyncio.sleep(self._backoff.delay(failures, self._clocks.random.random()))

    async def _release(self) -> None:
        self._gate.close()
        if not self._owed:
            return
        tries, backoff = 0, Backoff(first=0.01, cap=0.5)
        with suppress(TimeoutError):
            async with asyncio.timeout(self._timing.deadline):
                while not await self._let_go():
                    tries += 1
                    await asyncio.sleep(backoff.delay(tries, self._clocks.random.random()))

    async def _let_go(self) -> bool:
        """Release if it is ours; True when there is nothing more to do."""
        try:
            lease = await self._answer(self._leases.read())
            if lease is None or lease.spec is None or lease.spec.holder != self._me:
                return True
            record = released(lease.spec, self._clocks.now())
            await self._answer(self._leases.write(lease.metadata.resource_version, record))
        except LostRace:
            return False
        except Exception as error:  # noqa: BLE001 (as in _attempt; the last attempt is bounded by the deadline)
            self._reports.failing(error)
            return False
        self._reports.released()
        return True

    async def _answer(self, request: Awaitable[T]) -> T:
        """Bound one request, and let :meth:`stop` shorten it."""
        try:
            async with asyncio.timeout(self._timing.request_timeout) as self._in_flight:
                return await request
        finally:
            self._in_flight = None

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(max(seconds, SHORTEST_PAUSE)):
                await self._nudge.wait()
        self._nudge.clear()

    async def _unless_stopped(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
