"""What Ephemerators and NamespaceManagers are about to do, beside what policies have stamped."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

import msgspec
from msgspec.structs import replace

from dayfly_cli.cluster import Cluster
from dayfly_cli.ends import Awaited, stamped_end
from dayfly_core import ephemerator
from dayfly_core.ephemerator import Months, Settings
from dayfly_core.errand import Stored
from dayfly_core.guard import Guard
from dayfly_core.objects import (
    EPHEMERATORS,
    NAMESPACE_MANAGERS,
    NAMESPACES,
    Key,
    ObjectMeta,
    Resource,
)
from dayfly_core.players import EphemeratorPlayer, ManagerPlayer
from dayfly_core.policies import Policies
from dayfly_core.reasons import Condition, Reason
from dayfly_core.simulation import END, Event, Player, World, simulate
from dayfly_core.triggers import LAST
from dayfly_kube.errors import ApiError
from dayfly_operator.own.kinds import OwnObject, readable


class Managers(msgspec.Struct, frozen=True):
    """All of the two kinds that one may see, and what they will do."""

    found: Mapping[Key, OwnObject] = {}
    players: tuple[Player, ...] = ()
    places: Mapping[Resource, str] = {}
    """Where each kind could be listed: in this namespace, in all (empty), or not at all."""

    def about(self, key: Key) -> tuple[Player, ...]:
        """Return those that are this object, or that end it or its namespace."""
        namespace = key.name if key.resource == NAMESPACES else key.namespace
        return tuple(
            player
            for player in self.players
            if key == player.key or namespace == player.target != ""
        )

    def only(self, key: Key) -> "Managers":
        """Leave out those that are not about an object."""
        return replace(self, players=self.about(key))

    def within(self, namespace: str) -> "Managers":
        """Leave out those that neither are in a namespace nor are about it."""
        here = (each for each in self.players if namespace in (each.key.namespace, each.target))
        return replace(self, players=tuple(here))

    def events(self, world: World) -> tuple[Event, ...]:
        """Return what they do if nobody else does anything."""
        only = World(world.now, dict(world.objects), Policies(), world.guard, self.players)
        return tuple(simulate(only, LAST))


class Foreseen(msgspec.Struct, frozen=True):
    """The first thing that is to happen, by what it happens to."""

    ends: Mapping[str, Event] = {}
    """The first end of a namespace, by its name."""
    next: Mapping[Key, Event] = {}
    """What an Ephemerator or a NamespaceManager does first."""
    awaited: Mapping[Key, Awaited] = {}
    """What no clock tells of these, and of the namespaces that they end."""

    def ending(self, namespace: str) -> bool:
        """Whether one of these ends a namespace, be it known when or not."""
        return namespace in self.ends or Key(NAMESPACES, "", namespace) in self.awaited

    def differing(self, other: "Foreseen") -> frozenset[str]:
        """Return the names of the namespaces that something else, or nothing, happens to there."""
        mine, others = self._namespaces(), other._namespaces()
        differ = (
            name for name in mine.keys() | others.keys() if mine.get(name) != others.get(name)
        )
        return frozenset(differ)

    def _namespaces(self) -> dict[str, tuple[Event | None, Awaited | None]]:
        waiting = {
            key.name: each for key, each in self.awaited.items() if key.resource == NAMESPACES
        }
        known = self.ends.keys() | waiting.keys()
        return {name: (self.ends.get(name), waiting.get(name)) for name in known}


def end_of(namespace: ObjectMeta, foreseen: Foreseen) -> datetime | None:
    """Return when a namespace ends, by its stamp or by one of these."""
    event = foreseen.ends.get(namespace.name)
    ends = (stamped_end(namespace), event.at if event else None)
    return min((end for end in ends if end), default=None)


def foreseen(
    events: Iterable[Event], awaited: Mapping[Key, Awaited] = MappingProxyType({})
) -> Foreseen:
    """Sort out what comes first."""
    ends: dict[str, Event] = {}
    following: dict[Key, Event] = {}
    for event in events:
        if event.what == END and not event.key.namespace and event.key.resource != EPHEMERATORS:
            ends.setdefault(event.key.name, event)
        following.setdefault(_author(event), event)
    return Foreseen(ends, following, awaited)


def _author(event: Event) -> Key:
    kind, *place = event.by.split("/")
    if kind == EPHEMERATORS.kind:
        return Key(EPHEMERATORS, "", place[0])
    return Key(NAMESPACE_MANAGERS, place[0], place[1])


async def targets(cluster: Cluster, found: Iterable[Player]) -> dict[Key, ObjectMeta]:
    """Read the namespaces that these are about; those that are not there are left out."""
    read = {
        Key(NAMESPACES, "", name): await cluster.namespace_called(name)
        for name in {player.target for player in found}
        if name
    }
    return {key: meta for key, meta in read.items() if meta}


async def managers(cluster: Cluster, guard: Guard, *, everywhere: bool) -> Managers:
    """Read them; where they are not installed, or one may not look, there are none."""
    found: dict[Key, OwnObject] = {}
    places: dict[Resource, str] = {}
    # A NamespaceManager elsewhere may be about this namespace.
    fallback = () if everywhere else ((NAMESPACE_MANAGERS, cluster.namespace),)
    for resource, namespace in ((EPHEMERATORS, ""), (NAMESPACE_MANAGERS, ""), *fallback):
        if resource in places:
            continue
        listed = await _listed(cluster, resource, namespace)
        if listed is not None:
            found |= listed
            places[resource] = namespace
    return gathered(found, guard, places)


def gathered(
    found: Mapping[Key, OwnObject], guard: Guard, places: Mapping[Resource, str]
) -> Managers:
    """Make all that was read ready to be asked."""
    players = tuple(_player(key, one, guard) for key, one in found.items())
    return Managers(found, players, places)


async def _listed(
    cluster: Cluster, resource: Resource, namespace: str
) -> dict[Key, OwnObject] | None:
    found = readable(cluster.client, resource.path(namespace))
    try:
        return {one.key(resource): one async for one in found}
    except ApiError as error:
        if error.forbidden or error.not_found:
            return None
        raise


def _player(key: Key, stored: OwnObject, guard: Guard) -> Player:
    if key.resource == EPHEMERATORS:
        return EphemeratorPlayer(stored, guard, settings_of(stored))
    return ManagerPlayer(stored, guard)


_NO_TARGET: Final = ("*",)


def settings_of(stored: Stored) -> Settings:
    """Read off an Ephemerator's status what its operator was told to make of it."""
    status = ephemerator.read_status(stored)
    ready = next((each for each in status.conditions if each.type == Condition.READY), None)
    ignore = _NO_TARGET if ready and ready.reason == Reason.IGNORED else ()
    created, told = stored.metadata.creation_timestamp, status.expires_at_seconds
    try:
        compat = created and ephemerator.deadline(ephemerator.read(stored), created, Months.COMPAT)
    except (ephemerator.InvalidLifetime, msgspec.ValidationError):
        return Settings(ignore=ignore)
    as_original = compat and told == int(compat.timestamp())
    return Settings(Months.COMPAT if as_original else Months.CALENDAR, ignore)
