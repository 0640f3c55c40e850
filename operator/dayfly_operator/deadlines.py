"""When to look at what again: any number of instants behind one timer of the event loop."""

import asyncio
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Hashable
from datetime import UTC, datetime
from heapq import heapify, heappop, heappush
from itertools import count
from math import ceil, inf
from operator import itemgetter
from typing import Final, Generic, TypeAlias, TypeVar

K = TypeVar("K", bound=Hashable)

Entry: TypeAlias = tuple[float, int, K]
"""Seconds since the epoch, a number that keeps keys from being compared, the key."""

RECHECK: Final = 60.0
"""Seconds after which the wall clock is read again: it may be set, and the loop's clock stands
still while the machine sleeps."""

SLICE: Final = 1000
"""Keys handed out before the loop may breathe: 100,000 at one instant would stop it for 0.1 s."""

SHORTEST_TIMER: Final = 0.001
"""uvloop keeps whole milliseconds and rounds: a timer may fire early, find nothing due, and, set
anew for the rest of a millisecond, spin. No timer is therefore shorter than its unit."""

SLACK: Final = 64
"""Dead entries that are always tolerated, so that small heaps are not rebuilt all the time."""


class Deadlines(Generic[K]):
    """Calls ``due(key)`` once when the wall clock has reached the key's instant, never before.

    Wake-ups are rounded up to multiples of ``quantum`` seconds, which bounds them to
    ``1/quantum`` a second however many deadlines there are. Costs about 200 bytes a deadline, an
    eighth of an ``asyncio.sleep`` task (``bench/timers.py``).

    Belongs to the event loop of the thread that calls it. ``due`` must not block and should not
    raise: if it does, the loop's exception handler gets it and that one key is forgotten.
    """

    def __init__(
        self,
        due: Callable[[K], object],
        *,
        now: Callable[[], datetime],
        quantum: float = 0.002,
    ) -> None:
        self._due = due
        self._now = now
        self._quantum = quantum
        # An entry is alive while it is the very one in `_live`: setting or cancelling a key
        # leaves the old one in the heap, to be dropped when it surfaces.
        self._live: dict[K, Entry[K]] = {}
        self._heap: list[Entry[K]] = []
        self._overdue: deque[Entry[K]] = deque()
        self._order = count()
        self._timer: asyncio.TimerHandle | None = None
        self._wakes_for = 0.0

    def __len__(self) -> int:
        return len(self._live)

    def __contains__(self, key: K) -> bool:
        return key in self._live

    def get(self, key: K) -> datetime | None:
        """Return the key's instant, None if it has none."""
        entry = self._live.get(key)
        return None if entry is None else datetime.fromtimestamp(entry[0], UTC)

    def set(self, key: K, when: datetime) -> None:
        """Call ``due(key)`` at ``when`` (aware) instead of any earlier wish; soon, if past."""
        instant = when.timestamp()
        old = self._live.get(key)
        if old is not None:
            if old[0] == instant:
                return
            self._compact()
        entry = (instant, next(self._order), key)
        self._live[key] = entry
        heappush(self._heap, entry)
        if self._timer is None or instant < self._wakes_for:
            self._arm()

    def cancel(self, key: K) -> None:
        """Forget the key; harmless if it has no deadline."""
        if self._live.pop(key, None) is not None:
            self._compact()

    def close(self) -> None:
        """Forget all keys and stop the timer."""
        self._live.clear()
        self._heap.clear()
        self._overdue.clear()
        self._disarm()

    def _compact(self) -> None:
        if len(self._heap) > 2 * len(self._live) + SLACK:
            self._heap = list(self._live.values())
            heapify(self._heap)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self) -> None:
        self._disarm()
        loop = asyncio.get_running_loop()
        if self._overdue:
            self._wakes_for = -inf
            self._timer = loop.call_later(0, self._wake)
        elif self._heap:
            self._wakes_for = self._heap[0][0]
            rounded = ceil(self._wakes_for / self._quantum) * self._quantum
            delay = rounded - self._now().timestamp()
            self._timer = loop.call_later(min(max(delay, SHORTEST_TIMER), RECHECK), self._wake)

    def _wake(self) -> None:
        self._timer = None
        try:
            if not self._overdue:
                self._overdue = _take_due(self._heap, self._now().timestamp())
            self._hand_out()
        finally:
            self._arm()

    def _hand_out(self) -> None:
        overdue, live, due = self._overdue, self._live, self._due
        for _ in range(min(SLICE, len(overdue))):
            entry = overdue.popleft()
            key = entry[2]
            if live.get(key) is entry:
                del live[key]
                due(key)


def _take_due(heap: list[Entry[K]], now: float) -> deque[Entry[K]]:
    """Take all entries up to ``now`` out of the heap, earliest first."""
    due: deque[Entry[K]] = deque()
    while heap and heap[0][0] <= now:
        if len(due) == SLICE:
            # Many: sorting is cheaper than popping, and what is sorted is still a heap.
            heap.sort()
            end = bisect_right(heap, now, key=itemgetter(0))
            due.extend(heap[:end])
            del heap[:end]
            return due
        due.append(heappop(heap))
    return due
