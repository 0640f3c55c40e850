"""The register of names in the API server: claims, and whether who has one still wants it.

Every read is from etcd: a cache would show a name as free that was just given away.
"""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Final, Protocol

import msgspec

from dayfly_admission.claiming import Garbled
from dayfly_admission.review import UNDECODABLE
from dayfly_admission.turnstile import READS
from dayfly_core import names
from dayfly_core.api import Holder, KeyKind, LabelSelector, NameClaim
from dayfly_core.claim_key import ClaimKey, key_of
from dayfly_core.claim_steps import Presence
from dayfly_core.claims import namespace_of
from dayfly_core.objects import (
    HTTP_ROUTES,
    INGRESSES,
    NAME_CLAIMS,
    ObjectMeta,
    PartialObject,
    Resource,
)
from dayfly_core.possession import RouteList, RouteObject, by_routes, has
from dayfly_kube.errors import ApiError, Unreachable
from dayfly_kube.paging import items

HOSTS: Final = f"{names.CLAIM}={KeyKind.HOST}"
"""Label selector of all claims of hosts."""

WILDCARDS: Final = f"{HOSTS},{names.WILDCARD}=true"
"""Label selector of those that stand for all below one."""

DEEP: Final = 10
"""Domains above a host that are looked up one by one. Of a host with more, which hardly anybody has
who means no harm, all wildcards are listed: few requests, if they take a little longer."""

PAGE: Final = 500
"""Claims in one answer: half a megabyte, some milliseconds in which nobody else is answered."""

ROUTES: Final = ((INGRESSES,), (HTTP_ROUTES, HTTP_ROUTES._replace(version="v1beta1")))
"""What names hosts, each kind in the versions that clusters serve, the newest first."""


class Connection(Protocol):
    """What is needed of the API server; every verb raises ``ApiError`` or ``Unreachable``."""

    async def get(self, path: str, *, metadata_only: bool = False) -> bytes:
        """Read one object, from etcd."""
        ...

    async def get_list(self, path: str, *, params: dict[str, str] | None = None) -> bytes:
        """Read a collection, from etcd."""
        ...

    async def create(self, path: str, body: object) -> bytes:
        """POST."""
        ...

    async def merge_patch(self, path: str, body: object) -> bytes:
        """PATCH by RFC 7396."""
        ...

    async def delete(self, path: str, *, uid: str, resource_version: str) -> bytes:
        """DELETE exactly this version."""
        ...


_claim = msgspec.json.Decoder(NameClaim)
_partial = msgspec.json.Decoder(PartialObject)
_route_list = msgspec.json.Decoder(RouteList)


class Register:
    """A ``ClaimStore`` over HTTP; ``ingress_hosts``: in which namespaces Ingresses have hosts."""

    def __init__(self, connection: Connection, ingress_hosts: LabelSelector | None) -> None:
        self._connection = connection
        self._ingress_hosts = ingress_hosts
        self._reads = asyncio.Semaphore(READS)

    async def create(self, claim: NameClaim, seconds: float) -> NameClaim:
        """POST a claim."""
        body = _body(claim, {"name": claim.metadata.name, "labels": claim.metadata.label_map})
        async with _within(seconds):
            return _read(await self._connection.create(NAME_CLAIMS.path(), body))

    async def read(self, name: str, seconds: float) -> NameClaim | None:
        """GET a claim."""
        async with _within(seconds):
            found = await _or_none(self._connection.get(NAME_CLAIMS.path(name=name)))
            return _read(found) if found else None

    async def replace(self, claim: NameClaim, seconds: float) -> NameClaim:
        """Write our part of a claim over exactly the version it names; annotations stay."""
        meta = claim.metadata
        version = {"uid": meta.uid, "resourceVersion": meta.resource_version}
        body = _body(claim, {**version, "labels": meta.label_map})
        path = NAME_CLAIMS.path(name=meta.name)
        async with _within(seconds):
            return _read(await self._connection.merge_patch(path, body))

    async def delete(self, claim: NameClaim, seconds: float) -> None:
        """DELETE exactly this version."""
        meta = claim.metadata
        async with _within(seconds):
            await self._connection.delete(
                NAME_CLAIMS.path(name=meta.name),
                uid=meta.uid,
                resource_version=meta.resource_version,
            )

    async def overlapping(self, key: ClaimKey, seconds: float) -> Sequence[NameClaim]:
        """Read the wildcards that cover a host, and for a wildcard also what it covers."""
        async with _within(seconds):
            if key.wildcard or len(key.covering) > DEEP:
                listed = self._list(HOSTS if key.wildcard else WILDCARDS)
                return [claim async for claim in listed if key.overlaps(key_of(claim))]
            reads = (self._read_beside(wider.claim_name, seconds) for wider in key.covering)
            return [claim for claim in await asyncio.gather(*reads) if claim]

    async def _read_beside(self, name: str, seconds: float) -> NameClaim | None:
        """GET a claim at the same time as others: as many as there are connections for that."""
        async with self._reads:
            return await self.read(name, seconds)

    async def _list(self, selector: str) -> AsyncGenerator[NameClaim]:
        path, params = NAME_CLAIMS.path(), {"labelSelector": selector, "limit": str(PAGE)}
        async for claim in items(self._connection.get_list, path, msgspec.Raw, params):
            yield _read(claim)

    async def find(self, holder: Holder, key: ClaimKey, seconds: float) -> Presence | None:
        """GET who has a name, and its namespace if it does not have it."""
        async with _within(seconds):
            found = await self._own(holder, key)
            if (found and found.lists) or not holder.namespace:
                return found
            near = await self._own(namespace_of(holder), key)
        if not (near and near.lists):
            return found
        beside = found or Presence("", lists=False)
        return beside._replace(kin=True, ending=near.ending)

    async def _own(self, holder: Holder, key: ClaimKey) -> Presence | None:
        """GET one object; of what nothing can be known it is presumed to be there with the name."""
        path = _resource(holder).path(holder.namespace, holder.name)
        try:
            meta = _partial.decode(await self._connection.get(path, metadata_only=True)).metadata
            lists, ending = await self._has(holder, meta, key), meta.deletion_timestamp
            return Presence(meta.uid, lists, ending=ending is not None)
        except ApiError as error:
            if error.absent:
                return None
            # May not be read; or is of a kind, or version of it, that is not served (any more).
            # If the kind is gone for good, the operator releases the name.
            if error.forbidden or error.not_found:
                return Presence(holder.uid, lists=True)
            raise

    async def _has(self, holder: Holder, meta: ObjectMeta, key: ClaimKey) -> bool:
        kind = (holder.group, holder.resource)
        if has(kind, meta, key):
            return True
        if not by_routes(kind, meta, key, self._ingress_hosts):
            return False
        for versions in ROUTES:
            if has(kind, meta, key, await self._routes(versions, meta.name)):
                return True
        return False

    async def _routes(
        self, versions: tuple[Resource, ...], namespace: str
    ) -> Sequence[RouteObject]:
        """List one kind in the first version that is served; nothing, where none is."""
        for resource in versions:
            body = await _or_none(self._connection.get_list(resource.path(namespace)))
            if body is not None:
                return _route_list.decode(body).items or ()
        return ()


def _resource(holder: Holder) -> Resource:
    named = holder.group, holder.version, holder.resource, holder.kind
    return Resource(*named, namespaced=bool(holder.namespace))


def _read(body: bytes | msgspec.Raw) -> NameClaim:
    """Decode a claim; one that makes no sense keeps its name, until somebody deletes it."""
    try:
        return _claim.decode(body)
    except UNDECODABLE as error:
        name = _partial.decode(body).metadata.name
        raise Garbled(
            f"NameClaim {name} cannot be read ({error}): who holds ClusterRole dayfly-repair-names "
            f"has to delete it (kubectl delete nameclaim {name})"
        ) from error


def _body(claim: NameClaim, metadata: dict[str, object]) -> dict[str, object]:
    kind = {"apiVersion": NAME_CLAIMS.api_version, "kind": NAME_CLAIMS.kind}
    return {**kind, "metadata": metadata, "spec": claim.spec}


@asynccontextmanager
async def _within(seconds: float) -> AsyncGenerator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise Unreachable("the API server did not answer in time") from error
    except UNDECODABLE as error:
        raise Garbled(f"what the API server says cannot be read: {error}") from error


async def _or_none(reading: Coroutine[None, None, bytes]) -> bytes | None:
    try:
        return await reading
    except ApiError as error:
        if error.not_found:
            return None
        raise
