"""Objects that want a name which another has: said on them, in an Event and in a metric.

Nothing is ever taken from them but the name. What is said is taken back when the conflict is over.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Protocol

from dayfly_core import instant, names, patch
from dayfly_core.api import Holder, KeyKind
from dayfly_core.claim_key import ClaimKey
from dayfly_core.claim_repair import Claimant, Conflict, conflicts
from dayfly_core.guard import Guard
from dayfly_core.objects import NAMESPACES, Key, ObjectMeta
from dayfly_core.stamps import Stamps
from dayfly_kube.errors import ApiError
from dayfly_operator.naming.register import Register

log = logging.getLogger(__name__)

SLICE: Final = 500
"""Names looked at in one go: some milliseconds in which no due end is served."""

SPELLED: Final = 3
"""Conflicts of one object that are told in full."""


class Patcher(Protocol):
    """The only verb that this needs."""

    async def merge_patch(self, path: str, body: object) -> bytes:
        """PATCH by RFC 7396."""
        ...


class Reports(Protocol):
    """Who tells people."""

    def conflict(self, key: Key, uid: str, note: str) -> None:
        """Say that an object wants what another has."""
        ...


def sentence(conflict: Conflict) -> str:
    """Say who has the name that somebody wants, since when, and what to do."""
    key, winning, winner = conflict.key, conflict.winning, conflict.winner
    what = f"{key.kind} {key.value}"
    if winning != key:
        what += f" overlaps {winning.value}, which"
    since = f" since {instant.render(winner.created)}" if winner.created else ""
    here, there = _remedies(key.kind, conflict.loser.holder, winner.holder)
    return f"{what} is held by {_named(winner.holder)}{since}; {here} or {there}"


def _remedies(kind: KeyKind, loser: Holder, winner: Holder) -> tuple[str, str]:
    """Say what can be done on either side.

    Who chose the hosts of a Namespace can choose others. Those that Dayfly gave never change.
    """
    if kind is KeyKind.ENVIRONMENT:
        return "rename this one", "delete that one"
    here = "choose another host" if _routes(loser) else "create this one anew by another name"
    return here, "take it away there" if _routes(winner) else "delete that one"


def _routes(holder: Holder) -> bool:
    return (holder.group, holder.resource) == NAMESPACES.pair


def _named(holder: Holder) -> str:
    place = f" in namespace {holder.namespace}" if holder.namespace else ""
    return f"{holder.kind.lower()} {holder.name}{place}"


def notes(found: Iterable[Conflict], register: Register) -> dict[Key, str]:
    """Return what to say on which object: on an Ingress rather than on its namespace."""
    said: dict[Key, list[str]] = defaultdict(list)
    for conflict in found:
        for source in _sources(conflict.key, conflict.loser, register):
            said[source].append(sentence(conflict))
    return {source: joined(sentences) for source, sentences in said.items()}


def _sources(key: ClaimKey, loser: Claimant, register: Register) -> Iterator[Key]:
    for listing in register.listings(key):
        if listing.holder.uid == loser.holder.uid:
            yield listing.source


def joined(sentences: list[str]) -> str:
    """Put what there is to say about one object into one text, always the same."""
    first, rest = sorted(sentences)[:SPELLED], len(sentences) - SPELLED
    return ". ".join(first) + (f". And {rest} more" if rest > 0 else "")


class ConflictKeeper:
    """Keeps the annotation on each object that loses, and on no other."""

    def __init__(
        self, register: Register, writer: Patcher, reports: Reports, own_namespace: str
    ) -> None:
        self._register = register
        self._writer = writer
        self._reports = reports
        self._guard = Guard(own_namespace)
        self._told: dict[Key, str] = {}
        self._done: dict[Key, tuple[str, str | None]] = {}
        """What was said, or refused, of which version: until that changes there is no more to do.
        """
        self.notes: dict[Key, str] = {}
        """What there is to say, by object."""

    def forget(self) -> None:
        """Try again what was refused."""
        self._done.clear()

    async def look(self) -> None:
        """Find out who loses now; writes nothing."""
        claimants = dict[ClaimKey, Sequence[Claimant]]()
        for count, key in enumerate(self._register.wanted.contested(), start=1):
            claimants[key] = self._register.claimants(key)
            if count % SLICE == 0:
                await asyncio.sleep(0)
        self.notes = notes(conflicts(claimants), self._register)

    async def tend(self) -> None:
        """Say what there is to say, and take back what is over.

        Raises ApiError and Unreachable for what is worth another attempt, and NotLeading.
        """
        concerned = self.notes.keys() | self._register.marked
        self._done = {key: done for key, done in self._done.items() if key in concerned}
        self._told = {key: text for key, text in self._told.items() if key in self.notes}
        failed: ApiError | None = None
        for source in sorted(concerned):
            try:
                await self._tell(source, self.notes.get(source))
            except ApiError as error:
                failed = error  # perhaps only of this one: a webhook that refuses it, for example
        if failed:
            raise failed

    async def _tell(self, source: Key, text: str | None) -> None:
        meta = self._register.meta(source)
        if meta is None or meta.deletion_timestamp:
            return
        if meta.annotation_map.get(names.NAME_CONFLICT) == text:
            return
        if text is not None and self._told.get(source) != text:
            self._told[source] = text
            self._reports.conflict(source, meta.uid, text)
        if self._guard.refuses(source.resource, source.namespace, source.name):
            return
        if self._done.get(source) != (meta.resource_version, text):
            await self._write(source, meta, text)
            self._done[source] = (meta.resource_version, text)

    async def _write(self, source: Key, meta: ObjectMeta, text: str | None) -> None:
        stamps = Stamps(annotations={names.NAME_CONFLICT: text})
        body = patch.merge_patch(stamps, meta.resource_version, meta.uid)
        path = source.resource.path(source.namespace, source.name)
        try:
            await self._writer.merge_patch(path, body)
        except ApiError as error:
            if error.forbidden or error.invalid:
                log.warning("conflict could not be noted object=%s error=%s", source, error)
            elif not (error.not_found or error.conflict):
                raise
            # Touched or gone meanwhile: the watch tells, and it is looked at again.
