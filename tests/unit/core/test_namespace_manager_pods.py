"""When a NamespaceManager looks at pods, what it makes of them, and what it notes."""

from typing import Any

import pytest
from msgspec.structs import replace

from dayfly_core import names
from dayfly_core.errand import EndNamespace, as_map
from dayfly_core.namespace_manager import PodQuery, pods_wanted
from dayfly_core.reasons import Reason
from support.managers import (
    NOTIFY,
    PODS,
    SOON,
    WEBHOOK,
    Watched,
    a_manager,
    a_policy,
)
from support.originals import EXAMPLE_02, loaded
from support.own_kinds import NOW, SECOND, a_namespace, kept

LATER = {"type": "TTL", "params": {"ttlSeconds": 9000}}
SUCCEEDED = {"end it": ["Succeeded", "Succeeded"]}


def pods_manager(**params: Any) -> Watched:
    pods = {"type": "PODS_SUCCEED", "params": {"initialDelaySeconds": 60, **params}}
    watched = Watched(a_manager(a_policy(pods)))
    watched.look()
    return watched


@pytest.mark.parametrize(
    ("seconds", "asked"),
    [
        pytest.param(59, False, id="N8: not before the initial delay"),
        pytest.param(60, True, id="N8: when it is over, at once"),
        pytest.param(600, True, id="later: at once"),
    ],
)
def test_n8_the_initial_delay_counts_once(seconds: int, asked: bool) -> None:
    watched = pods_manager(podLabels={"component": "main"}).at(seconds)
    wanted = pods_wanted(watched.stored, watched.namespace, watched.checks, watched.now)
    query = PodQuery("end it", "team-a", {"component": "main"})
    assert wanted == ((query,) if asked else ())


def asked(watched: Watched) -> list[str]:
    """Return the policies whose pods are to be read."""
    wanted = pods_wanted(watched.stored, watched.namespace, watched.checks, watched.now)
    return [query.rule for query in wanted]


def test_no_pods_are_read_when_nothing_depends_on_them() -> None:
    dormant = Watched(a_manager(a_policy(PODS), deactivated=True)).at(100)
    assert asked(dormant) == []
    leaving = Watched(a_manager(a_policy(PODS)), a_namespace(leaving=True)).at(100)
    assert asked(leaving) == []
    assert asked(Watched(a_manager(a_policy(PODS)), None).at(100)) == []


def test_no_pods_are_read_any_more_once_a_policy_acts() -> None:
    watched = Watched(a_manager(a_policy(PODS, WEBHOOK, "call"), a_policy(SOON)))
    watched.look()
    assert asked(watched.at(61)) == ["call"]
    watched.look()
    assert asked(watched) == [], "begun"
    spec = watched.stored.spec
    watched.came()
    watched.stored = replace(watched.stored, spec=spec)
    assert asked(watched) == [], "done, and not switched off yet"


def test_the_pods_of_a_policy_that_has_told_of_them_are_not_read_again() -> None:
    watched = Watched(a_manager(a_policy(PODS, NOTIFY, "tell"), a_policy(LATER)))
    watched.look()
    watched.at(61).look({"tell": ["Succeeded"]})
    watched.came()
    assert asked(watched.at(120)) == []


@pytest.mark.parametrize(
    ("phases", "message"),
    [
        pytest.param(["Succeeded", "Running"], "1 of 2 pods have succeeded", id="one runs"),
        pytest.param(["Failed"], "0 of 1 pods have succeeded", id="AN4: one has failed"),
        pytest.param(["Pending"], "0 of 1 pods have succeeded", id="one has not begun"),
        pytest.param([], "there are no pods; looked at again to be sure", id="N9: there is none"),
    ],
)
def test_until_all_have_succeeded_nothing_is_done(phases: list[str], message: str) -> None:
    watched = pods_manager().at(61)
    plan = watched.look({"end it": phases})
    assert (plan.act, plan.again) == (None, watched.now + 10 * SECOND)
    assert watched.entry()["message"] == message


def test_an3_when_all_have_succeeded_the_namespace_ends() -> None:
    watched = Watched(kept(loaded(EXAMPLE_02)), a_namespace("example-02"))
    watched.look()
    [name] = [entry["name"] for entry in as_map(watched.stored.status)["policies"]]
    [query] = pods_wanted(watched.at(61).stored, watched.namespace, watched.checks, watched.now)
    assert (query.namespace, query.labels) == ("example-02", {"component": "main", "type": "test"})
    assert watched.look({name: ["Succeeded", "Running", "Succeeded"]}).act is None
    assert isinstance(watched.at(71).look({name: ["Succeeded"] * 3}).act, EndNamespace)


def test_n9_one_empty_answer_is_never_a_reason() -> None:
    watched = pods_manager().at(61)
    assert watched.look({"end it": []}).act is None
    assert watched.at(65).look({"end it": []}).act is None, "too early to count"
    assert isinstance(watched.at(71).look({"end it": []}).act, EndNamespace)


def test_n9_checks_in_a_row_as_many_as_are_asked() -> None:
    watched = pods_manager(minChecks=3)
    for seconds in (61, 71):
        assert watched.at(seconds).look(SUCCEEDED).act is None
        message = "all pods have succeeded; looked at again to be sure"
        assert watched.entry()["message"] == message
    assert watched.at(81).look({"end it": ["Running"]}).act is None
    for seconds in (91, 101):
        assert watched.at(seconds).look(SUCCEEDED).act is None
    assert isinstance(watched.at(111).look(SUCCEEDED).act, EndNamespace)


def test_between_two_checks_nothing_is_read_and_what_was_seen_holds() -> None:
    watched = pods_manager().at(61)
    watched.look({"end it": ["Running"]})
    watched.at(65)
    assert pods_wanted(watched.stored, watched.namespace, watched.checks, watched.now) == ()
    plan = watched.plan()
    assert (plan.status, plan.again) == ({}, NOW + 71 * SECOND)


def test_n10_pods_that_cannot_be_read_stop_no_other_policy() -> None:
    manager = a_manager(a_policy(PODS, WEBHOOK, "call"), a_policy(SOON))
    watched = Watched(manager)
    watched.look()
    assert isinstance(watched.at(60).look().act, EndNamespace)
    assert watched.entry("call")["reason"] == Reason.PODS_UNKNOWN


def test_n10_pods_that_cannot_be_read_are_asked_for_again_but_not_at_once() -> None:
    watched = pods_manager().at(100)
    plan = watched.look()
    assert plan.again == watched.now + 10 * SECOND
    assert watched.entry()["reason"] == Reason.PODS_UNKNOWN


def test_after_a_change_of_leader_the_last_check_is_read_from_the_annotation() -> None:
    watched = pods_manager().at(61)
    watched.look({"end it": ["Running"]})
    watched.checks = {}
    plan = watched.at(65).look()
    assert plan.again == NOW + 71 * SECOND
    assert watched.entry()["message"] == "0 of 1 pods have succeeded"


# The annotations of the original.

FIRST, LAST = names.FIRST_CHECK, names.LAST_CHECK


@pytest.mark.parametrize(
    ("present", "after"),
    [
        pytest.param({}, {FIRST: "2026-11-22T10:01:01Z", LAST: "2026-11-22T10:01:01Z"}, id="none"),
        pytest.param(
            {FIRST: "2026-11-21T10:00:00.123Z", LAST: "2026-11-22T09:00:00.5Z"},
            {FIRST: "2026-11-21T10:00:00.123Z", LAST: "2026-11-22T10:01:01Z"},
            id="the first is written once",
        ),
        pytest.param(
            {FIRST: "yesterday", LAST: "soon"},
            {FIRST: "2026-11-22T10:01:01Z", LAST: "2026-11-22T10:01:01Z"},
            id="N5: malformed ones are as good as none",
        ),
        pytest.param(
            {FIRST: "9999-01-01T00:00:00Z", LAST: "9999-01-01T00:00:00Z"},
            {FIRST: "2026-11-22T10:01:01Z", LAST: "2026-11-22T10:01:01Z"},
            id="N5: what is still to come puts nothing off",
        ),
    ],
)
def test_checks_are_noted_as_the_original_notes_them(
    present: dict[str, str], after: dict[str, str]
) -> None:
    watched = Watched(a_manager(a_policy(PODS), meta={"annotations": present})).at(61)
    watched.look({"end it": ["Running"]})
    assert watched.stored.metadata.annotation_map == after


def test_many_checks_are_few_writes() -> None:
    watched = pods_manager()
    writes = [
        bool((plan := watched.at(61 + 10 * count).look({"end it": ["Running"]})).metadata)
        or bool(plan.status)
        for count in range(60)
    ]
    assert sum(writes) <= 3


def test_nothing_is_noted_of_what_was_not_checked() -> None:
    assert Watched(a_manager()).look().metadata == {}
