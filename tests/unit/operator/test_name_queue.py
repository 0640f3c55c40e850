"""When which name is looked at, under virtual time."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import pytest

from dayfly_core.claim_key import ClaimKey, KeyKind
from dayfly_kube.errors import ApiError, Status, Unreachable
from dayfly_operator.naming.claim_repair import ClaimRepair, Mended
from dayfly_operator.naming.queue import NameQueue
from dayfly_operator.writing import NotLeading

pytestmark = pytest.mark.looptime(start=0)

SHOP = ClaimKey(KeyKind.ENVIRONMENT, "shop")
FINE = Mended()
DOUBT = Mended(again=2.0, doubtful=True)


@dataclass
class Repair:
    """Answers what it is told to, and notes when it was asked."""

    answers: list[Mended | Exception] = field(default_factory=list[Mended | Exception])
    is_due: bool = True
    at: list[float] = field(default_factory=list[float])

    async def mend(self, _key: ClaimKey) -> Mended:
        self.at.append(round(asyncio.get_running_loop().time(), 3))
        answer = self.answers.pop(0) if self.answers else FINE
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def look_at_all(self, found: Callable[[ClaimKey], None]) -> None:
        if self.is_due:
            found(SHOP)

    def due(self, _key: ClaimKey) -> bool:
        return self.is_due


@dataclass
class Gate:
    open: bool = True

    def holds(self) -> bool:
        return self.open


def queue(repair: Repair, gate: Gate | None = None) -> NameQueue:
    # No chance: the longest pause each time.
    return NameQueue(cast("ClaimRepair", repair), gate or Gate(), lambda: 0.0)


async def during(seconds: float, tested: NameQueue) -> None:
    task = asyncio.create_task(tested.queue.run())
    await asyncio.sleep(seconds)
    task.cancel()


async def test_what_has_a_claim_is_looked_at_at_once() -> None:
    repair = Repair()
    tested = queue(repair)
    tested.changed(SHOP, claimed=True)
    await during(5, tested)
    assert repair.at == [0]


async def test_what_has_none_is_left_to_settle_however_often_it_changes() -> None:
    repair = Repair()
    tested = queue(repair)
    for tenth in range(8):
        asyncio.get_running_loop().call_later(
            tenth / 10, lambda: tested.changed(SHOP, claimed=False)
        )
    await during(5, tested)
    assert repair.at == [0.5, 1.1]


async def test_what_is_well_is_not_looked_at() -> None:
    repair = Repair(is_due=False)
    tested = queue(repair)
    tested.changed(SHOP, claimed=True)
    await tested.look_at_all()
    await during(5, tested)
    assert repair.at == []


async def test_it_is_looked_at_again_when_it_wants_to() -> None:
    repair = Repair([Mended(again=75)])
    tested = queue(repair)
    await tested.look_at_all()
    await during(100, tested)
    assert repair.at == [0, 75]


async def test_what_is_in_doubt_is_looked_at_ever_more_seldom() -> None:
    repair = Repair([DOUBT] * 99)
    tested = queue(repair)
    tested.changed(SHOP, claimed=True)
    loop = asyncio.get_running_loop()
    for hour in range(1, 5):
        loop.call_at(hour * 3600, lambda: loop.create_task(tested.look_at_all()))
    await during(3 * 3600, tested)
    pauses = [later - earlier for earlier, later in zip(repair.at, repair.at[1:], strict=False)]
    assert pauses[:4] == [2, 4, 8, 16]
    assert pauses[-1] == 3600
    assert len(repair.at) == 13


async def test_who_leads_again_looks_at_what_was_in_doubt() -> None:
    repair, gate = Repair([DOUBT]), Gate()
    tested = queue(repair, gate)
    tested.changed(SHOP, claimed=True)
    loop = asyncio.get_running_loop()
    loop.call_at(1, lambda: setattr(gate, "open", False))
    loop.call_at(10, lambda: setattr(gate, "open", True))
    loop.call_at(10, lambda: loop.create_task(tested.look_at_all()))
    await during(20, tested)
    assert repair.at == [0, 10]


async def test_a_change_ends_the_doubt() -> None:
    repair = Repair([DOUBT] * 5)
    tested = queue(repair)
    tested.changed(SHOP, claimed=True)
    asyncio.get_running_loop().call_at(20, lambda: tested.changed(SHOP, claimed=True))
    await during(23, tested)
    assert repair.at == [0, 2, 6, 14, 20, 22]


@pytest.mark.parametrize(
    ("error", "again"),
    [
        pytest.param(Unreachable("no answer"), 0.5, id="no answer"),
        pytest.param(ApiError(Status(code=500)), 0.5, id="trouble"),
        pytest.param(ApiError(Status(code=429), 7), 7, id="throttled"),
    ],
)
async def test_it_is_tried_again_after(error: Exception, again: float) -> None:
    repair = Repair([error])
    tested = queue(repair)
    tested.changed(SHOP, claimed=True)
    await during(40, tested)
    first, second = repair.at
    assert first == 0
    assert again / 2 <= second <= again


@pytest.mark.parametrize(
    "code", [pytest.param(403, id="forbidden"), pytest.param(422, id="not valid")]
)
async def test_a_refusal_is_told_once_and_tried_again_ever_more_seldom(
    code: int, caplog: pytest.LogCaptureFixture
) -> None:
    repair = Repair([ApiError(Status(code=code))] * 99)
    tested = queue(repair)
    tested.changed(SHOP, claimed=True)
    await during(250, tested)
    assert repair.at == [0, 30, 60, 90, 120, 152, 216]
    assert caplog.text.count(SHOP.claim_name) == 1


@pytest.mark.parametrize(
    ("gate", "looked"),
    [
        pytest.param(Gate(open=False), [], id="from the beginning"),
        pytest.param(Gate(), [0], id="from then on"),
    ],
)
async def test_without_the_lead_nothing_is_done(gate: Gate, looked: list[float]) -> None:
    repair = Repair([NotLeading()])
    tested = queue(repair, gate)
    tested.changed(SHOP, claimed=True)
    await during(100, tested)
    assert repair.at == looked


async def test_what_was_queued_is_dropped_when_the_lead_is_lost() -> None:
    repair, gate = Repair(), Gate()
    tested = queue(repair, gate)
    tested.changed(SHOP, claimed=False)
    gate.open = False
    await during(100, tested)
    assert repair.at == []
