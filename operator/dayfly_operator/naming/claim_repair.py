"""Keeps the claims what the stored objects are: the leader's part of unique names.

Level-triggered. ``name_queue.NameQueue`` calls :meth:`ClaimRepair.mend` with each key that an event
touches (of an object: the keys that it lists now and those it listed before; of a claim:
``claim_key.key_of``), and with those that :meth:`ClaimRepair.look_at_all` finds, at the start of a
term and every ten minutes. What ``mend`` returns says when to call again. ``ApiError`` and
``Unreachable`` of anything but a lost race come through: the caller tries again.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import Final, Protocol

import msgspec

from dayfly_core.api import Holder, NameClaim
from dayfly_core.claim_key import ClaimKey, is_canonical, key_of
from dayfly_core.claim_repair import (
    GRACE,
    Bind,
    Case,
    Claimant,
    Create,
    Remove,
    Sighting,
    Wait,
    Write,
    confirmed,
    repair,
    sight,
)
from dayfly_core.claim_steps import Presence
from dayfly_kube.errors import ApiError

log = logging.getLogger(__name__)

BEHIND: Final = 2.0
"""Seconds after which to look again when a quorum read knew more than the watches."""

SLICE: Final = 500
"""Names looked at in one go: some milliseconds in which no due end is served."""


class Claims(Protocol):
    """NameClaims and their holders; raises ``ApiError``, ``Unreachable`` and ``NotLeading``."""

    async def create(self, claim: NameClaim) -> None:
        """POST."""
        ...

    async def replace(self, claim: NameClaim) -> None:
        """Write ``spec`` and our label over exactly the version in ``metadata``.

        A merge patch whose metadata has uid and resourceVersion: 409 if it is another version.
        """
        ...

    async def delete(self, claim: NameClaim) -> None:
        """DELETE with uid and resourceVersion as preconditions."""
        ...

    async def find(self, holder: Holder, key: ClaimKey) -> Presence | None:
        """Read the object of that name from etcd, whatever its uid; None: there is none.

        ``lists``: whether it has the key now; of a namespace that holds a host of Ingresses or
        HTTPRoutes, their lists in it count too. ``kin``: whether the namespace of an object that
        does not have it does.
        """
        ...


class Watched(Protocol):
    """What the watches know; it may be late."""

    def claim(self, name: str) -> NameClaim | None:
        """Look one claim up."""
        ...

    def claims(self) -> Iterable[NameClaim]:
        """Yield all claims."""
        ...

    def claimants(self, key: ClaimKey) -> Sequence[Claimant]:
        """Return the objects that list a key now, each once, also those being deleted."""
        ...

    def listed(self) -> Collection[ClaimKey]:
        """Return every key that some object lists."""
        ...


class Mended(msgspec.Struct, frozen=True):
    """What was written about a key, if anything, and the seconds after which to look again."""

    step: Write | None = None
    again: float | None = None
    doubtful: bool = False
    """Whether etcd knew more than the watches, so that nothing was done."""


LOST: Final = Mended(again=BEHIND, doubtful=True)


class ClaimRepair:
    """Mends claims one by one; two of them at once do no harm."""

    def __init__(
        self,
        claims: Claims,
        watched: Watched,
        monotonic: Callable[[], float],
        wall: Callable[[], datetime],
        grace: float = GRACE,
    ) -> None:
        self._claims = claims
        self._watched = watched
        self._monotonic = monotonic
        self._wall = wall
        self._grace = grace
        self._sightings: dict[str, Sighting] = {}

    async def mend(self, key: ClaimKey) -> Mended:
        """Make the claim of a key what it should be."""
        return await self._mend(key, self._watched.claim(key.claim_name))

    async def look_at_all(self, found: Callable[[ClaimKey], None]) -> None:
        """Tell of every key that is listed or claimed and needs something; asks nobody.

        Claims whose names are not what their keys give them have no key: they are mended at once.
        """
        for count, key in enumerate(self._keys(), start=1):
            if self.due(key):
                found(key)
            if count % SLICE == 0:
                await asyncio.sleep(0)
        present = {claim.metadata.name for claim in self._watched.claims()}
        for name in self._sightings.keys() - present:
            del self._sightings[name]
        for stray in [claim for claim in self._watched.claims() if not is_canonical(claim)]:
            await self._mend(key_of(stray), stray)

    def _keys(self) -> frozenset[ClaimKey]:
        return frozenset((*self._watched.listed(), *map(key_of, self._watched.claims())))

    def due(self, key: ClaimKey) -> bool:
        """Whether there is anything to do or to wait for, by what the watches know; asks nobody.

        From now on the claim counts as seen in its version, so that whoever leads next need not
        wait for all of the grace again.
        """
        return self._step(key, self._watched.claim(key.claim_name)) is not None

    def _step(self, key: ClaimKey, claim: NameClaim | None) -> Write | Wait | None:
        if claim is None:
            self._sightings.pop(key.claim_name, None)
        case = Case(key, claim, self._unchanged(claim), self._watched.claimants(key))
        return repair(case, self._wall(), self._grace)

    async def _mend(self, key: ClaimKey, claim: NameClaim | None) -> Mended:
        step = self._step(key, claim)
        if step is None:
            return Mended()
        if isinstance(step, Wait):
            return Mended(again=step.seconds)
        if not await self._confirm(key, step):
            return LOST
        return Mended(step) if await self._write(step) else LOST

    def _unchanged(self, claim: NameClaim | None) -> float:
        """Seconds since this version came here; the clock of whoever wrote it is no measure."""
        if claim is None:
            return 0.0
        now, name = self._monotonic(), claim.metadata.name
        seen = self._sightings[name] = sight(self._sightings.get(name), claim, now)
        return now - seen.since

    async def _confirm(self, key: ClaimKey, step: Write) -> bool:
        """Ask etcd after the claim was read: an object that was seen before may since be gone."""
        holder, former = None, None
        if not isinstance(step, Remove):
            holder = await self._claims.find(step.claim.spec.holder, key)
        if not isinstance(step, Create) and step.former:
            former = await self._claims.find(step.former, key)
        return confirmed(step, holder, former)

    async def _write(self, step: Write) -> bool:
        try:
            match step:
                case Create(claim):
                    await self._claims.create(claim)
                case Bind(claim):
                    await self._claims.replace(claim)
                case Remove(claim):
                    await self._claims.delete(claim)
        except ApiError as error:
            if not (error.code == 409 or (error.not_found and not isinstance(step, Create))):
                raise
            log.debug("claim is another version by now name=%s", step.claim.metadata.name)
            return False
        log.info("claim %s name=%s", type(step).__name__.lower(), step.claim.metadata.name)
        return True
