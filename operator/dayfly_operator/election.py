"""The election as one process lives it: follow, claim, renew, give up, release.

Decisions are :func:`dayfly_core.lease.step`'s. This module sends, receives, waits and reports; it
runs in whatever event loop it is given and knows neither threads nor HTTP.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Final, Protocol, TypeVar

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
from dayfly_operator.leadership import Leadership

T = TypeVar("T")
log = logging.getLogger(__name__)

JITTER: Final = 0.1
"""Seconds: followers look, and take over, at random moments within it, not all at one."""

SHORTEST_PAUSE: Final = 0.001
"""Seconds: a timer may fire early by its resolution, and must not spin for the rest."""

LAST_WORDS: Final = 0.05
"""Seconds that a request in flight still has when the process stops: its outcome, if known, makes
the release one request shorter. The release as a whole should take 0.1 s."""


SORTS_OF_TROUBLE: Final = 4
"""So many are reported of one outage: texts that never repeat must not flood the log."""


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


@dataclass(frozen=True, slots=True)
class Clocks:
    """What time it is, for people and for decisions; and chance, for jitter."""

    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    """``CLOCK_BOOTTIME``; the same that :class:`Leadership` judges by."""
    random: Random = field(default_factory=Random)


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
        now = self._clocks.monotonic()
        self._heard_at = now
        self._seen = sight(self._seen, lease, now)
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


class Gate:
    """Moves a :class:`Leadership`, and tells when it opens and when it closes by itself.

    The telling is late by a timer's inaccuracy; the gate itself is not.
    """

    def __init__(self, leadership: Leadership) -> None:
        self.listeners: list[Callable[[bool], None]] = []
        self._leadership = leadership
        self._told = False
        self._timer: asyncio.TimerHandle | None = None

    def extend(self, valid_until: float, term: int) -> None:
        """Open it or keep it open."""
        self._leadership.extend(valid_until, term)
        self._tell()

    def close(self) -> None:
        """Close it now."""
        self._leadership.close()
        self._tell()

    def _tell(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        is_open = self._leadership.holds()
        if is_open:
            delay = max(self._leadership.remaining, SHORTEST_PAUSE)
            self._timer = asyncio.get_running_loop().call_later(delay, self._tell)
        if is_open != self._told:
            self._told = is_open
            log.info("gate %s term=%d", "open" if is_open else "closed", self._leadership.term)
            for listener in self.listeners:
                listener(is_open)


class Reports:
    """One log line for each change of state, none for each attempt."""

    def __init__(self) -> None:
        self._said = ""
        self._troubles: set[str] = set()

    def leading(self, term: int) -> None:
        """We hold the Lease."""
        self._say(f"leading term={term}")

    def following(self, holder: str) -> None:
        """Somebody else does."""
        self._say(f"following holder={holder!r}")

    def released(self) -> None:
        """Nobody does, by our own will."""
        self._say("released the lease")

    def failing(self, error: Exception) -> None:
        """No usable answer; told once for each sort of trouble until there is an answer again."""
        trouble = str(error) or type(error).__name__
        # "GET …: refused" and "PUT …: refused" are one and the same.
        sort = trouble.rpartition(": ")[2]
        if sort not in self._troubles and len(self._troubles) < SORTS_OF_TROUBLE:
            self._troubles.add(sort)
            log.warning("the lease could not be read or written error=%r", trouble)

    def answered(self) -> None:
        """There is an answer."""
        if self._troubles:
            self._troubles.clear()
            log.info("the lease can be read and written again")

    def _say(self, state: str) -> None:
        if state != self._said:
            self._said = state
            log.info(state)
