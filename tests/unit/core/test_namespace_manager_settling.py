"""What came of a NamespaceManager's act, and what the next leader makes of it."""

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from dayfly_core.errand import Came, EndNamespace, Outcome, ScaleNamespace, Send
from dayfly_core.reasons import Reason
from support.managers import (
    DELETE,
    NOTIFY,
    SCALE_DOWN,
    TTL,
    WEBHOOK,
    Watched,
    a_manager,
    a_policy,
)
from support.own_kinds import MINUTE, a_namespace, condition, edited

SLOW = {"type": "TTL", "params": {"ttlSeconds": 4000}}
FAILED = Outcome(Came.FAILED, "", "the receiver answered 500")


def begun(action: dict[str, Any] = DELETE, *others: dict[str, Any]) -> Watched:
    """A manager whose first policy has begun."""
    watched = Watched(a_manager(a_policy(TTL, action), *others)).at(40)
    watched.look()
    return watched


# Done.


@pytest.mark.parametrize("action", [DELETE, SCALE_DOWN, WEBHOOK], ids=lambda a: str(a["type"]))
def test_after_success_it_is_deactivated(action: dict[str, Any]) -> None:
    watched = begun(action)
    plan = watched.came(note="3 workloads")
    assert plan.deactivate
    entry = watched.entry()
    assert (entry["result"], entry["reason"], entry["message"]) == (
        "Done",
        Reason.SUCCEEDED,
        "3 workloads",
    )
    assert watched.look().reason == Reason.DEACTIVATED
    assert watched.entry()["result"] == "Done", "the last result stays to be read"


def test_n12_if_only_deactivating_failed_nothing_but_that_is_repeated() -> None:
    watched = begun(WEBHOOK)
    watched.came()
    watched.stored = edited(watched.stored, deactivated=False)
    plan = watched.plan()
    assert (plan.act, plan.deactivate) == (None, True)


def test_re_armed_it_begins_anew() -> None:
    watched = begun(WEBHOOK)
    watched.came()
    watched.look()
    watched.stored = edited(watched.stored, deactivated=False)
    act = watched.look().act
    assert isinstance(act, Send)
    assert next(sent.id for sent in watched.acts if isinstance(sent, Send)) != act.id


def test_re_armed_before_anybody_saw_it_dormant_it_is_only_deactivated_again() -> None:
    watched = begun(WEBHOOK)
    watched.came()
    watched.stored = edited(watched.stored, deactivated=False)
    assert watched.look().act is None
    assert watched.deactivated


@pytest.mark.parametrize(
    "namespace",
    [
        pytest.param(None, id="the namespace is gone"),
        pytest.param(a_namespace(leaving=True), id="it is on its way"),
        pytest.param(a_namespace(uid="ns-2"), id="another one has its name"),
    ],
)
@pytest.mark.parametrize("action", [DELETE, SCALE_DOWN], ids=lambda a: str(a["type"]))
def test_what_was_begun_for_a_namespace_that_is_gone_is_done(
    action: dict[str, Any], namespace: Any
) -> None:
    watched = begun(action)
    watched.namespace = namespace
    plan = watched.look()
    assert (plan.act, plan.deactivate) == (None, True)
    assert watched.entry()["message"] == "namespace team-a is gone"


def test_a_namespace_made_again_is_managed_only_when_it_is_re_armed() -> None:
    watched = begun()
    watched.namespace = a_namespace(uid="ns-2", created=watched.now)
    watched.look()
    assert watched.at(1000).look().act is None
    watched.stored = edited(watched.stored, deactivated=False)
    act = watched.look().act
    assert isinstance(act, EndNamespace)
    assert act.uid == "ns-2"


@pytest.mark.parametrize("namespace", [None, a_namespace(uid="ns-2")], ids=["gone", "another"])
def test_a_webhook_that_was_recorded_is_sent_even_so(namespace: Any) -> None:
    watched = begun(WEBHOOK, a_policy(SLOW, DELETE, "later"))
    first = watched.acts[0]
    watched.namespace = namespace
    assert watched.look().act == first
    watched.came()
    assert watched.deactivated


# Kept from it.


def test_what_is_protected_is_named_and_keeps_its_turn() -> None:
    watched = begun(DELETE, a_policy(TTL, WEBHOOK, "call"))
    plan = watched.came(Came.WITHHELD, Reason.PROTECTED, "configmap x is protected")
    assert plan.again == watched.now + 5 * MINUTE
    said = ("True", Reason.PROTECTED, "policy end it: configmap x is protected")
    assert condition(watched.stored, "Withheld") == said
    waiting = watched.at(100).look()
    assert (waiting.act, waiting.again, waiting.status) == (None, plan.again, {})
    watched.at(340)
    assert isinstance(watched.look().act, EndNamespace)
    assert condition(watched.stored, "Withheld") == said, "until it was tried again"
    watched.came()
    assert condition(watched.stored, "Withheld") is None


# Failed.


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
def test_n7_a_failure_is_tried_again_ever_more_slowly(chance: float) -> None:
    watched = begun()
    pauses = list[float]()
    for _ in range(12):
        plan = watched.hear(Outcome(Came.FAILED, "", "503", chance=chance))
        assert plan.again is not None
        pauses.append((plan.again - watched.now).total_seconds())
        watched.now = plan.again
        assert isinstance(watched.look().act, EndNamespace), "never forgotten"
    assert all(earlier <= later for earlier, later in pairwise(pauses))
    assert 0.5 <= pauses[0] <= 1
    assert 150 <= pauses[-1] <= 300
    assert watched.entry()["attempts"] == 12


def test_n1_while_it_is_retried_it_keeps_its_turn() -> None:
    watched = begun(WEBHOOK, a_policy(TTL, SCALE_DOWN, "rest"))
    plan = watched.hear(FAILED)
    assert watched.at(41).look().act is None
    assert plan.again is not None
    watched.now = plan.again
    act = watched.look().act
    assert isinstance(act, Send)
    assert act.attempt == 2


def test_n1_given_up_the_next_that_is_true_gets_its_turn() -> None:
    watched = begun(WEBHOOK, a_policy(TTL, SCALE_DOWN, "rest"))
    plan = watched.hear(FAILED)
    for _ in range(5):
        assert plan.again is not None
        watched.now = plan.again
        watched.look()
        plan = watched.hear(FAILED)
    assert (plan.reason, plan.again) == (Reason.GIVEN_UP, watched.now)
    assert len({sent.id for sent in watched.acts if isinstance(sent, Send)}) == 1
    ready = condition(watched.stored, "Ready")
    assert ready == ("False", Reason.GIVEN_UP, "policy end it: the receiver answered 500")
    assert isinstance(watched.look().act, ScaleNamespace)
    assert watched.entry()["result"] == "Failed"


def test_n11_what_a_receiver_asks_for_is_granted() -> None:
    watched = begun(WEBHOOK)
    asked = Outcome(Came.FAILED, "", "429", retry_after=timedelta(minutes=10))
    assert watched.hear(asked).again == watched.now + 10 * MINUTE


def test_what_is_refused_is_given_up_at_once() -> None:
    watched = begun(WEBHOOK)
    watched.came(Came.REFUSED, note="http://127.0.0.1 is not allowed")
    assert watched.entry()["result"] == "Failed"
    assert watched.plan().act is None
    assert not watched.deactivated


def test_who_corrects_the_policy_has_it_tried_anew() -> None:
    watched = begun(WEBHOOK)
    watched.came(Came.REFUSED, note="http://127.0.0.1 is not allowed")
    other = {"type": "WEBHOOK", "params": {"url": "http://other.example.com"}}
    watched.stored = edited(watched.stored, policies=[a_policy(TTL, other)])
    act = watched.look().act
    assert isinstance(act, Send)
    assert (act.url, act.attempt) == ("http://other.example.com", 1)


def test_what_failed_for_one_namespace_is_open_for_the_next() -> None:
    watched = begun(WEBHOOK)
    watched.came(Came.REFUSED, note="not allowed")
    watched.namespace = a_namespace(uid="ns-2")
    assert isinstance(watched.look().act, Send)


def test_what_an_api_server_says_at_length_is_cut() -> None:
    watched = begun()
    watched.came(Came.FAILED, note="no " * 10_000)
    assert len(watched.entry()["message"]) == 1024
    held = condition(watched.stored, "Withheld")
    assert held is not None
    assert len(held[2]) == 4096
    assert watched.entry()["attempts"] == 1


def test_a_notice_that_failed_is_tried_again() -> None:
    watched = begun(NOTIFY)
    plan = watched.came(Came.FAILED, note="503")
    assert plan.again is not None
    assert (watched.entry()["result"], watched.entry()["reason"]) == ("Pending", Reason.RETRYING)


# Changed meanwhile.


def longer(watched: Watched) -> None:
    watched.stored = edited(watched.stored, policies=[a_policy(SLOW)])


def elsewhere(watched: Watched) -> None:
    watched.stored = edited(watched.stored, namespace="team-b")
    watched.namespace = a_namespace("team-b", "ns-b", created=watched.now)


def switched_off(watched: Watched) -> None:
    watched.stored = edited(watched.stored, deactivated=True)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(longer, id="a later end takes back what was begun"),
        pytest.param(elsewhere, id="for another namespace nothing was begun"),
        pytest.param(switched_off, id="switched off it does nothing"),
    ],
)
def test_who_changes_it_in_time_changes_what_is_done(change: Callable[[Watched], None]) -> None:
    watched = begun()
    change(watched)
    assert watched.look().act is None


def test_what_came_of_an_act_that_was_taken_back_meanwhile_is_not_recorded() -> None:
    watched = begun()
    longer(watched)
    plan = watched.came()
    assert (plan.again, plan.deactivate, plan.status) == (watched.now, False, {})


def test_an_unrelated_change_keeps_the_id() -> None:
    watched = begun(WEBHOOK)
    also = [a_policy(TTL, WEBHOOK), a_policy(SLOW, DELETE, "later")]
    watched.stored = edited(watched.stored, policies=also)
    assert watched.look().act == watched.acts[0]


# A leader that dies.


@pytest.mark.parametrize("action", [DELETE, SCALE_DOWN, WEBHOOK], ids=lambda a: str(a["type"]))
@pytest.mark.parametrize(
    "survives",
    [
        pytest.param(False, id="before it is recorded"),
        pytest.param(True, id="after it is recorded, or after the act"),
    ],
)
def test_n12_the_next_leader_does_the_same_under_the_same_id(
    action: dict[str, Any], survives: bool
) -> None:
    watched = Watched(a_manager(a_policy(TTL, action))).at(40)
    planned = watched.look().act if survives else watched.plan().act
    watched.checks = {}
    again = watched.at(45).look().act
    assert isinstance(planned, EndNamespace | ScaleNamespace | Send)
    assert isinstance(again, EndNamespace | ScaleNamespace | Send)
    assert planned.id == again.id
    watched.came()
    assert watched.deactivated
