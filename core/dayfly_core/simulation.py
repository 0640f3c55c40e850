"""What would happen until some instant: the operator's own decisions, on a clock that is not real.

Every act succeeds at once, and no person interferes, nor a pace. Breakers do if they are given, and
a Helm release ends whole if what it would end was read.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from heapq import heappop, heappush
from typing import Final, Protocol, assert_never

import msgspec
from msgspec.structs import replace

from dayfly_core import ending
from dayfly_core.actions import Action, Delete, ScaleDown
from dayfly_core.guard import Guard
from dayfly_core.helm.foresight import Alone, Ends, Releases, Stays, Waits
from dayfly_core.helm.marks import ReleaseRef
from dayfly_core.helm.release import Hold, ReleasePlan, holding
from dayfly_core.objects import NAMESPACES, Key, ObjectMeta
from dayfly_core.policies import Policies
from dayfly_core.simulated_breakers import Brakes
from dayfly_core.simulated_events import END, NOTE, SCALE_DOWN, Event, apply, described
from dayfly_core.subject import Subject

__all__ = [
    "END", "NOTE", "SCALE_DOWN", "Event", "Player", "Turn", "World", "apply", "described",
    "simulate",
]  # fmt: skip

TOGETHER: Final = 64
"""Acts on one object at one instant, at most: more is a fault, and no reason to hang."""


class Turn(msgspec.Struct, frozen=True):
    """What one of our own objects does at one instant."""

    events: tuple[Event, ...] = ()
    gone: frozenset[Key] = frozenset()
    """What does not exist any more; a Namespace takes along all in it."""
    again: datetime | None = None
    over: bool = False
    """Whether nothing more is to be done at this instant, though something has happened."""


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
    brakes: Brakes | None = None
    """None: surprising ends happen too."""
    kept: Mapping[str, str] = field(default_factory=dict[str, str])
    """What is protected in a namespace, by its name: as long as it is there, the namespace stays.
    """
    releases: Mapping[ReleaseRef, ReleasePlan] | None = None
    """What ends with each Helm release; None, or one that is not here: what is stamped."""

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

    _releases: Releases = field(default_factory=lambda: Releases({}))

    def __post_init__(self) -> None:
        """Have everything looked at."""
        self._players = {player.key: player for player in self.world.players}
        self._releases = Releases(self.world.releases or {})
        for key, meta in self.world.objects.items():
            self._releases.joined(key, meta)
            self._tell_brakes(key)
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
            turn = self._played(player) if player else self._planned(key)
            yield from turn.events
            if not turn.events or turn.over:
                return self._set(key, turn.again)

    def _planned(self, key: Key) -> Turn:
        world, subject = self.world, self.world.subject(key)
        if subject is None:
            return Turn()
        plan = ending.plan(subject, world.policies, world.guard, world.now)
        for action in plan.actions:
            if why := self._held_back(action) or self._keeper(action):
                return self._kept(action, why)
            if isinstance(action, Delete) and action.release and world.releases is not None:
                return self._release(action)
        meta: ObjectMeta | None = subject.meta
        for action in plan.actions:
            meta = apply(action, meta, world.now) if meta else None
        self._became(key, meta)
        return Turn(tuple(described(each, world.now) for each in plan.actions), again=plan.again)

    def _became(self, key: Key, meta: ObjectMeta | None) -> None:
        if meta is None:
            self._gone(key)
        elif meta is not self.world.objects[key]:
            self.world.objects[key] = meta
            self._tell_brakes(key)

    def _held_back(self, action: Action) -> str:
        brakes = self.world.brakes
        if brakes is None or not isinstance(action, Delete | ScaleDown):
            return ""
        return brakes.holds_back(action, self.world.now)

    def _keeper(self, action: Action) -> str:
        if not isinstance(action, Delete) or not action.unit:
            return ""
        return _keeps(self.world.kept.get(action.key.name, ""))

    def _kept(self, action: Action, why: str) -> Turn:
        """Tell once that something does not happen: nobody does anything about it here."""
        return Turn((replace(described(action, self.world.now), held=why),), over=True)

    def _release(self, order: Delete) -> Turn:
        """End a whole Helm release with the last of its members."""
        now = self.world.now
        outcome = self._releases.end(order, self.world.objects, self._hold)
        match outcome:
            case Alone():
                self._gone(order.key)
                return Turn((described(order, now),))
            case Waits():
                return Turn(again=outcome.until)
            case Stays():
                return self._kept(order, outcome.why)
            case Ends():
                return Turn(tuple(self._ended(order, key) for key in outcome.keys), over=True)
            case _:
                assert_never(outcome)

    def _ended(self, order: Delete, key: Key) -> Event:
        self._gone(key)
        return replace(described(order, self.world.now), key=key, release=str(order.release))

    def _hold(self, key: Key) -> Hold | None:
        """Say what keeps a member of a release, by its own plan."""
        world, subject = self.world, self.world.subject(key)
        assert subject, key
        plan = ending.plan(subject, world.policies, world.guard, world.now)
        held = [self._held_back(each) for each in plan.actions if isinstance(each, Delete)]
        brake = next((why for why in held if why), None)
        return holding(key, plan, world.now, brake)

    def _played(self, player: Player) -> Turn:
        turn = player.play(self.world.objects, self.world.now)
        why = _keeps(self.world.kept.get(player.target, ""))
        if why and any(key.resource == NAMESPACES for key in turn.gone):
            return Turn(tuple(replace(each, held=why) for each in turn.events), over=True)
        for key in turn.gone:
            self._gone(key)
        return turn

    def _gone(self, key: Key) -> None:
        gone = [key]
        if key.resource == NAMESPACES:
            gone += self._inside.pop(key.name, ())
            self._tell(key.name)
        for each in gone:
            self.world.objects.pop(each, None)
            self._players.pop(each, None)
            self._due.pop(each, None)
            self._tell_brakes(each)

    def _tell(self, namespace: str) -> None:
        for key in self._about.get(namespace, ()):
            self._set(key, self.world.now)

    def _tell_brakes(self, key: Key) -> None:
        if self.world.brakes:
            self.world.brakes.seen(key, self.world.subject(key), self.world.now)

    def _set(self, key: Key, at: datetime | None) -> None:
        if at is not None and (key in self.world.objects or key in self._players):
            self._due[key] = at
            heappush(self._heap, (at, key))


def _keeps(member: str) -> str:
    return f"{member}, which is protected, keeps it" if member else ""
