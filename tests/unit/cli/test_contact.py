"""``dayfly list --watch`` while the API server is away: patient, and silent but for two lines."""

import asyncio
import io
import logging
from collections.abc import Callable
from itertools import pairwise

import pytest

from dayfly_cli.contact import BACK, Contact, answered, lost
from dayfly_cli.terminal import Terminal
from dayfly_kube.errors import ApiError, Status, Unreachable
from support.build import NOW

pytestmark = pytest.mark.looptime(start=0)

AWAY = Unreachable("GET /api/v1/namespaces/shop: refused")
STARTING = ApiError(Status(503, "ServiceUnavailable", "the server is starting"))
THROTTLED = Status(429, "TooManyRequests", "too many")


def contact(err: io.StringIO, out: io.StringIO | None = None) -> Contact:
    monotonic: Callable[[], float] = asyncio.get_running_loop().time
    terminal = Terminal("dayfly", {}, out or io.StringIO(), err, lambda: NOW, monotonic)
    return Contact(terminal)


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
        return await answered(self.ask, contact(self.err, self.out), "what managers do")

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


class Stream:
    """Follows a collection; as its ``Reflector`` does, it knows when it was heard."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.heard = 0.0

    def alive(self, now: float, within: float) -> bool:
        return now - self.heard <= within

    def interrupted(self) -> None:
        log = logging.getLogger("streams")
        log.warning("stream interrupted", extra={"path": self.path, "cause": AWAY})


async def test_a_dozen_streams_that_fail_together_are_one_loss() -> None:
    err, streams = io.StringIO(), [Stream(f"/kind/{number}") for number in range(12)]
    there = contact(err)
    with there.listening("streams"):
        await asyncio.sleep(10)
        for stream in streams:
            stream.interrupted()
        looking = asyncio.create_task(there.look(streams))
        await asyncio.sleep(10)
        assert err.getvalue().splitlines() == [f"Warning: {lost(AWAY)}"]
        for stream in streams[1:]:
            stream.heard = 15
        await asyncio.sleep(10)
        assert BACK not in err.getvalue(), "one of them is still lost"
        streams[0].heard = 25
        await asyncio.sleep(2)
        assert err.getvalue().splitlines() == [f"Warning: {lost(AWAY)}", BACK]
    looking.cancel()


async def test_a_stream_and_a_question_that_are_lost_are_one_loss() -> None:
    err, stream = io.StringIO(), Stream("/kind")
    there = contact(err)
    asked = Asked(AWAY)
    with there.listening("streams"):
        await asyncio.sleep(10)
        stream.interrupted()
    looking = asyncio.create_task(there.look([stream]))
    await answered(asked.ask, there, "what managers do")
    assert err.getvalue().splitlines() == [f"Warning: {lost(AWAY)}"], "the stream is still lost"
    stream.heard = 11
    await asyncio.sleep(2)
    assert err.getvalue().splitlines() == [f"Warning: {lost(AWAY)}", BACK]
    looking.cancel()


async def test_whoever_no_longer_listens_hears_nothing() -> None:
    err = io.StringIO()
    with contact(err).listening("streams"):
        pass
    Stream("/kind").interrupted()
    assert err.getvalue() == ""
