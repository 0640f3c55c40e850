"""Waiting for what another task, thread or process brings about."""

import asyncio
from collections.abc import Callable


async def eventually(holds: Callable[[], object], within: float = 5.0) -> None:
    """Return as soon as it holds; ``TimeoutError`` after ``within`` seconds."""
    async with asyncio.timeout(within):
        while not holds():  # noqa: ASYNC110  real I/O sets no event of ours
            await asyncio.sleep(0.005)
