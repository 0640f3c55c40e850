"""When this machine stood still: a thread that wakes every so often, and was late then.

Whoever compares times that several processes took asks what of the time between them nobody had.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event, Thread
from typing import Final

from playground.spans import Span, covered
from support.plots import now

TICK: Final = timedelta(milliseconds=20)
LATE: Final = timedelta(milliseconds=30)
"""Every thread is late by as much now and then."""


@dataclass(slots=True)
class Stalls:
    """Those that were noticed."""

    spans: list[Span] = field(default_factory=list[Span])

    def lost(self, since: datetime, until: datetime) -> timedelta:
        """Return how much of a time nobody had."""
        return covered(self.spans, since, until)

    def watch(self, stop: Event, clock: Callable[[], datetime] = now) -> None:
        """Note them until it is set."""
        asleep = clock()
        while not stop.wait(TICK.total_seconds()):
            awake = clock()
            if awake - asleep > TICK + LATE:
                self.spans.append(Span(asleep + TICK, awake))
            asleep = clock()


@contextmanager
def watched() -> Generator[Stalls]:
    """Watch for them meanwhile."""
    stalls, stop = Stalls(), Event()
    thread = Thread(target=stalls.watch, args=(stop,), name="stalls", daemon=True)
    thread.start()
    try:
        yield stalls
    finally:
        stop.set()
        thread.join()
