"""What somebody wants woken ends all the same if it cannot be woken: not at once, but at last."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec
import pytest

from dayfly_core import ending, names
from dayfly_core.actions import Action, Delete, Wake
from dayfly_core.guard import Guard
from dayfly_core.objects import CONFIG_MAPS, Key, ObjectMeta
from dayfly_core.policies import Policies
from dayfly_core.subject import Plan, Subject
from dayfly_kube.errors import ApiError, Status
from dayfly_operator.crew import Around, Crew, Turn
from dayfly_operator.engine import Engine
from dayfly_operator.schedule import REFUSED
from dayfly_operator.stamped import Stamped
from dayfly_operator.unserved import PATIENCE
from support.build import NOW, a_policy, an_object, in_
from support.nobody import NoBrakes, NoReleases
from support.stage import Bystanders

pytestmark = pytest.mark.looptime(start=0)

A = Key(CONFIG_MAPS, "team-a", "settings")
HOUR = PATIENCE.total_seconds()


def now() -> datetime:
    return NOW + timedelta(seconds=asyncio.get_running_loop().time())


def asked(end: str, uid: str = "u-1") -> Stamped:
    meta = an_object(at=end, policy="previews", age=timedelta(days=1), uid=uid)
    annotations = {**meta.annotation_map, names.WAKE_REQUESTED: "now"}
    meta = msgspec.structs.replace(meta, annotations=annotations)
    return Stamped(meta, NOW + timedelta(seconds=10))


class Others(Bystanders):
    """Hears of refusals."""

    def refused(self, action: Action, error: ApiError) -> None:
        assert isinstance(action, Wake)


@dataclass
class World:
    """One object, judged by the real rules."""

    seen: Stamped | None

    def known(self, key: Key) -> Subject | None:
        return Subject(key, self.seen.meta, ObjectMeta(name="team-a")) if self.seen else None

    async def read(self, key: Key) -> Subject | None:
        return self.known(key)

    def up_to_date(self, key: Key) -> bool:
        return True

    async def catch_up(self, key: Key) -> None:
        raise AssertionError("all is known")

    def due(self, key: Key, found: Stamped) -> datetime | Turn:
        return Turn.NOW

    def plan(self, subject: Subject) -> Plan:
        return ending.plan(subject, Policies([a_policy()]), Guard("dayfly-system"), now())


@dataclass
class Hands:
    """Wakes nothing until it is allowed to."""

    world: World
    allowed: bool = False
    done: list[tuple[type, float]] = field(default_factory=list[tuple[type, float]])

    async def carry_out(self, action: Action, around: Around) -> ObjectMeta | None:
        if isinstance(action, Wake) and not self.allowed:
            raise ApiError(Status(code=403, reason="Forbidden"))
        self.done.append((type(action), asyncio.get_running_loop().time()))
        self.world.seen = None
        return None


@asynccontextmanager
async def leading(hands: Hands) -> AsyncGenerator[Engine]:
    others = Others()
    engine = Engine(
        Crew(hands.world, hands, others, others, others, NoBrakes(), NoReleases()), others, now
    )
    work = asyncio.create_task(engine.queue.run())
    assert hands.world.seen
    engine.stamped(A, hands.world.seen)
    yield engine
    engine.deadlines.close()
    engine.queue.stop()
    await work


async def test_what_cannot_be_woken_for_an_hour_ends_when_its_end_has_come() -> None:
    hands = Hands(World(asked(in_("10s"))))
    async with leading(hands):
        await asyncio.sleep(HOUR - 1)
        assert hands.done == []
        await asyncio.sleep(REFUSED.cap)
    [(kind, at)] = hands.done
    assert kind is Delete
    assert at >= HOUR


async def test_before_its_end_it_is_tried_for_as_long_as_it_takes() -> None:
    hands = Hands(World(asked(in_("10h"))))
    async with leading(hands):
        await asyncio.sleep(3 * HOUR)
        assert hands.done == []
        hands.allowed = True
        await asyncio.sleep(REFUSED.cap)
    assert [kind for kind, _ in hands.done] == [Wake]


async def test_a_refusal_long_ago_does_not_count_for_what_is_made_anew() -> None:
    hands = Hands(World(asked(in_("10h"))))
    async with leading(hands) as engine:
        await asyncio.sleep(HOUR - 60)
        engine.stamped(A, None)
        hands.world.seen = asked(in_("10s"), "u-2")
        engine.stamped(A, hands.world.seen)
        await asyncio.sleep(HOUR - 60)
        assert hands.done == []
