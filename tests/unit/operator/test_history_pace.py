"""How soon what was done is in the history, and what that costs: under virtual time."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from dayfly_operator.chores import Chore
from dayfly_operator.history import History
from dayfly_operator.tempo import HISTORY_GAP, HISTORY_LONGEST_GAP
from support.ring import Ring, entry

pytestmark = pytest.mark.looptime(start=0)
MINUTE = 60.0


class Distant(Ring):
    """An API server that takes its time."""

    latency = 0.01

    async def get(self, path: str) -> bytes:
        await asyncio.sleep(self.latency)
        return await super().get(path)

    async def merge_patch(self, path: str, body: Any) -> bytes:
        await asyncio.sleep(self.latency)
        return await super().merge_patch(path, body)


def clock() -> float:
    return asyncio.get_running_loop().time()


@asynccontextmanager
async def writing(ring: Distant) -> AsyncGenerator[History]:
    """Write as a replica does."""
    history = History(ring, "dayfly-system", "a")
    chore = Chore("x", history.commit, gap=HISTORY_GAP, longest_gap=HISTORY_LONGEST_GAP)
    history.noted = chore.wake
    task = asyncio.create_task(chore.run())
    await asyncio.sleep(1)
    yield history
    task.cancel()


async def written(history: History) -> float:
    """Return how long it takes until nothing waits."""
    begun = clock()
    while len(history):  # noqa: ASYNC110 (it tells nobody: nothing waits for it)
        await asyncio.sleep(0.001)
    return clock() - begun


async def test_what_comes_after_a_pause_is_written_at_once() -> None:
    ring = Distant.empty()
    async with writing(ring) as history:
        for number in range(3):
            history.note(entry(number))
            took = await written(history)
            assert took == pytest.approx(ring.latency * (1 if number else 2), abs=0.005)
            await asyncio.sleep(10)


@pytest.mark.parametrize(
    ("latency", "ages", "writes"),
    [
        pytest.param(0.005, 0.12, 600, id="near: ten writes a second at most"),
        pytest.param(0.05, 1.2, 130, id="slower: a tenth of the time"),
        pytest.param(0.5, 2.1, 45, id="very slow: a pause of a second at most"),
    ],
)
async def test_two_thousand_ends_in_a_minute(latency: float, ages: float, writes: int) -> None:
    ring, noted, oldest = Distant.empty(), list[float](), 0.0
    ring.latency = latency
    async with writing(ring) as history:
        for number in range(2000):
            await asyncio.sleep(MINUTE / 2000)
            history.note(entry(number))
            noted.append(clock())
            waiting = noted[len(noted) - len(history) :]
            oldest = max(oldest, clock() - waiting[0])
        await written(history)
    assert ring.told() == [f"preview-{number}" for number in range(2000)]
    assert oldest <= ages, "what a kill may cost at worst"
    assert ring.writes <= writes
