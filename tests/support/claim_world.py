"""A linearizable API server with NameClaims and the objects that hold names, in virtual time.

Writes compare and swap as ``GuaranteedUpdate`` does: a version that moved on is refused, and one
that changes nothing makes no new version. Requests take time in both directions; answers get lost,
and some requests are carried out long after their caller gave up.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import combinations
from typing import Final, TypeVar

import msgspec

from dayfly_core.api import Holder, KeyKind, NameClaim
from dayfly_core.claim_key import ClaimKey, key_of
from dayfly_core.claim_repair import Claimant
from dayfly_core.claim_steps import Presence
from dayfly_core.claims import kin, same_object
from dayfly_kube.errors import ApiError, Status, Unreachable
from support.claim_values import a_namespace
from support.schedule import EPOCH, Schedule

T = TypeVar("T")

ROUTE: Final = "i"
"""How Ingresses are called."""


class Crash(BaseException):
    """The process is killed: nothing in it runs on."""


@dataclass(frozen=True)
class Thing:
    """An object that holds names, or that lies in a namespace that does.

    ``a/i1`` is an Ingress in ``a``, which holds its names; ``a/d1`` is an object with its own.
    """

    name: str
    uid: str
    version: int
    keys: frozenset[ClaimKey]
    created: datetime


def conflict(reason: str = "Conflict") -> ApiError:
    return ApiError(Status(code=409, reason=reason))


def missing() -> ApiError:
    return ApiError(Status(code=404, reason="NotFound"))


@dataclass
class World:
    """What is stored, and what went wrong."""

    schedule: Schedule
    claims: dict[str, NameClaim] = field(default_factory=dict[str, NameClaim])
    things: dict[str, Thing] = field(default_factory=dict[str, Thing])
    versions: int = 0
    duplicates: int = 0
    stored: int = 0

    def stamp(self) -> int:
        self.versions += 1
        return self.versions

    def second(self) -> datetime:
        """As ``creationTimestamp`` has it: whole seconds."""
        return EPOCH + timedelta(seconds=int(self.schedule.time))

    # Things.

    def put(self, thing: Thing) -> None:
        self.things[thing.name] = thing
        self.stored += 1
        self.duplicates += len(self.doubles())

    def holder(self, name: str, uid: str) -> Holder:
        """Who holds the names of a thing."""
        space, _, leaf = name.rpartition("/")
        if leaf.startswith(ROUTE):
            return a_namespace(space)
        return a_holder(leaf, uid, namespace=space)

    def held(self) -> list[tuple[Holder, ClaimKey]]:
        return held(self, self.things.values())

    def doubles(self) -> list[tuple[ClaimKey, ClaimKey]]:
        return [
            (key, other)
            for (holder, key), (another, other) in combinations(self.held(), 2)
            if (key == other or key.overlaps(other))
            and not (same_object(holder, another) or kin(holder, another))
        ]

    def presence(self, holder: Holder, key: ClaimKey) -> Presence | None:
        if holder.resource == "namespaces":
            return Presence(holder.uid, lists=self.routes(holder.name, key))
        thing = self.things.get(path_of(holder))
        near = self.routes(holder.namespace, key)
        if thing is None:
            return Presence("", lists=False, kin=True) if near else None
        return Presence(thing.uid, lists=key in thing.keys, kin=near)

    def routes(self, namespace: str, key: ClaimKey) -> bool:
        ours = f"{namespace}/{ROUTE}"
        return any(key in each.keys for each in self.things.values() if each.name.startswith(ours))

    # Claims.

    def create(self, claim: NameClaim) -> NameClaim:
        name = claim.metadata.name
        if name in self.claims:
            raise conflict("AlreadyExists")
        version = self.stamp()
        meta = msgspec.structs.replace(
            claim.metadata,
            uid=f"claim-{version}",
            resource_version=str(version),
            creation_timestamp=self.second(),
        )
        self.claims[name] = msgspec.structs.replace(claim, metadata=meta)
        return self.claims[name]

    def replace(self, claim: NameClaim) -> NameClaim:
        stored = self.expect(claim)
        if stored.spec == claim.spec:
            return stored
        meta = msgspec.structs.replace(stored.metadata, resource_version=str(self.stamp()))
        self.claims[claim.metadata.name] = NameClaim(metadata=meta, spec=claim.spec)
        return self.claims[claim.metadata.name]

    def delete(self, claim: NameClaim) -> None:
        del self.claims[self.expect(claim).metadata.name]

    def expect(self, claim: NameClaim) -> NameClaim:
        stored = self.claims.get(claim.metadata.name)
        if stored is None:
            raise missing()
        same = stored.metadata.uid == claim.metadata.uid
        if not same or stored.metadata.resource_version != claim.metadata.resource_version:
            raise conflict()
        return stored

    # What is wrong at the end.

    def orphans(self) -> list[str]:
        """Claims whose holder is not there, or does not list the key."""
        return [
            key_of(claim).text
            for claim in self.claims.values()
            if not ((there := self.presence(claim.spec.holder, key_of(claim))) and there.lists)
        ]

    def unclaimed(self) -> list[str]:
        """Names that are held without a Bound claim of that very holder."""
        return [key.text for holder, key in self.held() if not self._claimed(holder, key)]

    def _claimed(self, holder: Holder, key: ClaimKey) -> bool:
        claim = self.claims.get(key.claim_name)
        if claim is None or claim.spec.state != "Bound":
            return False
        # An object in it holds what a namespace would.
        inside = not holder.namespace and kin(claim.spec.holder, holder)
        return claim.spec.holder == holder or inside


def a_holder(name: str, uid: str, *, namespace: str = "") -> Holder:
    return Holder(
        version="v1", resource="things", kind="Thing", namespace=namespace, name=name, uid=uid
    )


def path_of(holder: Holder) -> str:
    return f"{holder.namespace}/{holder.name}" if holder.namespace else holder.name


def held(world: World, things: Iterable[Thing]) -> list[tuple[Holder, ClaimKey]]:
    """Who lists what, each pair once."""
    pairs = {
        (world.holder(thing.name, thing.uid), key): None for thing in things for key in thing.keys
    }
    return list(pairs)


@dataclass
class Line:
    """One process's connection: every call takes time, twice."""

    world: World
    lost: float = 0.0
    """Share of the writes whose answer does not arrive."""
    crash_after: int = -1
    """How many calls until the process is killed, with the call carried out; -1: it is not."""

    async def carry(self, act: Callable[[], T]) -> T:
        schedule = self.world.schedule
        await schedule.pause(latency(schedule))
        answer = act()
        await schedule.pause(latency(schedule))
        self.crash_after -= 1
        if self.crash_after == 0:
            raise Crash
        return answer

    async def write(self, act: Callable[[], T]) -> T:
        if self.world.schedule.dice.random() >= self.lost:
            return await self.carry(act)
        self.world.schedule.spawn(self._late(act))
        await self.world.schedule.pause(0.05)
        raise Unreachable("no answer")

    async def _late(self, act: Callable[[], object]) -> None:
        schedule = self.world.schedule
        await schedule.pause(schedule.dice.choice((0.0, 0.01, 0.3)))
        try:
            act()
        except ApiError:
            return  # refused, and nobody waits for the answer


def latency(schedule: Schedule) -> float:
    """One way, in seconds: a few milliseconds, at times a tenth of a second."""
    dice = schedule.dice
    return dice.uniform(0.0, 0.1) if dice.random() < 0.05 else dice.uniform(0.0, 0.005)


@dataclass
class Store(Line):
    """``ClaimStore`` of admission."""

    async def create(self, claim: NameClaim, seconds: float) -> NameClaim:
        return await self.write(lambda: self.world.create(claim))

    async def read(self, name: str, seconds: float) -> NameClaim | None:
        return await self.carry(lambda: self.world.claims.get(name))

    async def replace(self, claim: NameClaim, seconds: float) -> NameClaim:
        return await self.write(lambda: self.world.replace(claim))

    async def delete(self, claim: NameClaim, seconds: float) -> None:
        await self.write(lambda: self.world.delete(claim))

    async def overlapping(self, key: ClaimKey, seconds: float) -> list[NameClaim]:
        """One by one, so that time passes between the reads."""
        found = [await self.read(above.claim_name, seconds) for above in key.covering]
        if key.wildcard:
            found += await self.carry(lambda: list(self.world.claims.values()))
        return [claim for claim in found if claim]

    async def find(self, holder: Holder, key: ClaimKey, seconds: float) -> Presence | None:
        return await self.carry(lambda: self.world.presence(holder, key))


@dataclass
class Desk(Line):
    """``Claims`` of the operator."""

    async def create(self, claim: NameClaim) -> None:
        await self.carry(lambda: self.world.create(claim))

    async def replace(self, claim: NameClaim) -> None:
        await self.carry(lambda: self.world.replace(claim))

    async def delete(self, claim: NameClaim) -> None:
        await self.carry(lambda: self.world.delete(claim))

    async def find(self, holder: Holder, key: ClaimKey) -> Presence | None:
        return await self.carry(lambda: self.world.presence(holder, key))


@dataclass
class Lagging:
    """``Watched`` of the operator: claims and things as they were, each some time ago."""

    world: World
    seen_claims: dict[str, NameClaim] = field(default_factory=dict[str, NameClaim])
    seen_things: dict[str, Thing] = field(default_factory=dict[str, Thing])

    async def follow_claims(self) -> None:
        while True:
            news = dict(self.world.claims)
            await self.world.schedule.pause(lag(self.world.schedule))
            self.seen_claims = news

    async def follow_things(self) -> None:
        while True:
            news = dict(self.world.things)
            await self.world.schedule.pause(lag(self.world.schedule))
            self.seen_things = news

    def claim(self, name: str) -> NameClaim | None:
        return self.seen_claims.get(name)

    def claims(self) -> Iterable[NameClaim]:
        return self.seen_claims.values()

    def claimants(self, key: ClaimKey) -> list[Claimant]:
        pairs = held(self.world, self.seen_things.values())
        return [Claimant(holder, self._created(holder)) for holder, k in pairs if k == key]

    def listed(self) -> set[ClaimKey]:
        return {key for thing in self.seen_things.values() for key in thing.keys}

    def _created(self, holder: Holder) -> datetime:
        thing = self.seen_things.get(path_of(holder))
        return thing.created if thing else EPOCH


def lag(schedule: Schedule) -> float:
    """How late a watch is: mostly a little, at times longer than anything takes."""
    dice = schedule.dice
    return dice.uniform(0.2, 1.0) if dice.random() < 0.03 else dice.uniform(0.001, 0.05)


def keys(kind: KeyKind, *values: str) -> tuple[ClaimKey, ...]:
    return tuple(ClaimKey(kind, value) for value in values)
