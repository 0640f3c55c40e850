"""The copy that a reflector keeps: pages and watch lines in, changes out. No I/O.

An object that cannot be decoded (an older CRD, an absurd value) is left out and named in
``rejected``; it does not blind us to all the others.
"""

from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from dayfly_core.objects import ObjectMeta, PartialObject
from dayfly_kube.errors import Status, refusal
from dayfly_kube.paging import ListMeta, Page, page_of

Name = tuple[str, str]
"""Namespace (empty for cluster-scoped kinds) and name."""


class Headed(Protocol):
    """Whatever the caller decodes objects to: it must keep their metadata."""

    @property
    def metadata(self) -> ObjectMeta:
        """The object's metadata."""
        ...


T = TypeVar("T")


class Event(msgspec.Struct, frozen=True):
    """One line of a watch; what the object is depends on the type."""

    type: str
    object: msgspec.Raw


class Mirror(Generic[T]):
    """Remembers ``keep(object)`` by name, and tells ``on_change`` of each difference.

    ``replaced`` hears before it what was remembered until then, if anything was.
    """

    def __init__(
        self,
        decode: type[Headed],
        keep: Callable[[Any], T | None],
        on_change: Callable[[Name, T | None], None],
        replaced: Callable[[Name, T, T | None], None] = lambda _name, _before, _after: None,
    ) -> None:
        self.items: dict[Name, T] = {}
        self.rejected: dict[Name, str] = {}
        self._keep = keep
        self._on_change = on_change
        self._replaced = replaced
        self._seen: set[Name] = set()
        self._pages = msgspec.json.Decoder(page_of(decode))
        self._raw_pages = msgspec.json.Decoder(Page[msgspec.Raw])
        self._events = msgspec.json.Decoder(Event)
        self._objects: msgspec.json.Decoder[Headed] = msgspec.json.Decoder(decode)
        self._heads = msgspec.json.Decoder(PartialObject)

    def begin(self) -> None:
        """Start to compare with a new list."""
        self._seen.clear()

    def page(self, body: bytes) -> ListMeta:
        """Take a page over at once: it is newer than the copy, whatever the next page brings."""
        try:
            page = self._pages.decode(body)
        except msgspec.ValidationError:
            return self._page_one_by_one(body)
        for found in page.items or ():
            self._seen.add(self._put(found))
        return page.metadata

    def finish(self) -> None:
        """Report as gone what the list did not have."""
        for name in (self.items.keys() | self.rejected.keys()) - self._seen:
            self._drop(name)
        self._seen.clear()

    def event(self, line: bytes) -> str:
        """Take over a watch event; return the version to go on from.

        An ``ERROR`` event is raised as the ``ApiError`` that it carries.
        """
        event = self._events.decode(line)
        match event.type:
            case "BOOKMARK":
                return self._heads.decode(event.object).metadata.resource_version
            case "ERROR":
                status = msgspec.json.decode(event.object, type=Status)
                raise refusal(status.code, bytes(event.object), None)
            case "DELETED":
                meta = self._heads.decode(event.object).metadata
                self._drop((meta.namespace, meta.name))
                return meta.resource_version
            case _:
                return self._put_raw(event.object).resource_version

    def _page_one_by_one(self, body: bytes) -> ListMeta:
        page = self._raw_pages.decode(body)
        for raw in page.items or ():
            meta = self._put_raw(raw)
            self._seen.add((meta.namespace, meta.name))
        return page.metadata

    def _put_raw(self, raw: msgspec.Raw) -> ObjectMeta:
        try:
            found = self._objects.decode(raw)
        except msgspec.ValidationError as error:
            meta = self._heads.decode(raw).metadata
            self._reject((meta.namespace, meta.name), str(error))
            return meta
        self._put(found)
        return found.metadata

    def _put(self, found: Headed) -> Name:
        meta = found.metadata
        name = (meta.namespace, meta.name)
        kept, before = self._keep(found), self.items.get(name)
        if kept is None:
            self._drop(name)
        elif before != kept:
            self.rejected.pop(name, None)
            self.items[name] = kept
            self._tell(name, before, kept)
        return name

    def _reject(self, name: Name, problem: str) -> None:
        self._drop(name)
        self.rejected[name] = problem

    def _drop(self, name: Name) -> None:
        self.rejected.pop(name, None)
        before = self.items.pop(name, None)
        if before is not None:
            self._tell(name, before, None)

    def _tell(self, name: Name, before: T | None, kept: T | None) -> None:
        if before is not None:
            self._replaced(name, before, kept)
        self._on_change(name, kept)
