"""The engine among stand-ins of all that it calls."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from dayfly_core.actions import Action, Delete
from dayfly_core.objects import NAMESPACES, Key, ObjectMeta, Resource
from dayfly_core.reasons import Reason
from dayfly_core.subject import Plan, Subject
from dayfly_kube.errors import ApiError
from dayfly_operator.crew import Around, Crew, Turn
from dayfly_operator.engine import Engine
from dayfly_operator.members import Keeper
from dayfly_operator.stamped import Stamped
from support.nobody import NoBrakes, NoReleases

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

    def failing(self, subject: Subject, error: str) -> None:
        self.said.append(f"failing: {error}")

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
