"""Whether so many surprising ends come at once that a person has to look first.

An end is *surprising* when its author may not expect it: the operator gave it (an object that
existed before the policy), or somebody edited the policy so that it acts on what is due already.
Announced ends are never stopped.
A breaker looks ahead, so that of a mass mistake nothing at all is ended.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from dayfly_core import instant, names
from dayfly_core.instant import InvalidInstant
from dayfly_core.objects import ObjectMeta

MOST: Final = 50
"""Surprising ends of one policy in a minute that may pass."""
FEW: Final = 10
"""So many may pass, however small the policy is."""
SHARE: Final = 0.3
"""Of the policy's objects, if that is not few."""
WINDOW: Final = timedelta(seconds=60)
"""How far is looked ahead, and back."""
QUIET: Final = timedelta(minutes=10)
"""Without anything to hold back for this long a breaker closes by itself: the policy was corrected.
Not at once: a list that comes back empty must not close it."""

COUNTED: Final = timedelta(seconds=1)
"""A count of all objects is used again for so long: what ends at one instant is judged by one."""

NAMED: Final = 3
"""Objects that are named in a sentence."""


class Load(msgspec.Struct, frozen=True):
    """What one policy is about to do."""

    ends: int
    """Surprising ends, not confirmed, that are due until ``WINDOW`` from now or were a moment ago.
    """
    objects: int
    """How many objects the policy holds."""
    quiet_since: datetime | None = None
    """Since when there was none."""


class Standing(msgspec.Struct, frozen=True):
    """What was decided before, by whomever."""

    open_since: datetime | None = None
    reset_at: datetime | None = None
    """Up to when somebody has confirmed surprising ends."""


class Closed(msgspec.Struct, frozen=True):
    """Ends go on."""


class Open(msgspec.Struct, frozen=True):
    """Surprising ends wait for a person."""

    since: datetime


def reset_of(policy: ObjectMeta) -> datetime | None:
    """Read the annotation by which a person confirms; what cannot be read confirms nothing."""
    try:
        return instant.parse(policy.annotation_map.get(names.BREAKER_RESET, ""))
    except InvalidInstant:
        return None


def confirmed(due: datetime, reset_at: datetime | None) -> bool:
    """Whether somebody has confirmed an end that is due at that instant."""
    return reset_at is not None and due <= reset_at


def counts(dues: Iterable[datetime], reset_at: datetime | None, now: datetime) -> bool:
    """Whether one of an object's surprising ends is near, or past, and not confirmed."""
    return any(due <= now + WINDOW and not confirmed(due, reset_at) for due in dues)


def judge(load: Load, standing: Standing, now: datetime) -> Closed | Open:
    """Decide about one policy: what is open stays so until it is reset, or long without a load."""
    since, reset_at = standing.open_since, standing.reset_at
    if since and not confirmed(since, reset_at) and not _quiet(load, now):
        return Open(since)
    if not _too_many(load):
        return Closed()
    # After a reset that reaches into the future: it must not be taken for one of this opening.
    return Open(max(now, reset_at + timedelta(seconds=1)) if reset_at else now)


def _too_many(load: Load) -> bool:
    return load.ends > MOST or (load.ends >= FEW and load.ends >= SHARE * load.objects)


def _quiet(load: Load, now: datetime) -> bool:
    quiet = load.quiet_since
    return quiet is not None and now - quiet >= QUIET


def why(policy: str) -> str:
    """Say of one act why it does not happen: an Event, the log, ``simulate``."""
    return f"the breaker of ExpiryPolicy {policy} is open"


def sentence(policy: str, held: int, objects: int, first: Sequence[str]) -> str:
    """Say how many are held back, of how many, which are due first, and what to do."""
    if not held:
        minutes = QUIET // timedelta(minutes=1)
        return (
            f"nothing is held back any more; the breaker closes {minutes} minutes after the last, "
            f"or with: dayfly breaker reset {policy}"
        )
    named = ", ".join(first[:NAMED])
    more = f" and {held - NAMED} more" if held > NAMED else ""
    return (
        f"{held} of {max(objects, held)} objects would end within a minute, and their authors do "
        f"not expect it; left alone: {named}{more}; correct the policy, or confirm with: "
        f"dayfly breaker reset {policy}"
    )
