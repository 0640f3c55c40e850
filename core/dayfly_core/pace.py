"""How fast: a token bucket and an exponential back-off, as arithmetic on instants.

Instants are seconds of a monotonic clock and come in as arguments, as does chance.
"""

from math import inf

import msgspec


class Pace(msgspec.Struct, frozen=True):
    """At most ``rate`` turns a second on average, ``burst`` at once; a rate of 0 is unlimited."""

    rate: float
    burst: int = 1

    def __post_init__(self) -> None:
        """Refuse what would never let anything through."""
        if self.rate < 0:
            raise ValueError(f"rate is {self.rate:g}; write 0 (unlimited) or more")
        if self.burst < 1:
            raise ValueError(f"burst is {self.burst}; write 1 or more")


UNTOUCHED = -inf
"""``full_at`` of a bucket from which nothing has been taken yet."""


def take(pace: Pace, full_at: float, now: float) -> tuple[float, float]:
    """Reserve one turn: seconds to wait for it, and the bucket's new ``full_at``.

    The whole state of a token bucket is the instant at which it will be full again (the generic
    cell rate algorithm): each turn moves it by ``1/rate``, and a turn is early by as much as the
    bucket would then be emptier than empty.
    """
    if pace.rate == 0:
        return 0.0, full_at
    full_at = max(full_at, now) + 1 / pace.rate
    return max(0.0, full_at - now - pace.burst / pace.rate), full_at


class Backoff(msgspec.Struct, frozen=True):
    """Seconds between attempts: ``first``, doubled each time up to ``cap``, less up to ``jitter``.

    Jitter shortens (never lengthens) by a random part, so that what failed together does not come
    back together, and ``cap`` stays a promise.
    """

    first: float = 0.1
    cap: float = 60.0
    jitter: float = 0.5

    def delay(self, failures: int, chance: float) -> float:
        """Seconds to wait after the ``failures``-th failure in a row; ``chance`` in [0, 1)."""
        # 2 ** 1024 is no float any more; the cap is reached long before 2 ** 64.
        full = min(self.cap, self.first * 2.0 ** min(max(failures, 1) - 1, 64))
        return full * (1 - self.jitter * chance)
