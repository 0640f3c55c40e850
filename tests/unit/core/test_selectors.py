import pytest

from dayfly_core.api import LabelSelector, LabelSelectorRequirement, Operator
from dayfly_core.selectors import matches, problems


def one(key: str, operator: Operator, *values: str) -> LabelSelector:
    requirement = LabelSelectorRequirement(key=key, operator=operator, values=list(values))
    return LabelSelector(match_expressions=[requirement])


@pytest.mark.parametrize(
    ("selector", "labels", "want"),
    [
        pytest.param(LabelSelector(), {}, True, id="an empty selector fits no labels"),
        pytest.param(LabelSelector(), {"a": "b"}, True, id="an empty selector fits any labels"),
        pytest.param(LabelSelector(match_labels={"a": "b"}), {"a": "b"}, True, id="equal"),
        pytest.param(LabelSelector(match_labels={"a": "b"}), {"a": "c"}, False, id="different"),
        pytest.param(LabelSelector(match_labels={"a": ""}), {}, False, id="absent is not empty"),
        pytest.param(
            LabelSelector(match_labels={"a": "b", "c": "d"}), {"a": "b"}, False, id="all must fit"
        ),
        pytest.param(one("a", Operator.IN, "b", "c"), {"a": "c"}, True, id="In: one of them"),
        pytest.param(one("a", Operator.IN, "b"), {"a": "c"}, False, id="In: another"),
        pytest.param(one("a", Operator.IN, "b"), {}, False, id="In: absent"),
        pytest.param(one("a", Operator.NOT_IN, "b"), {"a": "c"}, True, id="NotIn: another"),
        pytest.param(one("a", Operator.NOT_IN, "b"), {"a": "b"}, False, id="NotIn: one of them"),
        pytest.param(one("a", Operator.NOT_IN, "b"), {}, True, id="NotIn: absent fits"),
        pytest.param(one("a", Operator.EXISTS), {"a": ""}, True, id="Exists: even empty"),
        pytest.param(one("a", Operator.EXISTS), {}, False, id="Exists: absent"),
        pytest.param(one("a", Operator.DOES_NOT_EXIST), {}, True, id="DoesNotExist: absent"),
        pytest.param(
            one("a", Operator.DOES_NOT_EXIST), {"a": ""}, False, id="DoesNotExist: even empty"
        ),
    ],
)
def test_matching(selector: LabelSelector, labels: dict[str, str], want: bool) -> None:
    assert matches(selector, labels) is want


@pytest.mark.parametrize(
    ("selector", "want"),
    [
        pytest.param(LabelSelector(match_labels={"example.com/team": "web"}), [], id="sound"),
        pytest.param(one("a", Operator.IN, "b", ""), [], id="an empty value is a value"),
        pytest.param(LabelSelector(match_labels={"-a": "b"}), ["s.matchLabels"], id="bad key"),
        pytest.param(LabelSelector(match_labels={"a": "b c"}), ["s.matchLabels[a]"], id="value"),
        pytest.param(
            one("a/b/c", Operator.EXISTS), ["s.matchExpressions[0].key"], id="two slashes"
        ),
        pytest.param(
            one("a", Operator.IN, "b", "c\n"),
            ["s.matchExpressions[0].values[1]"],
            id="a line break in a value",
        ),
        pytest.param(one("a", Operator.IN), ["s.matchExpressions[0]"], id="In without values"),
        pytest.param(
            one("a", Operator.EXISTS, "b"), ["s.matchExpressions[0]"], id="Exists with values"
        ),
    ],
)
def test_impossible_selectors(selector: LabelSelector, want: list[str]) -> None:
    assert [violation.field for violation in problems(selector, "s")] == want
