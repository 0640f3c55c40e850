"""The ConfigMaps of the history as the API server keeps them, and what can go wrong on the way."""

import asyncio
import json
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Self

from dayfly_core import history
from dayfly_core.history import Entry, Page, Record
from dayfly_kube.errors import ApiError, Status, Unreachable

Fault = Literal["", "refused", "not sent", "answer lost"]

BEGINNING = datetime(2026, 11, 22, 10, tzinfo=UTC)


def entry(number: int, **fields: Any) -> Entry:
    """Make one of many entries, each later than the one before."""
    written: dict[str, Any] = {
        "at": BEGINNING + timedelta(seconds=number),
        "action": "Delete",
        "kind": "namespaces",
        "name": f"preview-{number}",
        "by": "ExpiryPolicy/previews",
    }
    return Entry(**{**written, **fields})


@dataclass
class Ring:
    """A store with versions, that lets others run between request, effect and answer."""

    maps: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    faults: deque[Fault] = field(default_factory=deque[Fault])
    """What happens to the next writes, in order."""
    reads: int = 0
    writes: int = 0
    version: int = 1

    @classmethod
    def empty(cls) -> Self:
        """As base ships it."""
        ring = cls()
        for slot in range(history.SLOTS):
            ring.put(slot, None)
        return ring

    def put(self, slot: int, data: object) -> None:
        """Write by hand."""
        name = history.slot_name(slot)
        self.version += 1
        meta = {"name": name, "uid": f"uid-{slot}", "resourceVersion": str(self.version)}
        self.maps[name] = {"metadata": meta, **({} if data is None else {"data": data})}

    def pages(self) -> list[Page]:
        """Read all by hand."""
        names = {history.slot_name(slot): slot for slot in range(history.SLOTS)}
        return [history.page(names[name], each.get("data")) for name, each in self.maps.items()]

    def record(self) -> Record:
        """Read all entries."""
        return history.read(self.pages())

    def told(self) -> list[str]:
        """Names of what is said to have ended, oldest first."""
        return [each.name for each in self.record().entries]

    async def get(self, path: str) -> bytes:
        """GET."""
        self.reads += 1
        await asyncio.sleep(0)
        return json.dumps(self._found(path)).encode()

    async def merge_patch(self, path: str, body: Any) -> bytes:
        """PATCH over a version, as the API server does it."""
        self.writes += 1
        fault = self.faults.popleft() if self.faults else ""
        await asyncio.sleep(0)
        if fault == "not sent":
            raise Unreachable("connection refused")
        if fault == "refused":
            raise ApiError(Status(500, "InternalError", "etcd is away"))
        found = self._found(path)
        if found["metadata"]["resourceVersion"] != body["metadata"]["resourceVersion"]:
            raise ApiError(Status(409, "Conflict", "the object has been modified"))
        if found.get("immutable"):
            raise ApiError(Status(422, "Invalid", "field is immutable when `immutable` is set"))
        self._store(found, body["data"])
        await asyncio.sleep(0)
        if fault == "answer lost":
            raise Unreachable("no answer in time")
        return json.dumps(found).encode()

    def _store(self, found: dict[str, Any], data: dict[str, str | None]) -> None:
        kept: dict[str, str | None] = {**(found.get("data") or {}), **data}
        found["data"] = {key: text for key, text in kept.items() if text is not None}
        self.version += 1
        found["metadata"]["resourceVersion"] = str(self.version)

    def _found(self, path: str) -> dict[str, Any]:
        name = path.rpartition("/")[2]
        if name not in self.maps:
            raise ApiError(Status(404, "NotFound", f'configmaps "{name}" not found'))
        return self.maps[name]
