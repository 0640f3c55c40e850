"""Which Ephemerator or NamespaceManager is looked at when, under virtual time."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from dayfly_core.objects import EPHEMERATORS, Key
from dayfly_kube.errors import ApiError, Status, Unreachable
from dayfly_operator.own.kinds import Heard, OwnKind, OwnKinds, OwnObject
from dayfly_operator.own.queue import OwnQueue, Resting
from dayfly_operator.writing import NotLeading, Outdated

pytestmark = pytest.mark.looptime(start=0)

BEGINNING = datetime(2026, 11, 22, 10, tzinfo=UTC)
EVE, IDA = Key(EPHEMERATORS, "", "eve"), Key(EPHEMERATORS, "", "ida")
FORBIDDEN = ApiError(Status(403, "Forbidden"))


def now() -> datetime:
    return BEGINNING + timedelta(seconds=asyncio.get_running_loop().time())


@dataclass
class Gate:
    open: bool = True

    def holds(self) -> bool:
        return self.open


@dataclass
class Desk:
    """Answers what it is told to, and notes when it was asked."""

    answers: list[Exception] = field(default_factory=list[Exception])
    resting: Callable[[Key], Resting | None] = lambda key: None
    tended: list[tuple[str, float]] = field(default_factory=list[tuple[str, float]])
    forgotten: list[Key] = field(default_factory=list[Key])
    heard: list[int] = field(default_factory=list[int])

    async def tend(self, key: Key) -> datetime | None:
        self.tended.append((key.name, round(asyncio.get_running_loop().time(), 1)))
        if self.answers:
            raise self.answers.pop(0)
        return None

    def rests(self, key: Key) -> Resting | None:
        found = self.resting(key)
        return None if found and found.until and found.until <= now() else found

    def forget(self, key: Key) -> None:
        self.forgotten.append(key)

    def failing(self, key: Key, error: ApiError) -> None:
        self.heard.append(error.code)


class Pair:
    """A queue, over a store that has ``eve`` and ``ida``."""

    def __init__(self, desk: Desk, gate: Gate | None = None) -> None:
        self.known = OwnKinds([OwnKind(EPHEMERATORS, lambda found: "", lambda key: None)])
        for name in ("eve", "ida"):
            self.hear(name)
        self.queue = OwnQueue(self.known, {EPHEMERATORS: desk}, gate or Gate(), now)

    def hear(self, name: str, *, gone: bool = False) -> None:
        found = msgspec.convert({"metadata": {"name": name}}, OwnObject)
        self.known.hear(Heard(EPHEMERATORS, found, gone=gone))

    async def during(self, seconds: float) -> None:
        task = asyncio.create_task(self.queue.queue.run())
        await asyncio.sleep(seconds)
        task.cancel()


async def test_what_rests_is_looked_at_when_its_time_has_come() -> None:
    desk = Desk(resting=lambda key: Resting(BEGINNING + timedelta(seconds=5)))
    tested = Pair(desk)
    await tested.queue.look_at_all()
    await tested.during(20)
    assert sorted(desk.tended) == [("eve", 5), ("ida", 5)]


async def test_what_waits_for_nothing_is_left_alone() -> None:
    desk = Desk(resting=lambda key: Resting(None))
    tested = Pair(desk)
    await tested.queue.look_at_all()
    await tested.during(1000)
    assert desk.tended == []


async def test_what_changes_while_it_is_handled_is_glanced_at_before_it_is_read_again() -> None:
    desk = Desk(resting=lambda key: Resting(None) if desk.tended else None)
    tested = Pair(desk)
    tested.queue.changed(EVE)
    tested.queue.queue.add(EVE)
    await tested.during(1)
    assert desk.tended == [("eve", 0)]
    tested.queue.queue.add(EVE)
    await tested.during(1)
    assert desk.tended == [("eve", 0)]


async def test_one_that_cannot_be_judged_keeps_no_other_from_being_looked_at() -> None:
    def judge(key: Key) -> Resting | None:
        if key == EVE:
            raise ZeroDivisionError
        return None

    desk = Desk(resting=judge)
    tested = Pair(desk)
    await tested.queue.look_at_all()
    await tested.during(1)
    assert sorted(desk.tended) == [("eve", 0), ("ida", 0)]


async def test_one_that_is_gone_is_forgotten() -> None:
    desk = Desk(resting=lambda key: Resting(BEGINNING + timedelta(seconds=5)))
    tested = Pair(desk)
    await tested.queue.look_at_all()
    tested.hear("eve", gone=True)
    tested.queue.changed(EVE)
    await tested.during(20)
    assert desk.forgotten == [EVE]
    assert [name for name, _ in desk.tended] == ["ida"]


@pytest.mark.parametrize(
    ("error", "soonest", "latest"),
    [
        pytest.param(Unreachable("down"), 0.0, 0.1, id="no answer"),
        pytest.param(Outdated(), 0.0, 0.1, id="changed meanwhile"),
        pytest.param(ApiError(Status(500)), 0.0, 0.1, id="a fault of the API server"),
        pytest.param(ApiError(Status(429), 7.0), 7.0, 7.0, id="when it asked to come back"),
        pytest.param(FORBIDDEN, 15.0, 30.0, id="a right has to be granted first"),
    ],
)
async def test_what_failed_is_tried_again(error: Exception, soonest: float, latest: float) -> None:
    desk = Desk([error])
    tested = Pair(desk)
    tested.queue.changed(EVE)
    await tested.during(60)
    [_, (_, again)] = desk.tended
    assert soonest <= again <= latest
    assert desk.heard == ([403] if error is FORBIDDEN else [])


async def test_the_desk_hears_of_a_request_that_goes_on_failing() -> None:
    desk = Desk([ApiError(Status(503))] * 10)
    tested = Pair(desk)
    tested.queue.changed(EVE)
    await tested.during(300)
    assert desk.heard == [503, 503]


async def test_whoever_lost_the_lead_does_not_try_again() -> None:
    desk = Desk([NotLeading()])
    tested = Pair(desk)
    tested.queue.changed(EVE)
    await tested.during(1000)
    assert desk.tended == [("eve", 0)]


async def test_whoever_does_not_lead_looks_at_nothing() -> None:
    desk, gate = Desk(), Gate()
    tested = Pair(desk, gate)
    tested.queue.changed(EVE)
    tested.queue.deadlines.set(IDA, BEGINNING + timedelta(seconds=5))
    gate.open = False
    await tested.queue.look_at_all()
    await tested.during(1000)
    assert desk.tended == []
