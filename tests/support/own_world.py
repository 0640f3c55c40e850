"""Ephemerators and NamespaceManagers with their real desks over a store in memory, in virtual time.

Everything but the API server, the receivers of webhooks and the clock is what runs in production.
A replica dies in the middle of a write where a test wants it to, before or after it is stored.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import msgspec

from dayfly_core import instant
from dayfly_core.guard import Guard
from dayfly_core.history import Entry
from dayfly_core.objects import (
    DEPLOYMENTS,
    EPHEMERATORS,
    NAMESPACE_MANAGERS,
    NAMESPACES,
    STATEFUL_SETS,
    Key,
    ObjectMeta,
    Resource,
)
from dayfly_kube.client import Client
from dayfly_kube.errors import ApiError, Status, StatusDetails, Unreachable
from dayfly_operator.act_parts import ActMeans
from dayfly_operator.metrics import Metrics
from dayfly_operator.own.kinds import Heard, OwnObject
from dayfly_operator.own.parts import OwnKindParts, OwnMeans
from dayfly_operator.own.reports import OwnReports
from dayfly_operator.own.stays import StayDesk
from dayfly_operator.settings import parse
from dayfly_operator.telling import Teller
from dayfly_operator.writing import Gated
from support.fake_store import Json, Refused, Store, place_of, selects
from support.own_replica import Fault, Gate, Post, Receiver, Recorder, Replica, Write

BEGINNING = datetime(2026, 11, 22, 10, tzinfo=UTC)
OWN = {resource.path(): resource for resource in (EPHEMERATORS, NAMESPACE_MANAGERS)}
SERVED = (NAMESPACES, EPHEMERATORS, NAMESPACE_MANAGERS, DEPLOYMENTS, STATEFUL_SETS)


async def _at_once() -> float:
    return 0.0


class OwnWorld:
    """The cluster, and the one replica that leads at a time. Is client, writer, finder, watches."""

    def __init__(self, *flags: str, environ: dict[str, str] | None = None) -> None:
        self.store = Store()
        self.receiver = Receiver()
        self.recorder = Recorder()
        self.history: list[Entry] = []
        self.guard = Guard("dayfly-system")
        self.writes: list[Write] = []
        self.reads = 0
        self.faults: dict[int, Fault] = {}
        """What happens to the write of that number, counted from 1."""
        self.outage = False
        self.unreadable = "-"
        """Collections whose paths begin so are forbidden."""
        self.status_served = True
        """Whether the definitions of our kinds have a status subresource: the originals' do not."""
        self.status_pruned = False
        """Whether they know of no field of the status."""
        self.waiting: Callable[[], Awaitable[float]] = _at_once
        """What it is to wait for one's turn to delete."""
        self._begun = 0
        self._told = 0
        self._settings = parse(flags, environ or {})
        self._replica: Replica | None = None

    # Time.

    @property
    def seconds(self) -> float:
        return asyncio.get_running_loop().time()

    def now(self) -> datetime:
        return BEGINNING + timedelta(seconds=self.seconds)

    # What tests do.

    def put(self, path: str, item: Json | None = None) -> None:
        """Create or replace an object as people do; of a namespace, the creation is now."""
        place, item = place_of(path), {**(item or {})}
        meta: Json = {**item.get("metadata", {}), "name": place.name}
        meta.setdefault("creationTimestamp", instant.render(self.now().replace(microsecond=0)))
        item = {**item, "metadata": meta}
        if place.key in self.store.objects:
            self.store.replace(place, item)
        else:
            self.store.create(place, item)
        self._announce()

    def edit(self, path: str, patch: Json) -> None:
        self.store.patch(place_of(path), "application/merge-patch+json", patch)
        self._announce()

    def remove(self, path: str) -> None:
        self.store.delete(place_of(path), {})
        self._announce()

    def get_now(self, path: str) -> Json | None:
        return self.store.objects.get(path)

    def done(self, begins: str = "") -> list[str]:
        """Return what was written, in order, as far as it begins so."""
        return [write.text for write in self.writes if write.text.startswith(begins)]

    @property
    def replica(self) -> Replica:
        """The one that leads, or has led last; the first one begins when it is asked for."""
        if self._replica is None:
            self._replica = self._make()
        return self._replica

    async def run(self, seconds: float) -> None:
        """Let time pass; a replica that dies is replaced by the next at once."""
        end = self.seconds + seconds
        while self.seconds < end:
            await asyncio.wait({self.replica.work}, timeout=end - self.seconds)
            if self.replica.work.done():
                await self.succeed()

    async def succeed(self) -> None:
        """End this replica; the next one begins when time goes on."""
        self.replica.gate.open = False
        self.replica.work.cancel()
        with suppress(asyncio.CancelledError):
            await self.replica.work
        self._replica = None

    async def stop(self) -> None:
        if self._replica:
            await self.succeed()

    # A replica.

    def _make(self) -> Replica:
        gate = Gate()
        client, writer = cast("Client", self), Gated(self, gate)
        teller = Teller(self.recorder, lambda _name: "")
        reports = OwnReports(teller, Metrics(), self, self.now)
        acting = ActMeans(
            client=client,
            writer=writer,
            finder=self,
            guard=lambda: self.guard,
            turns=self,
            calls=Post(self.receiver),
            now=self.now,
            secrets="dayfly-system",
            retries=self._settings.webhooks.retries,
        )
        means = OwnMeans(
            acting=acting,
            watches=self,
            listed=lambda: True,
            gate=gate,
            settings=self._settings,
            guard=lambda: self.guard,
            members=self,
            reports=reports,
        )
        stays = cast("StayDesk", _NoStays())
        parts = OwnKindParts(means, stays)
        return Replica(parts, gate, asyncio.create_task(self._life(parts)))

    async def _life(self, parts: OwnKindParts) -> None:
        async with asyncio.TaskGroup() as tasks:
            for part in parts.running():
                tasks.create_task(part)
            parts.lead()

    def note(self, entry: Entry) -> None:
        self.history.append(entry)

    def meta(self, key: Key) -> ObjectMeta | None:
        item = self.store.objects.get(key.resource.path(key.namespace, key.name))
        return msgspec.convert(item["metadata"], ObjectMeta) if item else None

    async def find(self, group: str, plural: str) -> Resource | None:
        served = {(each.group, each.plural): each for each in SERVED}
        return served.get((group, plural))

    def forget(self, group: str, plural: str) -> None:
        raise AssertionError(f"{plural} are always served")

    async def keeper(self, namespace: str) -> None:
        """Let it end."""

    async def turn(self) -> float:
        return await self.waiting()

    # The API server.

    async def get(self, path: str, **_: Any) -> bytes:
        self._ask()
        return msgspec.json.encode(self._answered(lambda: self.store.get(place_of(path))))

    async def get_list(
        self, path: str, *, params: Mapping[str, str] | None = None, **_: Any
    ) -> bytes:
        self._ask()
        if path.startswith(self.unreadable):
            raise ApiError(Status(403, "Forbidden"))
        selector = (params or {}).get("labelSelector", "")
        items = self.store.listed(place_of(path))
        chosen = [each for each in items if selects(selector, each["metadata"].get("labels", {}))]
        return msgspec.json.encode({"kind": "List", "metadata": {}, "items": chosen})

    async def create(self, path: str, body: object) -> bytes:
        raise AssertionError(f"nothing is created: {path}")

    async def apply(self, path: str, body: object, *, manager: str, force: bool = True) -> bytes:
        raise AssertionError(f"nothing is applied: {path} by {manager}, {force}")

    async def merge_patch(self, path: str, body: object) -> bytes:
        def store() -> Json:
            place = place_of(path)
            plain: Json = msgspec.to_builtins(body)
            if place.subresource and not self.status_served:
                raise Refused(
                    404, "NotFound", f'{place.plural} "{place.name}" not found', place.name
                )
            if place.subresource and self.status_pruned:
                plain = {**plain, "status": {}}
            return self.store.patch(place, "application/merge-patch+json", plain)

        return self._write("PATCH", path, body, store)

    async def delete(
        self, path: str, *, uid: str, resource_version: str, propagation: str = "Background"
    ) -> bytes:
        assert propagation == "Background"
        wanted = {"preconditions": {"uid": uid, "resourceVersion": resource_version}}
        return self._write("DELETE", path, wanted, lambda: self._deleted(path, wanted))

    def _deleted(self, path: str, wanted: Json) -> Json:
        return self.store.delete(place_of(path), wanted)

    def _write(self, verb: str, path: str, body: Any, store: Callable[[], Json]) -> bytes:
        if self.outage:
            raise Unreachable("down")
        self._begun += 1
        fault = self.faults.pop(self._begun, None)
        if fault == "before":
            self._die()
        if fault == "unreachable":
            raise Unreachable("refused")
        stored = self._answered(store)
        self.writes.append(Write(verb, path, body, self.seconds))
        self._announce()
        if fault == "after":
            self._die()
        if fault == "lost":
            raise Unreachable("no answer")
        return msgspec.json.encode(stored)

    def _die(self) -> None:
        self.replica.gate.open = False
        self.replica.work.cancel()
        raise asyncio.CancelledError

    def _ask(self) -> None:
        self.reads += 1
        if self.outage:
            raise Unreachable("down")

    def _answered(self, act: Callable[[], Json]) -> Json:
        try:
            return act()
        except Refused as refused:
            details = StatusDetails(refused.name)
            status = Status(refused.code, refused.reason, refused.message, details)
            raise ApiError(status) from refused

    # What the watches tell.

    def _announce(self) -> None:
        asyncio.get_running_loop().call_soon(self._tell)

    def _tell(self) -> None:
        news = self.store.history[self._told :]
        self._told += len(news)
        if self._replica is None:
            return
        parts = self._replica.parts
        for change in news:
            place, item = change.place, change.after or change.before or {}
            if place.plural == NAMESPACES.plural:
                parts.namespace(place.name)
            elif resource := OWN.get(f"{place.root}/{place.plural}"):
                found = msgspec.convert(item, OwnObject)
                parts.hear(Heard(resource, found, gone=change.after is None))


class _NoStays:
    """There are none."""

    known: Any = None
