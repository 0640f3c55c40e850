"""How much of a time nobody had."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from threading import Event

import pytest

from playground.spans import Span, covered
from support.build import NOW
from support.stalls import Stalls


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def span(since: float, until: float) -> Span:
    return Span(at(since), at(until))


@pytest.mark.parametrize(
    ("spans", "seconds"),
    [
        pytest.param([], 0, id="none"),
        pytest.param([span(1, 2)], 1, id="within"),
        pytest.param([span(-1, 2)], 2, id="from before it"),
        pytest.param([span(9, 12)], 1, id="till after it"),
        pytest.param([span(-2, -1), span(11, 12)], 0, id="at another time"),
        pytest.param([span(6, 8), span(1, 2)], 3, id="two"),
        pytest.param([span(1, 5), span(2, 3), span(4, 6)], 5, id="some that overlap"),
    ],
)
def test_what_is_covered_of_ten_seconds(spans: list[Span], seconds: float) -> None:
    assert covered(spans, at(0), at(10)) == timedelta(seconds=seconds)


class Ticks(Event):
    """Is set when there are no more."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.left = count

    def wait(self, timeout: float | None = None) -> bool:
        self.left -= 1
        return self.left < 0


def clock(*seconds: float) -> Iterator[datetime]:
    return map(at, seconds)


def test_who_wakes_in_time_notices_nothing() -> None:
    stalls, times = Stalls(), clock(0, 0.02, 0.02, 0.06, 0.06)
    stalls.watch(Ticks(2), lambda: next(times))
    assert stalls.spans == []


def test_who_wakes_late_lost_the_time_since_it_should_have() -> None:
    stalls, times = Stalls(), clock(0, 0.02, 0.02, 2.02, 2.02)
    stalls.watch(Ticks(2), lambda: next(times))
    assert stalls.spans == [span(0.04, 2.02)]
    assert stalls.lost(at(1), at(2)) == timedelta(seconds=1)
