"""When a breaker opens, what closes it, and what it tells."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly_core import breaker, names
from dayfly_core.breaker import Closed, Load, Open, Standing
from dayfly_core.objects import ObjectMeta

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
SECOND = timedelta(seconds=1)
EARLIER = NOW - 300 * SECOND
NEVER_OPENED = Standing()


@pytest.mark.parametrize(
    ("ends", "objects", "opens"),
    [
        pytest.param(0, 0, False, id="a policy without objects"),
        pytest.param(50, 10_000, False, id="as many as may pass in a minute"),
        pytest.param(51, 10_000, True, id="one more than may pass in a minute"),
        pytest.param(9, 9, False, id="few, though they are all there are"),
        pytest.param(10, 10, True, id="no longer few, and all there are"),
        pytest.param(10, 33, True, id="a third"),
        pytest.param(10, 34, False, id="a little less than a third"),
        pytest.param(15, 50, True, id="three in ten exactly"),
        pytest.param(10, 0, True, id="a list that lost its objects does not hide them"),
    ],
)
def test_how_many_surprises_open_it(ends: int, objects: int, opens: bool) -> None:
    found = breaker.judge(Load(ends, objects), NEVER_OPENED, NOW)
    assert found == (Open(NOW) if opens else Closed())


@pytest.mark.parametrize(
    ("load", "standing", "expected"),
    [
        pytest.param(Load(1, 900), Standing(EARLIER), Open(EARLIER), id="few left: stays open"),
        pytest.param(Load(0, 0), Standing(EARLIER), Open(EARLIER), id="an empty list: stays open"),
        pytest.param(
            Load(0, 0, NOW - breaker.QUIET + SECOND),
            Standing(EARLIER),
            Open(EARLIER),
            id="not empty for long",
        ),
        pytest.param(
            Load(0, 0, NOW - breaker.QUIET), Standing(EARLIER), Closed(), id="empty for long"
        ),
        pytest.param(
            Load(3, 900), Standing(EARLIER, EARLIER + SECOND), Closed(), id="reset after it opened"
        ),
        pytest.param(
            Load(3, 900), Standing(EARLIER, EARLIER), Closed(), id="reset in the same second"
        ),
        pytest.param(
            Load(3, 900),
            Standing(EARLIER, EARLIER - SECOND),
            Open(EARLIER),
            id="a reset from before it opened",
        ),
        pytest.param(
            Load(60, 900),
            Standing(EARLIER, NOW - SECOND),
            Open(NOW),
            id="reset, and as many again that nobody has confirmed",
        ),
        pytest.param(
            Load(60, 900),
            Standing(None, NOW + 60 * SECOND),
            Open(NOW + 61 * SECOND),
            id="reset into the future, and as many again after that",
        ),
    ],
)
def test_what_keeps_it_open_and_what_closes_it(
    load: Load, standing: Standing, expected: Open | Closed
) -> None:
    assert breaker.judge(load, standing, NOW) == expected


def test_a_new_leader_does_not_take_an_old_reset_for_a_new_one() -> None:
    standing = Standing(None, NOW + 60 * SECOND)
    opened = breaker.judge(Load(60, 900), standing, NOW)
    assert isinstance(opened, Open)
    taken_over = Standing(opened.since, standing.reset_at)
    assert breaker.judge(Load(1, 900), taken_over, NOW + SECOND) == opened


@given(
    ends=st.integers(0, 200),
    objects=st.integers(0, 1000),
    seconds=st.integers(0, 10**6),
    reset=st.none() | st.integers(-(10**6), -1),
)
def test_without_a_reset_it_never_closes_while_there_is_something_to_hold(
    ends: int, objects: int, seconds: int, reset: int | None
) -> None:
    reset_at = None if reset is None else NOW + reset * SECOND
    found = breaker.judge(Load(ends, objects), Standing(NOW, reset_at), NOW + seconds * SECOND)
    assert found == Open(NOW)


@pytest.mark.parametrize(
    ("due", "reset_at", "expected"),
    [
        pytest.param(NOW, None, True, id="due"),
        pytest.param(EARLIER, None, True, id="overdue: held back"),
        pytest.param(NOW + breaker.WINDOW, None, True, id="due in a minute"),
        pytest.param(NOW + breaker.WINDOW + SECOND, None, False, id="due later"),
        pytest.param(NOW, NOW, False, id="confirmed"),
        pytest.param(NOW + SECOND, NOW, True, id="due after what was confirmed"),
    ],
)
def test_which_ends_count(due: datetime, reset_at: datetime | None, expected: bool) -> None:
    assert breaker.counts([due], reset_at, NOW) is expected


def test_an_object_counts_if_any_of_its_ends_does() -> None:
    assert breaker.counts([EARLIER, NOW + SECOND], NOW, NOW)
    assert not breaker.counts([], None, NOW)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("2026-11-22T10:00:00Z", NOW, id="an instant"),
        pytest.param("2026-11-22T11:00:00+01:00", NOW, id="an instant with its offset"),
        pytest.param("now", None, id="a word"),
        pytest.param("", None, id="nothing"),
        pytest.param(None, None, id="no annotation"),
    ],
)
def test_how_a_reset_is_read(text: str | None, expected: datetime | None) -> None:
    annotations = None if text is None else {names.BREAKER_RESET: text}
    assert breaker.reset_of(ObjectMeta(annotations=annotations)) == expected


@pytest.mark.parametrize(
    ("first", "held", "expected"),
    [
        pytest.param(["a"], 1, "left alone: a;", id="one"),
        pytest.param(["a", "b", "c"], 3, "left alone: a, b, c;", id="as many as are named"),
        pytest.param(list("abcde"), 60, "left alone: a, b, c and 57 more;", id="more"),
    ],
)
def test_whom_the_sentence_names(first: list[str], held: int, expected: str) -> None:
    said = breaker.sentence("previews", held, 80, first)
    assert said.startswith(f"{held} of 80 objects would end within a minute")
    assert expected in said
    assert said.endswith("dayfly breaker reset previews")


def test_the_sentence_counts_no_more_than_there_are() -> None:
    assert breaker.sentence("previews", 60, 2, ["a"]).startswith("60 of 60 objects")


def test_the_sentence_when_nothing_is_left() -> None:
    said = breaker.sentence("previews", 0, 80, [])
    assert said.startswith("nothing is held back any more; the breaker closes 10 minutes after")
