"""When something whose end has come, and that may not end yet, is looked at again."""

from datetime import timedelta

import pytest

from dayfly_core.recheck import recheck
from support.build import NOW


@pytest.mark.parametrize(
    ("overdue", "wait"),
    [
        pytest.param(0, 5, id="due just now: soon"),
        pytest.param(-3600, 5, id="due later by another clock: soon"),
        pytest.param(5, 5, id="the second look: soon"),
        pytest.param(12, 12, id="then after as long as it is due"),
        pytest.param(60, 60, id="a minute: after a minute"),
        pytest.param(86400, 60, id="a day: still each minute"),
    ],
)
def test_what_may_not_end_is_looked_at_again(overdue: float, wait: float) -> None:
    due = NOW - timedelta(seconds=overdue)
    assert recheck(due, NOW) == NOW + timedelta(seconds=wait)
