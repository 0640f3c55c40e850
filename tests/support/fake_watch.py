"""Streams of the fake API server, and what goes wrong with them."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from aiohttp import web

from support.fake_store import Change, Json, Place, Store, event_of

FaultKind = Literal["status", "hang", "reset", "close", "cut", "silent", "error-event", "garbage"]


@dataclass(slots=True)
class Fault:
    """What happens to the next ``times`` requests whose path starts with ``path``.

    status       answered with ``code``, ``reason`` and, if given, Retry-After
    hang         accepted, never answered
    reset        the connection is closed without an answer
    close        a watch ends at once, without data
    cut          a watch is broken off in the middle of the next event's line
    silent       a watch is half-open: accepted, and nothing comes, not even bookmarks
    error-event  a watch carries an ERROR event with ``code`` and ends
    garbage      a watch carries a line that is not JSON
    """

    kind: FaultKind
    path: str = "/"
    method: str = ""
    times: int = 1
    code: int = 500
    reason: str = "InternalError"
    message: str = "etcdserver: no leader"
    retry_after: int | None = None
    watch: bool | None = None
    """True: only watches; False: only other requests; None: both."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A request as it came in; ``at`` is monotonic."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    at: float

    @property
    def watch(self) -> bool:
        """Whether it asked for a stream."""
        return self.query.get("watch") == "true"

    @property
    def partial(self) -> bool:
        """Whether it asked for metadata only."""
        return "as=PartialObjectMetadata" in self.headers.get("Accept", "")


class Pulse:
    """Wakes all who wait now, and none who come later."""

    def __init__(self) -> None:
        self.next = asyncio.Event()

    def fire(self) -> None:
        """Wake them."""
        self.next.set()
        self.next = asyncio.Event()


@dataclass(frozen=True, slots=True)
class Stream:
    """One watch."""

    place: Place
    recorded: Recorded
    request: web.Request
    response: web.StreamResponse
    store: Store
    changed: Pulse
    bookmark_seconds: float

    async def feed(self, version: int) -> None:
        """Send what changed since ``version``, then each change, and bookmarks in between."""
        end = time.monotonic() + float(self.recorded.query.get("timeoutSeconds", "1800"))
        while (wait := min(self.bookmark_seconds, end - time.monotonic())) > 0:
            changed = self.changed.next
            for change in self.store.since(version):
                version = change.version
                await self._send(self._event(change))
            try:
                async with asyncio.timeout(wait):
                    await changed.wait()
            except TimeoutError:
                await self._send(_bookmark(self.store.version))

    async def fail(self, version: int, fault: Fault) -> None:
        """Do what the fault says; ``close`` is to do nothing."""
        match fault.kind:
            case "silent":
                await asyncio.Event().wait()
            case "error-event":
                status = {"code": fault.code, "reason": fault.reason, "message": fault.message}
                await self._send({"type": "ERROR", "object": {"kind": "Status", **status}})
            case "garbage":
                await self.response.write(b"<html>502 Bad Gateway</html>\n")
            case "cut":
                await self._cut(version)
            case _:
                return

    async def _cut(self, version: int) -> None:
        while not self.store.since(version):
            await self.changed.next.wait()
        event = self._event(self.store.since(version)[0])
        await self.response.write(msgspec.json.encode(event)[:40])
        abort(self.request)

    def _event(self, change: Change) -> Json | None:
        place = change.place
        if (place.root, place.plural) != (self.place.root, self.place.plural):
            return None
        if self.place.namespace not in {"", place.namespace}:
            return None
        query = self.recorded.query
        seen = event_of(change, query.get("labelSelector", ""), query.get("fieldSelector", ""))
        if seen is None:
            return None
        return {"type": seen[0], "object": partial(seen[1]) if self.recorded.partial else seen[1]}

    async def _send(self, event: Json | None) -> None:
        if event:
            await self.response.write(msgspec.json.encode(event) + b"\n")


def _bookmark(version: int) -> Json:
    return {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": str(version)}}}


def partial(item: Json) -> Json:
    """``PartialObjectMetadata`` of an object."""
    head = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1"}
    return {**head, "metadata": item["metadata"]}


def abort(request: web.Request) -> None:
    """Break the connection off, without a goodbye."""
    if request.transport:
        request.transport.abort()
