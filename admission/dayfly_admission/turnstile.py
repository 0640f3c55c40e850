"""How many requests may wait for the API server at once, and how many for their turn to.

Answers that need no question to the API server never come here: they wait for nobody.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Final

import msgspec

INSIDE: Final = 16
"""Requests of one sort; each has a connection to the API server."""

READS: Final = 16
"""GETs that are on their way beside those, for all requests together."""

CONNECTIONS: Final = 3 * INSIDE + READS
"""To the API server: nothing queues for one, unbounded."""

WAITING: Final = 1000
"""A few claims of 5 ms each on every connection: what can be served in a second or two."""


class Overloaded(Exception):
    """There is no room, or there was none in time."""


class Turnstile:
    """Lets so many in, lets so many wait, and turns the rest away at once."""

    def __init__(self, inside: int = INSIDE, waiting: int = WAITING) -> None:
        self._inside = asyncio.Semaphore(inside)
        self._room = waiting
        self.waiting = 0

    @asynccontextmanager
    async def passing(self, until: float, now: Callable[[], float]) -> AsyncGenerator[None]:
        """Wait for a turn until the monotonic instant ``until``; raises ``Overloaded``."""
        await self._enter(until - now())
        try:
            yield
        finally:
            self._inside.release()

    async def _enter(self, seconds: float) -> None:
        if self._inside.locked() and self.waiting >= self._room:
            raise Overloaded
        self.waiting += 1
        try:
            async with asyncio.timeout(seconds):
                await self._inside.acquire()
        except TimeoutError:
            raise Overloaded from None
        finally:
            self.waiting -= 1


class Turnstiles(msgspec.Struct, frozen=True):
    """One for what waits for Dayfly, one for what need not, one for Dayfly's own kinds.

    However many hosts are asked for, by however many requests, an environment does not queue
    behind them: it would be refused when its time is up, and they would pass.
    """

    environments: Turnstile = msgspec.field(default_factory=Turnstile)
    others: Turnstile = msgspec.field(default_factory=Turnstile)
    kinds: Turnstile = msgspec.field(default_factory=Turnstile)

    @property
    def waiting(self) -> int:
        """How many wait for a turn."""
        return self.environments.waiting + self.others.waiting + self.kinds.waiting
