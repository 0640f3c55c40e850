"""The one Lease of an election, at the API server."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Literal

import msgspec

from dayfly_core.lease import Lease, LeaseRecord, manifest
from dayfly_kube.client import Client
from dayfly_kube.errors import ApiError
from dayfly_operator.election import LostRace, NotNow


class Change(msgspec.Struct, frozen=True):
    """One line of a watch on Leases."""

    type: Literal["ADDED", "MODIFIED", "DELETED"]
    object: Lease


class ServedLease:
    """Reads and writes through one connection; the client watches through another."""

    def __init__(self, client: Client, namespace: str, name: str) -> None:
        self._client = client
        self._namespace = namespace
        self._name = name
        self._collection = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"

    async def read(self) -> Lease | None:
        """Return the Lease as etcd has it (a quorum read), None if there is none."""
        try:
            answer = await self._client.get(f"{self._collection}/{self._name}")
        except ApiError as error:
            if error.not_found:
                return None
            raise _meaning(error) from error
        return msgspec.json.decode(answer, type=Lease)

    async def write(self, version: str, record: LeaseRecord) -> Lease:
        """Replace that version, or create the Lease if it is ``""``."""
        body = manifest(self._namespace, self._name, version, record)
        try:
            if version:
                answer = await self._client.replace(f"{self._collection}/{self._name}", body)
            else:
                answer = await self._client.create(self._collection, body)
        except ApiError as error:
            raise _meaning(error) from error
        return msgspec.json.decode(answer, type=Lease)

    async def changes(self) -> AsyncGenerator[Lease | None, None]:
        """Yield the Lease as it is and after each change until the server ends the stream."""
        # Without a resourceVersion the server starts with the state as it is.
        params = {"fieldSelector": f"metadata.name={self._name}"}
        async with aclosing(self._client.stream(self._collection, params=params)) as lines:
            async for line in lines:
                change = msgspec.json.decode(line, type=Change)
                yield None if change.type == "DELETED" else change.object


def _meaning(error: ApiError) -> Exception:
    """Name the error by what happens next."""
    if error.conflict or error.not_found or error.already_exists:
        return LostRace(str(error))
    if error.retry_after is not None:
        return NotNow(str(error), error.retry_after)
    return error
