"""What would happen until some instant: the operator's own decisions, on a clock that is not real.

Every act succeeds at once, and nobody interferes: neither people, nor a pace, nor a breaker.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from heapq import heappop, heappush
from typing import Final, Protocol, assert_never

import msgspec
from msgspec.structs import replace

from dayfly_core import ending, names
from dayfly_core.actions import Action, Annotate, Call, Delete, ScaleDown, Stamp, Wake
from dayfly_core.guard import Guard
from dayfly_core.lifecycle import Result
from dayfly_core.objects import NAMESPACES, Key, ObjectMeta
from dayfly_core.policies import Policies
from dayfly_core.reasons import Reason
from dayfly_core.stamps import Changes, Stamps, applied
from dayfly_core.subject import Subject

TOGETHER: Final = 64
"""Acts on one object at one instant, at most: more is a fault, and no reason to hang."""


class Event(msgspec.Struct, frozen=True):
    """Something that happens to an object."""

    at: datetime
    key: Key
    what: str
    """What is done, in a word or two."""
    rule: str
    """The step or reason it follows from."""
    by: str
    """Who has that rule: ``ExpiryPolicy/previews``."""


class Turn(msgspec.Struct, frozen=True):
    """What one of our own objects does at one instant."""

    events: tuple[Event, ...] = ()
    gone: frozenset[Key] = frozenset()
    """What does not exist any more; a Namespace takes along all in it."""
    again: datetime | None = None


class Player(Protocol):
    """An object of ours that acts by itself: an Ephemerator, a NamespaceManager."""

    @property
    def key(self) -> Key:
        """The object."""
        ...

    @property
    def target(self) -> str:
        """Name of the namespace that it is about: asked anew when that goes."""
        ...

    def play(self, objects: Mapping[Key, ObjectMeta], now: datetime) -> Turn:
        """Act; asked again at once until it has nothing more to do."""
        ...


@dataclass
class World:
    """What is there to begin with; ``simulate`` changes it."""

    now: datetime
    objects: dict[Key, ObjectMeta]
    """Everything that may end, and all namespaces."""
    policies: Policies
    guard: Guard
    players: Sequence[Player] = ()

    def subject(self, key: Key) -> Subject | None:
        """Return an object as the operator would see it."""
        meta = self.objects.get(key)
        if meta is None:
            return None
        return Subject(key, meta, self.objects.get(Key(NAMESPACES, "", key.namespace)))


def simulate(world: World, until: datetime) -> Iterator[Event]:
    """Yield what happens, in order, up to and including that instant."""
    run = _Run(world)
    while (due := run.next()) and due[0] <= until:
        world.now = due[0]
        yield from run.look(due[1])


def apply(action: Action, meta: ObjectMeta, now: datetime) -> ObjectMeta | None:
    """Return the object after an act on it; None if it is gone."""
    match action:
        case Delete():
            return None
        case Stamp(stamps=stamps):
            return stamped(meta, stamps)
        case Annotate() | Wake():
            return _annotated(meta, action.annotations)
        case ScaleDown(steps=steps):
            return _annotated(meta, {names.STEPS: steps})
        case Call():
            done = action.ledger.ended(action.step, Result.DONE, now)
            return _annotated(meta, {names.STEPS: done.text})
        case _:
            assert_never(action)


def stamped(meta: ObjectMeta, stamps: Stamps) -> ObjectMeta:
    """Return the object with these stamps, as a new version."""
    version = meta.resource_version
    return replace(
        meta,
        resource_version=str(int(version) + 1) if version.isdigit() else version,
        annotations=applied(meta.annotation_map, stamps.annotations) or None,
        labels=applied(meta.label_map, stamps.labels) or None,
    )


def described(action: Action, now: datetime) -> Event:
    """Say what an act is."""
    what, rule = _words(action)
    return Event(now, action.key, what, rule, f"ExpiryPolicy/{action.policy}")


def _words(action: Action) -> tuple[str, str]:
    match action:
        case Delete():
            return END, action.step or "DELETE@0s"
        case Stamp():
            return "stamp", action.reason
        case Annotate():
            return ("warn" if action.reason == Reason.WARNED else NOTE), action.step
        case ScaleDown():
            return "scale down", action.step
        case Call():
            return "call", action.step
        case Wake():
            return "wake", names.WAKE_REQUESTED
        case _:
            assert_never(action)


END: Final = "delete"
NOTE: Final = "note"
"""What an act is that only keeps records."""


def _annotated(meta: ObjectMeta, changes: Changes) -> ObjectMeta:
    return stamped(meta, Stamps(changes))


@dataclass
class _Run:
    """When each object is to be looked at next."""

    world: World
    _heap: list[tuple[datetime, Key]] = field(default_factory=list[tuple[datetime, Key]])
    _due: dict[Key, datetime] = field(default_factory=dict[Key, datetime])
    _players: dict[Key, Player] = field(default_factory=dict[Key, Player])
    _inside: dict[str, list[Key]] = field(default_factory=dict[str, list[Key]])
    """What is in each namespace; nothing comes into one, for nobody makes anything."""
    _about: dict[str, list[Key]] = field(default_factory=dict[str, list[Key]])
    """Who is about each namespace."""

    def __post_init__(self) -> None:
        """Have everything looked at."""
        self._players = {player.key: player for player in self.world.players}
        for key in (*self.world.objects, *self._players):
            self._set(key, self.world.now)
            if key.namespace:
                self._inside.setdefault(key.namespace, []).append(key)
        for key, player in self._players.items():
            self._about.setdefault(player.target, []).append(key)

    def next(self) -> tuple[datetime, Key] | None:
        """Take the object that is due next."""
        while self._heap:
            at, key = heappop(self._heap)
            if self._due.get(key) == at:
                del self._due[key]
                return at, key
        return None

    def look(self, key: Key) -> Iterator[Event]:
        """Do what is to be done for one object now."""
        for _ in range(TOGETHER):
            player = self._players.get(key)
            events, again = self._played(player) if player else self._planned(key)
            yield from events
            if not events:
                return self._set(key, again)

    def _planned(self, key: Key) -> tuple[tuple[Event, ...], datetime | None]:
        world, subject = self.world, self.world.subject(key)
        if subject is None:
            return (), None
        plan = ending.plan(subject, world.policies, world.guard, world.now)
        meta: ObjectMeta | None = subject.meta
        for action in plan.actions:
            meta = apply(action, meta, world.now) if meta else None
        if meta is None:
            self._gone(key)
        else:
            world.objects[key] = meta
        return tuple(described(action, world.now) for action in plan.actions), plan.again

    def _played(self, player: Player) -> tuple[tuple[Event, ...], datetime | None]:
        turn = player.play(self.world.objects, self.world.now)
        for key in turn.gone:
            self._gone(key)
        return turn.events, turn.again

    def _gone(self, key: Key) -> None:
        gone = [key]
        if key.resource == NAMESPACES:
            gone += self._inside.pop(key.name, ())
            self._tell(key.name)
        for each in gone:
            self.world.objects.pop(each, None)
            self._players.pop(each, None)
            self._due.pop(each, None)

    def _tell(self, namespace: str) -> None:
        for key in self._about.get(namespace, ()):
            self._set(key, self.world.now)

    def _set(self, key: Key, at: datetime | None) -> None:
        if at is not None and (key in self.world.objects or key in self._players):
            self._due[key] = at
            heappush(self._heap, (at, key))
