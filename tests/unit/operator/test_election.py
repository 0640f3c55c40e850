import asyncio
import logging

import pytest

from dayfly_core.lease import LeaseRecord
from support.elections import TIMING, World, held_by

pytestmark = pytest.mark.looptime


async def test_renewals_need_one_request_each(world: World) -> None:
    baz = await world.leader()
    await asyncio.sleep(1.3)
    assert baz.wire.operations == ["get", "create", "update", "update"]
    assert (world.cabinet.record.holder, world.cabinet.record.transitions) == ("baz", 0)


async def test_after_a_failed_renewal_the_lease_is_read_first(world: World) -> None:
    baz = await world.leader()
    await asyncio.sleep(0.7)
    baz.wire.errors.append(RuntimeError("500"))
    await asyncio.sleep(1.8)
    assert baz.wire.operations == ["get", "create", "update", "update", "get", "update", "update"]
    assert baz.changes == [True]


@pytest.mark.parametrize(
    ("record", "seconds", "transitions"),
    [
        pytest.param(None, 0, 1, id="a lease with a null spec is taken at once"),
        pytest.param(LeaseRecord(), 0, 1, id="a lease with an empty spec is taken at once"),
        pytest.param(held_by("", transitions=4), 0, 5, id="a released lease is taken at once"),
        pytest.param(held_by("bing"), 3, 1, id="a silent holder has the duration it promised"),
        pytest.param(held_by("bing", duration=7), 7, 1, id="even if ours is shorter"),
        pytest.param(held_by("bing", duration=1), 1, 1, id="even if ours is longer"),
        pytest.param(held_by("bing", duration=0), 3, 1, id="ours where it promised nothing"),
        pytest.param(held_by("baz", transitions=2), 0, 2, id="our own term goes on"),
    ],
)
async def test_taking_over(
    world: World, record: LeaseRecord | None, seconds: float, transitions: int
) -> None:
    world.cabinet.keep(record)
    baz = world.stand("baz")
    took = await world.until(lambda: baz.leads)
    assert seconds <= took <= seconds + 0.25
    assert baz.leadership.term == world.cabinet.record.transitions == transitions


async def test_a_holder_that_renews_is_left_alone(world: World) -> None:
    await world.leader("bing")
    baz = world.stand("baz")
    await asyncio.sleep(30)
    assert world.leading == ["bing"]
    assert {"create", "update"}.isdisjoint(baz.wire.operations)
    assert len(baz.wire.operations) < 30  # the watch tells it nearly everything


async def test_after_a_crash_the_next_one_leads_within_the_duration_and_two_looks(
    world: World,
) -> None:
    bing = await world.leader("bing")
    baz = world.stand("baz")
    await asyncio.sleep(2)
    await bing.kill()
    assert await world.until(lambda: baz.leads) <= 3 + 0.2


async def test_a_leader_whose_lease_was_deleted_makes_it_anew_and_nobody_gets_between(
    world: World,
) -> None:
    bing = await world.leader("bing")
    world.cabinet.keep(held_by("", transitions=8))
    await world.until(lambda: bing.leadership.term == 9)
    baz = world.stand("baz")
    await asyncio.sleep(2)
    world.cabinet.throw_away()
    await asyncio.sleep(10)
    assert world.leading == ["bing"]
    assert bing.leadership.term == world.cabinet.record.transitions == 9
    assert baz.changes == []


async def test_the_right_to_act_is_counted_from_before_the_request(world: World) -> None:
    baz = world.stand("baz")
    baz.wire.latency = lambda: 0.25
    await world.until(lambda: baz.leads, look=0.001)
    assert baz.leadership.remaining <= TIMING.deadline - 0.5


async def test_a_leader_replaced_by_hand_stops_at_its_next_renewal(world: World) -> None:
    baz = await world.leader()
    world.cabinet.keep(held_by("by-hand", duration=60))
    assert await world.until(lambda: not baz.leads) <= TIMING.retry + 0.15
    await asyncio.sleep(10)
    assert world.cabinet.record.holder == "by-hand"
    # The hand does not know of gates: this one opening may overlap, and is not recorded.


async def test_a_holder_whose_name_has_line_breaks_forges_no_log_line(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="dayfly_operator")
    world.cabinet.keep(held_by("x\nleading term=9"))
    world.stand("baz")
    await asyncio.sleep(1)
    assert all("\n" not in record.getMessage() for record in caplog.records)
