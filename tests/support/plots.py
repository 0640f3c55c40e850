"""A namespace with an ExpiryPolicy of its own, and ConfigMaps with ends in it."""

import asyncio
import math
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from dayfly_core import instant, names
from dayfly_core.objects import EXPIRY_POLICIES, NAMESPACES, ObjectMeta, PartialObject, Resource
from dayfly_kube.client import Client
from dayfly_kube.config import load
from dayfly_kube.errors import ApiError
from playground import ControlPlane

T = TypeVar("T")

CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap", namespaced=True)
FAR = timedelta(hours=4)
PATIENCE = 60.0
"""Seconds; the machine may be busy with other things, and what is right never waits so long."""

AT_ONCE = 16
LATER = timedelta(seconds=2.5)
"""What could not be made in time for its end ends so much later."""
IN_A_ROW = 6
"""Creations that must be stamped before the policy counts as known to every admission replica."""


def now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251  a control plane's clock is the real one


async def until(holds: Callable[[], Awaitable[object]], limit: float = PATIENCE) -> None:
    """Wait until the answer is true; ``TimeoutError`` if it is not in time."""
    async with asyncio.timeout(limit):
        while not await holds():  # noqa: ASYNC110  other processes set no event of ours
            await asyncio.sleep(0.05)


async def until_time(moment: datetime) -> None:
    await asyncio.sleep((moment - now()).total_seconds())


async def in_time(
    end: datetime, make: Callable[[datetime], Awaitable[T]], ahead: timedelta = LATER
) -> T:
    """Make something that ends then, or later if it was refused because that had passed meanwhile.

    Nothing is taken in with an end in the past, and the machine may stand still until it is there.
    """
    while True:
        try:
            return await make(end)
        except ApiError:
            if now() < end:
                raise
        end = now() + ahead


@asynccontextmanager
async def administrator(plane: ControlPlane, server: str = "") -> AsyncGenerator[Client]:
    """Yield a client with all rights; through another API server if its URL is given."""
    config = load(str(plane.kubeconfig), {})
    config = replace(config, server=server or config.server)
    async with Client(config, user_agent="test", timeout=30.0) as client:
        yield client


def policy(name: str, namespace: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Write a policy for what is in one namespace; ``spec`` adds and replaces."""
    match = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "resources": [{"apiGroups": [""], "resources": ["configmaps"]}],
    }
    return {
        "apiVersion": EXPIRY_POLICIES.api_version,
        "kind": EXPIRY_POLICIES.kind,
        "metadata": {"name": name},
        "spec": {"match": match, "grace": "5s", **spec},
    }


@dataclass(frozen=True, slots=True)
class Plot:
    """A namespace and the policy of the same name."""

    client: Client
    name: str

    def path(self, name: str = "") -> str:
        return CONFIG_MAPS.path(self.name, name)

    async def make(
        self,
        name: str,
        annotations: Mapping[str, str] | None = None,
        labels: Mapping[str, str] | None = None,
        *,
        dry_run: bool = False,
    ) -> ObjectMeta:
        """Create a ConfigMap; raises ApiError if it is refused."""
        meta = {"name": name, "annotations": annotations or {}, "labels": labels or {}}
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}
        params = {"dryRun": "All"} if dry_run else {}
        return stored(await self.client.create(self.path(), body, params=params))

    async def sow(self, ends: Mapping[str, datetime]) -> dict[str, ObjectMeta]:
        """Create ConfigMaps that end then, several at once; later if that has passed."""
        made = await at_once(partial(self._sown, name, end) for name, end in ends.items())
        assert [meta.name for meta in made if names.POLICY not in meta.label_map] == []
        return {meta.name: meta for meta in made}

    async def _sown(self, name: str, end: datetime) -> ObjectMeta:
        return await in_time(end, lambda then: self.make(name, ending(then)))

    async def read(self, name: str) -> ObjectMeta | None:
        """Read a ConfigMap; None if it is gone."""
        try:
            return stored(await self.client.get(self.path(name)))
        except ApiError as error:
            if error.not_found:
                return None
            raise

    async def change(self, name: str, **metadata: object) -> ObjectMeta | None:
        """Patch the metadata; None if it was refused or is gone."""
        try:
            return stored(await self.client.merge_patch(self.path(name), {"metadata": metadata}))
        except ApiError:
            return None

    async def extend(self, name: str) -> ObjectMeta | None:
        """Move the end far away; None if that was refused or came too late."""
        end = ending(now() + FAR)
        meta = await self.change(name, annotations=end)
        return meta if meta and end.items() <= meta.annotation_map.items() else None

    async def left(self) -> dict[str, ObjectMeta]:
        """Read what is there, but for what the control plane itself puts there."""
        raw = await self.client.get_list(self.path(), metadata_only=True)
        items = msgspec.json.decode(raw, type=_Listed).items or ()
        metas = (item.metadata for item in items if not item.metadata.deletion_timestamp)
        return {meta.name: meta for meta in metas if meta.name != "kube-root-ca.crt"}

    async def gone(self, those: Collection[str], limit: float = PATIENCE) -> None:
        """Wait until none of those is there."""

        async def none() -> bool:
            return not (await self.left()).keys() & set(those)

        await until(none, limit)

    async def after(self, moment: datetime) -> None:
        """Wait until an end at that moment, or at least a second from now, is a thing of the past.

        Whatever the operator wanted to end before it has tried by then.
        """
        canary = f"canary-{secrets.token_hex(3)}"
        # Counted from its creation, whenever that is: an instant may be past on arrival.
        ahead = max(0, math.ceil((moment - now()).total_seconds()))
        await self.make(canary, {names.TTL: f"{ahead + 1}s"})
        await self.gone([canary])

    async def amend(self, spec: Mapping[str, Any]) -> None:
        """Merge into the policy's spec."""
        await self.client.merge_patch(EXPIRY_POLICIES.path(name=self.name), {"spec": spec})

    async def govern(self, **spec: Any) -> None:
        """Create the policy."""
        body = policy(self.name, self.name, {"ttl": {}, **spec})
        await self.client.create(EXPIRY_POLICIES.path(), body)

    async def governed(self) -> None:
        """Wait until admission stamps by the policy."""
        seen = 0

        async def stamped() -> bool:
            nonlocal seen
            meta = await self.make("probe", {names.TTL: "1h"}, dry_run=True)
            seen = seen + 1 if meta.label_map.get(names.POLICY) == self.name else 0
            return seen == IN_A_ROW

        await until(stamped)

    async def forsake(self) -> None:
        """Delete the policy."""
        await delete(self.client, EXPIRY_POLICIES.path(name=self.name))


@asynccontextmanager
async def planted(client: Client, **spec: Any) -> AsyncGenerator[Plot]:
    """Yield a plot whose policy is in force, and remove both afterwards."""
    plot = Plot(client, f"plot-{secrets.token_hex(4)}")
    head = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": plot.name}}
    await client.create(NAMESPACES.path(), head)
    await plot.govern(**spec)
    try:
        await plot.governed()
        yield plot
    finally:
        await plot.forsake()
        await delete(client, NAMESPACES.path(name=plot.name))


async def delete(client: Client, path: str) -> None:
    """Delete whatever version there is; what is gone already is all right."""

    async def gone() -> bool:
        try:
            meta = stored(await client.get(path))
            await client.delete(path, uid=meta.uid, resource_version=meta.resource_version)
        except ApiError as error:
            if not (error.not_found or error.conflict):
                raise
            return error.not_found
        return True

    await until(gone)


async def condition(plot: Plot, kind: str, status: str, words: str = "") -> str:
    """Read a condition's message; empty while it has another status or lacks these words."""
    answer = await plot.client.get(EXPIRY_POLICIES.path(name=plot.name))
    conditions = msgspec.json.decode(answer).get("status", {}).get("conditions", [])
    found = (c for c in conditions if c["type"] == kind and c["status"] == status)
    return next((c["message"] for c in found if words in c["message"]), "")


def ending(moment: datetime) -> dict[str, str]:
    """Write the annotation."""
    return {names.EXPIRES_AT: instant.render(moment)}


def stored(answer: bytes) -> ObjectMeta:
    return msgspec.json.decode(answer, type=PartialObject).metadata


class _Listed(msgspec.Struct):
    items: list[PartialObject] | None


async def at_once(calls: Iterable[Callable[[], Awaitable[T]]]) -> list[T]:
    """Make the calls, so many under way at the same time, begun in order."""
    places = asyncio.Semaphore(AT_ONCE)

    async def call(it: Callable[[], Awaitable[T]]) -> T:
        async with places:
            return await it()

    return await asyncio.gather(*map(call, calls))
