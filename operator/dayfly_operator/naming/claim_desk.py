"""Reads and writes for the repair of claims, over HTTP: quorum reads, and writes of one version."""

from collections.abc import Callable, Iterable
from typing import Protocol

import msgspec

from dayfly_core.api import Holder, LabelSelector, NameClaim
from dayfly_core.claim_key import ClaimKey
from dayfly_core.claim_steps import Presence
from dayfly_core.claims import namespace_of
from dayfly_core.objects import NAME_CLAIMS, ObjectMeta, PartialObject, Resource
from dayfly_core.possession import RouteList, by_routes, has
from dayfly_kube.errors import ApiError
from dayfly_kube.proof import proven
from dayfly_operator.memory import Metadata


class Reader(Metadata, Protocol):
    """The reading half of the client."""

    async def get_list(self, path: str) -> bytes:
        """GET a whole collection, from etcd."""
        ...


class Writer(Protocol):
    """The verbs that claims need."""

    async def create(self, path: str, body: object) -> bytes:
        """POST."""
        ...

    async def merge_patch(self, path: str, body: object) -> bytes:
        """PATCH by RFC 7396."""
        ...

    async def delete(self, path: str, *, uid: str, resource_version: str) -> bytes:
        """DELETE of exactly that version of that object."""
        ...


class Finder(Protocol):
    """Which kinds are served."""

    async def find(self, group: str, plural: str) -> Resource | None:
        """Return the kind, None if it is not served."""
        ...

    def forget(self, group: str, plural: str) -> None:
        """Ask anew next time."""
        ...


class Written(msgspec.Struct, frozen=True, rename="camel"):
    """``metadata`` of what is sent: a patch says nothing of what should stay."""

    name: str
    labels: dict[str, str] | None
    uid: str | msgspec.UnsetType = msgspec.UNSET
    resource_version: str | msgspec.UnsetType = msgspec.UNSET


class ClaimDesk:
    """What ``claim_repair.Claims`` wants of the API server."""

    def __init__(
        self,
        client: Reader,
        writer: Writer,
        finder: Finder,
        selector: LabelSelector | None,
        routes: Callable[[], Iterable[Resource]],
    ) -> None:
        """``selector``: of the namespaces that claim the hosts of their ``routes``."""
        self._client = client
        self._writer = writer
        self._finder = finder
        self._selector = selector
        self._routes = routes

    async def create(self, claim: NameClaim) -> None:
        """POST."""
        meta = Written(claim.metadata.name, claim.metadata.labels)
        body = {"apiVersion": NAME_CLAIMS.api_version, "kind": NAME_CLAIMS.kind}
        await self._writer.create(
            NAME_CLAIMS.path(), {**body, "metadata": meta, "spec": claim.spec}
        )

    async def replace(self, claim: NameClaim) -> None:
        """Write spec and labels over exactly this version."""
        old = claim.metadata
        meta = Written(old.name, old.labels, old.uid, old.resource_version)
        body = {"metadata": meta, "spec": claim.spec}
        await self._writer.merge_patch(NAME_CLAIMS.path(name=old.name), body)

    async def delete(self, claim: NameClaim) -> None:
        """DELETE exactly this version."""
        meta = claim.metadata
        await self._writer.delete(
            NAME_CLAIMS.path(name=meta.name), uid=meta.uid, resource_version=meta.resource_version
        )

    async def find(self, holder: Holder, key: ClaimKey) -> Presence | None:
        """Read a holder, and whether it or its namespace has the key.

        None: no such object, or kind, any more, and its namespace does not have the key either.
        """
        found = await self._own(holder, key)
        if (found and found.lists) or not holder.namespace:
            return found
        near = await self._own(namespace_of(holder), key)
        if not (near and near.lists):
            return found
        return found._replace(kin=True) if found else Presence("", lists=False, kin=True)

    async def _own(self, holder: Holder, key: ClaimKey) -> Presence | None:
        # By the version that is served now: the claim may be older than the cluster's upgrade.
        resource = await self._finder.find(holder.group, holder.resource)
        meta = await self._read(resource, holder) if resource else None
        if resource is None or meta is None:
            return None
        return Presence(meta.uid, await self._has(resource, meta, key))

    async def _read(self, resource: Resource, holder: Holder) -> ObjectMeta | None:
        path = resource.path(holder.namespace, holder.name)
        try:
            body = await self._client.get(path, metadata_only=True)
        except ApiError as error:
            if error.absent:
                return None
            if error.not_found:
                # That version was withdrawn: which one is served is to be found out before
                # anybody says that the object is gone.
                self._finder.forget(resource.group, resource.plural)
            raise
        return msgspec.json.decode(body, type=PartialObject).metadata

    async def _has(self, resource: Resource, meta: ObjectMeta, key: ClaimKey) -> bool:
        kind = resource.pair
        if has(kind, meta, key):
            return True
        if not by_routes(kind, meta, key, self._selector):
            return False
        for route in sorted(self._routes()):
            path = route.path(meta.name)
            listed = proven(await self._client.get_list(path), RouteList, path)
            if has(kind, meta, key, listed.items or ()):
                return True
        return False
