"""A cluster for one story at a time: requests are admitted, stored or not, and mended."""

from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from dayfly_admission.claiming import Ask, Claiming
from dayfly_core.api import Holder, NameClaim
from dayfly_core.claim_key import ClaimKey
from dayfly_core.claim_repair import GRACE, Conflict, Write, conflicts
from dayfly_core.claim_steps import Act, Granted, Outcome
from dayfly_core.claimants import Demand
from dayfly_operator.naming.claim_repair import ClaimRepair, Mended
from support.claim_world import Desk, Lagging, Store, Thing, World
from support.schedule import Schedule

T = TypeVar("T")

DEADLINE = 4.7


@dataclass(frozen=True)
class SkewedClock:
    """A replica whose wall clock is off."""

    schedule: Schedule
    off: timedelta

    def now(self) -> float:
        return self.schedule.time

    def wall(self) -> datetime:
        return self.schedule.wall() + self.off

    async def pause(self, seconds: float) -> None:
        await self.schedule.pause(seconds)


class Cluster:
    """Requests and reconcilers against one world; nothing happens between the calls."""

    def __init__(self, seed: int = 0) -> None:
        self.schedule = Schedule(seed)
        self.world = World(self.schedule)
        self.view = Lagging(self.world)
        self.leader = self.new_leader()

    # Requests.

    def claim(self, name: str, *keys: ClaimKey, uid: str = "", act: Act = Act.CREATE) -> Outcome:
        """Admit a request for these keys by one replica; the first outcome that is a refusal."""
        return self.run(self.request(name, *keys, uid=uid, act=act))

    async def request(
        self,
        name: str,
        *keys: ClaimKey,
        uid: str = "",
        act: Act = Act.CREATE,
        store: Store | None = None,
    ) -> Outcome:
        claiming = Claiming(store or Store(self.world), self.schedule)
        outcomes = await claiming.claim(self.ask(name, *keys, uid=uid, act=act))
        return next((o for o in outcomes if not isinstance(o, Granted)), outcomes[0])

    def ask(
        self,
        name: str,
        *keys: ClaimKey,
        uid: str = "",
        act: Act = Act.CREATE,
        read_only: bool = False,
    ) -> Ask:
        demands = tuple(Demand(key, key.value, "") for key in keys)
        until = self.schedule.time + DEADLINE
        return Ask(demands, self.holder(name, uid), act, until, read_only=read_only)

    def holder(self, name: str, uid: str = "") -> Holder:
        return self.world.holder(name, uid or f"uid-{name}")

    def admit(self, name: str, *keys: ClaimKey, uid: str = "", act: Act = Act.CREATE) -> None:
        """Have a request admitted that nobody minds, and store it."""
        assert isinstance(self.claim(name, *keys, uid=uid, act=act), Granted)
        self.store(name, *keys, uid=uid)

    # What is stored.

    def store(self, name: str, *keys: ClaimKey, uid: str = "") -> None:
        """Write an object, whatever admission says."""
        world = self.world
        uid = uid or f"uid-{name}"
        world.put(Thing(name, uid, world.stamp(), frozenset(keys), world.second()))

    def delete(self, name: str) -> None:
        del self.world.things[name]

    def stored(self, key: ClaimKey) -> NameClaim | None:
        return self.world.claims.get(key.claim_name)

    def holder_of(self, key: ClaimKey) -> str:
        claim = self.stored(key)
        return f"{claim.spec.holder.name} {claim.spec.state}" if claim else ""

    # The operator.

    def new_leader(self, desk: Desk | None = None) -> ClaimRepair:
        desk = desk or Desk(self.world)
        return ClaimRepair(desk, self.view, self.schedule.now, self.schedule.wall)

    def watch(self) -> None:
        """Let the watches catch up."""
        self.view.seen_claims = dict(self.world.claims)
        self.view.seen_things = dict(self.world.things)

    def mend(self) -> list[Write]:
        """Let the leader go over everything, as it is now."""
        self.watch()
        return steps(self.run(mend_all(self.leader)))

    def conflicts(self) -> tuple[Conflict, ...]:
        """Name everybody who loses, as the watches have it."""
        return conflicts({key: self.view.claimants(key) for key in self.view.listed()})

    def wait_out(self) -> list[Write]:
        """Let the grace pass."""
        self.mend()
        self.schedule.run(self.schedule.time + GRACE)
        return self.mend()

    # Time.

    def run(self, task: Coroutine[Any, Any, T]) -> T:
        return self.race(task)[0]

    def race(self, *tasks: Coroutine[Any, Any, T]) -> list[T]:
        """Run them at once, until all have ended."""
        slots = [Slot[T]() for _ in tasks]
        for task, slot in zip(tasks, slots, strict=True):
            self.schedule.spawn(slot.fill(task))
        while not all(slot.filled for slot in slots):
            self.schedule.run(self.schedule.time + 0.01)
        return [value for slot in slots for value in slot.filled]


class Slot(Generic[T]):
    """Where the result of a task goes."""

    def __init__(self) -> None:
        self.filled: list[T] = []

    async def fill(self, task: Coroutine[Any, Any, T]) -> None:
        self.filled.append(await task)


async def mend_all(repair: ClaimRepair) -> tuple[Mended, ...]:
    """Do what the queue of names does, one name after the other in the same order each time."""
    due = list[ClaimKey]()
    await repair.look_at_all(due.append)
    return tuple([await repair.mend(key) for key in sorted(due)])


def steps(mended: tuple[Mended, ...]) -> list[Write]:
    return [each.step for each in mended if each.step]
