"""When a rule's turn may come: one struct, one function and one table row for each condition.

A condition is asked with what was observed and the time, and answers since when it holds or when
to ask again.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

SUCCEEDED: Final = "Succeeded"
"""``status.phase`` of a Pod all of whose containers have ended well."""

NONE_SEEN: Final = 2
"""Checks in a row that must have seen no pod at all before that counts: one empty answer may come
from between two pods of a Job, or from a cache that knows nothing yet."""


class Ttl(msgspec.Struct, frozen=True):
    """A time after the target's creation, or after ``since``."""

    length: timedelta
    since: datetime | None = None


class Until(msgspec.Struct, frozen=True):
    """An instant."""

    at: datetime


class PodsSucceed(msgspec.Struct, frozen=True):
    """All selected pods have succeeded, in ``min_checks`` checks that are ``period`` apart."""

    initial_delay: timedelta
    """Counted once, from the target's creation."""
    period: timedelta
    min_checks: int = 1
    name: str = ""
    """Under which name ``Facts`` holds its pods and checks: that of its rule."""


FIRST: Final = datetime.min.replace(tzinfo=UTC)
LAST: Final = datetime.max.replace(tzinfo=UTC)
"""Beginning and end of the calendar."""

Condition = Ttl | Until | PodsSucceed


class Checks(msgspec.Struct, frozen=True):
    """What earlier checks of pods came to."""

    first: datetime | None = None
    last: datetime | None = None
    streak: int = 0
    """Successful ones in a row, up to ``last``."""
    empty: int = 0
    """Of these, the last ones in a row that saw no pod."""


class Facts(msgspec.Struct, frozen=True):
    """What was observed for the conditions; what is not there was not looked at."""

    created: datetime | None = None
    """Creation of the target."""
    pods: Mapping[str, Sequence[str]] = {}
    """Phases of the selected pods, by the condition's name, as they are now."""
    checks: Mapping[str, Checks] = {}
    """Checks before this one, by the condition's name."""


class Met(msgspec.Struct, frozen=True):
    """The condition holds, since this instant."""

    since: datetime


class NotYet(msgspec.Struct, frozen=True):
    """It does not hold; ``again`` is when to ask next, None if only a change can help."""

    again: datetime | None = None


Answer = Met | NotYet


def ask(condition: Condition, facts: Facts, now: datetime) -> Answer:
    """Ask one condition."""
    return CONDITIONS[type(condition)](condition, facts, now)


def shifted(moment: datetime, by: timedelta) -> datetime:
    """Add, and stop at the ends of the calendar: somebody may have written the year 9999."""
    try:
        return moment + by
    except OverflowError:
        return LAST if by > timedelta() else FIRST


def checked(condition: PodsSucceed, facts: Facts, now: datetime) -> Checks:
    """Count a check of the pods as they are now; too early a success changes nothing.

    A failure counts whenever it is seen.
    """
    before = facts.checks.get(condition.name, Checks())
    phases = facts.pods.get(condition.name)
    if phases is None:
        return before
    first = before.first or now
    if any(phase != SUCCEEDED for phase in phases):
        return Checks(first, now)
    if before.last and now < shifted(before.last, condition.period):
        return before
    return Checks(first, now, before.streak + 1, 0 if phases else before.empty + 1)


def _ttl(condition: Ttl, facts: Facts, now: datetime) -> Answer:
    start = condition.since or facts.created
    return _until(Until(shifted(start, condition.length)), facts, now) if start else NotYet()


def _until(condition: Until, facts: Facts, now: datetime) -> Answer:
    return Met(condition.at) if condition.at <= now else NotYet(condition.at)


def _pods_succeed(condition: PodsSucceed, facts: Facts, now: datetime) -> Answer:
    begins = _ttl(Ttl(condition.initial_delay), facts, now)
    if isinstance(begins, NotYet):
        return begins
    checks = checked(condition, facts, now)
    phases = facts.pods.get(condition.name)
    seen = bool(phases) or checks.empty >= NONE_SEEN
    if phases is not None and seen and checks.streak >= condition.min_checks:
        return Met(now)
    # Not looked at: it can be at once. Looked at: a period after that counted.
    due = shifted(checks.last, condition.period) if checks.last else now
    return NotYet(due)


CONDITIONS: Final[Mapping[type, Callable[[Any, Facts, datetime], Answer]]] = {
    Ttl: _ttl,
    Until: _until,
    PodsSucceed: _pods_succeed,
}
"""A new condition is its struct, its function, and a row here."""
