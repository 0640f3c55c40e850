"""Ephemerators and NamespaceManagers as they change, for ``dayfly list --watch``."""

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from dayfly_cli import managed
from dayfly_cli.cluster import Cluster
from dayfly_cli.contact import Contact, answered
from dayfly_cli.managed import Foreseen
from dayfly_cli.survey import Scope, Survey, in_scope
from dayfly_core.objects import NAMESPACES, Key, ObjectMeta, Resource
from dayfly_core.policies import Policies
from dayfly_core.simulation import World
from dayfly_kube.mirror import Name
from dayfly_kube.reflector import Reflector
from dayfly_operator.own.kinds import OwnObject

GAP: Final = 0.5
"""Least seconds between two looks at what all of them do: of thousands that takes a moment."""

Looked = Callable[[Foreseen], None]
"""Hears that it has been found out anew what they do, and what it was before."""


class Following:
    """Keeps what the survey foresees true. It follows the kinds that could be listed then."""

    def __init__(
        self, cluster: Cluster, contact: Contact, scope: Scope, found: Survey, gap: float = GAP
    ) -> None:
        self._cluster = cluster
        self._contact = contact
        self._terminal = contact.terminal
        self._scope = scope
        self._found = found
        self._gap = gap
        self._stored = dict(found.managers.found)
        self._namespaces = dict(found.namespaces)
        self._changed = asyncio.Event()

    @property
    def any(self) -> bool:
        """Whether there is anything to follow."""
        return bool(self._found.managers.places)

    def reflectors(self) -> Iterator[Reflector[OwnObject]]:
        """Yield what follows each kind; to be run by the caller."""
        for resource, namespace in self._found.managers.places.items():
            yield Reflector(
                self._cluster.client,
                resource.path(namespace),
                keep=_whole,
                on_change=partial(self._heard, resource),
                decode=OwnObject,
                metadata_only=False,
                monotonic=self._terminal.monotonic,
            )

    def namespace_heard(self, name: str, meta: ObjectMeta | None) -> None:
        """Hear of a namespace that came, changed or went."""
        if meta:
            self._namespaces[name] = meta
        else:
            self._namespaces.pop(name, None)
        self._changed.set()

    def namespace(self, name: str) -> ObjectMeta | None:
        """Return a namespace as it was last heard of."""
        return self._namespaces.get(name)

    async def run(self, looked: Looked) -> None:
        """Foresee anew after every change, for ever, be the API server away or not."""
        while True:
            await self._changed.wait()
            await asyncio.sleep(self._gap)
            self._changed.clear()
            objects = await answered(self._objects, self._contact, "what managers do")
            before = self._found.foreseen
            world = World(self._terminal.now(), objects, Policies(), self._found.guard)
            self._found.foresee(world)
            looked(before)

    def _heard(self, resource: Resource, name: Name, stored: OwnObject | None) -> None:
        key = Key(resource, *name)
        if stored == self._stored.get(key):
            return  # the first list repeats what the survey has read
        if stored:
            self._stored[key] = stored
        else:
            self._stored.pop(key, None)
        self._changed.set()

    async def _objects(self) -> dict[Key, ObjectMeta]:
        """Gather the managers as they are now; returns the namespaces that they are about."""
        found = self._found
        everyone = managed.gathered(dict(self._stored), found.guard, found.managers.places)
        found.managers = in_scope(everyone, self._cluster, self._scope)
        if not self._scope.everywhere:
            return await managed.targets(self._cluster, found.managers.players)
        return {Key(NAMESPACES, "", name): meta for name, meta in self._namespaces.items()}


def _whole(stored: OwnObject) -> OwnObject:
    return stored
