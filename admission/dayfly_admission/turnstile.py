"""How many requests may wait for the API server at once, and how many for their turn to.

Answers that need no question to the API server never come here: they wait for nobody.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Final

INSIDE: Final = 32
"""As many as there are connections to the API server: more would only queue there, unbounded."""

WAITING: Final = 1000
"""Two claims of 5 ms each on every connection: what can be served in less than a second."""


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
