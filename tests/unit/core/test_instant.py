from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dayfly_core import instant
from dayfly_core.instant import InvalidInstant

TEN = datetime(2026, 11, 22, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "want"),
    [
        pytest.param("2026-11-22T10:00:00Z", TEN, id="UTC"),
        pytest.param("2026-11-22t10:00:00z", TEN, id="lower case is allowed by the RFC"),
        pytest.param("2026-11-22 10:00:00Z", TEN, id="so is a blank"),
        pytest.param("2026-11-22T12:00:00+02:00", TEN, id="east of Greenwich"),
        pytest.param("2026-11-22T00:00:00-10:00", TEN, id="west of Greenwich"),
        pytest.param("2026-11-22T10:00:00.5Z", TEN.replace(microsecond=500_000), id="tenths"),
        pytest.param(
            "2026-11-22T10:00:00.123456789Z",
            TEN.replace(microsecond=123_456),
            id="digits after the microseconds are dropped",
        ),
        pytest.param("2028-02-29T00:00:00Z", datetime(2028, 2, 29, tzinfo=UTC), id="leap day"),
        pytest.param(
            "9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), id="the last"
        ),
    ],
)
def test_instants(text: str, want: datetime) -> None:
    assert instant.parse(text) == want
    assert instant.parse(text).tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("", "is empty", id="nothing is written"),
        pytest.param("2026-11-22T10:00:00", "has no offset from UTC", id="whose ten o'clock?"),
        pytest.param("2026-11-22", "is not an instant", id="a day is not an instant"),
        pytest.param("tomorrow", "is not an instant", id="words"),
        pytest.param("8h", "is not an instant", id="a length of time"),
        pytest.param("1763805600", "is not an instant", id="seconds since 1970"),
        pytest.param("2026-02-30T00:00:00Z", "is no date and time", id="30 February"),
        pytest.param("2026-13-01T00:00:00Z", "is no date and time", id="13th month"),
        pytest.param("2026-11-22T24:00:00Z", "is no date and time", id="hour 24"),
        pytest.param("2026-11-22T23:59:60Z", "is no date and time", id="leap second"),
        pytest.param("2026-11-22T10:00:00+25:00", "is no date and time", id="offset of a day"),
        pytest.param("0000-01-01T00:00:00Z", "is no date and time", id="year 0"),
        pytest.param("0001-01-01T00:00:00+01:00", "is no date and time", id="before year 1"),
        pytest.param("9999-12-31T23:59:59-01:00", "is no date and time", id="after year 9999"),
        pytest.param("10000-01-01T00:00:00Z", "is not an instant", id="year 10000"),
        pytest.param("2026-11-22T10:00:00Z\n", "is not an instant", id="line break at the end"),
        pytest.param(
            "\u0662026-11-22T10:00:00Z", "is not an instant", id="digit of another script"
        ),
        pytest.param("2026-11-22T10:00:00\x00Z", "is not an instant", id="control character"),
        pytest.param("2026-11-22T10:00:00." + "0" * 10_240 + "Z", "is not", id="10 KiB"),
    ],
)
def test_anything_else_is_refused_with_a_reason(text: str, problem: str) -> None:
    with pytest.raises(InvalidInstant) as caught:
        instant.parse(text)
    assert caught.value.detail.startswith(problem)
    assert caught.value.detail.endswith("; write for example 2026-11-22T10:00:00Z")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("moment", "want"),
    [
        pytest.param(TEN, "2026-11-22T10:00:00Z", id="no fraction where there is none"),
        pytest.param(
            TEN.replace(microsecond=120_000), "2026-11-22T10:00:00.12Z", id="a short fraction"
        ),
        pytest.param(
            TEN.astimezone(timezone(timedelta(hours=5))), "2026-11-22T10:00:00Z", id="into UTC"
        ),
        pytest.param(datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00Z", id="four digits"),
    ],
)
def test_rendering(moment: datetime, want: str) -> None:
    assert instant.render(moment) == want


def test_a_naive_time_has_no_place_on_the_line() -> None:
    with pytest.raises(ValueError, match="has no time zone"):
        instant.render(TEN.replace(tzinfo=None))


@given(st.datetimes(timezones=st.just(UTC)))
def test_what_is_rendered_reads_back(moment: datetime) -> None:
    assert instant.parse(instant.render(moment)) == moment


def outcome(text: str) -> datetime | InvalidInstant:
    try:
        return instant.parse(text)
    except InvalidInstant as error:
        return error


@given(st.text() | st.text(alphabet="0123456789-:TZtz+. "))
@example("\ud800")
def test_no_text_raises_anything_else(text: str) -> None:
    match outcome(text):
        case InvalidInstant() as refusal:
            assert str(refusal).isprintable()
        case moment:
            assert moment.tzinfo is UTC
