"""Whether so many surprising ends come at once that a person has to look first.

An end is *surprising* when its author may not know of it: the operator gave it (an object that
existed before the policy), or somebody edited the policy. Announced ends are never stopped.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

MOST: Final = 50
"""Surprising ends of one policy in a minute that may pass."""
FEW: Final = 10
"""So many may pass, however small the policy is."""
SHARE: Final = 0.3
"""Of the policy's objects, if that is not few."""
WINDOW: Final = timedelta(seconds=60)
"""How far is looked ahead, and back."""


@dataclass(frozen=True, slots=True)
class Load:
    """What one policy is about to do."""

    ends: Collection[datetime]
    """When surprising ends are due, or were due that happened within the last minute."""
    objects: int
    """How many objects the policy holds."""


@dataclass(frozen=True, slots=True)
class Closed:
    """Ends go on."""


@dataclass(frozen=True, slots=True)
class Open:
    """Surprising ends wait for a person."""

    since: datetime
    why: str


def confirmed(due: datetime, reset_at: datetime | None) -> bool:
    """Whether somebody has confirmed an end that was due at that instant."""
    return reset_at is not None and due <= reset_at


def judge(
    load: Load, open_since: datetime | None, reset_at: datetime | None, now: datetime
) -> Closed | Open:
    """Decide about one policy; ``open_since`` is what its status says, which may be another's."""
    raise NotImplementedError
