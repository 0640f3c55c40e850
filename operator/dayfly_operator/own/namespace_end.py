"""Ends a namespace for an Ephemerator or a NamespaceManager: read, guarded, marked, deleted."""

import asyncio
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
        known: ObjectMeta,
        *,
        by: str,
        due: datetime,
        wanted: Callable[[], Awaitable[bool]] = _wanted,
    ) -> Ended | Gone | Withheld:
        """End a namespace, if its end has come; ``known`` is it as it was read and judged.

        It is not read again: what is written and deleted is that version and no other, whatever
        its turn and its members took. ``by`` names who ends it, as ``NamespaceManager/team/ci``; it
        is written on the namespace first, without which the API server would not let us delete it.
        ``wanted`` is asked when its turn has come, whether that one still wants it. Raises
        ApiError, Unreachable, NotLeading, and Outdated if it is not wanted any more, or its owner
        is busy changing it.
        """
        if spared := self._spared(known):
            return spared
        await self.turns.turn()
        keeper, still = await asyncio.gather(self.members.keeper(known.name), wanted())
        if keeper is not None:
            return Withheld(keeper.reason, f"namespace {known.name} stays: {keeper.note}")
        if not still:
            raise Outdated
        return await self._end(known, by, due)

    async def _end(self, known: ObjectMeta, by: str, due: datetime) -> Ended | Gone | Withheld:
        found: ObjectMeta | None = known
        for _ in range(ATTEMPTS):
            if found is None or found.uid != known.uid:
                return Gone()
            if spared := self._spared(found):
                return spared
            if self.now() < due:
                raise Outdated
            if ended := await self._delete(found, by):
                return ended
            found = await read(self.client, Key(NAMESPACES, "", known.name))
        raise Outdated

    def _spared(self, found: ObjectMeta) -> Ended | Withheld | None:
        if refusal := self.guard().refuses(NAMESPACES, "", found.name):
            return Withheld(Reason.GUARDED, refusal)
        if found.deletion_timestamp:
            return Ended(found.uid, None)
        if found.protected:
            note = f"namespace {found.name} carries the label {names.PROTECTED}"
            return Withheld(Reason.PROTECTED, note)
        return None

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
