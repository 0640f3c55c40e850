"""The ring of pages: what it keeps, what it gives up first, and what it makes of nonsense."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly_core import history
from dayfly_core.history import ENTRIES_KEY, SEQUENCE_KEY, Page
from support.any_json import ANYTHING
from support.ring import BEGINNING, entry

LINE = history.line(entry(1))


def data(sequence: str, text: str) -> dict[str, str]:
    return {SEQUENCE_KEY: sequence, ENTRIES_KEY: text}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(None, Page(3), id="as base ships it"),
        pytest.param(data("7", LINE), Page(3, 7, LINE), id="written by us"),
        pytest.param({SEQUENCE_KEY: "7"}, Page(3, 7), id="begun, and empty"),
        pytest.param(data("-7", LINE), Page(3, 0, LINE), id="a negative sequence"),
        pytest.param(data("\u0667", LINE), Page(3, 0, LINE), id="a digit that is not ASCII"),
        pytest.param(data("9" * 5000, LINE), Page(3, 0, LINE), id="more digits than can be read"),
        pytest.param(data("", LINE), Page(3, 0, LINE), id="no sequence"),
        pytest.param({SEQUENCE_KEY: 7, ENTRIES_KEY: [LINE]}, Page(3), id="no texts at all"),
        pytest.param([LINE], Page(3), id="no map"),
    ],
)
def test_what_a_page_is_read_as(found: object, expected: Page) -> None:
    assert history.page(3, found) == expected


def test_what_is_written_is_read() -> None:
    whole = entry(
        1,
        namespace="team-a",
        uid="u",
        due=BEGINNING,
        result="Protected",
        message="a line\nand \u2028 another",
        replica="dayfly-operator-0",
    )
    page, taken = history.filled(Page(0, 4), [history.line(whole)])
    assert taken == 1
    assert history.read([history.page(0, page.data)]) == history.Record([whole])


def test_what_is_not_set_takes_no_room() -> None:
    assert json.loads(LINE) == {
        "at": "2026-11-22T10:00:01Z",
        "action": "Delete",
        "kind": "namespaces",
        "name": "preview-1",
        "by": "ExpiryPolicy/previews",
    }


def test_no_field_fills_a_page() -> None:
    assert len(history.line(entry(1, message="x" * 10**6))) < 2 * history.LONGEST_TEXT


@pytest.mark.parametrize(
    ("before", "lines", "limit", "taken", "text"),
    [
        pytest.param("", ["aa\n", "bb\n"], 6, 2, "aa\nbb\n", id="all fit exactly"),
        pytest.param("", ["aa\n", "bb\n"], 5, 1, "aa\n", id="one fits"),
        pytest.param("aa\n", ["bb\n"], 5, 0, "aa\n", id="a full page takes none"),
        pytest.param("", ["aaaa\n"], 2, 1, "aaaa\n", id="an empty page takes one of any size"),
        pytest.param("torn", ["bb\n"], 9, 1, "torn\nbb\n", id="what is torn ends where it does"),
        pytest.param("", ["ää\n", "b\n"], 6, 1, "ää\n", id="bytes count, not characters"),
        pytest.param("aa\n", [], 1, 0, "aa\n", id="nothing to add"),
    ],
)
def test_how_much_a_page_takes(
    before: str, lines: list[str], limit: int, taken: int, text: str
) -> None:
    assert history.filled(Page(0, 1, before), lines, limit) == (Page(0, 1, text), taken)


def test_the_newest_page_is_the_one_with_the_highest_sequence() -> None:
    pages = [Page(0, 8), Page(1, 9), Page(2, 2)]
    assert history.newest(pages) == Page(1, 9)
    assert history.newest([]) is None


def test_a_ring_that_nobody_has_written_begins_at_the_first_page() -> None:
    assert history.newest([Page(1), Page(0), Page(7)]) == Page(0)


def test_pages_follow_each_other_around_the_ring() -> None:
    assert list(history.after(6)) == [7, 0, 1, 2, 3, 4, 5]
    assert history.turned(Page(6, 9, LINE), 7) == Page(7, 10)


def test_foreign_keys_are_named() -> None:
    assert history.foreign({"notes": "", **data("1", "")}) == ("notes",)
    assert history.foreign(None) == ()


@pytest.mark.parametrize(
    "torn",
    [
        pytest.param(LINE[: len(LINE) // 2], id="torn"),
        pytest.param("[1, 2]", id="not an object"),
        pytest.param('{"at": "2026-11-22T10:00:00Z"}', id="without what it must have"),
        pytest.param(LINE.replace("01Z", "01").strip(), id="an instant without a zone"),
        pytest.param("[" * 100_000, id="deeper than can be read"),
        pytest.param(
            history.line(entry(1, due=datetime(2026, 1, 1))).strip(),  # noqa: DTZ001 (the point)
            id="a due time without a zone",
        ),
    ],
)
def test_a_line_that_cannot_be_read_is_counted_and_spoils_no_other(torn: str) -> None:
    found = history.read([Page(0, 1, f"{LINE}{torn}\n\n"), Page(1, 2, history.line(entry(2)))])
    assert found == history.Record([entry(1), entry(2)], unreadable=1)


def test_what_two_leaders_tell_of_one_act_counts_once() -> None:
    first, second = entry(1, id="u5", replica="r-0"), entry(2, id="u5", replica="r-1")
    others = entry(3), entry(4)
    lines = "".join(map(history.line, (second, *others)))
    found = history.read([Page(0, 1, history.line(first)), Page(1, 2, lines)])
    assert found == history.Record([first, *others])


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param({"uid": "u"}, {"uid": "u"}, True, id="one object is deleted once"),
        pytest.param({"uid": "u"}, {"uid": "u", "id": "5"}, True, id="whatever id it is given"),
        pytest.param({"uid": "u"}, {"uid": "v"}, False, id="another object of that name"),
        pytest.param({}, {}, False, id="nobody knows which object"),
        pytest.param(
            {"uid": "u", "action": "WEBHOOK", "id": "5"},
            {"uid": "u", "action": "WEBHOOK", "id": "6"},
            False,
            id="two calls about one object",
        ),
    ],
)
def test_which_entries_tell_of_one_act(one: Any, other: Any, same: bool) -> None:
    told = [
        entry(number, **{"action": "DELETE", **each}) for number, each in enumerate((one, other))
    ]
    found = history.read([Page(0, 1, "".join(map(history.line, told)))])
    assert list(found.entries) == (told[:1] if same else told)


@given(pages=st.lists(ANYTHING, max_size=8))
def test_no_content_of_a_config_map_breaks_the_reader(pages: list[object]) -> None:
    found = history.read([history.page(slot, each) for slot, each in enumerate(pages)])
    assert list(found.entries) == []


@given(texts=st.lists(st.text(), max_size=8), numbers=st.lists(st.integers(0, 99), max_size=8))
def test_entries_are_found_between_anything(texts: list[str], numbers: list[int]) -> None:
    lines = [history.line(entry(number)) for number in numbers]
    noise = [text.replace("\n", "") for text in texts]
    mixed = "".join(
        f"{text}\n{line}" for text, line in zip([*noise, *[""] * 8], lines, strict=False)
    )
    found = history.read([Page(0, 1, mixed)])
    assert [each.at for each in found.entries] == [
        BEGINNING + timedelta(seconds=number) for number in sorted(numbers)
    ]


def test_the_pages_are_called_as_base_ships_them() -> None:
    assert [history.slot_name(slot) for slot in (0, history.SLOTS - 1)] == [
        "dayfly-history-0",
        "dayfly-history-7",
    ]
