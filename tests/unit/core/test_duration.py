from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dayfly_core import duration
from dayfly_core.duration import InvalidDuration

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("text", "want"),
    [
        pytest.param("90s", 90 * SECOND, id="seconds may exceed a minute"),
        pytest.param("8h", 8 * HOUR, id="hours"),
        pytest.param("1d12h", 36 * HOUR, id="days and hours"),
        pytest.param("2w", 14 * DAY, id="weeks"),
        pytest.param("1w1d1h1m1s", 8 * DAY + HOUR + 61 * SECOND, id="every unit in order"),
        pytest.param("0s", timedelta(), id="nothing at all is a length"),
        pytest.param("007h", 7 * HOUR, id="leading zeros mean nothing"),
        pytest.param("36500d", 36_500 * DAY, id="a hundred years on the dot"),
        pytest.param("P2W", 14 * DAY, id="ISO weeks"),
        pytest.param("P1DT12H", 36 * HOUR, id="ISO days and hours"),
        pytest.param("PT1M", 60 * SECOND, id="M after T is minutes"),
        pytest.param("PT90S", 90 * SECOND, id="ISO seconds"),
        pytest.param("P1D", DAY, id="ISO days alone"),
    ],
)
def test_lengths_of_time(text: str, want: timedelta) -> None:
    assert duration.parse(text) == want


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("", "is empty", id="nothing is written"),
        pytest.param("   ", "is empty", id="only blanks are written"),
        pytest.param("5", "has no unit", id="a bare number could mean anything"),
        pytest.param("-1h", "is negative", id="time does not run backwards"),
        pytest.param("1.5h", "has a fraction", id="fractions have another unit below"),
        pytest.param("1,5h", "has a fraction", id="a comma is a fraction too"),
        pytest.param("8H", "has a unit in upper case", id="compact units are lower case"),
        pytest.param("8 h", "contains white space", id="blank inside"),
        pytest.param("8h\n", "contains white space", id="line break at the end"),
        pytest.param("1h1d", "repeats a unit or has them out of order", id="hours before days"),
        pytest.param("1h1h", "repeats a unit or has them out of order", id="hours twice"),
        pytest.param("1y", "counts in months or years", id="compact years"),
        pytest.param("3mo", "counts in months or years", id="compact months"),
        pytest.param("P1Y", "counts in months or years", id="ISO years"),
        pytest.param("P1M", "counts in months or years", id="M before T is months"),
        pytest.param("P1M2D", "counts in months or years", id="ISO months and days"),
        pytest.param("P", "is not a length of time", id="P alone"),
        pytest.param("PT", "is not a length of time", id="PT alone"),
        pytest.param("P1DT", "is not a length of time", id="T with nothing after it"),
        pytest.param("P1W2D", "is not a length of time", id="ISO weeks stand alone"),
        pytest.param("h", "is not a length of time", id="a unit without number"),
        pytest.param("\x00", "is not a length of time", id="a control character"),
        pytest.param("\u0661h", "is not a length of time", id="a digit of another script"),
        pytest.param("never", "is not a length of time", id="never is no length"),
        pytest.param("36500d1s", "is longer than 100 years", id="a second too long"),
        pytest.param("9999999w", "is longer than 100 years", id="weeks beyond every calendar"),
        pytest.param("9999999999w", "is longer than 100 years", id="as many weeks as fit"),
        pytest.param("9" * 11 + "s", "has a number of more than ten digits", id="eleven digits"),
        pytest.param("8h" * 5_120, "is 10240 characters long", id="10 KiB"),
    ],
)
def test_anything_else_is_refused_with_a_reason(text: str, problem: str) -> None:
    with pytest.raises(InvalidDuration) as caught:
        duration.parse(text)
    assert caught.value.detail.startswith(problem)
    assert caught.value.detail.endswith("; write for example 90s, 8h, 1d12h, 2w or P1DT12H")


def test_the_sentence_names_what_was_written() -> None:
    with pytest.raises(InvalidDuration) as caught:
        duration.parse("5")
    assert str(caught.value) == ("'5' has no unit; write for example 90s, 8h, 1d12h, 2w or P1DT12H")


def test_the_sentence_stays_short_and_visible() -> None:
    with pytest.raises(InvalidDuration) as caught:
        duration.parse("\x1b[31m" + "x" * 10_000)
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("text", "want"),
    [
        pytest.param("never", None, id="never is no end"),
        pytest.param("8h", 8 * HOUR, id="a length of time"),
    ],
)
def test_time_to_live(text: str, want: timedelta | None) -> None:
    assert duration.parse_ttl(text) == want


@pytest.mark.parametrize("text", ["0s", "0w", "PT0S", "Never", "5"])
def test_impossible_time_to_live(text: str) -> None:
    with pytest.raises(InvalidDuration):
        duration.parse_ttl(text)


@pytest.mark.parametrize(
    ("delta", "want"),
    [
        pytest.param(timedelta(), "0s", id="nothing"),
        pytest.param(36 * HOUR, "1d12h", id="days and hours"),
        pytest.param(7 * DAY, "7d", id="days, also where a week is whole"),
        pytest.param(90 * SECOND, "1m30s", id="minutes and seconds"),
        pytest.param(timedelta(seconds=1.9), "1s", id="fractions are dropped"),
        pytest.param(timedelta(seconds=0.9), "0s", id="less than a second is nothing"),
        pytest.param(-36 * HOUR, "-1d12h", id="the past has a sign"),
        pytest.param(timedelta(seconds=-0.9), "0s", id="nothing has no sign"),
    ],
)
def test_rendering(delta: timedelta, want: str) -> None:
    assert duration.render(delta) == want


whole_seconds = st.integers(0, duration.LONGEST // SECOND).map(lambda n: timedelta(seconds=n))


@given(whole_seconds)
def test_what_is_rendered_reads_back(delta: timedelta) -> None:
    assert duration.parse(duration.render(delta)) == delta


@given(whole_seconds)
def test_rendering_is_canonical(delta: timedelta) -> None:
    text = duration.render(delta)
    assert duration.render(duration.parse(text)) == text


def outcome(text: str) -> timedelta | InvalidDuration:
    try:
        return duration.parse(text)
    except InvalidDuration as error:
        return error


@given(st.text() | st.text(alphabet="0123456789wdhmsPTYMWDHS.,- \n"))
@example("\ud800")
@example("P" + "9" * 30 + "D")
def test_no_text_raises_anything_else(text: str) -> None:
    match outcome(text):
        case InvalidDuration() as refusal:
            assert str(refusal).isprintable()
        case delta:
            assert timedelta() <= delta <= duration.LONGEST
