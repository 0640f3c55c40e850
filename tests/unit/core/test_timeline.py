"""Steps, their names, since when they are known, and their record."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly_core import timeline
from dayfly_core.lifecycle import Record, Result
from dayfly_core.timeline import Ledger, Sightings, known_since
from support.build import HOUR, NOW, in_
from support.timelines import a_step

NAMES = [
    pytest.param("NOTIFY@-1h", "NOTIFY@-1h", id="before the end"),
    pytest.param("SCALE_DOWN@0s", "SCALE_DOWN@0s", id="at the end"),
    pytest.param("DELETE@24h", "DELETE@1d", id="in one spelling"),
]


@pytest.mark.parametrize(("written", "want"), NAMES)
def test_a_step_is_named_by_what_it_does_and_when(written: str, want: str) -> None:
    assert a_step(written).name == want


BIRTH, SEEN, AGO = NOW - 9 * HOUR, NOW - 2 * HOUR, NOW - HOUR
OLD = [a_step("DELETE@0s")]
NEW = [a_step("SCALE_DOWN@0s"), a_step("DELETE@24h")]


def sightings(generation: int = 1, **found: dict[str, datetime]) -> Sightings:
    return Sightings(BIRTH, generation, found.get("written", {}), found.get("remembered", {}))


KNOWN = [
    pytest.param(NEW, sightings(), [BIRTH, BIRTH], id="a policy as it was created"),
    pytest.param(OLD, sightings(7), [BIRTH], id="a policy that deletes at the end as ever"),
    pytest.param(NEW, sightings(2), [NOW, NOW], id="a timeline that was added, on no record"),
    pytest.param(
        NEW, sightings(2, written={"SCALE_DOWN@0s": SEEN}), [SEEN, NOW], id="a step that was added"
    ),
    pytest.param(
        OLD, sightings(3, written={"SCALE_DOWN@0s": SEEN}), [NOW], id="a timeline taken away"
    ),
    pytest.param(
        NEW, sightings(2, remembered={"DELETE@1d": AGO}), [NOW, AGO], id="seen, not yet written"
    ),
    pytest.param(
        OLD, sightings(2, written={"DELETE@0s": SEEN}, remembered={"DELETE@0s": AGO}), [SEEN],
        id="what is written counts for all",
    ),
    pytest.param(OLD, Sightings(None, 1, {}, {}), [NOW], id="a policy of unknown age"),
]  # fmt: skip


@pytest.mark.parametrize(("steps", "found", "want"), KNOWN)
def test_since_when_a_step_is_known(
    steps: list[timeline.Step], found: Sightings, want: list[datetime]
) -> None:
    assert list(known_since(steps, found, NOW).values()) == want


TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
RECORDS = st.builds(
    Record,
    TEXTS.filter(lambda step: not step.startswith("DELETE@")),
    TEXTS,
    st.sampled_from(Result),
    st.integers(-(10**9), 10**9).map(lambda us: NOW + timedelta(microseconds=us)),
    st.integers(0, 9),
    TEXTS,
)


@given(records=st.lists(RECORDS, max_size=4), woken=TEXTS)
def test_what_is_written_is_read_again(records: list[Record], woken: str) -> None:
    ledger = Ledger(in_("0s"), {record.rule: record for record in records}, woken)
    assert timeline.read(ledger.text, in_("0s")) == ledger


@given(text=st.none() | TEXTS)
def test_nothing_written_is_too_weird(text: str | None) -> None:
    assert timeline.read(text, in_("0s")) == Ledger(in_("0s"), {})


FOREIGN = [
    pytest.param('{"end":"x","woken":"w"}', "w", id="an end that cannot be read"),
    pytest.param('{"woken":"w"}', "w", id="no end"),
    pytest.param('{"done":[{"step":"a","id":"","result":"Odd","at":"x"}]}', "", id="a result"),
    pytest.param(
        '{"done":[{"step":"a","id":"","result":"Done","at":"x"}]}', "", id="an impossible instant"
    ),
    pytest.param(
        Ledger(in_("0s"), {"DELETE@0s": Record("DELETE@0s", "i", Result.DONE, NOW)}).text,
        "",
        id="that what is there was deleted",
    ),
]


@pytest.mark.parametrize(("text", "woken"), FOREIGN)
def test_records_that_do_not_count(text: str, woken: str) -> None:
    assert timeline.read(text, in_("0s")) == Ledger(in_("0s"), {}, woken)


def test_the_record_is_short() -> None:
    done = {"DELETE@1d": Record("DELETE@1d", "i", Result.DONE, NOW)}
    assert Ledger(in_("0s"), done).text == (
        '{"end":"2026-11-22T10:00:00Z","done":[{"step":"DELETE@1d","id":"i","result":"Done",'
        '"at":"2026-11-22T10:00:00Z"}]}'
    )
    assert Ledger(in_("0s"), {}).text == ""
