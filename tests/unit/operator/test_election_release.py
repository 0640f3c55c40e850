"""Leaders that stop: the next one need not wait for the Lease to run out."""

import asyncio

import pytest

from dayfly_operator.election import LostRace
from support.elections import TIMING, World, held_by

pytestmark = pytest.mark.looptime


async def test_after_a_stop_the_next_one_leads_within_three_tenths_of_a_second(
    world: World,
) -> None:
    bing = await world.leader("bing")
    baz = world.stand("baz")
    await asyncio.sleep(2)
    assert await bing.stop() <= 0.1
    assert await world.until(lambda: baz.leads) <= 0.3
    assert world.cabinet.record.transitions == 1


async def test_release_names_no_holder_for_one_second_and_keeps_the_term(world: World) -> None:
    world.cabinet.keep(held_by("", transitions=6))
    baz = await world.leader()
    assert await baz.stop() <= 0.1
    record = world.cabinet.record
    assert (record.holder_identity, record.lease_duration_seconds) == ("", 1)
    assert record.transitions == 7
    assert baz.wire.operations[-2:] == ["get", "update"]


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(LostRace("409"), id="somebody wrote in between"),
        pytest.param(RuntimeError("500"), id="the server had a fault"),
    ],
)
async def test_a_release_that_fails_once_is_tried_again(world: World, error: Exception) -> None:
    baz = await world.leader()
    baz.wire.errors.append(error)
    assert await baz.stop() <= 0.1
    assert world.cabinet.record.holder == ""


async def test_a_follower_that_stops_writes_nothing(world: World) -> None:
    world.cabinet.keep(held_by("bing"))
    baz = world.stand("baz")
    await asyncio.sleep(1)
    assert await baz.stop() <= 0.1
    assert set(baz.wire.operations) == {"get"}


async def test_a_lease_that_is_gone_needs_no_release(world: World) -> None:
    baz = await world.leader()
    world.cabinet.throw_away()
    assert await baz.stop() <= 0.1
    assert baz.wire.operations[-1] == "get"


async def test_a_lease_that_another_took_is_not_released(world: World) -> None:
    baz = await world.leader()
    world.cabinet.keep(held_by("bing"))
    await baz.stop()
    assert world.cabinet.record.holder == "bing"


async def test_with_no_answer_the_release_gives_up_at_the_deadline(world: World) -> None:
    baz = await world.leader()
    baz.wire.condition = "hanging"
    assert await baz.stop() <= TIMING.deadline + 0.01
    assert not baz.leads


@pytest.mark.parametrize("verb", ["get", "update"])
async def test_a_stop_during_a_request_that_hangs_still_releases(world: World, verb: str) -> None:
    baz = await world.leader()
    await asyncio.sleep(0.1)
    if verb == "get":
        baz.wire.errors.append(RuntimeError("500"))
        await asyncio.sleep(0.6)
    baz.wire.condition = "hanging"
    asked = len(baz.wire.operations)
    await world.until(lambda: len(baz.wire.operations) > asked, look=0.001)
    assert baz.wire.operations[-1] == verb
    asyncio.get_running_loop().call_later(0.01, setattr, baz.wire, "condition", "whole")
    assert await baz.stop() <= 0.1
    assert world.cabinet.record.holder == ""


async def test_a_stop_during_a_claim_that_was_carried_out_unheard_still_releases(
    world: World,
) -> None:
    baz = world.stand("baz")
    await world.until(lambda: baz.wire.operations == ["get", "create"], look=0.0005)
    baz.wire.condition = "deaf"
    await world.until(lambda: world.cabinet.lease is not None, look=0.0005)
    baz.wire.condition = "whole"
    assert await baz.stop() <= 0.1
    assert world.cabinet.record.holder == ""
    assert baz.changes == []
