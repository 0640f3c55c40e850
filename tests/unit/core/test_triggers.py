"""Conditions: since when each holds, or when to ask again."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly_core.triggers import (
    FIRST,
    LAST,
    Answer,
    Checks,
    Condition,
    Facts,
    Met,
    NotYet,
    PodsSucceed,
    Ttl,
    Until,
    ask,
    checked,
    shifted,
)
from support.build import HOUR, NOW, SECOND

OLD = Facts(created=NOW - HOUR)

TIMES = [
    pytest.param(Ttl(HOUR), OLD, Met(NOW), id="a time to live that is over this very instant"),
    pytest.param(Ttl(2 * HOUR), OLD, NotYet(NOW + HOUR), id="a time to live that goes on"),
    pytest.param(Ttl(HOUR), Facts(), NotYet(), id="a target that is not there has no age"),
    pytest.param(Ttl(HOUR, NOW - 3 * HOUR), Facts(), Met(NOW - 2 * HOUR), id="from an instant"),
    pytest.param(Until(NOW), Facts(), Met(NOW), id="an instant that is now"),
    pytest.param(Until(NOW + SECOND), Facts(), NotYet(NOW + SECOND), id="an instant to come"),
]


@pytest.mark.parametrize(("condition", "facts", "want"), TIMES)
def test_conditions_of_time(condition: Condition, facts: Facts, want: Answer) -> None:
    assert ask(condition, facts, NOW) == want


def pods(*phases: str, age: timedelta = HOUR, checks: Checks | None = None) -> Facts:
    return Facts(NOW - age, {"p": phases}, {"p": checks} if checks else {})


def once(streak: int, empty: int = 0, ago: timedelta = 10 * SECOND) -> Checks:
    return Checks(NOW - HOUR, NOW - ago, streak, empty)


ONE = PodsSucceed(60 * SECOND, 10 * SECOND, name="p")
THREE = PodsSucceed(60 * SECOND, 10 * SECOND, 3, name="p")
SOON = NotYet(NOW + 10 * SECOND)

PODS = [
    pytest.param(ONE, pods("Succeeded", "Succeeded"), Met(NOW), id="all have succeeded"),
    pytest.param(ONE, pods("Succeeded", "Running"), SOON, id="one still runs"),
    pytest.param(ONE, pods("Failed"), SOON, id="one has failed: false without limit"),
    pytest.param(ONE, pods("Pending"), SOON, id="one is pending"),
    pytest.param(
        ONE, pods("Succeeded", age=50 * SECOND), SOON, id="before the initial delay is over"
    ),
    pytest.param(ONE, Facts(NOW - HOUR), NotYet(NOW), id="not looked at: look now"),
    pytest.param(ONE, Facts(), NotYet(), id="there is no target"),
    pytest.param(ONE, pods(), SOON, id="no pods, seen once: an empty list alone is no reason"),
    pytest.param(ONE, pods(checks=once(1, 1)), Met(NOW), id="no pods, twice in a row"),
    pytest.param(
        ONE, pods(checks=once(1)), SOON, id="no pods any more, after one check that saw some"
    ),
    pytest.param(
        ONE, pods(checks=once(1, 1, 9 * SECOND)), NotYet(NOW + SECOND),
        id="no pods, but the second check comes too early",
    ),
    pytest.param(THREE, pods("Succeeded", checks=once(2)), Met(NOW), id="the third of three"),
    pytest.param(THREE, pods("Succeeded", checks=once(1)), SOON, id="the second of three"),
    pytest.param(THREE, pods(checks=once(1, 1)), SOON, id="no pods twice, of three"),
    pytest.param(THREE, pods(checks=once(2, 2)), Met(NOW), id="no pods three times, of three"),
    pytest.param(
        THREE, pods("Running", checks=once(2)), SOON, id="a failure begins the count anew"
    ),
    pytest.param(
        ONE, Facts(NOW - HOUR, {}, {"p": once(5)}), NotYet(NOW),
        id="earlier successes do not stand for looking now",
    ),
    pytest.param(
        ONE, Facts(NOW - HOUR, {}, {"p": once(5, 5)}), NotYet(NOW),
        id="nor do earlier looks that found nothing",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "facts", "want"), PODS)
def test_pods_have_succeeded(condition: PodsSucceed, facts: Facts, want: Answer) -> None:
    assert ask(condition, facts, NOW) == want


COUNTED = [
    pytest.param(Facts(NOW), Checks(), id="pods that were not read are no check"),
    pytest.param(pods("Succeeded"), Checks(NOW, NOW, 1), id="the first"),
    pytest.param(pods(), Checks(NOW, NOW, 1, 1), id="the first, empty"),
    pytest.param(pods("Failed"), Checks(NOW, NOW), id="a failure"),
    pytest.param(
        pods("Succeeded", checks=once(3, 3)), Checks(NOW - HOUR, NOW, 4), id="pods after none"
    ),
    pytest.param(
        pods("Failed", checks=once(3, 0, SECOND)), Checks(NOW - HOUR, NOW),
        id="a failure counts, however early",
    ),
    pytest.param(
        pods("Succeeded", checks=once(3, 0, SECOND)), once(3, 0, SECOND),
        id="a success that is too early does not",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("facts", "want"), COUNTED)
def test_checks_are_counted(facts: Facts, want: Checks) -> None:
    assert checked(ONE, facts, NOW) == want


@given(phases=st.lists(st.sampled_from(["Succeeded", "Running", "Failed"]), max_size=3))
def test_one_look_at_no_pods_is_never_enough(phases: Sequence[str]) -> None:
    checks = checked(ONE, pods(*phases, checks=once(0)), NOW)
    later = Facts(NOW - HOUR, {"p": ()}, {"p": checks})
    answer = ask(ONE, later, NOW + 10 * SECOND)
    assert isinstance(answer, Met) == (not phases)


SHIFTS = [
    pytest.param(NOW, -HOUR, NOW - HOUR, id="before"),
    pytest.param(LAST, HOUR, LAST, id="not after the last instant of the calendar"),
    pytest.param(datetime(1, 1, 1, tzinfo=UTC), -HOUR, FIRST, id="not before the first"),
]


@pytest.mark.parametrize(("moment", "by", "want"), SHIFTS)
def test_adding_stops_at_the_ends_of_the_calendar(
    moment: datetime, by: timedelta, want: datetime
) -> None:
    assert shifted(moment, by) == want
