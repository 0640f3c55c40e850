import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from math import inf
from random import Random

import pytest

from dayfly_core.lease import LeaseRecord, Timing
from dayfly_operator.election import LostRace, NotNow
from support.elections import Cabinet, Candidate, Condition, overlaps

pytestmark = pytest.mark.looptime
TIMING = Timing()  # 3 s, 2.2 s, 0.6 s, 0.6 s


class World:
    """One Lease and those who stand for it."""

    def __init__(self) -> None:
        self.cabinet = Cabinet()
        self.candidates: list[Candidate] = []

    def stand(self, identity: str) -> Candidate:
        candidate = Candidate(identity, self.cabinet, TIMING, seed=len(self.candidates))
        self.candidates.append(candidate)
        return candidate

    async def leader(self, identity: str = "baz") -> Candidate:
        candidate = self.stand(identity)
        await asyncio.sleep(0.01)
        assert candidate.leads
        return candidate

    @property
    def leading(self) -> list[str]:
        return [c.leadership.identity for c in self.candidates if c.leads]

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def until(self, condition: Callable[[], bool], look: float = 0.01) -> float:
        """Seconds until it is so, looking that often."""
        begin = self.now
        while not condition():
            assert self.now - begin < 60
            await asyncio.sleep(look)
        return self.now - begin


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    yield world
    for candidate in world.candidates:
        await candidate.kill()
    openings = [o for c in world.candidates for o in c.leadership.openings]
    assert overlaps(openings) == []


def held_by(holder: str, **more: int) -> LeaseRecord:
    return LeaseRecord(
        holder_identity=holder,
        lease_duration_seconds=more.get("duration", 3),
        lease_transitions=more.get("transitions", 0),
    )


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


async def test_a_holder_whose_name_has_line_breaks_forges_no_log_line(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="dayfly_operator")
    world.cabinet.keep(held_by("x\nleading term=9"))
    world.stand("baz")
    await asyncio.sleep(1)
    assert all("\n" not in record.getMessage() for record in caplog.records)


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
