"""Elections over wires that break: no two gates open, and somebody leads again."""

import asyncio
import logging
from math import inf
from random import Random

import pytest

from dayfly_operator.election import LostRace, NotNow
from support.elections import TIMING, Condition, World, held_by

pytestmark = pytest.mark.looptime


@pytest.mark.parametrize("condition", ["refusing", "hanging", "deaf"])
async def test_a_leader_that_is_cut_off_closes_its_gate_before_the_next_one_opens_its(
    world: World, condition: Condition
) -> None:
    bing = await world.leader("bing")
    baz = world.stand("baz")
    await asyncio.sleep(2)
    bing.wire.condition = condition
    closed = await world.until(lambda: not bing.leads)
    assert closed <= TIMING.deadline + 0.01
    await world.until(lambda: baz.leads)
    bing.wire.condition = "whole"
    await asyncio.sleep(10)
    assert world.leading == ["baz"]
    assert bing.changes == [True, False]
    assert baz.leadership.term == 1


async def test_when_nobody_has_answers_for_a_while_the_same_term_goes_on(world: World) -> None:
    bing = await world.leader("bing")
    baz = world.stand("baz")
    await asyncio.sleep(2)
    for candidate in (bing, baz):
        candidate.wire.condition = "hanging"
    await asyncio.sleep(2.4)
    assert world.leading == []
    for candidate in (bing, baz):
        candidate.wire.condition = "whole"
    await asyncio.sleep(1.5)
    assert world.leading == ["bing"]
    assert bing.leadership.term == world.cabinet.record.transitions == 0
    assert bing.changes == [True, False, True]


async def test_a_short_stall_closes_nothing(world: World) -> None:
    baz = await world.leader()
    await asyncio.sleep(0.5)
    baz.wire.condition = "hanging"
    await asyncio.sleep(1.0)
    baz.wire.condition = "whole"
    await asyncio.sleep(5)
    assert baz.changes == [True]


async def test_a_lease_that_is_missing_again_after_an_outage_is_waited_for_anew(
    world: World,
) -> None:
    world.cabinet.keep(held_by("gone"))
    baz = world.stand("baz")
    await asyncio.sleep(1)
    world.cabinet.throw_away()
    await asyncio.sleep(1)
    baz.wire.condition = "refusing"
    await asyncio.sleep(10)
    bing = await world.leader("bing")  # unheard of by baz
    asked = len(baz.wire.operations)
    await world.until(lambda: len(baz.wire.operations) > asked, look=0.0002)
    bing.wire.condition = "refusing"
    world.cabinet.throw_away()
    baz.wire.condition = "whole"
    assert await world.until(lambda: baz.leads) >= 3


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(RuntimeError("500 InternalError"), id="a fault of the server"),
        pytest.param(ValueError("JSON is malformed"), id="an answer that makes no sense"),
        pytest.param(NotNow("429", after=30), id="a request to come back later"),
        pytest.param(LostRace("409"), id="a write that came too late"),
    ],
)
@pytest.mark.parametrize("role", ["leader", "follower", "newcomer"])
async def test_no_error_ends_an_election(world: World, error: Exception, role: str) -> None:
    if role == "follower":
        world.cabinet.keep(held_by("bing", duration=60))
    baz = world.stand("baz")
    if role != "newcomer":
        await asyncio.sleep(0.1)
    baz.wire.errors.extend([error] * 3)
    await asyncio.sleep(9)
    assert not baz.task.done()
    assert baz.leads == (role != "follower")
    assert baz.wire.errors == []


async def test_a_leader_tries_again_as_often_after_errors_as_it_renews(world: World) -> None:
    baz = await world.leader()
    baz.wire.condition = "refusing"
    before = len(baz.wire.operations)
    await asyncio.sleep(60)
    assert 90 <= len(baz.wire.operations) - before <= 101


async def test_a_follower_backs_off_up_to_the_duration(world: World) -> None:
    baz = world.stand("baz")
    baz.wire.condition = "refusing"
    await asyncio.sleep(60)
    assert 18 <= len(baz.wire.operations) <= 45


async def test_one_line_is_logged_for_each_change_and_none_for_each_attempt(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="dayfly_operator")
    baz = await world.leader()
    await asyncio.sleep(60)
    baz.wire.condition = "refusing"
    await asyncio.sleep(60)
    baz.wire.condition = "whole"
    await asyncio.sleep(60)
    await baz.stop()
    assert [record.getMessage() for record in caplog.records] == [
        "gate open term=0",
        "leading term=0",
        "the lease could not be read or written error='connection refused'",
        "gate closed term=0",
        "gate open term=0",
        "the lease can be read and written again",
        "gate closed term=0",
        "released the lease",
    ]


async def test_errors_whose_text_never_repeats_do_not_flood_the_log(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    baz = await world.leader()
    baz.wire.errors.extend(RuntimeError(f"port {i}") for i in range(20))
    await asyncio.sleep(30)
    assert len([r for r in caplog.records if r.levelno == logging.WARNING]) == 4


class Trouble:
    """Random but seeded misfortune for three candidates, one thing every second or so."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.random = Random(seed)
        self.births = 0
        self.news_at = -inf

    @property
    def settled(self) -> bool:
        """No request to create the Lease can still be on its way."""
        return self.world.now - self.news_at > 5

    def stand(self) -> None:
        self.births += 1
        self.news_at = self.world.now
        candidate = self.world.stand(f"candidate-{self.births}")
        candidate.wire.latency = lambda: self.random.random() ** 4 * 0.4

    async def strike(self) -> None:
        alive = [c for c in self.world.candidates if not c.task.done()]
        if not alive:
            return
        victim = self.random.choice([c for c in alive if c.leads] or alive)
        victim = victim if self.random.random() < 0.6 else self.random.choice(alive)
        match self.random.randrange(10):
            case 0:
                await victim.kill()
            case 1:
                victim.election.stop()
            case 2 if self.settled and all(c.wire.brought for c in alive):
                self.world.cabinet.throw_away()
                self.news_at = self.world.now
            case 3:
                victim.wire.errors.extend([LostRace("409"), RuntimeError("500")])
            case 4 | 5 | 6:
                victim.wire.condition = self.random.choice(["refusing", "hanging", "deaf"])
            case _:
                victim.wire.condition = "whole"

    async def last(self, seconds: float) -> None:
        while self.world.now < seconds:
            missing = 3 - len([c for c in self.world.candidates if not c.task.done()])
            # Who is born while the Lease is missing would take it for a first start.
            if self.world.cabinet.lease is not None or self.settled:
                for _ in range(missing):
                    self.stand()
            await asyncio.sleep(self.random.expovariate(1.0))
            await self.strike()


@pytest.mark.parametrize("seed", range(20))
async def test_no_two_gates_are_ever_open_at_one_instant(world: World, seed: int) -> None:
    trouble = Trouble(world, seed)
    await trouble.last(60)  # overlaps are looked for when the world ends
    for candidate in world.candidates:
        candidate.wire.condition = "whole"
        candidate.wire.errors.clear()
    trouble.stand()
    await world.until(lambda: len(world.leading) == 1)
    openings = [o for c in world.candidates for o in c.leadership.openings]
    assert len({o.candidate for o in openings}) > 1
