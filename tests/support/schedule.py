"""Coroutines on one heap, in virtual time: the same seed gives the same interleaving.

No event loop: what runs here awaits pauses, and things made of pauses, and nothing else.
"""

import heapq
from collections.abc import Coroutine, Generator
from datetime import UTC, datetime, timedelta
from random import Random
from types import coroutine
from typing import Any

EPOCH = datetime(2026, 11, 22, 6, tzinfo=UTC)

Task = Coroutine[float | None, None, Any]


@coroutine
def _sleep(seconds: float) -> Generator[float, None, None]:
    yield seconds


class Schedule:
    """Runs what is spawned; at equal times the dice say who goes first."""

    def __init__(self, seed: int) -> None:
        self.dice = Random(seed)
        self.time = 0.0
        self.steps = 0
        self._pushed = 0
        self._heap: list[tuple[float, float, int, Task]] = []

    def now(self) -> float:
        return self.time

    def wall(self) -> datetime:
        return EPOCH + timedelta(seconds=self.time)

    async def pause(self, seconds: float) -> None:
        await _sleep(seconds)

    def spawn(self, task: Task) -> None:
        self._push(0.0, task)

    def run(self, until: float) -> None:
        while self._heap and self._heap[0][0] <= until:
            self.time, _, _, task = heapq.heappop(self._heap)
            self.steps += 1
            try:
                pause = task.send(None)
            except StopIteration:
                continue
            self._push(pause or 0.0, task)
        self.time = until

    def close(self) -> None:
        """Drop what is still waiting."""
        for *_, task in self._heap:
            task.close()
        self._heap.clear()

    def _push(self, pause: float, task: Task) -> None:
        self._pushed += 1
        entry = (self.time + pause, self.dice.random(), self._pushed, task)
        heapq.heappush(self._heap, entry)
