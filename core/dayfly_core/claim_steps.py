"""The words in which claiming a name is told: what is attempted, done next, seen, and answered.

:func:`dayfly_core.claims.decide` leads from what was seen to the next step, or to the outcome.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from dayfly_core.api import Holder, NameClaim
from dayfly_core.claim_key import ClaimKey

PAUSES: Final = (0.02, 0.05, 0.1, 0.2, 0.4)
"""Seconds between looks while an overlapping claim is expected to go: its request takes one look,
one question and one DELETE to withdraw."""

RETRY_AFTER: Final = 5
"""Seconds after which a person is told to try again: most requests under way have ended."""


class Act(StrEnum):
    """What the request does to the holder, hence what else may be under way."""

    CREATE = "create"
    """It creates the holder: the uid is this request's alone."""
    UPDATE = "update"
    """It changes the holder: stored only over the version that was admitted."""
    INSIDE = "inside"
    """It is about something in the holder, a namespace: others there may list the same key."""


class Attempt(msgspec.Struct, frozen=True):
    """Who wants which name, by which request."""

    key: ClaimKey
    written: str
    holder: Holder
    act: Act
    at: datetime
    read_only: bool = False
    """True: nothing may be written (dry run); the answer is what it would be now."""


class Presence(NamedTuple):
    """A holder, as a quorum read finds it."""

    uid: str
    """Empty: the object is gone, and only its namespace has the key."""
    lists: bool
    """Whether it has the key that was asked about."""
    kin: bool = False
    """Whether its namespace has it, so that nothing in another namespace may."""
    ending: bool = False
    """Whether what has it is being deleted: until that is gone, it has it."""


# What the shell does next.


class Create(msgspec.Struct, frozen=True):
    """POST this claim; then :class:`Stored`, :class:`Refused` or :class:`Unsure`."""

    claim: NameClaim


class Replace(msgspec.Struct, frozen=True):
    """Write this claim over exactly the version it names; then as after :class:`Create`."""

    claim: NameClaim


class Look(msgspec.Struct, frozen=True):
    """GET the claim of the key; then :class:`Looked`."""


class Find(msgspec.Struct, frozen=True):
    """Read this claim's holder by quorum; then :class:`Found`."""

    claim: NameClaim


class Survey(msgspec.Struct, frozen=True):
    """After a pause, read the claims that overlap the key; then :class:`Surveyed`."""

    mine: NameClaim | None
    """Our claim, once it is written."""
    swap: NameClaim | None = None
    """Before that: what to write over the claim if nothing stands in the way. A request that is
    refused anyhow must not renew its claim: two that retry would keep each other out for ever."""
    looks: int = 0

    @property
    def pause(self) -> float:
        """Seconds to wait before."""
        return PAUSES[self.looks - 1] if self.looks else 0.0


class Inspect(msgspec.Struct, frozen=True):
    """Read the first rival's holder by quorum; then :class:`Inspected`."""

    survey: Survey
    rivals: tuple[NameClaim, ...]


Step = Create | Replace | Look | Find | Survey | Inspect


# What was seen.


class Begun(msgspec.Struct, frozen=True):
    """Nothing yet."""


class Stored(msgspec.Struct, frozen=True):
    """The write was carried out; the claim as it is now."""

    claim: NameClaim


class Refused(msgspec.Struct, frozen=True):
    """The write was not carried out: 409, or 404 for a claim that went away."""


class Unsure(msgspec.Struct, frozen=True):
    """No answer: the write may have been carried out, or may yet be."""


class Looked(msgspec.Struct, frozen=True):
    """The claim; None: there is none."""

    claim: NameClaim | None


class Found(msgspec.Struct, frozen=True):
    """The holder of the claim; None: there is no such object."""

    claim: NameClaim
    presence: Presence | None


class Surveyed(msgspec.Struct, frozen=True):
    """The claims that overlap the key."""

    survey: Survey
    others: Sequence[NameClaim]


class Inspected(msgspec.Struct, frozen=True):
    """The first rival's holder; None: there is no such object."""

    inspect: Inspect
    presence: Presence | None


Seen = Begun | Stored | Refused | Unsure | Looked | Found | Surveyed | Inspected


# How it ends.


class Granted(msgspec.Struct, frozen=True):
    """The holder may have the name; without a claim if nothing was to be written."""

    claim: NameClaim | None


class Taken(msgspec.Struct, frozen=True):
    """Another object has the name, by this claim, which may be one that overlaps."""

    claim: NameClaim
    ending: bool = False
    """Whether that object is being deleted."""


class Reserved(msgspec.Struct, frozen=True):
    """A request under way may get the name: try again."""

    claim: NameClaim
    retry_after: int = RETRY_AFTER


class Exists(msgspec.Struct, frozen=True):
    """The very object that is to be created is there already, with this claim."""

    claim: NameClaim


class Unverified(msgspec.Struct, frozen=True):
    """It could not be found out in time, or not at all."""

    why: str


Outcome = Granted | Taken | Reserved | Exists | Unverified
