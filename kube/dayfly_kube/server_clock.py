"""How far the API server's clock is ahead of ours."""

from collections.abc import Callable
from datetime import datetime


class ServerClock:
    """The API server's clock, as its answers tell it; without a clock of ours (``now``) unknown."""

    def __init__(self, now: Callable[[], datetime] | None) -> None:
        self._now = now
        self._heard: tuple[str, datetime] | None = None
        self._ahead: float | None = None

    def hear(self, date: str | None) -> None:
        """Note the ``Date`` of an answer that has just come."""
        if self._now and date:
            self._heard = (date, self._now())

    @property
    def ahead(self) -> float | None:
        """Seconds by which it is ahead, by its last answer; ±1 s."""
        if self._heard:
            # Read when somebody asks, once for each answer.
            self._ahead, self._heard = _difference(*self._heard), None
        return self._ahead


def _difference(sent: str, received: datetime) -> float | None:
    from email.utils import parsedate_to_datetime

    try:
        return (parsedate_to_datetime(sent) - received).total_seconds()
    except (ValueError, TypeError):  # no date, or one without a zone: some proxy's
        return None
