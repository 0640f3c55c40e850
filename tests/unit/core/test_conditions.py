from datetime import UTC, datetime, timedelta

import pytest

from dayfly_core.api import ConditionStatus, StatusCondition
from dayfly_core.conditions import with_condition

NOON = datetime(2026, 11, 22, 12, 0, 0, 123_456, tzinfo=UTC)
READY = StatusCondition(
    type="Ready",
    status=ConditionStatus.TRUE,
    reason="Active",
    message="in force",
    last_transition_time="2026-11-22T10:00:00Z",
    observed_generation=1,
)
STUCK = StatusCondition(
    type="Stuck",
    status=ConditionStatus.FALSE,
    reason="Active",
    last_transition_time="2026-11-22T11:00:00Z",
)


def ready(status: ConditionStatus, reason: str, generation: int = 1) -> list[StatusCondition]:
    return with_condition(
        [READY, STUCK],
        "Ready",
        (status, reason, "in force"),
        generation=generation,
        now=NOON,
    )


@pytest.mark.parametrize(
    ("got", "since"),
    [
        pytest.param(
            ready(ConditionStatus.TRUE, "Suspended"),
            "2026-11-22T10:00:00Z",
            id="another reason is no transition",
        ),
        pytest.param(
            ready(ConditionStatus.TRUE, "Active", generation=2),
            "2026-11-22T10:00:00Z",
            id="another generation is no transition",
        ),
        pytest.param(
            ready(ConditionStatus.FALSE, "Active"),
            "2026-11-22T12:00:00Z",
            id="another status is a transition, in whole seconds",
        ),
    ],
)
def test_when_the_status_last_changed(got: list[StatusCondition], since: str) -> None:
    assert [condition.type for condition in got] == ["Ready", "Stuck"]
    assert got[0].last_transition_time == since


def test_the_same_again_changes_nothing() -> None:
    assert ready(ConditionStatus.TRUE, "Active") == [READY, STUCK]


def test_a_new_condition_comes_last() -> None:
    got = with_condition(
        [STUCK],
        "Ready",
        (ConditionStatus.UNKNOWN, "Active", ""),
        generation=3,
        now=NOON + timedelta(seconds=1),
    )
    assert got[0] == STUCK
    assert got[1].last_transition_time == "2026-11-22T12:00:01Z"
    assert got[1].observed_generation == 3
