"""Ends a namespace for an Ephemerator or a NamespaceManager: read, guarded, marked, deleted."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final, Protocol

import msgspec

from dayfly_core import names
from dayfly_core.guard import Guard
from dayfly_core.objects import NAMESPACES, Key, ObjectMeta
from dayfly_core.reasons import Reason
from dayfly_kube.errors import ApiError
from dayfly_operator.marking import Judged, is_marked, mark
from dayfly_operator.members import Keeper
from dayfly_operator.memory import Metadata, read
from dayfly_operator.writing import Outdated, Writer

ATTEMPTS: Final = 5
"""Times that a namespace may change between being read and being deleted, at once."""


class Ended(msgspec.Struct, frozen=True):
    """The namespace is on its way out."""

    uid: str
    sent_at: datetime | None
    """When its DELETE was sent; None: somebody, or an earlier attempt, had deleted it already."""


class Gone(msgspec.Struct, frozen=True):
    """There is no such namespace, or another one of that name."""


class Withheld(msgspec.Struct, frozen=True):
    """It stays, and why."""

    reason: str
    note: str

    @property
    def certain(self) -> bool:
        """Whether it has to stay as things are; otherwise that could not be found out."""
        return self.reason != Reason.MEMBERS_UNKNOWN


class Turns(Protocol):
    """The pace of DELETEs."""

    async def turn(self) -> float:
        """Return when it is the caller's turn."""
        ...


class Members(Protocol):
    """What is in a namespace."""

    async def keeper(self, namespace: str) -> Keeper | None:
        """Say what in it keeps it from its end."""
        ...


async def _wanted() -> bool:
    return True


class NamespaceEnd(msgspec.Struct, frozen=True):
    """The one way in which objects of our own end a namespace."""

    client: Metadata
    writer: Writer
    guard: Callable[[], Guard]
    members: Members
    turns: Turns
    now: Callable[[], datetime]

    async def end(
        self,
        name: str,
        *,
        by: str,
        due: datetime,
        uid: str = "",
        wanted: Callable[[], Awaitable[bool]] = _wanted,
    ) -> Ended | Gone | Withheld:
        """End it, if its end has come and it is (if given) the one with that uid.

        ``by`` names who ends it, as ``NamespaceManager/team/ci``; it is written on the namespace
        first, without which the API server would not let us delete it. ``wanted`` is asked when
        its turn has come, whether that one still wants it. Raises ApiError, Unreachable,
        NotLeading, and Outdated if it is not wanted any more, or its owner is busy changing it.
        """
        found = await self._spared(name, uid)
        if not isinstance(found, ObjectMeta):
            return found
        await self.turns.turn()
        keeper = await self.members.keeper(name)
        if keeper is not None:
            return Withheld(keeper.reason, f"namespace {name} stays: {keeper.note}")
        if not await wanted():
            raise Outdated
        for _ in range(ATTEMPTS):
            found = await self._spared(name, uid or found.uid)
            if not isinstance(found, ObjectMeta):
                return found
            if self.now() < due:
                raise Outdated
            if ended := await self._delete(found, by):
                return ended
        raise Outdated

    async def _spared(self, name: str, uid: str) -> ObjectMeta | Ended | Gone | Withheld:
        if refusal := self.guard().refuses(NAMESPACES, "", name):
            return Withheld(Reason.GUARDED, refusal)
        meta = await read(self.client, Key(NAMESPACES, "", name))
        if meta is None or (uid and meta.uid != uid):
            return Gone()
        if meta.deletion_timestamp:
            return Ended(meta.uid, None)
        if meta.protected:
            return Withheld(
                Reason.PROTECTED, f"namespace {name} carries the label {names.PROTECTED}"
            )
        return meta

    async def _delete(self, meta: ObjectMeta, by: str) -> Ended | None:
        """Delete this version; None if it is another one by now."""
        path = NAMESPACES.path(name=meta.name)
        try:
            version = await self._marked(meta, path, by)
            sent_at = self.now()
            await self.writer.delete(
                path, uid=meta.uid, resource_version=version, propagation="Background"
            )
        except ApiError as error:
            if error.conflict or error.not_found:
                return None
            raise
        return Ended(meta.uid, sent_at)

    async def _marked(self, meta: ObjectMeta, path: str, by: str) -> str:
        """Write who ends it; returns the version that says so."""
        if is_marked(meta, by):
            return meta.resource_version
        return await mark(self.writer, Judged(path, meta.uid, meta.resource_version), by)
