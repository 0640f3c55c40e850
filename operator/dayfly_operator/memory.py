"""What is known of the cluster: by the watches, and where they are silent, by a read.

A watch that hears nothing may be idle or half-open, and cannot tell for a minute. Before something
ends, its namespace is therefore read by quorum, unless the watch of namespaces was heard just now.
"""

import asyncio
from collections.abc import Callable
from math import inf
from typing import Final, Protocol

import msgspec

from dayfly_core.objects import NAMESPACES, Key, ObjectMeta, PartialObject
from dayfly_kube.errors import ApiError, Unproven
from dayfly_operator.stamped import Stamped

KEPT: Final = 5.0
"""Seconds that a read is remembered: longer than anybody takes it for fresh."""


class Metadata(Protocol):
    """The reading half of the client, for metadata."""

    async def get(self, path: str, *, metadata_only: bool = False) -> bytes:
        """GET one object, from etcd."""
        ...


class Watches(Protocol):
    """What was heard, and when last."""

    def stamped(self, key: Key) -> Stamped | None:
        """Return one stamped object."""
        ...

    def namespace(self, name: str) -> ObjectMeta | None:
        """Return a namespace if the watch is alive, as far as one can know."""
        ...

    @property
    def namespaces_heard(self) -> float:
        """When the API server was last heard about namespaces, monotonic."""
        ...


class Reading(msgspec.Struct, frozen=True):
    """A namespace as it was, or was not, at some moment after ``asked_at``."""

    asked_at: float
    meta: ObjectMeta | None


async def read(client: Metadata, key: Key) -> ObjectMeta | None:
    """Read an object's metadata by quorum; None: there is none. Raises ApiError, Unreachable."""
    path = key.resource.path(key.namespace, key.name)
    try:
        body = await client.get(path, metadata_only=True)
    except ApiError as error:
        # Namespaces are always served: a 404 that does not name this one is not the API server's
        # (a proxy's page), and what is taken for gone may lead to an act.
        if error.absent or (error.not_found and key.resource != NAMESPACES):
            return None
        raise
    meta = msgspec.json.decode(body, type=PartialObject).metadata
    if meta.name != key.name or not meta.uid:
        # Whoever compares its uid would take it for another object, made since.
        raise Unproven(f"GET {path}: the answer is not that object")
    return meta


class Memory:
    """Answers from the watches; any number of callers share a read of one namespace."""

    def __init__(self, watches: Watches, client: Metadata, monotonic: Callable[[], float]) -> None:
        self._watches = watches
        self._client = client
        self._monotonic = monotonic
        self._read: dict[str, Reading] = {}
        self._reading: dict[str, asyncio.Task[None]] = {}

    def stamped(self, key: Key) -> Stamped | None:
        """Return one stamped object as the watches know it."""
        return self._watches.stamped(key)

    def namespace(self, name: str) -> ObjectMeta | None:
        """Return the newest that is known of a namespace; None if nothing is."""
        found = self._read.get(name)
        if found and found.asked_at > self._watches.namespaces_heard:
            return found.meta
        return self._watches.namespace(name)

    def is_fresh(self, name: str, within: float) -> bool:
        """Whether :meth:`namespace` was true at some moment of the last ``within`` seconds."""
        return self._monotonic() - self._known_at(name) <= within

    def refresh(self, name: str) -> asyncio.Task[None]:
        """Begin to read a namespace, if nobody does; its failure is for those who wait for it."""
        reading = self._reading.get(name)
        if reading is None:
            reading = self._reading[name] = asyncio.create_task(self._read_namespace(name))
            reading.add_done_callback(_note_failure)
        return reading

    async def fresh(self, name: str, within: float) -> None:
        """Return when the namespace is known as it was at most ``within`` seconds before now.

        Raises ApiError or Unreachable: then nothing may be decided.
        """
        since = self._monotonic() - within
        while self._known_at(name) < since:
            await asyncio.shield(self.refresh(name))

    def _known_at(self, name: str) -> float:
        found = self._read.get(name)
        return max(self._watches.namespaces_heard, found.asked_at if found else -inf)

    async def _read_namespace(self, name: str) -> None:
        asked_at = self._monotonic()
        try:
            meta = await read(self._client, Key(NAMESPACES, "", name))
        finally:
            del self._reading[name]
        self._forget(asked_at - KEPT)
        self._read.pop(name, None)  # what is read last stands last
        self._read[name] = Reading(asked_at, meta)

    def _forget(self, before: float) -> None:
        while self._read:
            name, oldest = next(iter(self._read.items()))
            if oldest.asked_at >= before:
                return
            del self._read[name]


def _note_failure(reading: asyncio.Task[None]) -> None:
    # One that was begun ahead of need has nobody waiting: asyncio would complain at its end.
    if not reading.cancelled():
        reading.exception()
