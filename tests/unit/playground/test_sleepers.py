from datetime import datetime, timedelta

import pytest

from playground.sleepers import FIVE, is_extended
from support.build import NOW, SECOND

BEFORE = NOW
IN_TIME, LATE = BEFORE - SECOND, BEFORE + 2.4 * SECOND


@pytest.mark.parametrize(
    ("answered", "seconds", "as_told"),
    [
        pytest.param(IN_TIME, 5, True, id="five more than it had"),
        pytest.param(IN_TIME, 0, False, id="the end that it had"),
        pytest.param(IN_TIME, 4, False, id="less"),
        pytest.param(IN_TIME, 6, False, id="more than was asked for"),
        pytest.param(LATE, 8, True, id="five from now, as the end has passed"),
        pytest.param(LATE, 5, True, id="asked just before the end, answered later"),
        pytest.param(LATE, 4, False, id="less than from the end that has passed"),
        pytest.param(LATE, 9, False, id="more than from now"),
        pytest.param(LATE, 3600, False, id="as long as the policy allows"),
    ],
)
def test_an_end_is_moved_by_what_was_asked_for(
    answered: datetime, seconds: int, *, as_told: bool
) -> None:
    end = BEFORE + timedelta(seconds=seconds)
    assert is_extended(BEFORE, end, FIVE, answered) is as_told
