"""Bounds of what is under way at once, altogether and to one host."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import msgspec


class _Lane(msgspec.Struct):
    free: asyncio.Semaphore
    users: int = 0


class Lanes:
    """Gives places in the order in which they were asked for.

    The place of the host comes first: who waits for a slow one holds no place that another needs.
    """

    def __init__(self, at_once: int, per_host: int) -> None:
        self._all = asyncio.Semaphore(at_once)
        self._per_host = per_host
        self._lanes: dict[str, _Lane] = {}

    def __len__(self) -> int:
        return len(self._lanes)

    @asynccontextmanager
    async def place(self, host: str) -> AsyncGenerator[None]:
        """Wait for a place, and hold it."""
        lane = self._lanes.setdefault(host, _Lane(asyncio.Semaphore(self._per_host)))
        lane.users += 1
        try:
            async with lane.free, self._all:
                yield
        finally:
            lane.users -= 1
            if not lane.users:
                del self._lanes[host]
