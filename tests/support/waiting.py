"""Waiting for what another task, thread or process brings about."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Final

TICK: Final = 0.02
"""Seconds from one look at the clock to the next."""

LATE: Final = 0.05
"""Seconds from one tick to the next that count: if it took longer, this event loop stood still."""


@asynccontextmanager
async def at_most(seconds: float) -> AsyncGenerator[None]:
    """Raise ``TimeoutError`` after so many seconds in which this event loop ran.

    A machine that others share stands still now and then, and whoever is awaited with it.
    """
    loop, left = asyncio.get_running_loop(), seconds
    handle: asyncio.TimerHandle
    async with asyncio.timeout(None) as limit:

        def tick(since: float) -> None:
            nonlocal left, handle
            left -= min(loop.time() - since, LATE)
            if left <= 0:
                limit.reschedule(loop.time())
            else:
                handle = loop.call_later(TICK, tick, loop.time())

        handle = loop.call_later(min(TICK, seconds), tick, loop.time())
        try:
            yield
        finally:
            handle.cancel()


async def eventually(holds: Callable[[], object], within: float = 20.0) -> None:
    """Return as soon as it holds; ``TimeoutError`` after ``within`` seconds."""
    async with at_most(within):
        while not holds():  # noqa: ASYNC110  real I/O sets no event of ours
            await asyncio.sleep(0.005)
