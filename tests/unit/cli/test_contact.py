"""``dayfly list --watch`` while the API server is away: patient, and silent but for two lines."""

import asyncio
import io
from collections.abc import Callable
from itertools import pairwise

import pytest

from dayfly_cli.contact import BACK, answered, lost
from dayfly_cli.terminal import Terminal
from dayfly_kube.errors import ApiError, Status, Unreachable
from support.build import NOW

pytestmark = pytest.mark.looptime(start=0)

AWAY = Unreachable("GET /api/v1/namespaces/shop: refused")
STARTING = ApiError(Status(503, "ServiceUnavailable", "the server is starting"))
THROTTLED = Status(429, "TooManyRequests", "too many")


class Asked:
    """An API server that fails with each of ``errors`` first; notes when it was asked."""

    def __init__(self, *errors: ApiError | Unreachable) -> None:
        self.errors = list(errors)
        self.times: list[float] = []
        self.out, self.err = io.StringIO(), io.StringIO()

    async def ask(self) -> str:
        self.times.append(asyncio.get_running_loop().time())
        if self.errors:
            raise self.errors.pop(0)
        return "answer"

    async def answer(self) -> str:
        monotonic: Callable[[], float] = asyncio.get_running_loop().time
        return await answered(
            self.ask, Terminal("dayfly", {}, self.out, self.err, lambda: NOW, monotonic)
        )

    @property
    def pauses(self) -> list[float]:
        return [later - earlier for earlier, later in pairwise(self.times)]


async def test_an_answer_at_once_is_no_news() -> None:
    asked = Asked()
    assert await asked.answer() == "answer"
    assert (asked.times, asked.err.getvalue()) == ([0], "")


@pytest.mark.parametrize(
    ("error", "why"),
    [
        pytest.param(AWAY, "GET /api/v1/namespaces/shop: refused", id="nobody answers"),
        pytest.param(
            STARTING, "503 ServiceUnavailable: the server is starting", id="an answer of no use"
        ),
    ],
)
async def test_a_lost_connection_is_told_once_and_that_it_is_back_once(
    error: ApiError | Unreachable, why: str
) -> None:
    asked = Asked(*[error] * 5)
    assert await asked.answer() == "answer"
    assert asked.err.getvalue().splitlines() == [f"Warning: {lost(error)}", BACK]
    assert why in asked.err.getvalue()
    assert asked.out.getvalue() == "", "programs read the output"


async def test_each_loss_is_told() -> None:
    asked = Asked(AWAY)
    await asked.answer()
    asked.errors.append(STARTING)
    await asked.answer()
    told = [f"Warning: {lost(AWAY)}", BACK, f"Warning: {lost(STARTING)}", BACK]
    assert asked.err.getvalue().splitlines() == told


async def test_the_longer_it_is_away_the_less_often_it_is_asked() -> None:
    asked = Asked(*[AWAY] * 9)
    await asked.answer()
    assert asked.pauses == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


@pytest.mark.parametrize(
    ("wanted", "pause"),
    [
        pytest.param(7.0, 7, id="it asks for time"),
        pytest.param(0.1, 0.5, id="it asks for less than is waited"),
        pytest.param(3600.0, 30, id="it asks for more than anybody waits"),
    ],
)
async def test_an_api_server_that_asks_for_time_gets_it(wanted: float, pause: float) -> None:
    asked = Asked(ApiError(THROTTLED, wanted))
    await asked.answer()
    assert asked.pauses == [pause]
