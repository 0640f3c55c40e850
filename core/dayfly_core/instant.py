"""Points in time as RFC 3339 writes them: ``2026-11-22T10:00:00Z``."""

import re
from datetime import UTC, datetime
from typing import Final

from dayfly_core.violations import shown

EXAMPLE: Final = "write for example 2026-11-22T10:00:00Z"

_RFC_3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_NO_OFFSET = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9:.]+")
_LONGEST_TEXT = 64


class InvalidInstant(ValueError):
    """Not a point in time; the text is a whole sentence with a valid example."""

    def __init__(self, text: str, problem: str) -> None:
        super().__init__(f"'{shown(text)}' {problem}; {EXAMPLE}")
        self.detail = f"{problem}; {EXAMPLE}"
        """The sentence without its subject, for messages that show the value already."""


def parse(text: str) -> datetime:
    """Read an instant with its offset, into UTC; digits after the microseconds are dropped.

    Raises InvalidInstant, and nothing else, for any other text. The result may lie anywhere in
    the years 1 to 9999: adding to it can overflow, comparing and subtracting cannot.
    """
    if len(text) > _LONGEST_TEXT or not _RFC_3339.fullmatch(text):
        raise InvalidInstant(text, _problem(text))
    try:
        found = datetime.fromisoformat(text.upper())
        return found if found.tzinfo is UTC else found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidInstant(text, "is no date and time of the calendar") from error


def render(instant: datetime) -> str:
    """Write an instant in UTC, with a fraction only if it has one.

    Raises ValueError for a naive datetime, whose zone would be a guess.
    """
    if instant.tzinfo is None:
        raise ValueError(f"{instant!r} has no time zone")
    text = instant.astimezone(UTC).replace(tzinfo=None).isoformat()
    return (text.rstrip("0") if "." in text else text) + "Z"


def _problem(text: str) -> str:
    if not text.strip():
        return "is empty"
    if len(text) <= _LONGEST_TEXT and _NO_OFFSET.fullmatch(text):
        return "has no offset from UTC"
    return "is not an instant in RFC 3339"
