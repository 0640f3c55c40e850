"""How far the API server's clock is ahead of ours."""

from collections.abc import Callable
from datetime import datetime

import msgspec


class OurClocks(msgspec.Struct, frozen=True):
    """The clock on the wall, which somebody may set, and one that only counts seconds."""

    now: Callable[[], datetime]
    steady: Callable[[], float]


class ServerClock:
    """The API server's clock, as its answers tell it; without clocks of ours unknown."""

    def __init__(self, ours: OurClocks | None) -> None:
        self._ours = ours
        self._heard: tuple[str, float] | None = None
        self._told: tuple[datetime, float] | None = None

    def hear(self, date: str | None) -> None:
        """Note the ``Date`` of an answer that has just come."""
        if self._ours and date:
            self._heard = (date, self._ours.steady())

    @property
    def ahead(self) -> float | None:
        """Seconds by which it is ahead, whatever ours was set to since its last answer; ±1 s."""
        if self._heard:
            # Read when somebody asks, once for each answer.
            self._told, self._heard = _instant(*self._heard), None
        if self._ours is None or self._told is None:
            return None
        told, heard_at = self._told
        return (told - self._ours.now()).total_seconds() + self._ours.steady() - heard_at


def _instant(date: str, heard_at: float) -> tuple[datetime, float] | None:
    from email.utils import parsedate_to_datetime

    try:
        told = parsedate_to_datetime(date)
    except ValueError:
        return None
    return (told, heard_at) if told.tzinfo else None  # without a zone: some proxy's
