from datetime import UTC, datetime, timedelta

import pytest

from dayfly_cli.ends import Entry
from dayfly_cli.extension import By, Extension, Until, new_end
from dayfly_cli.terminal import Failed
from support.entries import NOW, at, entry, meta

HOUR = timedelta(hours=1)
LATER, PAST = "2026-11-22T18:00:00Z", "2026-11-22T08:00:00Z"
THEN = datetime(2026, 11, 22, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seen", "extension", "end"),
    [
        pytest.param(entry(meta(LATER)), By(HOUR), "2026-11-22T19:00:00Z", id="from its end"),
        pytest.param(entry(meta(PAST)), By(HOUR), "2026-11-22T11:00:00Z", id="from now if past"),
        pytest.param(
            entry(meta(LATER)), By(HOUR, from_now=True), "2026-11-22T11:00:00Z", id="from now"
        ),
        pytest.param(
            entry(meta()), By(HOUR, from_now=True), "2026-11-22T11:00:00Z", id="a first end"
        ),
        pytest.param(entry(meta(LATER)), Until(THEN), "2026-11-22T11:00:00Z", id="exactly then"),
        pytest.param(
            entry(meta("2026-11-22T18:00:00.25Z")),
            By(HOUR),
            "2026-11-22T19:00:01Z",
            id="never less than was asked for",
        ),
    ],
)
def test_new_end(seen: Entry, extension: Extension, end: str) -> None:
    assert new_end(seen, extension, NOW) == at(end)


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        pytest.param(entry(meta(ttl="never")), "--from now or --until", id="what never ends"),
        pytest.param(entry(meta("soon")), "no end of its own", id="an end nobody can read"),
        pytest.param(entry(meta("9999-12-31T23:30:00Z")), "year 9999", id="after all time"),
    ],
)
def test_nothing_to_extend(seen: Entry, said: str) -> None:
    with pytest.raises(Failed, match=said):
        new_end(seen, By(HOUR), NOW)
