"""What the cluster says of a Helm release: its Secrets, and the objects that its manifest lists.

Read by whoever ends a release and by whoever only shows what would end.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Final, Protocol

import msgspec

from dayfly_core import names
from dayfly_core.helm import storage as helm_storage
from dayfly_core.helm.manifest import Document, documents, ending_order
from dayfly_core.helm.marks import ReleaseRef
from dayfly_core.helm.release import Sighting
from dayfly_core.helm.storage import Revision, Stored, UnreadableRelease
from dayfly_core.objects import SECRETS, Key, ObjectMeta, PartialObject, Resource
from dayfly_kube.errors import ApiError
from dayfly_kube.paging import items

log = logging.getLogger(__name__)

PAGE: Final = 20
"""Secrets read at once when other releases are searched: each may be a megabyte."""

LIVE: Final = (
    f"{helm_storage.LABEL_OWNER}={helm_storage.OWNER},"
    f"{helm_storage.LABEL_STATUS}!=superseded,{helm_storage.LABEL_STATUS}!=uninstalled"
)
"""Revisions that say what is in the cluster."""

OF_HELM: Final = {"fieldSelector": f"type={helm_storage.SECRET_TYPE}"}
"""The API server sorts out what only looks like a release."""


class Reader(Protocol):
    """The reading half of the client."""

    async def get(self, path: str, *, metadata_only: bool = False) -> bytes:
        """GET one object, from etcd."""
        ...

    async def get_list(
        self, path: str, *, params: dict[str, str], metadata_only: bool = False
    ) -> bytes:
        """GET a collection."""
        ...


class Kinds(Protocol):
    """Which kinds are served."""

    async def of_kind(self, group: str, version: str, kind: str) -> Resource | None:
        """Return the kind that a manifest names; None if it is not served."""
        ...

    def forget(self, group: str, plural: str) -> None:
        """Ask anew next time."""
        ...


class Secret(msgspec.Struct, frozen=True):
    """The Secret of one revision."""

    metadata: ObjectMeta = ObjectMeta()
    data: dict[str, str] | None = None

    @property
    def stored(self) -> Stored:
        """What it says; raises UnreadableRelease."""
        return helm_storage.decode((self.data or {}).get("release", ""))


class Content(msgspec.Struct, frozen=True):
    """What a release made, by its revisions that count: in the order in which it ends."""

    listed: tuple[Document, ...]
    hooks: tuple[str, ...]


class ReleaseReader:
    """Asks the API server, by quorum. Everything raises ApiError and Unreachable."""

    def __init__(self, client: Reader, kinds: Kinds) -> None:
        self._client = client
        self._kinds = kinds

    async def revisions(self, ref: ReleaseRef) -> tuple[Revision, ...]:
        """Return the release's revisions, oldest first; none: it is not stored in Secrets."""
        owned = f"{helm_storage.LABEL_OWNER}={helm_storage.OWNER}"
        selector = f"{owned},{helm_storage.LABEL_NAME}={ref.name}"
        metas = await self._metas(SECRETS.path(ref.namespace), selector)
        return helm_storage.revisions(metas, ref)

    async def is_succeeded(self, newest: Revision) -> bool:
        """Whether Helm has begun to make the next revision of a release.

        It costs one small read, unlike a list of Secrets, each of which may be a megabyte.
        """
        path = SECRETS.path(newest.meta.namespace, helm_storage.successor(newest))
        try:
            await self._client.get(path, metadata_only=True)
        except ApiError as error:
            if error.absent:
                return False
            raise
        return True

    async def begun(self) -> tuple[ObjectMeta, ...]:
        """Return the Secrets of all releases whose end has begun."""
        return await self._metas(SECRETS.path(), f"{names.RELEASE_ENDING}=true")

    async def content(self, ref: ReleaseRef, told: Sequence[Revision]) -> Content:
        """Read what the revisions say, the last one having the last word on each object.

        Raises UnreadableRelease.
        """
        listed: list[Document] = []
        hooks: tuple[str, ...] = ()
        for revision in told:
            secret = await self._secret(Key(SECRETS, ref.namespace, revision.meta.name))
            # A megabyte of YAML takes a tenth of a second: not in the event loop's time.
            stored, found = await asyncio.to_thread(_opened, secret)
            if stored.ref != ref:
                raise UnreadableRelease(f"is stored as {stored.ref} in {revision.meta.name}")
            listed, hooks = [*listed, *found], stored.hooks
        return Content(ending_order(listed), hooks)

    async def sightings(self, ref: ReleaseRef, listed: Iterable[Document]) -> tuple[Sighting, ...]:
        """Look at every object that is listed."""
        found = [Sighting(document, await self._key(ref, document)) for document in listed]
        return tuple([await self._seen(sighting) for sighting in found])

    async def others(self, ref: ReleaseRef, keys: Collection[Key]) -> Mapping[Key, ReleaseRef]:
        """Return which of these objects other releases list too, as far as one may read them.

        What is in the release's own namespace can only be listed by that namespace's releases or
        by one that reaches into it; these are searched only if the release itself reaches out.
        """
        reaches_out = any(key.namespace != ref.namespace for key in keys)
        found: dict[Key, ReleaseRef] = {}
        async for secret in self._live("" if reaches_out else ref.namespace, ref.namespace):
            other = _ref(secret)
            if other and other != ref:
                listed = await asyncio.to_thread(_listing, secret, keys)
                found |= {key: other for key in listed}
        return found

    async def _live(self, namespace: str, own: str) -> AsyncIterator[Secret]:
        try:
            async for secret in self._paged(namespace):
                yield secret
        except ApiError as error:
            if not error.forbidden or namespace == own:
                raise
            async for secret in self._paged(own):
                yield secret

    def _paged(self, namespace: str) -> AsyncIterator[Secret]:
        path, params = SECRETS.path(namespace), {"labelSelector": LIVE, "limit": str(PAGE)}
        return items(self._client.get_list, path, Secret, {**OF_HELM, **params})

    async def _metas(self, path: str, selector: str) -> tuple[ObjectMeta, ...]:
        params = {**OF_HELM, "labelSelector": selector}
        fetch = partial(self._client.get_list, metadata_only=True)
        return tuple([each.metadata async for each in items(fetch, path, PartialObject, params)])

    async def _secret(self, key: Key) -> Secret:
        body = await self._client.get(key.resource.path(key.namespace, key.name))
        return msgspec.json.decode(body, type=Secret)

    async def _key(self, ref: ReleaseRef, document: Document) -> Key | None:
        identity = document.identity
        resource = await self._kinds.of_kind(identity.group, identity.version, identity.kind)
        if resource is None:
            return None
        inside = identity.namespace or ref.namespace
        return Key(resource, inside if resource.namespaced else "", identity.name)

    async def _seen(self, sighting: Sighting) -> Sighting:
        if sighting.key is None:
            return sighting
        key = sighting.key
        try:
            body = await self._client.get(
                key.resource.path(key.namespace, key.name), metadata_only=True
            )
        except ApiError as error:
            if error.absent:
                return sighting
            # Of a version that is not served any more it says nothing about the object.
            self._kinds.forget(key.resource.group, key.resource.plural)
            raise
        meta = msgspec.json.decode(body, type=PartialObject).metadata
        return Sighting(sighting.document, key, meta)


def _opened(secret: Secret) -> tuple[Stored, tuple[Document, ...]]:
    stored = secret.stored
    return stored, documents(stored.manifest)


def _ref(secret: Secret) -> ReleaseRef | None:
    name = secret.metadata.label_map.get(helm_storage.LABEL_NAME)
    return ReleaseRef(secret.metadata.namespace, name) if name else None


def _listing(secret: Secret, keys: Collection[Key]) -> tuple[Key, ...]:
    """Return which of the objects a release's manifest lists."""
    home = secret.metadata.namespace
    try:
        manifest = secret.stored.manifest
        # Most releases have nothing to do with it: then their YAML need not be read.
        if not any(key.name in manifest for key in keys):
            return ()
        listed = documents(manifest)
    except UnreadableRelease as error:
        log.debug("not read secret=%s error=%s", secret.metadata.name, error)
        return ()
    return tuple(key for key in keys if any(_means(each, home, key) for each in listed))


def _means(document: Document, home: str, key: Key) -> bool:
    identity = document.identity
    if (identity.group, identity.kind, identity.name) != (
        key.resource.group,
        key.resource.kind,
        key.name,
    ):
        return False
    return not key.resource.namespaced or (identity.namespace or home) == key.namespace
