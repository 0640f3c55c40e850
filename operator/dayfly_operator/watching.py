"""What is kept in memory of the cluster: stamped objects, namespaces, and what may need a stamp.

Of each kind that policies name, two metadata-only watches, filtered by the API server: what carries
the label ``dayfly.dev/policy``, kept whole as far as decisions read it, and what does not, of which
only the names of those that a policy wants are kept. Namespaces are watched once, all of them,
because every decision reads their labels.
"""

import asyncio
import logging
from collections.abc import Callable, Container, Coroutine, Iterator
from typing import Any, Final, Protocol

import msgspec

from dayfly_core import names
from dayfly_core.objects import NAMESPACES, Key, ObjectMeta, PartialObject, Resource
from dayfly_core.policies import GroupResource
from dayfly_kube.client import Client
from dayfly_kube.errors import ApiError
from dayfly_kube.mirror import Name
from dayfly_kube.reflector import Reflector
from dayfly_operator.stamped import Stamped, trimmed

log = logging.getLogger(__name__)

RECHECK: Final = 30.0
"""Seconds after which a kind that is not served is looked for again."""

HEARD_WITHIN: Final = 75.0
"""Seconds: an idle watch proves itself by a bookmark a minute; what is older may have changed."""

Spawn = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]
"""Starts a task whose failure ends the program."""

NAMESPACE_KIND: Final = NAMESPACES.pair


class Finder(Protocol):
    """Which kinds are served."""

    async def find(self, group: str, plural: str) -> Resource | None:
        """Return the kind, None if it is not served."""
        ...

    async def verbs(self, group: str, plural: str) -> frozenset[str]:
        """Return what the API server can do with the kind."""
        ...

    def forget(self, group: str, plural: str) -> None:
        """Ask anew next time."""
        ...


class Listener(Protocol):
    """Who hears of changes, in the event loop; must not block."""

    def stamped(self, key: Key, found: Stamped | None) -> None:
        """Hear that a stamped object came, changed, or is gone or no longer stamped."""
        ...

    def unstamped(self, key: Key) -> None:
        """Hear of an object without a stamp that a policy wants."""
        ...

    def namespace(self, name: str, found: ObjectMeta | None) -> None:
        """Hear that a namespace came, changed or is gone, whatever its stamps."""
        ...

    def wants(self, key: Key, meta: ObjectMeta) -> bool:
        """Say whether an object without a stamp needs a closer look."""
        ...


class Followed(msgspec.Struct):
    """One kind's two watches."""

    resource: Resource
    stamped: Reflector[Stamped]
    stamped_task: asyncio.Task[None]
    unstamped: Reflector[bool]
    unstamped_task: asyncio.Task[None]


class Watching:
    """Starts and stops watches as policies name kinds, and answers what they have seen."""

    def __init__(
        self, client: Client, finder: Finder, listener: Listener, monotonic: Callable[[], float]
    ) -> None:
        self._client = client
        self._finder = finder
        self._listener = listener
        self._monotonic = monotonic
        self._spawn: Spawn | None = None
        self._kinds: dict[GroupResource, Followed] = {}
        self._ends_namespaces = False
        self._following = False
        self._labels: dict[str, dict[str, str]] = {}
        self.relabelled: Callable[[], None] = lambda: None
        """Called when the labels of a namespace change: other policies may fit what is in it."""
        self.replaced: Callable[[Key, Stamped, Stamped | None], None] = (
            lambda _key, _before, _after: None
        )
        """Called with what a namespace, or a stamped object, was and is, just before it is told."""
        self.missing: frozenset[GroupResource] = frozenset()
        """Kinds that policies name and nobody can watch: most often they are not served."""
        self.namespaces: Reflector[Stamped] = Reflector(
            client,
            NAMESPACES.path(),
            keep=trimmed,
            on_change=self._on_namespace,
            replaced=self._replaced(NAMESPACES),
            monotonic=monotonic,
        )

    def start(self, spawn: Spawn) -> None:
        """Watch namespaces from now on, and kinds when :meth:`follow` is called."""
        self._spawn = spawn
        spawn(self.namespaces.run())

    @property
    def namespaces_heard(self) -> float:
        """When the API server was last heard about namespaces, monotonic."""
        return self.namespaces.heard

    @property
    def served(self) -> frozenset[Resource]:
        """Kinds that policies name and that are watched."""
        kinds = frozenset(followed.resource for followed in self._kinds.values())
        return kinds | {NAMESPACES} if self._ends_namespaces else kinds

    def unsynced(self, excused: Container[GroupResource]) -> str | None:
        """Say what has not been listed yet; None if all has that could be (``excused``: cannot)."""
        if not self.namespaces.synced.is_set():
            return "namespaces are not listed yet"
        if not self._following:
            return "the kinds that policies name are not watched yet"
        for kind, followed in self._kinds.items():
            if kind not in excused and not followed.stamped.synced.is_set():
                return f"{followed.resource.group_resource} are not listed yet"
        return None

    async def follow(self, wanted: frozenset[GroupResource]) -> bool:
        """Watch exactly these kinds; False if some cannot be, to be tried again later."""
        for pair in (self._kinds.keys() - wanted) | await self._withdrawn():
            self._drop(self._kinds.pop(pair))
        self._follow_namespaces(ends=NAMESPACE_KIND in wanted)
        missing: set[GroupResource] = set()
        for group, plural in sorted(wanted - self._kinds.keys() - {NAMESPACE_KIND}):
            resource = await self._find(group, plural)
            if resource is None:
                missing.add((group, plural))
            else:
                self._kinds[group, plural] = self._start(resource)
        self.missing = frozenset(missing)
        self._following = True
        return not missing

    async def _find(self, group: str, plural: str) -> Resource | None:
        if (group, plural) in self.missing:
            self._finder.forget(group, plural)
        try:
            return await self._watchable(group, plural)
        except ApiError as error:
            # An API that some absent server should answer for must not hold up the others.
            log.warning("kind not found kind=%s.%s error=%s", plural, group, error)
            return None

    async def _watchable(self, group: str, plural: str) -> Resource | None:
        found = await self._finder.find(group, plural)
        return found if {"list", "watch"} <= await self._finder.verbs(group, plural) else None

    async def _withdrawn(self) -> set[GroupResource]:
        """Find kinds whose watch is silent because the API server does not serve them any more."""
        silent = {pair for pair, followed in self._kinds.items() if self._silent(followed)}
        for pair in silent:
            self._finder.forget(*pair)
        return {pair for pair in silent if await self._is_withdrawn(*pair)}

    async def _is_withdrawn(self, group: str, plural: str) -> bool:
        try:
            return await self._watchable(group, plural) is None
        except ApiError:
            return False  # its server is away: its watch goes on trying, and holds up no other

    def _silent(self, followed: Followed) -> bool:
        watch = followed.stamped
        return watch.synced.is_set() and not watch.alive(self._monotonic(), HEARD_WITHIN)

    def relist(self) -> None:
        """List anew what is not stamped: policies or labels have changed."""
        for followed in self._kinds.values():
            followed.unstamped_task.cancel()
            followed.unstamped, followed.unstamped_task = self._start_unstamped(followed.resource)
        if self._ends_namespaces:
            self._reconsider_namespaces()

    def stamped(self, key: Key) -> Stamped | None:
        """Return what is known of one stamped object."""
        if key.resource == NAMESPACES:
            found = self.namespaces.items.get(("", key.name)) if self._ends_namespaces else None
            return found if found and found.policy else None
        followed = self._kinds.get(key.resource.pair)
        return followed.stamped.items.get((key.namespace, key.name)) if followed else None

    def meta(self, key: Key) -> ObjectMeta | None:
        """Return the metadata of a namespace, or of a stamped object, as it was last heard of."""
        if key.resource == NAMESPACES:
            found = self.namespaces.items.get(("", key.name))
        else:
            found = self.stamped(key)
        return found.meta if found else None

    def all_stamped(self) -> Iterator[tuple[Key, Stamped]]:
        """Yield every stamped object, as things are now: the watches may change meanwhile."""
        for followed in tuple(self._kinds.values()):
            for (namespace, name), found in tuple(followed.stamped.items.items()):
                yield Key(followed.resource, namespace, name), found
        if self._ends_namespaces:
            for (_, name), found in tuple(self.namespaces.items.items()):
                if found.policy:
                    yield Key(NAMESPACES, "", name), found

    def all_unstamped(self) -> Iterator[Key]:
        """Yield every object without a stamp that a policy wanted when it was seen."""
        for followed in tuple(self._kinds.values()):
            for namespace, name in tuple(followed.unstamped.items):
                yield Key(followed.resource, namespace, name)
        if self._ends_namespaces:
            for (_, name), found in tuple(self.namespaces.items.items()):
                key = Key(NAMESPACES, "", name)
                if not found.policy and self._listener.wants(key, found.meta):
                    yield key

    def namespace(self, name: str) -> ObjectMeta | None:
        """Return a namespace's metadata if its watch is alive, as far as one can know."""
        if not self.namespaces.alive(self._monotonic(), HEARD_WITHIN):
            return None
        found = self.namespaces.items.get(("", name))
        return found.meta if found else None

    def _follow_namespaces(self, *, ends: bool) -> None:
        begins, self._ends_namespaces = ends and not self._ends_namespaces, ends
        if begins:
            for (_, name), found in tuple(self.namespaces.items.items()):
                if found.policy:
                    self._listener.stamped(Key(NAMESPACES, "", name), found)
            self._reconsider_namespaces()

    def _reconsider_namespaces(self) -> None:
        for (_, name), found in tuple(self.namespaces.items.items()):
            if not found.policy:
                self._consider(Key(NAMESPACES, "", name), found.meta)

    def _consider(self, key: Key, meta: ObjectMeta) -> None:
        if self._listener.wants(key, meta):
            self._listener.unstamped(key)

    def _on_namespace(self, name: tuple[str, str], found: Stamped | None) -> None:
        key = Key(NAMESPACES, "", name[1])
        self._listener.namespace(key.name, found.meta if found else None)
        self._note_labels(key.name, found)
        if not self._ends_namespaces:
            return
        self._listener.stamped(key, found if found and found.policy else None)
        if found and not found.policy:
            self._consider(key, found.meta)

    def _note_labels(self, name: str, found: Stamped | None) -> None:
        before = self._labels.get(name)
        if found is None:
            self._labels.pop(name, None)
            return
        self._labels[name] = found.meta.label_map
        if before is not None and before != found.meta.label_map:
            self.relabelled()

    def _start(self, resource: Resource) -> Followed:
        listener = self._listener

        def on_change(name: tuple[str, str], found: Stamped | None) -> None:
            listener.stamped(Key(resource, *name), found)

        stamped: Reflector[Stamped] = Reflector(
            self._client,
            resource.path(),
            keep=trimmed,
            on_change=on_change,
            replaced=self._replaced(resource),
            label_selector=names.POLICY,
            monotonic=self._monotonic,
        )
        log.info("watching kind=%s", resource.group_resource)
        task = self._run(stamped)
        return Followed(resource, stamped, task, *self._start_unstamped(resource))

    def _replaced(self, resource: Resource) -> Callable[[Name, Stamped, Stamped | None], None]:
        return lambda name, before, after: self.replaced(Key(resource, *name), before, after)

    def _start_unstamped(self, resource: Resource) -> tuple[Reflector[bool], asyncio.Task[None]]:
        listener = self._listener

        def keep(found: PartialObject) -> bool | None:
            meta = found.metadata
            return listener.wants(Key(resource, meta.namespace, meta.name), meta) or None

        def on_change(name: tuple[str, str], wanted: bool | None) -> None:
            if wanted:
                listener.unstamped(Key(resource, *name))

        unstamped: Reflector[bool] = Reflector(
            self._client,
            resource.path(),
            keep=keep,
            on_change=on_change,
            label_selector=f"!{names.POLICY}",
            monotonic=self._monotonic,
        )
        return unstamped, self._run(unstamped)

    def _run(self, reflector: Reflector[Any]) -> asyncio.Task[None]:
        if self._spawn is None:
            raise RuntimeError("start() comes before follow()")
        return self._spawn(reflector.run())

    def _drop(self, followed: Followed) -> None:
        log.info("no longer watching kind=%s", followed.resource.group_resource)
        followed.stamped_task.cancel()
        followed.unstamped_task.cancel()
        for namespace, name in followed.stamped.items:
            self._listener.stamped(Key(followed.resource, namespace, name), None)
