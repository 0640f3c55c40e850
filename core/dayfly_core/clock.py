"""What time it is, if two clocks disagree."""

from datetime import datetime, timedelta
from typing import Final

TOLERANCE: Final = timedelta(seconds=30)
"""Between our clock and the API server's: it says whole seconds, and an answer takes its time."""


def prudent(ours: datetime, ahead: float | None) -> datetime:
    """Return the time by which to act; ``ahead`` is how far the API server's clock is, in seconds.

    The earlier of the two, so that nothing ends early by either: an end that comes late comes, one
    that came early cannot be undone.
    """
    skew = timedelta(seconds=ahead or 0.0)
    return ours + skew if skew < -TOLERANCE else ours


def shared(ours: datetime, ahead: float | None) -> datetime:
    """Return the time from which to count an end, the same for all replicas: the API server's.

    Its clock says when things were created, and it is the one clock that all of them know.
    """
    skew = timedelta(seconds=ahead or 0.0)
    return ours + skew if abs(skew) > TOLERANCE else ours
