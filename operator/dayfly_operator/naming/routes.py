"""Ingresses and HTTPRoutes, whose hosts their namespaces claim where the administrator opts in.

Of these two the whole object is read, as hosts stand in the spec, and only hosts are kept. Without
``--claim-ingress-hosts`` nothing is asked for and nothing is watched.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

import msgspec

from dayfly_core.api import LabelSelector
from dayfly_core.claimants import Demand
from dayfly_core.objects import HTTP_ROUTES, INGRESSES, Key, ObjectMeta, PartialObject, Resource
from dayfly_core.possession import RouteObject, routed
from dayfly_kube.client import Client
from dayfly_kube.errors import ApiError
from dayfly_kube.reflector import Reflector
from dayfly_operator.stamped import trimmed
from dayfly_operator.watching import HEARD_WITHIN, Finder, Spawn

log = logging.getLogger(__name__)

RECHECK: Final = 300.0
"""Seconds after which a kind that is not served is looked for again: one is enough for most."""

PATIENCE: Final = 30.0
"""Seconds for the first list; a kind that the operator may not list must not hold up the others."""

KINDS: Final = tuple(kind.pair for kind in (INGRESSES, HTTP_ROUTES))


class Routed(msgspec.Struct, frozen=True, gc=False):
    """One of them, as it is remembered."""

    meta: ObjectMeta
    demands: tuple[Demand, ...]


def remembered(found: RouteObject) -> Routed:
    """Keep the hosts, and what tells one object from another."""
    meta = trimmed(PartialObject(found.metadata)).meta
    return Routed(msgspec.structs.replace(meta, labels=None), routed(found).demands)


class Watched(msgspec.Struct):
    """One kind's watch."""

    resource: Resource
    reflector: Reflector[Routed]
    task: asyncio.Task[None]
    since: float


class Routes:
    """Watches those of the two kinds that are served; ``changed`` hears of each object."""

    def __init__(
        self,
        client: Client,
        finder: Finder,
        selector: LabelSelector | None,
        changed: Callable[[Key, Routed | None], None],
        monotonic: Callable[[], float],
    ) -> None:
        self.selector = selector
        """Of the namespaces whose hosts are claimed; None: of none."""
        self._client = client
        self._finder = finder
        self._changed = changed
        self._monotonic = monotonic
        self._spawn: Spawn | None = None
        self._kinds: dict[tuple[str, str], Watched] = {}
        self._looked = dict[tuple[str, str], float]()

    def start(self, spawn: Spawn) -> None:
        """Watch with tasks from ``spawn``, from the first :meth:`follow` on."""
        self._spawn = spawn

    @property
    def served(self) -> frozenset[Resource]:
        """The kinds that are watched."""
        return frozenset(watched.resource for watched in self._kinds.values())

    @property
    def loading(self) -> bool:
        """Whether a first list is under way that may yet come."""
        return any(
            not watched.reflector.synced.is_set() and self._monotonic() - watched.since < PATIENCE
            for watched in self._kinds.values()
        )

    def find(self, key: Key) -> Routed | None:
        """Return what is known of one object."""
        watched = self._kinds.get(key.resource.pair)
        return watched.reflector.items.get((key.namespace, key.name)) if watched else None

    def inside(self, namespace: str) -> list[tuple[Key, Routed]]:
        """Return all there are in a namespace."""
        return [
            (Key(watched.resource, *name), found)
            for watched in self._kinds.values()
            for name, found in watched.reflector.items.items()
            if name[0] == namespace
        ]

    async def follow(self) -> None:
        """Watch what is served by now; raises Unreachable."""
        if self.selector is None:
            return
        for pair in KINDS:
            watched = self._kinds.get(pair)
            if watched is None:
                await self._begin(pair)
            elif self._silent(watched) and await self._look(pair, anew=True) is None:
                self._end(pair)

    async def _begin(self, pair: tuple[str, str]) -> None:
        looked, now = self._looked.get(pair), self._monotonic()
        if looked is not None and now - looked < RECHECK:
            return
        self._looked[pair] = now
        found = await self._look(pair)
        if found:
            self._kinds[pair] = self._watch(found)

    async def _look(self, pair: tuple[str, str], *, anew: bool = False) -> Resource | None:
        if anew:
            self._finder.forget(*pair)
        try:
            return await self._finder.find(*pair)
        except ApiError as error:
            # An API that some absent server should answer for must not hold up the other.
            log.warning("kind not found kind=%s.%s error=%s", pair[1], pair[0], error)
            watched = self._kinds.get(pair)
            return watched.resource if watched else None

    def _silent(self, watched: Watched) -> bool:
        watch = watched.reflector
        return watch.synced.is_set() and not watch.alive(self._monotonic(), HEARD_WITHIN)

    def _watch(self, resource: Resource) -> Watched:
        def on_change(name: tuple[str, str], found: Routed | None) -> None:
            self._changed(Key(resource, *name), found)

        if self._spawn is None:
            raise RuntimeError("start() comes before follow()")
        reflector: Reflector[Routed] = Reflector(
            self._client,
            resource.path(),
            keep=remembered,
            on_change=on_change,
            decode=RouteObject,
            metadata_only=False,
            monotonic=self._monotonic,
        )
        log.info("watching the hosts of kind=%s", resource.group_resource)
        return Watched(resource, reflector, self._spawn(reflector.run()), self._monotonic())

    def _end(self, pair: tuple[str, str]) -> None:
        gone = self._kinds.pop(pair)
        log.info("no longer watching the hosts of kind=%s", gone.resource.group_resource)
        gone.task.cancel()
        for name in gone.reflector.items:
            self._changed(Key(gone.resource, *name), None)
