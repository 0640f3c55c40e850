"""Stretches of time, and how much of another they cover."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple


class Span(NamedTuple):
    """From when to when."""

    since: datetime
    until: datetime


def covered(spans: Iterable[Span], since: datetime, until: datetime) -> timedelta:
    """Return how much of a time lies in any of these: what lies in two counts once."""
    total, reached = timedelta(), since
    for span in sorted(spans):
        begun, over = max(span.since, reached), min(span.until, until)
        if begun < over:
            total, reached = total + (over - begun), over
    return total
