"""Chores under virtual time."""

import asyncio
from collections.abc import Callable

import pytest

from dayfly_kube.errors import ApiError, Status, Unreachable
from dayfly_operator.chores import Chore
from dayfly_operator.writing import NotLeading

pytestmark = pytest.mark.looptime(start=0)


class Act:
    """Notes when it was called, and answers what it is told to."""

    def __init__(self, *answers: float | Exception | None) -> None:
        self.at: list[float] = []
        self._answers = list(answers)

    async def __call__(self) -> float | None:
        self.at.append(round(asyncio.get_running_loop().time(), 3))
        answer = self._answers.pop(0) if self._answers else None
        if isinstance(answer, Exception):
            raise answer
        return answer


async def during(seconds: float, chore: Chore, *wakes: tuple[float, Callable[[], None]]) -> None:
    loop = asyncio.get_running_loop()
    for when, wake in wakes:
        loop.call_at(when, wake)
    task = asyncio.create_task(chore.run())
    await asyncio.sleep(seconds)
    task.cancel()


async def test_it_is_done_at_once_and_every_so_often() -> None:
    act = Act()
    await during(25, Chore("x", act, every=10))
    assert act.at == [0, 10, 20]


async def test_it_says_itself_when_to_be_done_again() -> None:
    act = Act(3, 1)
    await during(9, Chore("x", act, every=10))
    assert act.at == [0, 3, 4]


async def test_any_number_of_wakes_make_one_call_after_the_gap() -> None:
    act = Act()
    chore = Chore("x", act, gap=5)
    await during(20, chore, (1, chore.wake), (2, chore.wake), (12, chore.wake))
    assert act.at == [0, 5, 12]


@pytest.mark.parametrize(
    ("took", "again"),
    [
        pytest.param(0.001, 0.1, id="a short call: the gap"),
        pytest.param(0.05, 0.45, id="a longer one: nine times as long"),
        pytest.param(3, 1, id="a very long one: no longer than that"),
    ],
)
async def test_what_takes_long_is_done_less_often(took: float, again: float) -> None:
    begun = list[float]()

    async def act() -> None:
        begun.append(asyncio.get_running_loop().time())
        await asyncio.sleep(took)

    chore = Chore("x", act, gap=0.1, longest_gap=1)
    await during(10, chore, (10**-4, chore.wake))
    assert begun == [0, pytest.approx(took + again)]


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(Unreachable("no answer"), id="no answer"),
        pytest.param(ApiError(Status(code=500)), id="a refusal"),
        pytest.param(ValueError("a defect"), id="a defect"),
    ],
)
async def test_it_is_tried_again_soon_after(error: Exception) -> None:
    act = Act(error)
    await during(2, Chore("x", act))
    assert len(act.at) == 2


async def test_retry_after_is_honoured() -> None:
    act = Act(ApiError(Status(code=429), retry_after=7))
    await during(8, Chore("x", act))
    assert act.at == [0, 7]


async def test_without_the_lead_it_waits_to_be_woken() -> None:
    act = Act(NotLeading())
    chore = Chore("x", act, every=1)
    await during(5.5, chore, (5, chore.wake))
    assert act.at == [0, 5]
