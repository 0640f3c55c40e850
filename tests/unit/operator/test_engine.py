"""What the engine does about a key: when, how often, and what it waits for before."""

import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace

from dayfly_core.actions import Delete
from dayfly_core.objects import Key
from dayfly_core.reasons import Reason
from dayfly_core.subject import Plan, Subject
from dayfly_kube.errors import ApiError, Status, Unreachable
from dayfly_operator.members import Keeper
from dayfly_operator.stamped import Stamped
from dayfly_operator.writing import NotLeading, Outdated
from support.engine_scene import BEGINNING, UNIT, A, Hands, Scene, Turns, Units, World, ends

pytestmark = pytest.mark.looptime(start=0)


async def test_an_end_is_executed_when_it_comes_and_not_before() -> None:
    scene = Scene()
    async with scene.engine() as engine:
        scene.see(engine, ends(5))
        await asyncio.sleep(4.99)
        assert scene.hands.done == []
        await asyncio.sleep(0.1)
    assert scene.hands.done == [("1", 5.0)]


async def test_an_extension_moves_the_deadline() -> None:
    scene = Scene()
    async with scene.engine() as engine:
        scene.see(engine, ends(5))
        scene.see(engine, ends(9, "2"))
        await asyncio.sleep(10)
    assert scene.hands.done == [("2", 9.0)]


async def test_what_is_gone_is_forgotten() -> None:
    scene = Scene()
    async with scene.engine() as engine:
        scene.see(engine, ends(5))
        scene.see(engine, None)
        assert len(engine.deadlines) == 0


async def test_a_follower_does_nothing_and_catches_up_when_it_leads() -> None:
    scene = Scene()
    scene.gate.is_open = False
    async with scene.engine() as engine:
        scene.see(engine, ends(1))
        await asyncio.sleep(5)
        assert scene.hands.done == []
        scene.gate.is_open = True
        await engine.look_at_all([(A, ends(1))], [])
        await asyncio.sleep(0.1)
    assert scene.hands.done == [("1", 5.0)]


async def test_an_extension_while_waiting_for_its_turn_wins_without_a_request() -> None:
    scene = Scene(turns=Turns(wait=3))
    async with scene.engine() as engine:
        scene.see(engine, ends(1))
        await asyncio.sleep(2)
        scene.see(engine, ends(60, "2"))
        await asyncio.sleep(10)
        assert scene.hands.done == []
        assert engine.deadlines.get(A) == ends(60).end


async def test_a_touched_object_is_read_and_judged_again_at_once() -> None:
    scene = Scene(hands=Hands(errors=[Outdated()]))
    async with scene.engine() as engine:
        scene.see(engine, ends(1))
        scene.world.stored = ends(1, "2")
        await asyncio.sleep(2)
    assert scene.hands.done == [("1", 1.0), ("2", 1.0)]
    assert scene.world.reads == 1


class Misled(World):
    """Some proxy answers its reads: there is nothing anywhere."""

    async def read(self, key: Key) -> Subject | None:
        return None


async def test_what_a_read_does_not_find_is_not_forgotten_while_the_watch_has_it() -> None:
    scene = Scene(world=Misled(), hands=Hands(errors=[Outdated()]))
    async with scene.engine() as engine:
        scene.see(engine, ends(1))
        await asyncio.sleep(10)
        assert scene.hands.done == [("1", 1.0)]
        await asyncio.sleep(60)
    assert scene.hands.done == [("1", 1.0), ("1", 61.0)]


async def test_an_object_that_never_rests_is_left_alone_for_a_while() -> None:
    scene = Scene(hands=Hands(errors=[Outdated() for _ in range(6)]))
    async with scene.engine() as engine:
        scene.see(engine, ends(1))
        await asyncio.sleep(2)
    assert len(scene.hands.done) == 7


async def test_nothing_is_decided_while_the_policies_cannot_be_read() -> None:
    scene = Scene(world=World(fresh=False, error=Unreachable("away")))
    async with scene.engine() as engine:
        scene.see(engine, ends(1))
        await asyncio.sleep(20)
        assert scene.hands.done == []
        scene.world.error = None
        await asyncio.sleep(3.1)
        assert len(scene.hands.done) == 1


@pytest.mark.parametrize(
    ("error", "attempts", "said"),
    [
        pytest.param(NotLeading(), 1, [], id="the gate closed: the next leader's business"),
        pytest.param(Unreachable("x"), 2, [], id="no answer: soon again"),
        pytest.param(ApiError(Status(code=500)), 2, [], id="a failing server: soon again"),
        pytest.param(
            ApiError(Status(code=429), retry_after=60), 1, [], id="throttled: not before its time"
        ),
        pytest.param(ApiError(Status(code=403)), 1, ["refused 403"], id="forbidden: later"),
        pytest.param(ApiError(Status(code=422)), 1, ["refused 422"], id="invalid: later"),
    ],
)
async def test_what_a_failure_leads_to(error: Exception, attempts: int, said: list[str]) -> None:
    scene = Scene(hands=Hands(errors=[error]))
    async with scene.engine() as engine:
        scene.see(engine, ends(1))
        await asyncio.sleep(14)
    assert len(scene.hands.done) == attempts
    assert scene.complaints.said == said


async def test_a_unit_that_holds_something_protected_stays_and_is_looked_at_again() -> None:
    scene = Scene(units=Units(member="configmaps/team/precious"))
    async with scene.engine() as engine:
        scene.see(engine, ends(1), UNIT)
        await asyncio.sleep(30)
        assert scene.hands.done == []
        scene.units.member = None
        await asyncio.sleep(40)
    # At 1, 6, 11 and 21 s, and then at 41 s, when it may end.
    assert scene.complaints.said == 4 * ["blocked by configmaps/team/precious"]
    assert scene.hands.done == [("1", 41.0)]


async def test_a_unit_that_goes_on_failing_is_told_of() -> None:
    scene = Scene(units=Broken())
    async with scene.engine() as engine:
        scene.see(engine, ends(1), UNIT)
        await asyncio.sleep(4)
        assert scene.complaints.said == [], "a fault that passes is nobody's business"
        await asyncio.sleep(100)
    assert set(scene.complaints.said) == {"failing: 503 ServiceUnavailable: metrics are away"}
    assert scene.hands.done == []


class Broken(Units):
    """A kind that may be in it is served by a program that is broken."""

    async def keeper(self, namespace: str) -> Keeper | None:
        raise ApiError(Status(503, "ServiceUnavailable", "metrics are away"))


async def test_a_unit_that_was_touched_is_searched_again() -> None:
    scene = Scene(hands=Hands(errors=[Outdated()]))
    scene.units = Busy()
    async with scene.engine() as engine:
        scene.see(engine, ends(1), UNIT)
        await asyncio.sleep(2)
    assert scene.hands.done == [("1", 1.0)]
    assert scene.complaints.said == ["blocked by configmaps/team/precious"]


class Busy(Units):
    """Somebody protects an object between the first look and the second."""

    async def keeper(self, namespace: str) -> Keeper | None:
        found, self.member = self.member, "configmaps/team/precious"
        return Keeper(found) if found else None


async def test_a_unit_whose_end_comes_between_two_judgements_is_searched_first() -> None:
    scene = Scene(world=Hurried(), units=Units(member="configmaps/team/precious"))
    async with scene.engine() as engine:
        scene.world.seen = scene.world.stored = ends(1)
        engine.queue.add(UNIT)
        await asyncio.sleep(0.5)
    assert scene.hands.done == []


class Hurried(World):
    """The end has not come when the object is judged first, and has when it is judged again."""

    early = True

    def plan(self, subject: Subject) -> Plan:
        end = BEGINNING + timedelta(seconds=1)
        if self.early:
            self.early = False
            return Plan((), end, Reason.NOT_DUE)
        order = Delete(subject.key, "u", "1", end, "previews")
        return Plan((order,), None, Reason.EXPIRED)


async def test_a_namespace_on_its_way_is_looked_at_until_it_is_gone() -> None:
    scene = Scene()
    going = ends(1)
    going = Stamped(replace(going.meta, deletion_timestamp=BEGINNING), None)
    async with scene.engine() as engine:
        scene.see(engine, going, UNIT)
        await asyncio.sleep(65)
        assert scene.units.looked == 3
        scene.see(engine, None, UNIT)
        await asyncio.sleep(65)
        assert scene.units.looked == 0
    assert scene.hands.done == []
