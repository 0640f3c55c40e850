"""When an Ephemerator's namespace ends."""

import re
from calendar import monthrange
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly_core import api
from dayfly_core.ephemerator import InvalidLifetime, Months, deadline
from dayfly_core.lifetime import first_shown
from support.originals import README_DURATION, README_UNTIL, UNTIL, loaded

CREATED = datetime(2026, 1, 31, 10, 30, 0, tzinfo=UTC)


def spec(**lifetime: Any) -> api.EphemeratorSpec:
    fields = {"namespaceToWatch": "team-a", "lifetime": lifetime}
    return msgspec.convert(fields, api.EphemeratorSpec)


def until(date: str, time: str, timezone: str) -> api.EphemeratorSpec:
    return spec(until={"date": date, "time": time, "timezone": timezone})


def ends(duration: dict[str, int], months: Months = Months.CALENDAR) -> str:
    return deadline(spec(duration=duration), CREATED, months).isoformat()


@pytest.mark.parametrize(
    ("duration", "end"),
    [
        pytest.param({"seconds": 90}, "2026-01-31T10:31:30", id="seconds count, as their code had"),
        pytest.param({"minutes": 7}, "2026-01-31T10:37:00", id="minutes"),
        pytest.param({"hours": 25}, "2026-02-01T11:30:00", id="hours"),
        pytest.param({"days": 1, "hours": 0}, "2026-02-01T10:30:00", id="a unit may be nothing"),
        pytest.param({"weeks": 2}, "2026-02-14T10:30:00", id="weeks"),
        pytest.param({"months": 1}, "2026-02-28T10:30:00", id="a month from the 31st: its last"),
        pytest.param({"months": 2}, "2026-03-31T10:30:00", id="two months: the 31st again"),
        pytest.param({"months": 25}, "2028-02-29T10:30:00", id="a leap year"),
        pytest.param({"years": 1}, "2027-01-31T10:30:00", id="a year: the same day"),
        pytest.param({"months": 1, "days": 1}, "2026-03-01T10:30:00", id="months first, then days"),
    ],
)
def test_p2_a_duration_counts_from_the_creation_by_the_calendar(
    duration: dict[str, int], end: str
) -> None:
    assert ends(duration) == f"{end}+00:00"


@pytest.mark.parametrize(
    ("duration", "days"),
    [
        pytest.param({"months": 1}, 28, id="a month has 28 days"),
        pytest.param({"years": 1}, 364, id="a year has 364"),
        pytest.param({"years": 1, "months": 2, "weeks": 1}, 427, id="and they add up"),
    ],
)
def test_p2_counted_as_ephemerate_does(duration: dict[str, int], days: int) -> None:
    assert ends(duration, Months.COMPAT) == (CREATED + timedelta(days=days)).isoformat()


def sample(text: str) -> api.EphemeratorSpec:
    return msgspec.convert(loaded(text)["spec"], api.EphemeratorSpec)


def test_ap1_the_first_sample_of_the_readme_with_the_codes_arithmetic() -> None:
    length = timedelta(weeks=63, days=4, hours=5, minutes=6)
    assert deadline(sample(README_DURATION), CREATED, Months.COMPAT) == CREATED + length
    assert ends({"years": 1, "months": 2, "weeks": 3, "days": 4, "hours": 5, "minutes": 6}) == (
        "2027-04-25T15:36:00+00:00"
    )


def test_ap2_the_second_sample_of_the_readme_is_an_instant() -> None:
    end = deadline(sample(README_UNTIL), CREATED, Months.CALENDAR)
    assert end == datetime(2021, 11, 25, 19, 0, tzinfo=UTC)


def test_ap6_a_date_without_quotes_is_a_date() -> None:
    end = deadline(sample(UNTIL), CREATED, Months.CALENDAR)
    assert end == datetime(2021, 11, 27, 5, 20, tzinfo=UTC)


@pytest.mark.parametrize("age", [timedelta(), timedelta(days=3), timedelta(days=400)])
def test_p1_an_until_is_the_same_instant_however_late_it_is_looked_at(age: timedelta) -> None:
    wanted = until("2026-11-26", "22:20:00", "America/Phoenix")
    end = deadline(wanted, CREATED + age, Months.CALENDAR)
    assert end == datetime(2026, 11, 27, 5, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "end"),
    [
        pytest.param(
            ("2026-11-26", "12:00", "Europe/Berlin"), "2026-11-26T11:00:00", id="without seconds"
        ),
        pytest.param(("2026-7-1", "9:05:00", "UTC"), "2026-07-01T09:05:00", id="one digit each"),
        pytest.param(
            ("2026-11-26", "12:00:00", "america/phoenix"), "2026-11-26T19:00:00", id="any case"
        ),
        pytest.param(
            ("2027-03-28", "02:30:00", "Europe/Berlin"),
            "2027-03-28T01:00:00",
            id="P12: a time that the clocks skip comes when they have skipped it",
        ),
        pytest.param(
            ("2026-10-25", "02:30:00", "Europe/Berlin"),
            "2026-10-25T00:30:00",
            id="P12: of a time that they show twice it is the first",
        ),
        pytest.param(
            ("2026-10-04", "02:15:00", "Australia/Lord_Howe"),
            "2026-10-03T15:30:00",
            id="P12: a change of half an hour",
        ),
        pytest.param(
            ("2011-12-30", "12:00:00", "Pacific/Apia"),
            "2011-12-30T10:00:00",
            id="P12: a day that Samoa does not have",
        ),
    ],
)
def test_an_until_is_what_the_clocks_of_the_zone_show(
    written: tuple[str, str, str], end: str
) -> None:
    assert deadline(until(*written), CREATED, Months.CALENDAR).isoformat() == f"{end}+00:00"


DURATION_WORDS = "must be some time: one or more of years"
EITHER_WORDS = "takes either duration or until"


@pytest.mark.parametrize(
    ("lifetime", "field", "words"),
    [
        pytest.param({}, "duration", EITHER_WORDS, id="P11: neither"),
        pytest.param(
            {
                "duration": {"hours": 1},
                "until": {"date": "2026-11-26", "time": "12:00:00", "timezone": "UTC"},
            },
            "duration",
            EITHER_WORDS,
            id="P11: both",
        ),
        pytest.param({"duration": {}}, "duration", DURATION_WORDS, id="P11: an empty duration"),
        pytest.param(
            {"duration": {"hours": 0, "days": 0}}, "duration", DURATION_WORDS, id="P11: nothing"
        ),
    ],
)
def test_no_end_follows_from_such_a_lifetime(
    lifetime: dict[str, Any], field: str, words: str
) -> None:
    with pytest.raises(InvalidLifetime, match=words) as caught:
        deadline(spec(**lifetime), CREATED, Months.CALENDAR)
    assert caught.value.field == f"spec.lifetime.{field}"


@pytest.mark.parametrize(
    ("duration", "words"),
    [
        pytest.param({"minutes": -1}, ">= 0 - at `$.lifetime.duration.minutes`", id="negative"),
        pytest.param({"years": 101}, "<= 100 - at `$.lifetime.duration.years`", id="an age"),
        pytest.param({"hours": 1.5}, "Expected `int`", id="a fraction"),
        pytest.param({"hours": "8"}, "Expected `int`", id="text"),
    ],
)
def test_p11_such_a_duration_cannot_be_read(duration: dict[str, Any], words: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=re.escape(words)):
        spec(duration=duration)


@pytest.mark.parametrize("months", Months)
def test_an_end_beyond_the_calendar_is_none(months: Months) -> None:
    late = datetime(9990, 1, 1, tzinfo=UTC)
    with pytest.raises(InvalidLifetime, match="ends after the year 9999"):
        deadline(spec(duration={"years": 100}), late, months)


ZONE_WORDS = "is no IANA time zone; write for example America/Phoenix"
DATE_WORDS = "must be a day, for example 2026-11-26"
TIME_WORDS = "must be a time of day, 24 hours, for example 22:20:00"


@pytest.mark.parametrize(
    ("written", "field", "words"),
    [
        pytest.param(("2026-11-26", "12:00:00", "Phoenix"), "timezone", ZONE_WORDS, id="no zone"),
        pytest.param(("2026-11-26", "12:00:00", " "), "timezone", ZONE_WORDS, id="a blank zone"),
        pytest.param(("2026-11-26", "12:00:00", "MST+7"), "timezone", ZONE_WORDS, id="an offset"),
        pytest.param(
            ("2026-11-26", "12:00:00", "../../etc/passwd"), "timezone", ZONE_WORDS, id="a path"
        ),
        pytest.param(
            ("2026-11-26", "12:00:00", "localtime"),
            "timezone",
            ZONE_WORDS,
            id="what differs from machine to machine",
        ),
        pytest.param(
            ("2026-11-26", "12:00:00", "factory"), "timezone", ZONE_WORDS, id="a zone of nowhere"
        ),
        pytest.param(("26.11.2026", "12:00:00", "UTC"), "date", DATE_WORDS, id="a German date"),
        pytest.param(("2026-02-30", "12:00:00", "UTC"), "date", DATE_WORDS, id="no such day"),
        pytest.param(("0000-01-01", "12:00:00", "UTC"), "date", DATE_WORDS, id="the year 0"),
        pytest.param(("٢٠٢٦-11-26", "12:00:00", "UTC"), "date", DATE_WORDS, id="other digits"),
        pytest.param(("2026-11-26", "24:00:00", "UTC"), "time", TIME_WORDS, id="midnight as 24"),
        pytest.param(("2026-11-26", "12:00:60", "UTC"), "time", TIME_WORDS, id="a leap second"),
        pytest.param(("2026-11-26", "10pm", "UTC"), "time", TIME_WORDS, id="half a clock"),
        pytest.param(
            ("9999-12-31", "23:59:59", "Pacific/Honolulu"),
            "date",
            "is beyond the calendar",
            id="a day after the last one",
        ),
    ],
)
def test_no_instant_follows_from_such_an_until(
    written: tuple[str, str, str], field: str, words: str
) -> None:
    with pytest.raises(InvalidLifetime, match=words) as caught:
        deadline(until(*written), CREATED, Months.CALENDAR)
    assert caught.value.field == f"spec.lifetime.until.{field}"


ZONES = st.sampled_from(
    [
        "Europe/Berlin", "America/Phoenix", "America/New_York", "Australia/Lord_Howe", "UTC",
        "Pacific/Apia", "Asia/Kathmandu", "America/St_Johns", "Africa/Casablanca", "Europe/Dublin",
    ]
).map(ZoneInfo)  # fmt: skip
MOMENTS = st.integers(200_000_000, 4_000_000_000).map(
    lambda seconds: datetime.fromtimestamp(seconds, UTC)
)
CLOCKS = MOMENTS.map(lambda moment: moment.replace(tzinfo=None))


def shown(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)


@given(CLOCKS, ZONES)
def test_the_clocks_show_that_time_and_did_not_before(clocks: datetime, zone: ZoneInfo) -> None:
    end = first_shown(clocks, zone)
    before = [shown(end - timedelta(seconds=back), zone) for back in (1, 1800, 3600, 86400)]
    assert shown(end, zone) >= clocks
    assert all(earlier < clocks for earlier in before[:1])
    assert clocks not in before


@pytest.mark.parametrize("second", [0, 1, 2, 3, 1799, 1800, 3598, 3599])
def test_p12_every_second_that_the_clocks_skip_comes_when_they_have(second: int) -> None:
    clocks = datetime(2027, 3, 28, 2) + timedelta(seconds=second)  # noqa: DTZ001 (clocks on a wall)
    assert first_shown(clocks, ZoneInfo("Europe/Berlin")) == datetime(2027, 3, 28, 1, tzinfo=UTC)


@given(MOMENTS, ZONES)
def test_an_instant_that_clocks_show_is_found_again(instant: datetime, zone: ZoneInfo) -> None:
    found = first_shown(shown(instant, zone), zone)
    assert shown(found, zone) == shown(instant, zone)
    assert found <= instant


@given(
    MOMENTS,
    st.integers(1, 1200),
)
def test_months_keep_the_day_or_take_the_last(created: datetime, months: int) -> None:
    end = deadline(spec(duration={"months": months}), created, Months.CALENDAR)
    assert (end.year - created.year) * 12 + end.month - created.month == months
    assert end.day == min(created.day, monthrange(end.year, end.month)[1])
    assert end.timetz() == created.timetz()


@given(st.integers(0, 99), st.integers(0, 1199), st.integers(1, 5219), st.sampled_from(Months))
def test_a_longer_duration_ends_no_sooner(
    years: int, months: int, weeks: int, counted: Months
) -> None:
    short = {"years": years, "months": months, "weeks": weeks}
    for unit, count in short.items():
        longer = {**short, unit: count + 1}
        assert ends(short, counted) < ends(longer, counted)
