"""What the API server's answers say of its clock, while ours are set and run."""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from dayfly_kube.server_clock import OurClocks, ServerClock
from support.build import NOW

DATE = "Sun, 22 Nov 2026 10:00:00 GMT"
"""NOW, as an answer says it."""


@dataclass
class Wall:
    """A clock on the wall that is ahead by some seconds, and time that passes."""

    ahead: float = 0.0
    passed: float = 0.0

    @property
    def clocks(self) -> OurClocks:
        return OurClocks(
            now=lambda: NOW + timedelta(seconds=self.ahead + self.passed),
            steady=lambda: 1000.0 + self.passed,
        )


def test_it_is_as_far_ahead_as_ours_is_behind() -> None:
    server = ServerClock(Wall(ahead=-90.0).clocks)
    assert server.ahead is None
    server.hear(DATE)
    assert server.ahead == 90.0


def test_time_that_passes_changes_nothing() -> None:
    wall = Wall(ahead=-90.0)
    server = ServerClock(wall.clocks)
    server.hear(DATE)
    wall.passed = 3600.0
    assert server.ahead == 90.0


def test_ours_is_set_right_between_two_answers() -> None:
    wall = Wall(ahead=-7200.0)
    server = ServerClock(wall.clocks)
    server.hear(DATE)
    assert server.ahead == 7200.0
    wall.ahead, wall.passed = 0.0, 60.0
    assert server.ahead == 0.0


@pytest.mark.parametrize(
    "date",
    [
        pytest.param("today", id="no date"),
        pytest.param("Sun, 22 Nov 2026 10:00:00 -0000", id="without a zone"),
    ],
)
def test_what_is_no_date_says_nothing(date: str) -> None:
    server = ServerClock(Wall().clocks)
    server.hear(DATE)
    server.hear(date)
    assert server.ahead is None


def test_without_clocks_of_ours_nothing_is_known() -> None:
    server = ServerClock(None)
    server.hear(DATE)
    assert server.ahead is None


def test_an_answer_without_a_date_changes_nothing() -> None:
    server = ServerClock(Wall(ahead=-90.0).clocks)
    server.hear(DATE)
    server.hear(None)
    assert server.ahead == 90.0
