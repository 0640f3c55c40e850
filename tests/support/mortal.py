"""A client that dies: before it sends its n-th request, or when it is sent and nobody hears of it.

Two of these over one store are two leaders, one after the other.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from dayfly_core.objects import Resource
from dayfly_kube.errors import ApiError, Status, StatusDetails
from support.fake_store import Json, Refused, Store, place_of

MERGE_PATCH = "application/merge-patch+json"


class Killed(Exception):
    """The process is no more."""


@dataclass(frozen=True, slots=True)
class Request:
    """What was sent, and has reached the store."""

    method: str
    path: str
    body: Any = None


class Mortal:
    """The verbs of the client over a store, and the kinds that it serves."""

    def __init__(
        self, store: Store, kinds: tuple[Resource, ...] = (), dies_at: int | None = None
    ) -> None:
        self.store = store
        self.kinds = list(kinds)
        self.requests: list[Request] = []
        self.done: list[Request] = []
        """Those that were not refused."""
        self.refusals: dict[tuple[str, str], list[ApiError]] = {}
        """Answers to the next requests of a method to a path, instead of the true ones."""
        self.changed: Callable[[str], None] = lambda path: None
        """Called with the path of each object that was written, as a watch would tell."""
        self._dies_at = dies_at
        self.moments: int = 0
        self.died = asyncio.Event()

    async def get(self, path: str, *, metadata_only: bool = False) -> bytes:
        return self._send("GET", path, lambda: self.store.get(place_of(path)))

    async def get_list(
        self, path: str, *, params: Mapping[str, str] | None = None, metadata_only: bool = False
    ) -> bytes:
        query = params or {}
        return self._send("GET", path, lambda: self._page(path, query))

    async def merge_patch(self, path: str, body: object) -> bytes:
        patch = msgspec.to_builtins(body)
        return self._send(
            "PATCH", path, lambda: self.store.patch(place_of(path), MERGE_PATCH, patch), patch
        )

    async def create(self, path: str, body: object) -> bytes:
        item = msgspec.to_builtins(body)
        return self._send("POST", path, lambda: self.store.create(place_of(path), item), item)

    async def apply(self, path: str, body: object, *, manager: str, force: bool = True) -> bytes:
        raise NotImplementedError

    async def delete(
        self, path: str, *, uid: str, resource_version: str, propagation: str = "Background"
    ) -> bytes:
        options = {"preconditions": {"uid": uid, "resourceVersion": resource_version}}
        return self._send("DELETE", path, lambda: self.store.delete(place_of(path), options))

    async def find(self, group: str, plural: str) -> Resource | None:
        found = (kind for kind in self.kinds if (kind.group, kind.plural) == (group, plural))
        return next(found, None)

    def forget(self, group: str, plural: str) -> None:
        self.kinds = [kind for kind in self.kinds if (kind.group, kind.plural) != (group, plural)]

    def sent(self, method: str) -> list[Request]:
        return [request for request in self.requests if request.method == method]

    def moment(self) -> None:
        """Let a moment pass, in which the process may die; once dead it stays so."""
        self.moments += 1
        if self._dies_at is not None and self.moments >= self._dies_at:
            self.died.set()
            raise Killed

    def _send(self, method: str, path: str, do: Any, body: Any = None) -> bytes:
        self.moment()
        if self.refusals.get((method, path)):
            raise self.refusals[method, path].pop(0)
        self.requests.append(Request(method, path, body))
        try:
            answer = do()
        except Refused as refused:
            details = StatusDetails(name=refused.name)
            status = Status(refused.code, refused.reason, str(refused), details)
            raise ApiError(status) from refused
        self.done.append(self.requests[-1])
        if method != "GET":
            self.changed(path)
        self.moment()
        return msgspec.json.encode(answer)

    def _page(self, path: str, query: Mapping[str, str]) -> Json:
        place = place_of(path)
        if not any(kind.path() == f"{place.root}/{place.plural}" for kind in self.kinds):
            raise Refused(404, "NotFound", "the server could not find the requested resource")
        items = self.store.listed(place)
        start, limit = int(query.get("continue", "0")), int(query.get("limit", "0")) or len(items)
        rest = str(start + limit) if start + limit < len(items) else ""
        return {
            "kind": "List",
            "metadata": {"continue": rest},
            "items": items[start : start + limit],
        }


class Hapless(Mortal):
    """One whose n-th moment brings an error: nobody knows what it was sent for; it lives on."""

    def __init__(
        self, store: Store, kinds: tuple[Resource, ...], fails_at: int, failure: Exception
    ) -> None:
        super().__init__(store, kinds)
        self._fails_at = fails_at
        self._failure = failure

    def moment(self) -> None:
        """Let a moment pass."""
        self.moments += 1
        if self.moments == self._fails_at:
            raise self._failure
