"""Writes down what ended: soon, in groups, and without holding anybody up.

Each write is over the version that was read, so that of two writers (one leader leaves, the next
begins) none loses what the other wrote. Who begins to lead adds what the last leader was seen to do
and has not told. It does not ask whether this process leads: what was done was done, and is as true
when it is told late.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import Any, Final, Protocol

import msgspec

from dayfly_core import history
from dayfly_core.history import SLOTS, Entry, Page
from dayfly_core.objects import CONFIG_MAPS, ObjectMeta, PartialObject
from dayfly_kube.errors import ApiError, Unreachable

log = logging.getLogger(__name__)

CAPACITY: Final = 5_000
"""Entries that may wait, about 2 MB: more than one page holds, fewer than the ring does."""

TURNS: Final = 4 * SLOTS
"""Pages tried for what waits at once; other writers may turn some of them under our hands."""


class Store(Protocol):
    """The client's verbs that the history needs."""

    async def get(self, path: str) -> bytes:
        """GET one object, from etcd."""
        ...

    async def merge_patch(self, path: str, body: object) -> bytes:
        """PATCH by RFC 7396."""
        ...


class Stored(msgspec.Struct, frozen=True):
    """A ConfigMap of the ring; what is in it may be anything."""

    metadata: ObjectMeta = ObjectMeta()
    data: Any = None


class Found(msgspec.Struct, frozen=True):
    """A page, the version of the ConfigMap it was read from, and what else is in there."""

    page: Page
    meta: ObjectMeta
    foreign: tuple[str, ...] = ()
    """Keys that are not ours: with them it might grow beyond what the API server takes."""


class NoPage(Unreachable):
    """None of the ConfigMaps can be written; what waits is kept."""


class History:
    """Takes entries, and commits them when it is told to."""

    def __init__(
        self,
        store: Store,
        namespace: str,
        replica: str,
        *,
        keeping: bool = True,
        limit: int = history.LIMIT,
    ) -> None:
        self._store = store
        self._namespace = namespace
        self._replica = replica
        self._keeping = keeping
        self._limit = limit
        self._waiting: deque[str] = deque()
        self._taken = 0
        self._current: Found | None = None
        self._unusable: set[int] = set()
        self._in_doubt = False
        self._hearsay: list[Entry] = []
        self.seen: Callable[[], Sequence[Entry]] = tuple
        """Asked before each commit what others were seen to do, and may not have told."""
        self.noted: Callable[[], None] = lambda: None
        """Called when there is something to commit."""
        self.dropping: Callable[[], None] = lambda: None
        """Called for each entry that had to go because too many wait."""

    def __len__(self) -> int:
        return len(self._waiting)

    def note(self, entry: Entry) -> None:
        """Take an entry; never waits, never fails. ``replica`` is filled in."""
        if self._keeping:
            self._keep(entry)
            self.noted()

    def _keep(self, entry: Entry) -> None:
        if len(self._waiting) >= CAPACITY:
            self._waiting.popleft()
            self.dropping()
        self._waiting.append(history.line(msgspec.structs.replace(entry, replica=self._replica)))
        self._taken += 1

    async def commit(self) -> None:
        """Write all that waits; raises ApiError and Unreachable, and loses nothing by it.

        What is noted meanwhile waits for the next commit: in an evening something always is.
        """
        if self._keeping:
            self._hearsay += self.seen()
        until = self._taken
        for _ in range(TURNS):
            if not self._hearsay and self._taken - len(self._waiting) >= until:
                return
            await self._write()
        raise NoPage("the pages of the history are changed by others all the time")

    async def finish(self, within: float) -> None:
        """Commit what is left, for at most so many seconds; what is not committed then is lost."""
        with contextlib.suppress(TimeoutError, ApiError, Unreachable):
            async with asyncio.timeout(within):
                while self._waiting:
                    await self.commit()
        if self._waiting:
            log.warning("entries of the history are lost entries=%d", len(self._waiting))

    async def _write(self) -> None:
        found = await self._find() if self._hearsay else self._current or await self._find()
        if not self._waiting:
            self._current = found
            return
        lines = tuple(self._waiting)
        page, taken = history.filled(found.page, lines, self._limit)
        if not taken:
            self._current = await self._turn(found.page)
            return
        self._current, self._in_doubt = None, True
        try:
            meta = await self._patch(found, page)
        except ApiError as error:
            self._refused(found.page.slot, error)
            return
        self._current, self._in_doubt = Found(page, meta), False
        self._forget(frozenset(lines[:taken]))

    def _forget(self, written: Set[str]) -> None:
        # Not so many from the left: some may have been dropped there during the request.
        self._waiting = deque(text for text in self._waiting if text not in written)

    def _refused(self, slot: int, error: ApiError) -> None:
        """Read again what another has written; go around a page that cannot be written."""
        if not (error.conflict or error.not_found or error.invalid or error.forbidden):
            raise error
        if not error.conflict:
            log.warning("a page of the history cannot be written slot=%d error=%s", slot, error)
            self._unusable.add(slot)

    async def _patch(self, found: Found, page: Page) -> ObjectMeta:
        head = {"uid": found.meta.uid, "resourceVersion": found.meta.resource_version}
        data: Mapping[str, str | None] = {**dict.fromkeys(found.foreign), **page.data}
        body = await self._store.merge_patch(
            self._path(page.slot), {"metadata": head, "data": data, "binaryData": None}
        )
        return msgspec.json.decode(body, type=PartialObject).metadata

    async def _find(self) -> Found:
        """Read the whole ring, and return the page to write."""
        pages = await asyncio.gather(*(self._read(slot) for slot in range(SLOTS)))
        ring = [found for found in pages if found]
        if self._in_doubt:
            self._drop_written(ring)
        self._complete(found.page for found in ring)
        usable = [found for found in ring if found.page.slot not in self._unusable]
        if not usable:
            self._unusable.clear()  # somebody may have put them right by the next attempt
            raise NoPage(f"no ConfigMap {history.slot_name(0)}… can be written")
        last = history.newest(found.page for found in ring)
        newest = next(found for found in ring if found.page == last)
        return newest if newest in usable else await self._turn(newest.page)

    def _complete(self, ring: Iterable[Page]) -> None:
        """Take what was seen and is not told there; should that change now, readers take one."""
        if self._hearsay:
            told = {entry.act for entry in history.read(ring).entries}
            for entry in self._hearsay:
                if entry.act not in told:
                    self._keep(entry)
            self._hearsay.clear()
            self.noted()

    def _drop_written(self, ring: list[Found]) -> None:
        """Forget what was stored although no answer came: told twice would be wrong too."""
        self._forget({f"{text}\n" for found in ring for text in found.page.text.split("\n")})
        self._in_doubt = False

    async def _turn(self, full: Page) -> Found:
        """Return the page after one that is full: emptied, unless another writer has begun it."""
        for slot in history.after(full.slot):
            found = None if slot in self._unusable else await self._read(slot)
            if found:
                begun = found.page.sequence > full.sequence
                page = found.page if begun else history.turned(full, slot)
                return Found(page, found.meta, found.foreign)
        raise NoPage("no other page of the history can be written")

    async def _read(self, slot: int) -> Found | None:
        try:
            body = await self._store.get(self._path(slot))
        except ApiError as error:
            if error.not_found:
                return None
            raise
        stored = msgspec.json.decode(body, type=Stored)
        page = history.page(slot, stored.data)
        return Found(page, stored.metadata, history.foreign(stored.data))

    def _path(self, slot: int) -> str:
        return CONFIG_MAPS.path(self._namespace, history.slot_name(slot))
