from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly_core.helm.yaml_texts import DEEPEST, MOST, UnreadableText, load_all


@pytest.mark.parametrize(
    ("text", "want"),
    [
        pytest.param("", [], id="nothing has no documents"),
        pytest.param("# hi\n---\n# ho\n", [None], id="comments alone are an empty document"),
        pytest.param("a: 2026-11-22", [{"a": "2026-11-22"}], id="a date is a text"),
        pytest.param("a: 12:30\nb: 010", [{"a": "12:30", "b": "010"}], id="so is a number"),
        pytest.param("on: off", [{"on": "off"}], id="and a switch, as a key as well"),
        pytest.param("a:\nb: ~\nc: null", [{"a": None, "b": None, "c": None}], id="nulls"),
        pytest.param("a: 'null'\nb: ''", [{"a": "null", "b": ""}], id="quoted they are texts"),
        pytest.param("? ~\n: 1", [{"": "1"}], id="a key of nothing is the empty text"),
        pytest.param("- [a, {b: c}]\n- d", [[["a", {"b": "c"}], "d"]], id="lists and maps"),
        pytest.param("a: &x {b: c}\nd: *x", [{"a": {"b": "c"}, "d": {"b": "c"}}], id="an alias"),
        pytest.param("<<: {a: b}", [{"<<": {"a": "b"}}], id="a merge key is a key like any other"),
        pytest.param("a: !!python/name:os.system x", [{"a": "x"}], id="tags mean nothing"),
        pytest.param("a: |\n  b: c\n", [{"a": "b: c\n"}], id="a block"),
        pytest.param("a\n---\nb", ["a", "b"], id="two documents"),
    ],
)
def test_what_is_read(text: str, want: list[object]) -> None:
    assert list(load_all(text)) == want


LAUGHS = "\n".join(
    ["l0: &l0 [x, x]", *(f"l{n}: &l{n} [*l{n - 1}, *l{n - 1}]" for n in range(1, 64))]
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("a: [", "did not find expected", id="a list without end"),
        pytest.param("\x00", "not allowed", id="a character that YAML has not"),
        pytest.param("[" * 1_000_000, "nested", id="deeper than any stack"),
        pytest.param("a: *b", "written before", id="an alias of nothing"),
        pytest.param("a: &b [*b]", "written before", id="an alias of itself"),
        pytest.param("a: &x b\n---\nc: *x", "written before", id="an alias of another document"),
        pytest.param("? [a, b]\n: c", "no text", id="a list as a key"),
        pytest.param(f"[{'a,' * (MOST // 2)}]\n---\n" * 2, "more than 1000000", id="too much"),
        pytest.param(f"{LAUGHS}\n? *l63\n: x", "no text", id="a billion laughs as a key"),
    ],
)
def test_what_is_not_read(text: str, says: str) -> None:
    with pytest.raises(UnreadableText, match=says):
        list(load_all(text))


def test_aliases_share_what_they_mean() -> None:
    (value,) = load_all(LAUGHS)
    assert isinstance(value, dict)
    assert value["l63"][0] is value["l62"]


@given(st.text(alphabet="[]{}&*a:-, \n\"'!|>%@?~0", max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        values = list(load_all(text))
    except UnreadableText:
        return
    assert all(depth(value) <= DEEPEST for value in values)


def depth(value: Any) -> int:
    match value:
        case dict():
            return 1 + max(map(depth, value.values()), default=0)  # pyright: ignore
        case list():
            return 1 + max(map(depth, value), default=0)  # pyright: ignore
        case _:
            return 0
