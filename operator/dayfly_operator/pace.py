"""Waiting for one's turn, so that many ends at one instant do not become a storm of DELETEs."""

import asyncio
from collections.abc import Callable

from dayfly_core.pace import UNTOUCHED, Pace, take


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
