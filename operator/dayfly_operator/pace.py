"""Waiting for one's turn, so that many acts at one instant do not become a storm of requests."""

import asyncio
from collections.abc import Callable
from typing import Final

from dayfly_core.objects import Key
from dayfly_core.pace import UNTOUCHED, Pace, take

NOTES_FOR_AN_END: Final = 4
"""So many times as fast as objects are ended, something is noted on them: that is cheaper."""


def of_notes(pace: Pace) -> Pace:
    """Return the pace of notes, beside this one of ends."""
    return Pace(pace.rate * NOTES_FOR_AN_END, pace.burst * NOTES_FOR_AN_END)


class Pacer:
    """Gives turns in the order in which they were asked for."""

    def __init__(self, pace: Pace, monotonic: Callable[[], float]) -> None:
        self._pace = pace
        self._monotonic = monotonic
        self._full_at = UNTOUCHED

    async def turn(self) -> float:
        """Return when it is the caller's turn, with the seconds that it had to wait.

        A turn is reserved before waiting: a caller that is cancelled meanwhile wastes its own.
        Whatever was decided before the wait may have changed during it: judge again, then act.
        """
        delay, self._full_at = take(self._pace, self._full_at, self._monotonic())
        if delay > 0:
            await asyncio.sleep(delay)
        return delay


class Appointments:
    """Gives turns as well, for another time: who is given one comes back, and holds no worker."""

    def __init__(self, pace: Pace, monotonic: Callable[[], float]) -> None:
        self._pace = pace
        self._monotonic = monotonic
        self._full_at = UNTOUCHED
        self._at: dict[Key, float] = {}

    def wait(self, key: Key) -> float:
        """Return in how many seconds it is the key's turn; 0: it is now, and taken."""
        now = self._monotonic()
        at = self._at.pop(key, None)
        if at is None:
            delay, self._full_at = take(self._pace, self._full_at, now)
            at = now + delay
        if at <= now:
            return 0.0
        self._at[key] = at
        return at - now

    def over(self, key: Key) -> None:
        """Hear that an object is gone."""
        self._at.pop(key, None)


def at_any_time() -> Appointments:
    """Give everybody a turn at once: without a pace."""
    return Appointments(Pace(0), lambda: 0.0)
