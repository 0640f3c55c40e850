import asyncio
from datetime import datetime, timedelta
from random import Random

import pytest

from dayfly_core.pace import Backoff
from dayfly_kube.errors import ApiError, Status, Unreachable
from dayfly_operator.queue import WorkQueue
from dayfly_operator.schedule import Schedule
from dayfly_operator.writing import Outdated
from support.build import NOW
from support.engine_scene import Gate

pytestmark = pytest.mark.looptime(start=0)

BACKOFF = Backoff(first=1, cap=8, jitter=0)
FORBIDDEN = Status(403, "Forbidden")
THROTTLED = Status(429, "TooManyRequests")

Error = ApiError | Unreachable | Outdated


class Latest(Random):
    """Takes nothing off a delay."""

    def random(self) -> float:
        return 0.0


class Plan:
    """A queue whose keys fail with ``errors``, one after the other, and then never again."""

    def __init__(self, *errors: Error) -> None:
        self.errors = list(errors)
        self.gate = Gate()
        self.handled: list[tuple[str, float]] = []
        self.lasting: list[float] = []
        self.queue = WorkQueue[str](self.handle, workers=4, backoff=BACKOFF, random=Latest())
        self.schedule = Schedule(self.queue, self.gate, self.now)

    def now(self) -> datetime:
        return NOW + timedelta(seconds=asyncio.get_running_loop().time())

    async def handle(self, key: str) -> None:
        at = round(asyncio.get_running_loop().time(), 1)
        self.handled.append((key, at))
        if self.errors and self.schedule.failed(key, self.errors.pop(0)):
            self.lasting.append(at)

    async def during(self, seconds: float) -> None:
        running = asyncio.create_task(self.queue.run())
        await asyncio.sleep(seconds)
        self.queue.stop()
        await running
        self.schedule.deadlines.close()


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


async def test_a_key_is_handled_at_its_deadline() -> None:
    plan = Plan()
    plan.schedule.again("a", at(5))
    await plan.during(10)
    assert plan.handled == [("a", 5)]


@pytest.mark.parametrize(
    ("second", "handled"),
    [
        pytest.param(at(3), [("a", 3)], id="an earlier one counts"),
        pytest.param(at(7), [("a", 7)], id="a later one counts"),
        pytest.param(None, [], id="none at all counts, too"),
    ],
)
async def test_of_two_deadlines_the_last_counts(
    second: datetime | None, handled: list[tuple[str, float]]
) -> None:
    plan = Plan()
    plan.schedule.again("a", at(5))
    plan.schedule.again("a", second)
    await plan.during(10)
    assert plan.handled == handled


async def test_a_deadline_that_passes_while_another_leads_is_nobodys_business_here() -> None:
    plan = Plan()
    plan.schedule.again("a", at(5))
    plan.schedule.again("b", at(6))
    plan.gate.is_open = False
    asyncio.get_running_loop().call_at(5.5, setattr, plan.gate, "is_open", True)
    await plan.during(10)
    assert plan.handled == [("b", 6)]


async def test_what_is_due_goes_before_what_was_only_heard_of() -> None:
    plan = Plan()
    plan.schedule.again("due", at(1))
    await asyncio.sleep(2)
    plan.queue.add("heard of")
    assert (plan.queue.load.urgent, plan.queue.load.ordinary) == (1, 1)
    plan.schedule.deadlines.close()


TIMES = [
    pytest.param(Unreachable("no route"), [0, 1, 3], id="nobody answers: soon, then less often"),
    pytest.param(Outdated(), [0, 1, 3], id="it was another object: soon, then less often"),
    pytest.param(ApiError(Status(500)), [0, 1, 3], id="the API server failed: likewise"),
    pytest.param(ApiError(THROTTLED, 20), [0, 20, 40], id="it asked for time: not before"),
    pytest.param(ApiError(THROTTLED, 0.5), [0, 1, 3], id="for less than is waited: no sooner"),
    pytest.param(ApiError(FORBIDDEN), [0, 30, 90], id="it forbids: somebody has to grant it first"),
    pytest.param(ApiError(FORBIDDEN, 50), [0, 50, 110], id="it forbids, and asked for time: both"),
]


@pytest.mark.parametrize(("error", "handled"), TIMES)
async def test_what_failed_is_tried_again(error: Error, handled: list[float]) -> None:
    plan = Plan(error, error)
    plan.queue.add("a")
    await plan.during(1000)
    assert plan.handled == [("a", seconds) for seconds in handled]


async def test_what_is_forbidden_for_hours_is_asked_for_every_five_minutes() -> None:
    plan = Plan(*[ApiError(FORBIDDEN)] * 20)
    plan.queue.add("a")
    await plan.during(2000)
    times = [seconds for _, seconds in plan.handled]
    assert times[-1] - times[-2] == 300


FAILED = ApiError(Status(503, "ServiceUnavailable"))
SILENT = Unreachable("no route")


@pytest.mark.parametrize(
    ("errors", "lasting"),
    [
        pytest.param([FAILED] * 8, 0, id="the API server failed a few times"),
        pytest.param([FAILED] * 10, 2, id="it goes on failing"),
        pytest.param([SILENT] * 8 + [FAILED] * 2, 2, id="it fails after it was away"),
        pytest.param([SILENT] * 10, 0, id="it is away: so it is for all objects"),
        pytest.param([ApiError(THROTTLED)] * 10, 0, id="it has too much to do: likewise"),
        pytest.param([Outdated()] * 10, 0, id="the object has a busy owner"),
        pytest.param([ApiError(FORBIDDEN)] * 10, 0, id="it forbids: that was told the first time"),
    ],
)
async def test_somebody_hears_of_a_request_that_goes_on_failing(
    errors: list[Error], lasting: int
) -> None:
    plan = Plan(*errors)
    plan.queue.add("a")
    await plan.during(10_000)
    assert len(plan.lasting) == lasting


async def test_failures_count_in_a_row() -> None:
    plan = Plan(*[FAILED] * 8)

    def anew() -> None:
        plan.errors += [FAILED] * 8
        plan.queue.add("a")

    asyncio.get_running_loop().call_at(500, anew)
    plan.queue.add("a")
    await plan.during(1000)
    assert (len(plan.handled), plan.lasting) == (18, [])


@pytest.mark.parametrize(
    ("error", "said"),
    [
        pytest.param(ApiError(FORBIDDEN), "in=30.00s error=403 Forbidden", id="an answer"),
        pytest.param(Outdated(), "in=1.00s error=Outdated", id="an error without words"),
    ],
)
async def test_each_delay_is_told_to_who_listens_closely(
    error: Error, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    plan = Plan(error)
    plan.queue.add("a")
    await plan.during(0.5)
    assert f"tried again later object=a {said}" in caplog.text
