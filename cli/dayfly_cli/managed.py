"""What Ephemerators and NamespaceManagers are about to do, beside what policies have stamped."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import msgspec

from dayfly_cli.cluster import PAGE, Cluster
from dayfly_cli.ends import stamped_end
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
from dayfly_operator.own.kinds import OwnList, OwnObject


@dataclass(frozen=True, slots=True)
class Managers:
    """All of the two kinds that one may see, and what they will do."""

    found: Mapping[Key, OwnObject] = field(default_factory=dict[Key, OwnObject])
    players: tuple[Player, ...] = ()

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
        return Managers(self.found, self.about(key))

    def events(self, world: World) -> tuple[Event, ...]:
        """Return what they do if nobody else does anything."""
        only = World(world.now, dict(world.objects), Policies(), world.guard, self.players)
        return tuple(simulate(only, LAST))


@dataclass(frozen=True, slots=True)
class Foreseen:
    """The first thing that is to happen, by what it happens to."""

    ends: Mapping[str, Event] = field(default_factory=dict[str, Event])
    """The first end of a namespace, by its name."""
    next: Mapping[Key, Event] = field(default_factory=dict[Key, Event])
    """What an Ephemerator or a NamespaceManager does first."""


def end_of(namespace: ObjectMeta, foreseen: Foreseen) -> datetime | None:
    """Return when a namespace ends, by its stamp or by one of these."""
    event = foreseen.ends.get(namespace.name)
    ends = (stamped_end(namespace), event.at if event else None)
    return min((end for end in ends if end), default=None)


def foreseen(events: Iterable[Event]) -> Foreseen:
    """Sort out what comes first."""
    ends: dict[str, Event] = {}
    following: dict[Key, Event] = {}
    for event in events:
        if event.what == END and not event.key.namespace and event.key.resource != EPHEMERATORS:
            ends.setdefault(event.key.name, event)
        following.setdefault(_author(event), event)
    return Foreseen(ends, following)


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
    found = {
        **await _listed(cluster, EPHEMERATORS, ""),
        **await _all_or_here(cluster, everywhere=everywhere),
    }
    return Managers(found, tuple(_player(key, one, guard) for key, one in found.items()))


async def _all_or_here(cluster: Cluster, *, everywhere: bool) -> dict[Key, OwnObject]:
    # One elsewhere may be about this namespace.
    found = await _listed(cluster, NAMESPACE_MANAGERS, "")
    if not found and not everywhere:
        return await _listed(cluster, NAMESPACE_MANAGERS, cluster.namespace)
    return found


async def _listed(cluster: Cluster, resource: Resource, namespace: str) -> dict[Key, OwnObject]:
    found: dict[Key, OwnObject] = {}
    params = {"limit": PAGE}
    while True:
        try:
            body = await cluster.client.get_list(resource.path(namespace), params=params)
        except ApiError as error:
            if error.forbidden or error.not_found:
                return {}
            raise
        page = msgspec.json.decode(body, type=OwnList)
        found |= {one.key(resource): one for one in page.items or ()}
        if not page.rest:
            return found
        params = {**params, "continue": page.rest}


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
