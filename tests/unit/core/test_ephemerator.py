"""What an Ephemerator says, what is done and when, and what is said of it."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from dayfly_core import ephemerator, names
from dayfly_core.ephemerator import aimed_at, ignored
from dayfly_core.errand import Came, DeleteItself, EndNamespace, Outcome, as_map
from dayfly_core.objects import ObjectMeta
from dayfly_core.reasons import Reason
from support.ephemerators import END, HERE, decided, manifest
from support.own_kinds import (
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    Kept,
    a_namespace,
    condition,
    edited,
    kept,
    written,
)

# What the spec says.


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        pytest.param({"namespaceToWatch": "team-a"}, "team-a", id="P3: as the README writes it"),
        pytest.param(
            {"resourceToWatch": {"namespace": "team-a"}}, "team-a", id="P3: as the code reads it"
        ),
        pytest.param(
            {"namespaceToWatch": "team-a", "resourceToWatch": {"namespace": "team-a"}},
            "team-a",
            id="both, and equal",
        ),
        pytest.param(
            {"namespaceToWatch": "team-a", "resourceToWatch": {}}, "team-a", id="one empty"
        ),
        pytest.param({}, "", id="P5: neither"),
        pytest.param({"resourceToWatch": {}}, "", id="P5: an object without the name"),
        pytest.param({"namespaceToWatch": ""}, "", id="an empty name"),
        pytest.param(
            {"namespaceToWatch": "team-a", "resourceToWatch": {"namespace": "team-b"}},
            "",
            id="both, and not equal",
        ),
        pytest.param({"namespaceToWatch": ["team-a"]}, "", id="a list, which was stored once"),
    ],
)
def test_the_target_has_two_spellings(spec: dict[str, Any], name: str) -> None:
    stored = kept(manifest(target=spec))
    assert aimed_at(stored) == name
    ready = condition(written(stored, decided(stored)), "Ready")
    assert ready is not None
    assert ready[:2] == (("True", Reason.ACTIVE) if name else ("False", Reason.INVALID_SPEC))


RIGHT, WRONG = names.ENABLED, names.ENABLED_MISSPELT


@pytest.mark.parametrize(
    ("annotations", "enabled"),
    [
        pytest.param({RIGHT: "true"}, True, id="true"),
        pytest.param({WRONG: "true"}, True, id="P4: as the README's prose spells it"),
        pytest.param({RIGHT: "false", WRONG: "true"}, False, id="P4: the right one wins"),
        pytest.param({RIGHT: "true", WRONG: "false"}, True, id="P4: the right one wins, too"),
        pytest.param({}, False, id="without it"),
        pytest.param({RIGHT: "True"}, False, id="nothing but true is true"),
        pytest.param({RIGHT: "yes"}, False, id="yes is not true"),
        pytest.param({RIGHT: ""}, False, id="empty"),
    ],
)
def test_it_is_in_force_by_its_annotation(annotations: dict[str, str], enabled: bool) -> None:
    assert ephemerator.enabled(ObjectMeta(annotations=annotations)) is enabled


@pytest.mark.parametrize(
    ("patterns", "name", "wanted"),
    [
        pytest.param((), "team-a", False, id="nothing is ignored"),
        pytest.param(("team-a",), "team-a", True, id="a name"),
        pytest.param(("team-b", " team-a "), "team-a", True, id="P10: blanks around a name"),
        pytest.param(("team-*",), "team-a", True, id="P10: a glob"),
        pytest.param(("team-?",), "team-aa", False, id="one character"),
        pytest.param(("Team-a",), "team-a", False, id="case counts"),
        pytest.param(("team",), "team-a", False, id="a name is no prefix"),
    ],
)
def test_the_list_of_ignored_namespaces(patterns: tuple[str, ...], name: str, wanted: bool) -> None:
    assert ignored(name, patterns) is wanted


# What is done, and when it is looked at again.


@pytest.mark.parametrize(
    ("stored", "namespace", "now", "reason", "again"),
    [
        pytest.param(kept(manifest()), HERE, NOW, Reason.NOT_DUE, END, id="before the deadline"),
        pytest.param(
            kept(manifest()), HERE, END - SECOND, Reason.NOT_DUE, END, id="a second before it"
        ),
        pytest.param(
            kept(manifest()), None, NOW, Reason.NOT_DUE, END, id="its namespace is not there yet"
        ),
        pytest.param(
            kept(manifest()),
            a_namespace(leaving=True),
            END,
            Reason.TERMINATING,
            None,
            id="P6: the namespace is on its way: wait until it is gone",
        ),
        pytest.param(
            kept(manifest(enabled="false")), HERE, END, Reason.DISABLED, None, id="not in force"
        ),
        pytest.param(
            kept(manifest(target={"namespaceToWatch": "kube-system"})),
            a_namespace("kube-system"),
            END,
            Reason.GUARDED,
            None,
            id="AP9: a guarded namespace",
        ),
        pytest.param(
            kept(manifest({"duration": {}})),
            HERE,
            END,
            Reason.INVALID_LIFETIME,
            None,
            id="P11: no lifetime",
        ),
        pytest.param(
            kept({"metadata": {"name": "x"}}), HERE, END, Reason.INVALID_SPEC, None, id="no spec"
        ),
        pytest.param(
            kept(manifest(), deletionTimestamp="2026-11-22T10:00:00Z"),
            HERE,
            END,
            Reason.DELETED,
            None,
            id="it is being deleted itself",
        ),
    ],
)
def test_nothing_is_ended(
    stored: Kept, namespace: ObjectMeta | None, now: datetime, reason: str, again: datetime | None
) -> None:
    plan = decided(stored, namespace, now)
    assert (plan.act, plan.reason, plan.again) == (None, reason, again)


def test_at_the_deadline_the_namespace_ends() -> None:
    stored = kept(manifest())
    plan = decided(stored, HERE, END)
    assert isinstance(plan.act, EndNamespace)
    assert (plan.act.name, plan.act.uid, plan.act.due) == ("team-a", "ns-1", END)
    assert plan.act.by == "Ephemerator/my-ephemerator"
    assert plan.again == END + 5 * MINUTE


def test_the_end_is_recorded_before_it_comes() -> None:
    plan = decided(kept(manifest()), HERE, END)
    assert isinstance(plan.act, EndNamespace)
    assert plan.status["ending"] == {
        "id": plan.act.id,
        "targetUid": "ns-1",
        "at": "2026-11-22T18:00:00Z",
    }


def test_what_is_recorded_is_the_same_from_every_leader() -> None:
    begun = written(kept(manifest()), decided(kept(manifest()), HERE, END))
    again = decided(begun, HERE, END + HOUR)
    assert again.status == {}
    assert isinstance(again.act, EndNamespace)
    assert again.act.id == as_map(begun.status)["ending"]["id"]


@pytest.mark.parametrize(
    "namespace",
    [
        pytest.param(None, id="P6: the namespace is gone"),
        pytest.param(a_namespace(uid="ns-2"), id="another namespace has its name"),
    ],
)
def test_when_all_is_done_it_deletes_itself(namespace: ObjectMeta | None) -> None:
    begun = written(kept(manifest()), decided(kept(manifest()), HERE, END))
    plan = decided(begun, namespace, END + MINUTE)
    assert plan.act == DeleteItself("uid-1", "1")
    assert plan.status == {}


def test_p6_a_namespace_that_is_missing_at_the_deadline_is_done() -> None:
    assert decided(kept(manifest()), None, END).act == DeleteItself("uid-1", "1")


def test_a_namespace_that_somebody_deletes_is_remembered_too() -> None:
    begun = written(kept(manifest()), decided(kept(manifest()), a_namespace(leaving=True), END))
    assert isinstance(decided(begun, a_namespace(uid="ns-2"), END).act, DeleteItself)


def test_another_end_is_begun_anew_and_may_be_of_another_namespace() -> None:
    begun = written(kept(manifest()), decided(kept(manifest()), HERE, END))
    sooner = edited(begun, lifetime={"duration": {"hours": 7}})
    plan = decided(sooner, a_namespace(uid="ns-2"), END)
    assert isinstance(plan.act, EndNamespace)
    assert plan.act.uid == "ns-2"
    assert plan.act.id != (begun.status or {})["ending"]["id"]


def test_an_extension_takes_back_what_was_begun() -> None:
    begun = written(kept(manifest()), decided(kept(manifest()), HERE, END))
    longer = edited(begun, lifetime={"duration": {"hours": 9}})
    plan = decided(longer, HERE, END)
    assert (plan.act, plan.again) == (None, END + HOUR)
    after = written(longer, plan)
    assert "ending" not in as_map(after.status)
    reborn = decided(after, a_namespace(uid="ns-2"), END + HOUR)
    assert isinstance(reborn.act, EndNamespace)
    assert reborn.act.uid == "ns-2"


# What is said of it.


def test_p7_the_status_says_when_in_utc_and_in_whole_seconds() -> None:
    stored = kept(manifest())
    status = as_map(written(stored, decided(stored)).status)
    assert status["expiresAt"] == "2026-11-22T18:00:00Z"
    assert status["expiresAtSeconds"] == 1795370400
    assert isinstance(status["expiresAtSeconds"], int)
    assert status["namespace"] == "team-a"


def test_a_second_look_writes_nothing() -> None:
    stored = kept(manifest())
    after = written(stored, decided(stored))
    plan = decided(after, HERE, NOW + MINUTE)
    assert (plan.status, plan.metadata) == ({}, {})


@pytest.mark.parametrize(
    ("outcome", "said", "least", "most"),
    [
        pytest.param(
            Outcome(Came.WITHHELD, Reason.PROTECTED, "configmap x is protected"),
            ("True", Reason.PROTECTED, "configmap x is protected"),
            5 * MINUTE,
            5 * MINUTE,
            id="protected: said, and looked at again",
        ),
        pytest.param(
            Outcome(Came.FAILED, "", "the server is down", chance=1.0),
            ("True", Reason.DELETION_FAILED, "the server is down"),
            MINUTE / 2,
            MINUTE,
            id="N7, P6: failed: later, not at once",
        ),
        pytest.param(
            Outcome(Came.FAILED, "", "the server is down", chance=0.0),
            ("True", Reason.DELETION_FAILED, "the server is down"),
            MINUTE / 2,
            MINUTE,
            id="failed, at another chance",
        ),
        pytest.param(Outcome(Came.DONE), None, 5 * MINUTE, 5 * MINUTE, id="done: it is on its way"),
    ],
)
def test_what_came_of_it_is_said(
    outcome: Outcome, said: object, least: timedelta, most: timedelta
) -> None:
    begun = written(kept(manifest()), decided(kept(manifest()), HERE, END))
    plan = ephemerator.settle(begun, outcome, END)
    after = written(begun, plan)
    assert condition(after, "Withheld") == said
    assert plan.again is not None
    assert least <= plan.again - END <= most
    assert (plan.act, decided(after, HERE, END).status) == (None, {}), "nothing flaps"


def test_what_kept_it_is_forgotten_when_the_namespace_goes() -> None:
    begun = written(kept(manifest()), decided(kept(manifest()), HERE, END))
    held = written(begun, ephemerator.settle(begun, Outcome(Came.WITHHELD, "Protected"), END))
    gone = written(held, decided(held, a_namespace(leaving=True), END))
    assert condition(gone, "Withheld") is None
