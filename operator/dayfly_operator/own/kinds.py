"""Ephemerators, NamespaceManagers and Stays as this replica knows them.

kopf tells of each (``kinds``), and a list of all, every so often, finds what its streams missed.
Nothing is ever done by what is known here: it says what to look at, and the look reads by quorum.
That an object is missing here is no reason to do anything but to forget when it was due.
"""

import logging
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from typing import Any, Final, Protocol

import msgspec
from msgspec.structs import replace

from dayfly_core.objects import Key, OwnMeta, Resource
from dayfly_kube.errors import ApiError, Unreachable
from dayfly_kube.paging import items

log = logging.getLogger(__name__)

BULKY: Final = "kubectl.kubernetes.io/last-applied-configuration"
"""Annotation that is as large as the object, and that nothing here reads."""

LONGEST: Final = 200
"""Characters of an object that cannot be read that the log shows."""

PAGE: Final = 500
"""Objects a request: the API server's answer stays below a few megabytes."""


class OwnObject(msgspec.Struct, frozen=True, gc=False):
    """One object; spec and status are as anybody may have written them before there were rules."""

    metadata: OwnMeta
    spec: Any = None
    status: Any = None

    def key(self, resource: Resource) -> Key:
        """Name it."""
        return Key(resource, self.metadata.namespace, self.metadata.name)

    def packed(self) -> bytes:
        """Write it down: a tenth of the memory, for thousands that are looked at now and then."""
        annotations = self.metadata.annotations or {}
        kept = {name: text for name, text in annotations.items() if name != BULKY}
        return _ENCODER.encode(replace(self, metadata=replace(self.metadata, annotations=kept)))


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(OwnObject)


class Heard(msgspec.Struct, frozen=True):
    """What kopf tells of one object."""

    resource: Resource
    found: OwnObject
    gone: bool


class Lister(Protocol):
    """The reading half of the client, for collections."""

    async def get_list(self, path: str, *, params: dict[str, str]) -> bytes:
        """GET a page, from etcd."""
        ...


async def readable(client: Lister, path: str) -> AsyncIterator[OwnObject]:
    """Yield what is listed and can be read; of what cannot, the log says so: it spoils no other.

    Raises ApiError and Unreachable.
    """
    async for item in items(client.get_list, path, msgspec.Raw, {"limit": str(PAGE)}):
        try:
            yield _DECODER.decode(item)
        except msgspec.ValidationError as error:
            log.warning("not readable error=%s object=%s", error, bytes(item)[:LONGEST])


class Finder(Protocol):
    """Which kinds are served."""

    async def find(self, group: str, plural: str) -> Resource | None:
        """Return the kind, None if it is not served."""
        ...


class OwnKind(msgspec.Struct):
    """All objects of one kind, and which of them aim at which namespace."""

    resource: Resource
    target: Callable[[OwnObject], str]
    """The namespace that an object is about; empty if that cannot be read."""
    changed: Callable[[Key], None]
    """Hears of each object that came, changed or went."""
    objects: dict[Key, bytes] = {}
    """As :meth:`OwnObject.packed` writes them."""
    _aimed: dict[str, set[Key]] = {}
    _meanwhile: set[Key] | None = None
    """What was heard of while a list was on its way: that is newer than the list."""

    def aimed_at(self, namespace: str) -> tuple[Key, ...]:
        """Return the objects that are about this namespace."""
        return tuple(self._aimed.get(namespace, ()))

    def hear(self, heard: Heard) -> None:
        """Take over what kopf tells."""
        key = heard.found.key(self.resource)
        if self._meanwhile is not None:
            self._meanwhile.add(key)
        self._put(key, None if heard.gone else heard.found)

    async def relist(self, client: Lister) -> None:
        """Compare with a list of all; raises ApiError and Unreachable, and then changes nothing.

        A kind that is not served changes nothing either: to be without its definition for a
        moment is not to be without its objects.
        """
        self._meanwhile = set()
        try:
            path = self.resource.path()
            listed = {found.key(self.resource): found async for found in readable(client, path)}
            for key in (listed.keys() | self.objects.keys()) - self._meanwhile:
                self._put(key, listed.get(key))
        except ApiError as error:
            if not error.not_found:
                raise
        finally:
            self._meanwhile = None

    def get(self, key: Key) -> OwnObject | None:
        """Return one as it was last heard of."""
        packed = self.objects.get(key)
        return _DECODER.decode(packed) if packed else None

    def _put(self, key: Key, found: OwnObject | None) -> None:
        packed = found.packed() if found else None
        if packed == self.objects.get(key):
            return
        before = self.get(key)
        if before:
            self._forget(key, self.target(before))
        if found and packed:
            self.objects[key] = packed
            self._aimed.setdefault(self.target(found), set()).add(key)
        self.changed(key)

    def _forget(self, key: Key, namespace: str) -> None:
        del self.objects[key]
        self._aimed[namespace].discard(key)
        if not self._aimed[namespace]:
            del self._aimed[namespace]


class OwnKinds:
    """All of these kinds, as the watches tell of them."""

    def __init__(self, kinds: Iterable[OwnKind]) -> None:
        self._kinds: Mapping[Resource, OwnKind] = {kind.resource: kind for kind in kinds}

    def hear(self, heard: Heard) -> None:
        """Take over what kopf tells, in the main loop."""
        self._kinds[heard.resource].hear(heard)

    def get(self, key: Key) -> OwnObject | None:
        """Return an object as it was last heard of."""
        return self._kinds[key.resource].get(key)

    def aimed_at(self, namespace: str) -> Iterator[Key]:
        """Yield the objects of any kind that are about this namespace."""
        for kind in self._kinds.values():
            yield from kind.aimed_at(namespace)

    def count(self) -> dict[str, int]:
        """Count them, by kind."""
        return {each.group_resource: len(kind.objects) for each, kind in self._kinds.items()}

    def all(self) -> tuple[Key, ...]:
        """Return all of every kind, as things are now."""
        return tuple(key for kind in self._kinds.values() for key in kind.objects)

    async def relist(self, client: Lister, finder: Finder) -> None:
        """Find what the streams missed, of each kind that is served.

        Raises ApiError or Unreachable, of the first kind that could not be listed, when the others
        have been.
        """
        trouble: Exception | None = None
        for kind in self._kinds.values():
            try:
                # Of a kind that is not there, the API server would say that it is forbidden.
                if await finder.find(kind.resource.group, kind.resource.plural):
                    await kind.relist(client)
            except (ApiError, Unreachable) as error:
                trouble = trouble or error
        if trouble:
            raise trouble
