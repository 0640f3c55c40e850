"""Whose turn it is among the policies of a NamespaceManager, and what is done."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from dayfly_core import names
from dayfly_core.errand import Announce, EndNamespace, ScaleNamespace, Send, Workloads, as_map
from dayfly_core.namespace_manager import pods_wanted
from dayfly_core.reasons import Reason
from support.managers import (
    DELETE,
    NOTIFY,
    PODS,
    SCALE_DOWN,
    SOON,
    TTL,
    WEBHOOK,
    Watched,
    a_manager,
    a_policy,
    until,
)
from support.originals import EXAMPLE_01, EXAMPLE_03, loaded
from support.own_kinds import MINUTE, NOW, SECOND, a_namespace, condition, edited, kept

# The actions.


def test_delete_ends_the_namespace_that_was_looked_at() -> None:
    watched = Watched(a_manager()).at(40)
    act = watched.look().act
    assert isinstance(act, EndNamespace)
    assert (act.name, act.uid, act.by) == ("team-a", "ns-1", "NamespaceManager/ci/ci")
    assert act.due == NOW + 40 * SECOND


def test_an5_scale_down_names_its_workloads_as_they_are_written() -> None:
    watched = Watched(kept(loaded(EXAMPLE_03)), a_namespace("example-03"))
    watched.look()
    succeeded = {"scale down when specific pods succeed": ["Succeeded"] * 3}
    act = watched.at(61).look(succeeded).act
    assert isinstance(act, ScaleNamespace)
    assert act.workloads == (
        Workloads("Deployment", {"isScaleDown": "yes"}),
        Workloads("StatefulSet", {}),
    )
    watched.came()
    assert watched.deactivated


def test_scale_down_without_selectors_means_all() -> None:
    act = Watched(a_manager(a_policy(TTL, SCALE_DOWN))).at(40).look().act
    assert isinstance(act, ScaleNamespace)
    assert (act.namespace, act.uid, act.workloads) == ("team-a", "ns-1", ())


@pytest.mark.parametrize(
    ("params", "secret"),
    [
        pytest.param({}, "", id="unsigned"),
        pytest.param({"secretRef": {"name": "dayfly-webhook"}}, "dayfly-webhook", id="signed"),
    ],
)
def test_a_webhook_is_recorded_before_it_is_sent(params: dict[str, Any], secret: str) -> None:
    hook = {"type": "WEBHOOK", "params": {"url": "http://ci.example.com/hook", **params}}
    watched = Watched(a_manager(a_policy(TTL, hook))).at(40)
    plan = watched.look()
    assert isinstance(plan.act, Send)
    assert (plan.act.url, plan.act.secret) == ("http://ci.example.com/hook", secret)
    assert plan.act.attempt == 1
    entry = watched.entry()
    assert (entry["result"], entry["id"], entry["targetUid"]) == ("Pending", plan.act.id, "ns-1")


def test_a_notice_does_not_end_it() -> None:
    manager = a_manager(a_policy(TTL, NOTIFY, "tell them"), a_policy(SOON, DELETE))
    watched = Watched(manager).at(40)
    act = watched.look().act
    assert isinstance(act, Announce)
    assert act.sentence == "policy tell them of NamespaceManager/ci/ci: its time has come"
    assert watched.came().again == watched.now
    assert not watched.deactivated
    assert (watched.look().act, watched.entry("tell them")["result"]) == (None, "Done")
    assert isinstance(watched.at(60).look().act, EndNamespace)


def test_nothing_but_notices_ends_with_the_last() -> None:
    watched = Watched(a_manager(a_policy(TTL, NOTIFY))).at(40)
    watched.look()
    watched.came()
    assert watched.deactivated


def test_all_that_is_written_about_an_act_is_written_once() -> None:
    watched = Watched(a_manager()).at(40)
    first, again = watched.look(), watched.plan()
    assert again.act == first.act
    assert (again.status, again.metadata) == ({}, {})


# Whose turn it is.


def test_an9_the_first_that_is_true_acts_and_no_other() -> None:
    manager = a_manager(
        a_policy(PODS, WEBHOOK, "call"), a_policy(SOON, SCALE_DOWN, "rest"), a_policy(SOON)
    )
    watched = Watched(manager)
    watched.look()
    watched.at(61).look({"call": ["Running"]})
    watched.came()
    assert [type(act) for act in watched.acts] == [ScaleNamespace]
    assert watched.deactivated
    said = "spec.deactivated is true: policy rest has acted; set it to false to begin anew"
    assert (watched.look().act, watched.look().note) == (None, said)


def test_n1_order_is_the_order_of_the_list() -> None:
    for first, second in ((DELETE, WEBHOOK), (WEBHOOK, DELETE)):
        watched = Watched(a_manager(a_policy(TTL, first), a_policy(TTL, second, "later"))).at(41)
        watched.look()
        assert watched.entry()["result"] == "Pending"
        assert watched.entry("later")["reason"] == Reason.EXPIRED


def test_an10_two_policies_with_the_same_condition_work() -> None:
    watched = Watched(a_manager(a_policy(), a_policy(TTL, SCALE_DOWN, "rest"))).at(40)
    assert isinstance(watched.look().act, EndNamespace)


def test_n2_two_equal_policies_work() -> None:
    watched = Watched(a_manager(a_policy(), a_policy())).at(40)
    assert isinstance(watched.look().act, EndNamespace)
    assert [entry["name"] for entry in as_map(watched.stored.status)["policies"]] == [
        "end it",
        "end it (2)",
    ]


def test_n3_a_policy_that_is_not_known_is_reported() -> None:
    odd = a_policy({"type": "MOON"}, DELETE, "odd one")
    watched = Watched(a_manager(odd, a_policy()))
    watched.look()
    assert watched.entry("odd one")["reason"] == Reason.INVALID_RULE
    assert condition(watched.stored, "Ready") == (
        "False",
        Reason.INVALID_RULE,
        "policy odd one: condition.type: MOON is not known",
    )
    assert isinstance(watched.at(40).look().act, EndNamespace)


def test_an_instant_is_waited_for() -> None:
    watched = Watched(a_manager(a_policy(until(NOW + MINUTE))))
    assert watched.look().again == NOW + MINUTE
    assert isinstance(watched.at(60).look().act, EndNamespace)


def test_what_comes_next_is_said() -> None:
    watched = Watched(a_manager(a_policy(SOON), a_policy(TTL, WEBHOOK, "call")))
    assert watched.look().again == NOW + 40 * SECOND
    status = as_map(watched.stored.status)
    assert (status["nextCheck"], status["namespace"]) == ("2026-11-22T10:00:40Z", "team-a")
    assert watched.entry()["nextCheck"] == "2026-11-22T10:01:00Z"
    assert condition(watched.stored, "Ready") == (
        "True",
        Reason.ACTIVE,
        "its policies are in force",
    )


def test_a_second_look_writes_nothing() -> None:
    watched = Watched(a_manager(a_policy(), a_policy(PODS, WEBHOOK, "call")))
    watched.look()
    plan = watched.at(5).plan()
    assert (plan.status, plan.metadata, plan.act) == ({}, {}, None)


# Where nothing is done.


def test_an11_dormant_then_active() -> None:
    watched = Watched(a_manager(deactivated=True)).at(100)
    plan = watched.look()
    assert (plan.act, plan.again, plan.reason) == (None, None, Reason.DEACTIVATED)
    assert plan.note == "spec.deactivated is true; set it to false to begin"
    watched.stored = edited(watched.stored, deactivated=False)
    assert isinstance(watched.look().act, EndNamespace)


@pytest.mark.parametrize(
    ("manager", "reason"),
    [
        pytest.param(
            a_manager(meta={"deletionTimestamp": "2026-11-22T10:00:00Z"}),
            Reason.DELETED,
            id="it is being deleted itself",
        ),
        pytest.param(a_manager(policies="none"), Reason.INVALID_SPEC, id="it cannot be read"),
        pytest.param(replace(a_manager(), spec=5), Reason.INVALID_SPEC, id="its spec is no object"),
        pytest.param(a_manager(deactivated=True), Reason.DEACTIVATED, id="it is deactivated"),
    ],
)
def test_nothing_is_done_and_nothing_read(manager: Any, reason: str) -> None:
    watched = Watched(manager).at(1000)
    assert pods_wanted(watched.stored, watched.namespace, {}, watched.now) == ()
    plan = watched.look()
    assert (plan.act, plan.again, plan.reason) == (None, None, reason)


@pytest.mark.parametrize(
    ("manager", "says"),
    [
        pytest.param(a_manager(policies="none"), "$.policies", id="a field of it"),
        pytest.param(
            replace(a_manager(), spec=["a", 1]), 'spec: ["a",1] is no object; write', id="all of it"
        ),
        pytest.param(
            replace(a_manager(), spec=5, status="x"), "spec: 5 is no object", id="the status too"
        ),
    ],
)
def test_a_spec_that_cannot_be_read_is_said_so(manager: Any, says: str) -> None:
    watched = Watched(manager)
    watched.look()
    ready = condition(watched.stored, "Ready")
    assert ready is not None
    assert ready[:2] == ("False", Reason.INVALID_SPEC)
    assert says in ready[2]


@pytest.mark.parametrize(
    ("namespace", "reason"),
    [
        pytest.param(None, Reason.TARGET_MISSING, id="its namespace is not there"),
        pytest.param(a_namespace(leaving=True), Reason.TERMINATING, id="it is on its way out"),
    ],
)
def test_without_a_namespace_it_waits(namespace: Any, reason: str) -> None:
    watched = Watched(a_manager(a_policy(until(NOW))), namespace).at(100)
    plan = watched.look()
    assert (plan.act, plan.reason, plan.again) == (None, reason, None), "the watch tells"
    assert not watched.deactivated
    assert watched.entry()["reason"] == reason
    assert pods_wanted(watched.stored, namespace, {}, watched.now) == ()


def test_what_is_left_alone_is_looked_at_when_a_policy_before_it_may_act() -> None:
    first, second = a_policy(until(NOW + 200 * SECOND), WEBHOOK, "call"), a_policy(TTL, DELETE)
    manager = a_manager(first, second, namespace="kube-system")
    watched = Watched(manager, a_namespace("kube-system")).at(100)
    assert watched.look().again == NOW + 200 * SECOND
    assert isinstance(watched.at(200).look().act, Send)


def test_a_namespace_created_later_is_managed_from_its_creation() -> None:
    watched = Watched(a_manager(), None).at(1000)
    watched.look()
    watched.namespace = a_namespace(created=watched.now)
    assert watched.look().again == watched.now + 40 * SECOND


@pytest.mark.parametrize(
    ("action", "what"),
    [
        pytest.param(DELETE, "namespace kube-system is", id="DELETE"),
        pytest.param(SCALE_DOWN, "objects in namespace kube-system are", id="SCALE_DOWN"),
        pytest.param(NOTIFY, "objects in namespace kube-system are", id="NOTIFY"),
    ],
)
def test_n13_a_guarded_namespace_is_left_alone_and_said_so(
    action: dict[str, Any], what: str
) -> None:
    manager = a_manager(a_policy(TTL, action), namespace="kube-system")
    watched = Watched(manager, a_namespace("kube-system")).at(100)
    plan = watched.look()
    assert (plan.act, plan.reason) == (None, Reason.GUARDED)
    assert plan.again is None, "a guard that is lifted is heard of"
    held = condition(watched.stored, "Withheld")
    assert held == ("True", Reason.GUARDED, f"{what} guarded and never ended")


@pytest.mark.parametrize("action", [DELETE, SCALE_DOWN], ids=["DELETE", "SCALE_DOWN"])
def test_a_protected_namespace_is_left_alone_until_it_is_not(action: dict[str, Any]) -> None:
    namespace = a_namespace()
    spared = msgspec.structs.replace(namespace, labels={names.PROTECTED: "true"})
    watched = Watched(a_manager(a_policy(TTL, action)), spared).at(100)
    assert (watched.look().act, watched.look().reason) == (None, Reason.PROTECTED)
    watched.namespace = namespace
    assert watched.look().act is not None


def test_what_people_try_out_in_default_is_scaled_down() -> None:
    manager = a_manager(a_policy(TTL, SCALE_DOWN), namespace="default")
    assert isinstance(Watched(manager, a_namespace("default")).at(100).look().act, ScaleNamespace)


def test_a_webhook_is_sent_from_a_guarded_namespace_too() -> None:
    manager = a_manager(a_policy(TTL, WEBHOOK), namespace="default")
    assert isinstance(Watched(manager, a_namespace("default")).at(100).look().act, Send)


def test_protection_silences_nobody() -> None:
    spared = msgspec.structs.replace(a_namespace(), labels={names.PROTECTED: "true"})
    for action, act in ((WEBHOOK, Send), (NOTIFY, Announce)):
        watched = Watched(a_manager(a_policy(TTL, action)), spared).at(100)
        assert isinstance(watched.look().act, act)


# Guarding against what people write into the status.


@pytest.mark.parametrize(
    "status",
    [
        pytest.param({"policies": "none"}, id="another shape"),
        pytest.param(
            {"policies": [{"name": "end it", "result": "Done", "id": "made up"}]}, id="a made-up id"
        ),
        pytest.param({"policies": [{"name": "end it", "result": "Done"}]}, id="no id"),
    ],
)
def test_what_is_not_from_us_in_the_status_counts_for_nothing(status: dict[str, Any]) -> None:
    watched = Watched(replace(a_manager(), status=status)).at(40)
    assert isinstance(watched.look().act, EndNamespace)


def test_an2_forty_seconds_after_the_creation_of_the_namespace() -> None:
    watched = Watched(kept(loaded(EXAMPLE_01)), a_namespace("example-01"))
    assert watched.look().again == NOW + timedelta(seconds=40)
    assert watched.at(39.9).look().act is None
    assert isinstance(watched.at(40).look().act, EndNamespace)


def test_p8_the_status_of_a_manager_says_nothing_that_is_not_its_own() -> None:
    watched = Watched(a_manager())
    watched.look()
    assert msgspec.json.decode(msgspec.json.encode(watched.stored.status))["armed"] == 1
