"""Whether this process may act: a gate that closes by itself."""

from collections.abc import Callable
from math import inf


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
