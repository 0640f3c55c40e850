"""Reads what can be scaled down, whole: how many replicas it has stands in its spec."""

from collections.abc import AsyncIterator
from typing import Final, Protocol

import msgspec

from dayfly_core.objects import Key, Resource
from dayfly_core.scaling import Workload
from dayfly_kube.call import Params
from dayfly_kube.errors import ApiError
from dayfly_kube.paging import items

PAGE: Final = "100"
"""Workloads in one answer: whole objects, some 10 KiB each."""


class Reader(Protocol):
    """The reading half of the client."""

    async def get(self, path: str) -> bytes:
        """GET one object, from etcd."""
        ...

    async def get_list(self, path: str, *, params: Params | None = None) -> bytes:
        """GET a collection, or a page of it."""
        ...


class Finder(Protocol):
    """Which kinds are served."""

    async def find(self, group: str, plural: str) -> Resource | None:
        """Return the kind, None if it is not served."""
        ...

    def forget(self, group: str, plural: str) -> None:
        """Ask anew next time."""
        ...


class Workloads:
    """Reads by quorum. Raises ApiError and Unreachable."""

    def __init__(self, reader: Reader, finder: Finder) -> None:
        self._reader = reader
        self._finder = finder

    async def read(self, key: Key) -> Workload | None:
        """Return one; None if it is gone."""
        try:
            body = await self._reader.get(key.resource.path(key.namespace, key.name))
        except ApiError as error:
            if error.not_found:
                return None
            raise
        return msgspec.json.decode(body, type=Workload)

    async def all(self, kind: Resource, namespace: str) -> AsyncIterator[tuple[Key, Workload]]:
        """Yield all of a kind in a namespace, page by page; none if the kind is not served."""
        served = await self._finder.find(kind.group, kind.plural)
        if served is None:
            return
        path = served.path(namespace)
        try:
            async for found in items(self._reader.get_list, path, Workload, {"limit": PAGE}):
                yield Key(served, namespace, found.metadata.name), found
        except ApiError as error:
            if error.not_found:
                # Whether it is served no more is for discovery to say, at the next attempt.
                self._finder.forget(kind.group, kind.plural)
            raise
