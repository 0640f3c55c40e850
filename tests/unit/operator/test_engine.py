"""The engine: what it does between a key and an effect, and what it leaves to the next leader."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from dayfly_core.actions import Action, Delete
from dayfly_core.objects import NAMESPACES, Key, ObjectMeta, Resource
from dayfly_core.reasons import Reason
from dayfly_core.subject import Plan, Subject
from dayfly_kube.errors import ApiError, Status, Unreachable
from dayfly_operator.crew import Around, Crew, Turn
from dayfly_operator.engine import Engine
from dayfly_operator.members import Keeper
from dayfly_operator.stamped import Stamped
from dayfly_operator.writing import NotLeading, Outdated
from support.nobody import NoBrakes, NoReleases

pytestmark = pytest.mark.looptime(start=0)

MAPS = Resource("", "v1", "configmaps", "ConfigMap", namespaced=True)
A = Key(MAPS, "team", "a")
UNIT = Key(NAMESPACES, "", "team")
BEGINNING = datetime(2026, 11, 22, 10, tzinfo=UTC)


def now() -> datetime:
    return BEGINNING + timedelta(seconds=asyncio.get_running_loop().time())


def ends(seconds: float, version: str = "1") -> Stamped:
    return Stamped(
        ObjectMeta(name="a", uid="u", resource_version=version),
        BEGINNING + timedelta(seconds=seconds),
    )


@dataclass
class World:
    """One object: as the watches know it, and as the API server has it."""

    seen: Stamped | None = None
    stored: Stamped | None = None
    reads: int = 0
    fresh: bool = True
    error: Exception | None = None

    def known(self, key: Key) -> Subject | None:
        return Subject(key, self.seen.meta, None) if self.seen else None

    async def read(self, key: Key) -> Subject | None:
        self.reads += 1
        self.seen = self.stored
        return self.known(key)

    def up_to_date(self, key: Key) -> bool:
        return self.fresh

    async def catch_up(self, key: Key) -> None:
        await asyncio.sleep(0.01)
        if self.error:
            raise self.error

    def due(self, key: Key, found: Stamped) -> datetime | Turn:
        return found.end or Turn.NOW

    def plan(self, subject: Subject) -> Plan:
        end = self.seen.end if self.seen else None
        if end is None or subject.meta.deletion_timestamp:
            return Plan((), None, Reason.INERT)
        if end > now():
            return Plan((), end, Reason.NOT_DUE)
        meta = subject.meta
        order = Delete(subject.key, meta.uid, meta.resource_version, end, "previews")
        return Plan((order,), None, Reason.EXPIRED)


@dataclass
class Hands:
    """Notes what it is told to do, and when; fails as told."""

    done: list[tuple[str, float]] = field(default_factory=list[tuple[str, float]])
    errors: list[Exception] = field(default_factory=list[Exception])

    async def carry_out(self, action: Action, around: Around) -> ObjectMeta | None:
        self.done.append((action.resource_version, round(asyncio.get_running_loop().time(), 2)))
        if self.errors:
            raise self.errors.pop(0)
        return None


@dataclass
class Turns:
    wait: float = 0.0

    async def turn(self) -> float:
        await asyncio.sleep(self.wait)
        return self.wait


@dataclass
class Units:
    member: str | None = None
    looked: int = 0

    async def keeper(self, namespace: str) -> Keeper | None:
        return Keeper(self.member) if self.member else None

    async def going(self, meta: ObjectMeta) -> datetime | None:
        self.looked += 1
        return now() + timedelta(seconds=30)

    def gone(self, namespace: str) -> None:
        self.looked = 0


@dataclass
class Complaints:
    said: list[str] = field(default_factory=list[str])

    def refused(self, action: Action, error: ApiError) -> None:
        self.said.append(f"refused {error.code}")

    def unrecorded(self, action: Action, error: ApiError) -> None:
        self.said.append(f"unrecorded {error.code}")

    def blocked(self, order: Delete, keeper: Keeper) -> None:
        self.said.append(f"blocked by {keeper.member}")

    def ignored(self, subject: Subject, plan: Plan) -> None:
        self.said.append(f"ignored {plan.reason}")

    def held_back(self, action: Action, why: str) -> None:
        self.said.append(f"held back: {why}")

    def release_stays(self, order: Delete, why: str) -> None:
        self.said.append(f"release stays: {why}")


class Gate:
    def __init__(self) -> None:
        self.is_open = True

    def holds(self) -> bool:
        return self.is_open


@dataclass
class Scene:
    world: World = field(default_factory=World)
    hands: Hands = field(default_factory=Hands)
    turns: Turns = field(default_factory=Turns)
    units: Units = field(default_factory=Units)
    complaints: Complaints = field(default_factory=Complaints)
    gate: Gate = field(default_factory=Gate)

    @asynccontextmanager
    async def engine(self) -> AsyncGenerator[Engine, None]:
        crew = Crew(
            self.world,
            self.hands,
            self.turns,
            self.units,
            self.complaints,
            NoBrakes(),
            NoReleases(),
        )
        engine = Engine(crew, self.gate, now)
        work = asyncio.create_task(engine.queue.run())
        yield engine
        engine.deadlines.close()
        engine.queue.stop()
        await work

    def see(self, engine: Engine, found: Stamped | None, key: Key = A) -> None:
        self.world.seen = self.world.stored = found
        engine.stamped(key, found)


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
    assert scene.complaints.said == ["blocked by configmaps/team/precious"]
    assert scene.hands.done == [("1", 61.0)]


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
    going = Stamped(replace_meta(going.meta, deletion_timestamp=BEGINNING), None)
    async with scene.engine() as engine:
        scene.see(engine, going, UNIT)
        await asyncio.sleep(65)
        assert scene.units.looked == 3
        scene.see(engine, None, UNIT)
        await asyncio.sleep(65)
        assert scene.units.looked == 0
    assert scene.hands.done == []


def replace_meta(meta: ObjectMeta, deletion_timestamp: datetime) -> ObjectMeta:
    return ObjectMeta(
        name=meta.name,
        uid=meta.uid,
        resource_version=meta.resource_version,
        deletion_timestamp=deletion_timestamp,
    )
