"""The one door to the cluster's state: open to the leader, closed to everybody else.

Whoever writes in this program is given one of these instead of the client, so that no write can
forget to ask.
"""

import asyncio
import logging
from collections.abc import Callable
from math import ceil
from typing import Final, Protocol

import msgspec

from dayfly_core.objects import ObjectMeta, PartialObject
from dayfly_kube.errors import Unreachable

log = logging.getLogger(__name__)


class Writer(Protocol):
    """The writing half of ``dayfly_kube.client.Client``."""

    async def create(self, path: str, body: object) -> bytes:
        """POST."""
        ...

    async def merge_patch(self, path: str, body: object) -> bytes:
        """PATCH, ``application/merge-patch+json``."""
        ...

    async def apply(self, path: str, body: object, *, manager: str, force: bool = True) -> bytes:
        """Server-side apply."""
        ...

    async def delete(
        self, path: str, *, uid: str, resource_version: str, propagation: str = "Background"
    ) -> bytes:
        """DELETE of exactly that version of that object."""
        ...


class Gate(Protocol):
    """Whether this process may act."""

    def holds(self) -> bool:
        """Return True while it may; asked immediately before each write."""
        ...


class NotLeading(Unreachable):
    """This process may not act (any more); what it wanted to do is the leader's business.

    To whoever does not tell the two apart it is a server that cannot be reached: nothing was sent.
    """


class Outdated(Exception):
    """The object is not the one that was judged any more: read it, and judge again."""


def permit(gate: Gate) -> Callable[[], None]:
    """Return what raises NotLeading while the gate is closed.

    A client that asks it before each request waits for a connection, or sends again, in vain.
    """

    def ask() -> None:
        if not gate.holds():
            raise NotLeading

    return ask


class Gated:
    """Writes while the gate is open, and raises NotLeading when it is not.

    Between the question and the call there is no await; for what the call may have to wait for,
    a real writer has to ask once more (:func:`permit`).
    """

    def __init__(self, writer: Writer, gate: Gate) -> None:
        self._writer = writer
        self._ask = permit(gate)

    async def create(self, path: str, body: object) -> bytes:
        """POST, if leading."""
        self._ask()
        return await self._writer.create(path, body)

    async def merge_patch(self, path: str, body: object) -> bytes:
        """Merge patch, if leading."""
        self._ask()
        return await self._writer.merge_patch(path, body)

    async def apply(self, path: str, body: object, *, manager: str, force: bool = True) -> bytes:
        """Server-side apply, if leading."""
        self._ask()
        return await self._writer.apply(path, body, manager=manager, force=force)

    async def delete(
        self, path: str, *, uid: str, resource_version: str, propagation: str = "Background"
    ) -> bytes:
        """DELETE, if leading."""
        self._ask()
        return await self._writer.delete(
            path, uid=uid, resource_version=resource_version, propagation=propagation
        )


class Polite:
    """Lets others go first: Events and claims, while ends that are due wait for a worker.

    Two requests for each DELETE would otherwise share the API server with the DELETEs themselves.
    An Event carries its own time, and a claim is written over the version that was judged, so they
    may be late, but not for ever.
    """

    def __init__(
        self,
        writer: Writer,
        busy: Callable[[], bool],
        *,
        look_every: float = 0.05,
        patience: float = 10.0,
    ) -> None:
        self._writer = writer
        self._busy = busy
        self._look_every = look_every
        self._looks = ceil(patience / look_every)

    async def create(self, path: str, body: object) -> bytes:
        """POST when nobody is in a hurry."""
        await self._wait()
        return await self._writer.create(path, body)

    async def merge_patch(self, path: str, body: object) -> bytes:
        """Merge patch when nobody is in a hurry."""
        await self._wait()
        return await self._writer.merge_patch(path, body)

    async def delete(
        self, path: str, *, uid: str, resource_version: str, propagation: str = "Background"
    ) -> bytes:
        """DELETE when nobody is in a hurry."""
        await self._wait()
        return await self._writer.delete(
            path, uid=uid, resource_version=resource_version, propagation=propagation
        )

    async def _wait(self) -> None:
        for _ in range(self._looks):
            if not self._busy():
                return
            await asyncio.sleep(self._look_every)


NOTHING: Final = b"{}"


def written(answer: bytes) -> ObjectMeta | None:
    """Return an object as a write has left it; None in a rehearsal, which answers with nothing."""
    meta = msgspec.json.decode(answer, type=PartialObject).metadata
    return meta if meta.resource_version else None


class Rehearsal:
    """``--dry-run``: every write is a line in the log, and nothing else."""

    async def create(self, path: str, body: object) -> bytes:
        """Say what would be created."""
        return self._say("create", path, body)

    async def merge_patch(self, path: str, body: object) -> bytes:
        """Say what would be patched."""
        return self._say("patch", path, body)

    async def apply(self, path: str, body: object, *, manager: str, force: bool = True) -> bytes:
        """Say what would be applied."""
        return self._say("apply", path, body)

    async def delete(
        self, path: str, *, uid: str, resource_version: str, propagation: str = "Background"
    ) -> bytes:
        """Say what would be deleted."""
        return self._say("delete", path, {"uid": uid, "resourceVersion": resource_version})

    def _say(self, verb: str, path: str, body: object) -> bytes:
        log.info("dry-run: would %s path=%s", verb, path)
        log.debug("dry-run: body=%s", body)
        return NOTHING
