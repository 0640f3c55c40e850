"""Whose turn it is in an ordered list of rules."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly_core.lifecycle import Choice, Record, Result, Rule, choose, occurrence
from dayfly_core.triggers import Facts, Ttl, Until
from support.build import HOUR, NOW

PAST, SOON, LATER = Until(NOW - HOUR), Until(NOW + HOUR), Until(NOW + 2 * HOUR)


def rule(name: str, when: Until, *, sequential: bool = False, strength: int = 0) -> Rule:
    return Rule(name, when, f"do {name}", sequential=sequential, strength=strength)


def step(name: str, when: Until, strength: int) -> Rule:
    return rule(name, when, sequential=True, strength=strength)


def on_record(name: str, result: Result) -> Record:
    return Record(name, f"id of {name}", result, NOW - HOUR)


def called(choice: Choice) -> tuple[str, tuple[str, ...]]:
    return (
        choice.rule.name if choice.rule else "",
        tuple(each.name for each in choice.superseded),
    )


ALTERNATIVES = [
    pytest.param([rule("a", PAST), rule("b", PAST)], {}, "a", id="the first true one"),
    pytest.param([rule("a", SOON), rule("b", PAST)], {}, "b", id="the first true, not the first"),
    pytest.param([rule("a", SOON)], {}, "", id="none is true"),
    pytest.param([], {}, "", id="no rules"),
    pytest.param(
        [rule("a", PAST), rule("b", PAST)], {"a": Result.DONE}, "b", id="what is done is done once"
    ),
    pytest.param(
        [rule("a", PAST), rule("b", PAST)], {"a": Result.FAILED}, "b",
        id="given up: the next has its turn",
    ),
    pytest.param(
        [rule("a", PAST), rule("b", PAST)], {"a": Result.SUPERSEDED}, "b", id="overtaken before"
    ),
    pytest.param(
        [rule("a", PAST), rule("b", PAST)], {"b": Result.PENDING}, "b", id="what was begun first"
    ),
    pytest.param(
        [rule("a", PAST), rule("b", SOON)], {"b": Result.PENDING}, "b",
        id="what was begun, though it is not true any more",
    ),
    pytest.param(
        [rule("a", PAST)], {"gone": Result.PENDING}, "a", id="begun, and no rule any more"
    ),
    pytest.param(
        [rule("a", SOON, sequential=True), rule("b", PAST)], {}, "", id="the next one waits"
    ),
    pytest.param(
        [rule("a", PAST, sequential=True), rule("b", PAST)], {"a": Result.DONE}, "b",
        id="the next after the first",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("rules", "results", "want"), ALTERNATIVES)
def test_the_first_true_rule_has_its_turn(
    rules: Sequence[Rule], results: Mapping[str, Result], want: str
) -> None:
    records = {name: on_record(name, result) for name, result in results.items()}
    assert called(choose(rules, Facts(), records, NOW)) == (want, ())


WARN, SCALE, CALL, END = 1, 2, 0, 3

OVERTAKING = [
    pytest.param(
        [step("warn", PAST, WARN), step("end", PAST, END)], "end", ("warn",),
        id="nobody is warned of what is due",
    ),
    pytest.param(
        [step("warn", PAST, WARN), step("end", SOON, END)], "warn", (),
        id="what is not due overtakes nothing",
    ),
    pytest.param(
        [step("warn", PAST, WARN), step("scale", PAST, SCALE), step("warn2", PAST, WARN)],
        "scale", ("warn",), id="a warning does not overtake a scale-down",
    ),
    pytest.param(
        [step("scale", PAST, SCALE), step("warn", PAST, WARN), step("end", PAST, END)],
        "end", ("scale", "warn"), id="the end overtakes all",
    ),
    pytest.param(
        [step("warn", PAST, WARN), step("warn2", PAST, WARN)],
        "warn2", ("warn",), id="of two warnings that are due the last is enough",
    ),
    pytest.param(
        [step("warn", PAST, WARN), step("call", PAST, CALL), step("end", PAST, END)],
        "warn", (), id="a call holds the end back, and so the warning is in time",
    ),
    pytest.param(
        [step("call", PAST, CALL), step("end", PAST, END)], "call", (), id="no call is left out"
    ),
    pytest.param(
        [step("call", SOON, CALL), step("end", PAST, END)], "", (),
        id="a call that is not due yet holds back what is: the order is kept",
    ),
    pytest.param(
        [step("scale", SOON, SCALE), step("warn", PAST, WARN)], "", (),
        id="a scale-down that waits grace holds back the warning after it",
    ),
    pytest.param(
        [step("scale", SOON, SCALE), step("end", PAST, END)], "end", ("scale",),
        id="a scale-down that waits grace does not hold back the end",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("rules", "want", "superseded"), OVERTAKING)
def test_a_stronger_rule_overtakes(
    rules: Sequence[Rule], want: str, superseded: tuple[str, ...]
) -> None:
    assert called(choose(rules, Facts(), {}, NOW)) == (want, superseded)


BEGUN = [
    pytest.param(step("end", PAST, END), "end", ("scale",), id="overtaken by now"),
    pytest.param(step("end", SOON, END), "scale", (), id="overtaken later"),
    pytest.param(step("warn", PAST, WARN), "scale", (), id="by nothing that is weaker"),
    pytest.param(step("call", PAST, CALL), "scale", (), id="by no call"),
]


@pytest.mark.parametrize(("later", "want", "superseded"), BEGUN)
def test_what_was_begun_and_failed_is_tried_again_until_it_is_overtaken(
    later: Rule, want: str, superseded: tuple[str, ...]
) -> None:
    records = {"scale": on_record("scale", Result.PENDING)}
    choice = choose([step("scale", PAST, SCALE), later], Facts(), records, NOW)
    assert called(choice) == (want, superseded)


def test_a_choice_says_since_when_and_when_to_ask_again() -> None:
    rules = [rule("a", LATER), rule("b", SOON), rule("c", PAST)]
    assert choose(rules, Facts(), {}, NOW) == Choice(rules[2], NOW - HOUR, NOW + HOUR)
    assert choose(rules[:2], Facts(), {}, NOW) == Choice(None, None, NOW + HOUR)
    unknown = Rule("a", Ttl(HOUR), "")
    assert choose([unknown], Facts(), {}, NOW) == Choice(None, None, None)
    assert choose([unknown, rules[1]], Facts(), {}, NOW).again == NOW + HOUR


def test_of_what_was_begun_it_says_when_the_next_attempt_is_due() -> None:
    begun = Record("a", "id", Result.PENDING, NOW + HOUR)
    choice = choose([step("a", PAST, SCALE)], Facts(), {"a": begun}, NOW)
    assert (called(choice), choice.since) == (("a", ()), NOW + HOUR)


def test_when_to_ask_again_is_about_what_was_not_begun() -> None:
    records = {"a": on_record("a", Result.PENDING)}
    assert choose([rule("a", SOON), rule("b", LATER)], Facts(), records, NOW).again == LATER.at


def test_by_itself_a_rule_holds_back_none_and_overtakes_none() -> None:
    soon, first, second = (
        Rule(name, at, "") for name, at in zip("abc", (SOON, PAST, PAST), strict=True)
    )
    assert called(choose([soon, first, second], Facts(), {}, NOW)) == ("b", ())


def test_an_occurrence_is_the_same_for_every_leader_and_no_other_is() -> None:
    assert occurrence("a", "b") == "c91748af-e1d6-5d71-a34e-ec3ea8746852"
    assert UUID(occurrence("a", "b")).version == 5
    assert len({occurrence("ab"), occurrence("a", "b"), occurrence("b", "a"), occurrence()}) == 4


RULES = st.lists(
    st.builds(
        rule,
        st.sampled_from("abcdefgh"),
        st.sampled_from([PAST, SOON, LATER]),
        sequential=st.booleans(),
        strength=st.integers(0, 3),
    ),
    max_size=6,
    unique_by=lambda each: each.name,
)
RECORDS = st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from(Result), max_size=4)


@given(rules=RULES, results=RECORDS)
def test_whatever_the_rules_only_what_is_open_and_true_or_begun_is_chosen(
    rules: Sequence[Rule], results: Mapping[str, Result]
) -> None:
    records = {name: on_record(name, result) for name, result in results.items()}
    choice = choose(rules, Facts(), records, NOW)
    for overtaken in choice.superseded:
        assert results.get(overtaken.name) in (None, Result.PENDING)
        assert overtaken.strength > 0
    if choice.rule and choice.rule.name in results:
        assert results[choice.rule.name] is Result.PENDING
    elif choice.rule:
        assert choice.rule.condition == PAST
    assert choice.again is None or choice.again > NOW


@given(rules=RULES)
def test_carrying_out_what_is_chosen_comes_to_an_end_and_keeps_the_order(
    rules: Sequence[Rule],
) -> None:
    records: dict[str, Record] = {}
    taken: list[Rule] = []
    while (choice := choose(rules, Facts(), records, NOW + 3 * HOUR)).rule:
        records |= {r.name: on_record(r.name, Result.SUPERSEDED) for r in choice.superseded}
        records[choice.rule.name] = on_record(choice.rule.name, Result.DONE)
        taken.append(choice.rule)
    assert set(records) == {each.name for each in rules}
    sequential = [rules.index(each) for each in taken if each.sequential]
    assert sequential == sorted(sequential)
