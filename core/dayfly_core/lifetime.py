"""When an Ephemerator's namespace ends: lengths of time by the calendar, clocks of time zones."""

import re
from calendar import monthrange
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache, partial
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from msgspec import UNSET

from dayfly_core import api, grammar
from dayfly_core.violations import shown

LIFETIME: Final = "spec.lifetime"
"""Where the faults lie."""

_NO_PLACES: Final = frozenset({"localtime", "Factory"})
"""Of the zones that a machine knows: what they mean differs from one machine to the next."""


class Months(StrEnum):
    """How long a month and a year are."""

    CALENDAR = "calendar"
    """To the same day of another month; to its last day where that is missing."""
    COMPAT = "compat"
    """28 and 364 days, as Ephemerate counts."""


class InvalidLifetime(ValueError):
    """No instant follows from it; the text names field, value, reason and an example."""

    def __init__(self, field: str, value: str, detail: str) -> None:
        super().__init__(f"{LIFETIME}.{field}: '{shown(value)}' {detail}")
        self.field = f"{LIFETIME}.{field}"
        self.value = value
        self.detail = detail


def deadline(spec: api.EphemeratorSpec, created: datetime, months: Months) -> datetime:
    """Return the instant at which the namespace ends, in UTC; raises InvalidLifetime.

    ``created`` is the creation of the Ephemerator; an ``until`` does not depend on it.
    """
    lifetime = spec.lifetime
    if (lifetime.duration is UNSET) == (lifetime.until is UNSET):
        raise InvalidLifetime("duration", "", grammar.ONE_LIFETIME_HINT)
    if lifetime.until is not UNSET:
        return _until(lifetime.until)
    assert lifetime.duration is not UNSET
    return _after(lifetime.duration, created, months)


def faults(spec: api.EphemeratorSpec, created: datetime, months: Months) -> list[InvalidLifetime]:
    """Return everything that keeps ``deadline`` from an answer, not only what it meets first."""
    until = spec.lifetime.until
    if spec.lifetime.duration is UNSET and until is not UNSET:
        parts = (
            partial(_zone, until.timezone),
            partial(_day, until.date),
            partial(_time, until.time),
        )
        found = [error for part in parts if (error := _fault_of(part))]
        if found:
            return found
    error = _fault_of(partial(deadline, spec, created, months))
    return [error] if error else []


def _fault_of(attempt: Callable[[], object]) -> InvalidLifetime | None:
    try:
        attempt()
    except InvalidLifetime as error:
        return error
    return None


# A length of time.


def _after(duration: api.LifetimeDuration, created: datetime, months: Months) -> datetime:
    counts = {unit: getattr(duration, unit) or 0 for unit in grammar.UNITS}
    if not any(counts.values()):
        raise InvalidLifetime("duration", "", grammar.SOME_DURATION_HINT)
    years, by_month = counts.pop("years"), counts.pop("months")
    try:
        if months is Months.COMPAT:
            return created + timedelta(days=364 * years + 28 * by_month) + timedelta(**counts)
        return _months_later(created, 12 * years + by_month) + timedelta(**counts)
    except (OverflowError, ValueError) as error:
        raise InvalidLifetime("duration", "", "ends after the year 9999") from error


def _months_later(instant: datetime, months: int) -> datetime:
    years, month = divmod(instant.month - 1 + months, 12)
    year, month = instant.year + years, month + 1
    return instant.replace(year=year, month=month, day=min(instant.day, monthrange(year, month)[1]))


# Clocks of a time zone.


def _until(until: api.LifetimeUntil) -> datetime:
    zone = _zone(until.timezone)
    clocks = datetime.combine(_day(until.date), _time(until.time))
    try:
        return first_shown(clocks, zone)
    except OverflowError as error:
        raise InvalidLifetime("until.date", until.date, "is beyond the calendar") from error


def first_shown(clocks: datetime, zone: ZoneInfo) -> datetime:
    """Return the first instant at which the clocks of a zone show this or a later time.

    Of a time that they show twice it is the first. A time that they skip has come once they have
    skipped it.
    """
    found = clocks.replace(tzinfo=zone).astimezone(UTC)
    if _shown(found, zone) == clocks:
        return found
    # Skipped. With the offset after the change it would have been too early, with the one before
    # it, too late; the change lies between, on a whole second.
    early = clocks.replace(tzinfo=zone, fold=1).astimezone(UTC)
    while found - early > timedelta(seconds=1):
        middle = early + (found - early) // timedelta(seconds=2) * timedelta(seconds=1)
        if _shown(middle, zone) > clocks:
            found = middle
        else:
            early = middle
    return found


def _shown(instant: datetime, zone: ZoneInfo) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None)


@cache
def _zones() -> dict[str, str]:
    """Return each zone's name by its name in lower case: Ephemerate did not mind the case."""
    return {name.lower(): name for name in available_timezones() - _NO_PLACES}


def _zone(written: str) -> ZoneInfo:
    name = _zones().get(written.strip().lower())
    if name is None:
        raise InvalidLifetime(
            "until.timezone", written, "is no IANA time zone; write for example America/Phoenix"
        )
    return ZoneInfo(name)


def _day(written: str) -> date:
    try:
        year, month, day = _numbers(written, grammar.CALENDAR_DATE, "-")
        return date(year, month, day)
    except ValueError as error:
        raise InvalidLifetime("until.date", written, grammar.CALENDAR_DATE_HINT) from error


def _time(written: str) -> time:
    try:
        hour, minute, second, *_ = (*_numbers(written, grammar.TIME_OF_DAY, ":"), 0)
        return time(hour, minute, second)
    except ValueError as error:
        raise InvalidLifetime("until.time", written, grammar.TIME_OF_DAY_HINT) from error


def _numbers(written: str, grammar_: str, separator: str) -> Iterator[int]:
    if not re.fullmatch(grammar_, written):
        raise ValueError(written)
    return map(int, written.split(separator))
