"""What is decided when two clocks disagree."""

from datetime import timedelta

import pytest

from dayfly_core import clock
from support.build import NOW

DAY = 86400.0


@pytest.mark.parametrize(
    ("ahead", "later"),
    [
        pytest.param(None, 0, id="before the API server has said anything, ours counts"),
        pytest.param(0.0, 0, id="they agree"),
        pytest.param(-29.0, 0, id="ours is a little ahead, as far as one can tell"),
        pytest.param(-DAY, -DAY, id="ours is a day ahead: the API server's counts"),
        pytest.param(DAY, 0, id="the API server's is a day ahead: ours counts"),
    ],
)
def test_the_earlier_clock_counts(ahead: float | None, later: float) -> None:
    assert clock.prudent(NOW, ahead) == NOW + timedelta(seconds=later)


@pytest.mark.parametrize(
    ("ahead", "later"),
    [
        pytest.param(None, 0, id="before the API server has said anything, ours counts"),
        pytest.param(29.0, 0, id="ours is a little behind, as far as one can tell"),
        pytest.param(-29.0, 0, id="or a little ahead"),
        pytest.param(-DAY, -DAY, id="ours is a day ahead: the API server's counts"),
        pytest.param(DAY, DAY, id="the API server's is a day ahead: it counts all the same"),
    ],
)
def test_ends_are_counted_from_the_clock_that_all_know(ahead: float | None, later: float) -> None:
    assert clock.shared(NOW, ahead) == NOW + timedelta(seconds=later)
