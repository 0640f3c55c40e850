"""Whether this process may act: a gate that closes by itself."""

import asyncio
import logging
from collections.abc import Callable
from math import inf
from typing import Final

log = logging.getLogger(__name__)

SHORTEST_PAUSE: Final = 0.001
"""Seconds: a timer may fire early by its resolution, and must not spin for the rest."""


class Leadership:
    """Open while the lease is certainly ours; read by any thread, written by the elector's.

    ``monotonic`` counts the time that the machine sleeps (``CLOCK_BOOTTIME``): a leader that wakes
    after an hour finds the gate closed before anything was sent.
    """

    __slots__ = ("_monotonic", "_valid_until", "identity", "term")

    def __init__(self, identity: str, monotonic: Callable[[], float]) -> None:
        self.identity = identity
        self.term = 0
        """``leaseTransitions`` of the term that is, or was last, ours."""
        self._monotonic = monotonic
        self._valid_until = -inf

    def holds(self) -> bool:
        """Return True while this process may act; the last question before each effect.

        There must be no await between the answer and the call that sends the request.
        """
        return self._monotonic() < self._valid_until

    @property
    def remaining(self) -> float:
        """Seconds until the gate closes unless the lease is renewed, 0 when it is closed."""
        return max(0.0, self._valid_until - self._monotonic())

    def extend(self, valid_until: float, term: int) -> None:
        """Open the gate, or keep it open, until a monotonic instant."""
        self.term = term
        self._valid_until = valid_until

    def close(self) -> None:
        """Close the gate at once."""
        self._valid_until = -inf


class Gate:
    """Moves a :class:`Leadership`, and tells when it opens and when it closes by itself.

    The telling is late by a timer's inaccuracy; the gate itself is not.
    """

    def __init__(self, leadership: Leadership) -> None:
        self.listeners: list[Callable[[bool], None]] = []
        self._leadership = leadership
        self._told = False
        self._timer: asyncio.TimerHandle | None = None

    def extend(self, valid_until: float, term: int) -> None:
        """Open it or keep it open."""
        self._leadership.extend(valid_until, term)
        self._tell()

    def close(self) -> None:
        """Close it now."""
        self._leadership.close()
        self._tell()

    def _tell(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        is_open = self._leadership.holds()
        if is_open:
            delay = max(self._leadership.remaining, SHORTEST_PAUSE)
            self._timer = asyncio.get_running_loop().call_later(delay, self._tell)
        if is_open != self._told:
            self._told = is_open
            log.info("gate %s term=%d", "open" if is_open else "closed", self._leadership.term)
            for listener in self.listeners:
                listener(is_open)
