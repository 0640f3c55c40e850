"""Timelines: what happens to one object, in which order, and what is recorded."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from dayfly_core import instant, names
from dayfly_core.actions import Annotate, Call, Delete, ScaleDown
from dayfly_core.api import Unit
from dayfly_core.helm.marks import ReleaseRef
from dayfly_core.lifecycle import Result, occurrence
from dayfly_core.objects import DEPLOYMENTS, NAMESPACES, ObjectMeta, Resource
from dayfly_core.policies import Policy
from dayfly_core.reasons import Reason
from dayfly_core.subject import Plan
from support.build import CONFIG_MAPS, DAY, HOUR, NOW, SECOND, a_policy, in_
from support.subjects import about, do
from support.timelines import HOOK, ending, ledger_of, on_timeline, recorded, told

STANDARD = on_timeline("NOTIFY@-1h", "SCALE_DOWN@0s", "DELETE@24h")
CALLING = on_timeline("WEBHOOK@-30m", "DELETE@0s")
DONE, PENDING, SUPERSEDED = Result.DONE, Result.PENDING, Result.SUPERSEDED


def decide(meta: ObjectMeta, policy: Policy, resource: Resource = DEPLOYMENTS) -> Plan:
    return do(about(meta, resource), policy)


def act(meta: ObjectMeta, policy: Policy, resource: Resource = DEPLOYMENTS) -> object:
    (action,) = decide(meta, policy, resource).actions
    return action


WAITED_FOR = [
    pytest.param(ending(in_("2h")), STANDARD, in_("1h"), id="before the first step"),
    pytest.param(
        ending(in_("30m"), recorded(in_("30m"), ("NOTIFY@-1h", DONE)), warning="soon"), STANDARD,
        in_("30m"), id="between two steps",
    ),
    pytest.param(
        ending(in_("-1h"), recorded(in_("-1h"), ("SCALE_DOWN@0s", DONE))),
        replace(STANDARD, timeline=STANDARD.timeline[1:]), in_("23h"), id="before the last",
    ),
    pytest.param(
        ending(in_("-1h"), recorded(in_("-1h"), ("SCALE_DOWN@0s", DONE))),
        on_timeline("SCALE_DOWN@0s"), "", id="for ever, without a DELETE",
    ),
    pytest.param(
        ending("9999-12-31T23:59:59Z"), on_timeline("DELETE@24h"), "9999-12-31T23:59:59.999999Z",
        id="beyond the calendar",
    ),
    pytest.param(
        ending(in_("9h"), recorded(in_("9h"))), a_policy(), in_("9h"), id="the end itself"
    ),
]  # fmt: skip


@pytest.mark.parametrize(("meta", "policy", "until"), WAITED_FOR)
def test_the_next_step_is_waited_for(meta: ObjectMeta, policy: Policy, until: str) -> None:
    resource = DEPLOYMENTS if policy.timeline else CONFIG_MAPS
    decided = decide(meta, policy, resource)
    assert (decided.actions, decided.reason) == ((), Reason.NOT_DUE)
    assert again(decided) == until


def again(decided: Plan) -> str:
    return instant.render(decided.again) if decided.again else ""


TURNS = [
    pytest.param(
        ending(in_("1h")), STANDARD, "Warned", {"NOTIFY@-1h": "Done"}, id="warned an hour before"
    ),
    pytest.param(
        ending(in_("30m")), STANDARD, "Warned", {"NOTIFY@-1h": "Done"},
        id="warned at once, if it lives shorter than that",
    ),
    pytest.param(
        ending(in_("0s"), recorded(in_("0s"), ("NOTIFY@-1h", DONE))), STANDARD, "SCALE_DOWN@0s",
        {"NOTIFY@-1h": "Done", "SCALE_DOWN@0s": "Done"}, id="scaled down at the end",
    ),
    pytest.param(
        ending(in_("-2h")), STANDARD, "SCALE_DOWN@0s",
        {"NOTIFY@-1h": "Superseded", "SCALE_DOWN@0s": "Done"},
        id="after an outage nobody is warned of what is due",
    ),
    pytest.param(
        ending(in_("-9d")), STANDARD, "DELETE DELETE@1d", {}, id="nor scaled down what is deleted"
    ),
    pytest.param(
        ending(in_("-2h")), on_timeline("SCALE_DOWN@0s", "NOTIFY@1h"), "SCALE_DOWN@0s",
        {"SCALE_DOWN@0s": "Done"}, id="a warning after it takes no scale-down's place",
    ),
    pytest.param(
        ending(in_("-1h")), on_timeline("NOTIFY+@-1h", "DELETE@0s"), "DELETE DELETE@0s", {},
        id="nor is anybody called with a warning of what is due",
    ),
    pytest.param(
        ending(in_("-1d"), recorded(in_("-1d"), ("NOTIFY@-1h", DONE), ("SCALE_DOWN@0s", DONE))),
        STANDARD, "DELETE DELETE@1d", {}, id="deleted a day after the end",
    ),
    pytest.param(
        ending(in_("1h"), recorded(in_("5h"), ("NOTIFY@-1h", DONE)), warning="old"), STANDARD,
        "Warned", {"NOTIFY@-1h": "Done"}, id="another end begins anew",
    ),
    pytest.param(
        ending("2026-11-22T11:30:00+01:00", recorded(in_("30m"), ("NOTIFY@-1h", DONE))),
        on_timeline("NOTIFY@-1h", "SCALE_DOWN@-45m"), "SCALE_DOWN@-45m",
        {"NOTIFY@-1h": "Done", "SCALE_DOWN@-45m": "Done"}, id="the same end respelt does not",
    ),
    pytest.param(
        ending(in_("30m"), "{garbled"), STANDARD, "Warned", {"NOTIFY@-1h": "Done"},
        id="a record that cannot be read is none",
    ),
    pytest.param(
        ending(in_("0s"), '{"end": "x"}'), STANDARD, "SCALE_DOWN@0s",
        {"NOTIFY@-1h": "Superseded", "SCALE_DOWN@0s": "Done"}, id="a record of no end is none",
    ),
    pytest.param(
        ending(in_("0s")), CALLING, "CallPending", {"WEBHOOK@-30m": "Pending"},
        id="a call is recorded before it is made, also if the end is due",
    ),
    pytest.param(
        ending(in_("-9d"), recorded(in_("-9d"), ("WEBHOOK@-30m", PENDING))), CALLING,
        "WEBHOOK@-30m", {}, id="a recorded call is made before the end",
    ),
    pytest.param(
        ending(in_("0s"), recorded(in_("0s"), ("WEBHOOK@-30m", Result.FAILED))), CALLING,
        "DELETE DELETE@0s", {}, id="a call that was given up holds nothing back",
    ),
    pytest.param(
        ending(in_("9h"), recorded(in_("1h"), ("WEBHOOK@-30m", PENDING))),
        on_timeline("WEBHOOK@-10h"), "CallPending", {"WEBHOOK@-10h": "Pending"},
        id="an extension cancels a call that is pending",
    ),
    pytest.param(
        ending(in_("1h")), on_timeline("NOTIFY+@-1h", "DELETE@0s"), "Warned",
        {"NOTIFY@-1h": "Pending"}, id="a warning that calls is recorded as pending",
    ),
    pytest.param(
        ending(in_("1h"), recorded(in_("1h"), ("NOTIFY@-1h", PENDING)), warning="soon"),
        on_timeline("NOTIFY+@-1h", "DELETE@0s"), "NOTIFY@-1h", {}, id="and calls then",
    ),
    pytest.param(
        ending(in_("1h"), recorded(in_("1h"), ("NOTIFY@-1h", PENDING)), warning="soon"),
        on_timeline("NOTIFY@-1h", "DELETE@0s"), "Warned", {"NOTIFY@-1h": "Done"},
        id="unless the policy says no more whom",
    ),
    pytest.param(
        ending(in_("5h"), recorded(in_("30m"), ("NOTIFY@-1h", DONE)), warning="soon"), STANDARD,
        "WarningWithdrawn", {}, id="an extension withdraws the warning",
    ),
    pytest.param(
        ending(in_("-5m"), recorded(in_("30m"), ("NOTIFY@-1h", DONE)), warning="soon"),
        on_timeline("SCALE_DOWN@0s"), "WarningWithdrawn", {}, id="also before a step that is due",
    ),
    pytest.param(
        ending(in_("-5m"), warning="soon"), a_policy(), "DELETE", {},
        id="there is no need to, before it is deleted",
    ),
    pytest.param(
        ending(in_("5h"), warning="soon"), a_policy(), "WarningWithdrawn", {},
        id="a timeline that is gone withdraws the warning",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("meta", "policy", "want", "records"), TURNS)
def test_one_step_at_a_time(
    meta: ObjectMeta, policy: Policy, want: str, records: dict[str, str]
) -> None:
    resource = DEPLOYMENTS if policy.timeline else CONFIG_MAPS
    (action,) = decide(meta, policy, resource).actions
    assert (told(action), ledger_of(action)) == (want, records)
    assert (action.uid, action.resource_version, action.policy) == ("u-1", "7", "previews")


def test_a_warning_says_what_will_happen_and_when() -> None:
    action = act(ending(in_("1h")), STANDARD)
    assert isinstance(action, Annotate)
    assert action.annotations[names.WARNING] == action.note
    assert action.note == (
        "will be scaled down at 2026-11-22T11:00:00Z and deleted at 2026-11-23T11:00:00Z, "
        "by ExpiryPolicy previews"
    )


def test_a_warning_does_not_foretell_what_has_been_done() -> None:
    at = in_("-1h")
    action = act(ending(at, recorded(at, ("SCALE_DOWN@0s", DONE))), STANDARD)
    assert isinstance(action, Annotate)
    assert action.note == "will be deleted at 2026-11-23T09:00:00Z, by ExpiryPolicy previews"


def test_a_warning_of_nothing_but_an_end_names_the_end() -> None:
    action = act(ending(in_("1h")), on_timeline("NOTIFY@-1h", "WEBHOOK@0s"))
    assert isinstance(action, Annotate)
    assert action.note == "ends at 2026-11-22T11:00:00Z, by ExpiryPolicy previews"


def test_a_withdrawn_warning_leaves_nothing_behind() -> None:
    action = act(ending(in_("5h"), warning="soon"), STANDARD)
    assert isinstance(action, Annotate)
    assert action.annotations == {names.STEPS: None, names.WARNING: None}


def test_a_call_says_which_attempt_it_is_and_what_to_record() -> None:
    at = in_("0s")
    action = act(ending(at, recorded(at, ("WEBHOOK@-30m", PENDING), attempts=2)), CALLING)
    assert isinstance(action, Call)
    assert (action.attempt, action.webhook, action.occurrence) == (
        3,
        HOOK,
        occurrence("previews", "u-1", at, "WEBHOOK@-30m"),
    )
    assert (action.due, action.expires_at) == (NOW - timedelta(minutes=30), NOW)
    postponed = action.ledger.postponed(action.step, NOW + HOUR, "the receiver answered 500")
    later = decide(ending(at, postponed.text), CALLING)
    assert (later.actions, later.again) == ((), NOW + HOUR)
    over = action.ledger.ended(action.step, Result.DONE, NOW)
    assert told(decide(ending(at, over.text), CALLING).actions[0]) == "DELETE DELETE@0s"
    assert over.records["WEBHOOK@-30m"].attempts == 3


def test_while_a_call_waits_an_earlier_instant_is_not_missed() -> None:
    policy, at = on_timeline("WEBHOOK@-30m", "DELETE@5m"), in_("0s")
    begun = act(ending(at, recorded(at, ("WEBHOOK@-30m", PENDING))), policy)
    assert isinstance(begun, Call)
    postponed = begun.ledger.postponed(begun.step, NOW + HOUR, "")
    assert decide(ending(at, postponed.text), policy).again == NOW + timedelta(minutes=5)


def test_a_scale_down_that_is_forbidden_is_tried_again_and_then_given_up() -> None:
    policy, at = on_timeline("SCALE_DOWN@0s"), in_("0s")
    first = act(ending(at), policy)
    assert isinstance(first, ScaleDown)
    waiting = first.refused(NOW, NOW + HOUR, "forbidden")
    decided = decide(ending(at, waiting.text), policy)
    assert (decided.actions, decided.again) == ((), NOW + HOUR)
    given_up = first.refused(NOW, None, "forbidden")
    assert given_up.records["SCALE_DOWN@0s"].result is Result.FAILED
    assert decide(ending(at, given_up.text), policy).actions == ()
    again = act(ending(at, first.refused(NOW, NOW, "forbidden").text), policy)
    assert isinstance(again, ScaleDown)
    assert (again.attempt, again.occurrence) == (2, first.occurrence)


def test_the_id_of_a_step_is_that_of_policy_object_end_and_step() -> None:
    action = act(ending("2026-11-22T11:00:00+01:00"), on_timeline("SCALE_DOWN@0s"))
    assert isinstance(action, ScaleDown)
    assert action.occurrence == occurrence("previews", "u-1", in_("0s"), "SCALE_DOWN@0s")
    assert action.due == NOW


SCALABLE = [
    pytest.param(DEPLOYMENTS, "SCALE_DOWN@0s", "Done", id="a Deployment"),
    pytest.param(NAMESPACES, "SCALE_DOWN@0s", "Done", id="all in a Namespace"),
    pytest.param(CONFIG_MAPS, "NothingToScale", "Superseded", id="not a ConfigMap"),
]


@pytest.mark.parametrize(("resource", "want", "result"), SCALABLE)
def test_what_can_be_scaled_down(resource: Resource, want: str, result: str) -> None:
    (action,) = decide(ending(in_("0s")), on_timeline("SCALE_DOWN@0s"), resource).actions
    assert (told(action), ledger_of(action)) == (want, {"SCALE_DOWN@0s": result})


def known(ago: timedelta, step: str = "DELETE@0s") -> dict[str, Any]:
    return {"known": {step: NOW - ago}}


LATE = [
    pytest.param(
        a_policy(**known(timedelta())), in_("-1d"), in_("1h"), id="a timeline taken away: grace"
    ),
    pytest.param(
        a_policy(**known(59 * timedelta(minutes=1))), in_("-1d"), in_("1m"), id="the rest of grace"
    ),
    pytest.param(
        on_timeline("SCALE_DOWN@0s", **known(timedelta(), "SCALE_DOWN@0s")), in_("-1s"), in_("1h"),
        id="a step added when it was due already",
    ),
    pytest.param(
        on_timeline("SCALE_DOWN@0s", **known(timedelta(), "SCALE_DOWN@0s")), in_("1s"), in_("1s"),
        id="a step added before it is due is not put off",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("policy", "at", "until"), LATE)
def test_what_was_added_too_late_waits_grace(policy: Policy, at: str, until: str) -> None:
    resource = DEPLOYMENTS if policy.timeline else CONFIG_MAPS
    decided = decide(ending(at), policy, resource)
    assert (decided.actions, again(decided)) == ((), until)


SURPRISES = [
    pytest.param(a_policy(), "", False, id="an end that its author knows"),
    pytest.param(a_policy(), in_("-1d"), True, id="an end that the operator gave"),
    pytest.param(a_policy(**known(HOUR)), "", True, id="a policy that was changed"),
    pytest.param(a_policy(**known(2 * DAY)), "", False, id="a policy that was changed long before"),
    pytest.param(a_policy(since=NOW), "", True, id="a policy that was resumed since"),
    pytest.param(a_policy(since=NOW - 2 * DAY), "", False, id="one resumed long before"),
    pytest.param(on_timeline("SCALE_DOWN@0s"), "", False, id="a scale-down as announced"),
    pytest.param(
        on_timeline("SCALE_DOWN@0s", since=NOW), "", True, id="one of a policy resumed since"
    ),
    pytest.param(on_timeline("SCALE_DOWN@0s"), in_("-1d"), True, id="one of an end that was given"),
    pytest.param(
        on_timeline("SCALE_DOWN@0s", **known(HOUR, "SCALE_DOWN@0s")), "", True, id="one added since"
    ),
]  # fmt: skip


@pytest.mark.parametrize(("policy", "caught_up", "want"), SURPRISES)
def test_what_nobody_was_told_of_in_time_is_a_surprise(
    policy: Policy, caught_up: str, *, want: bool
) -> None:
    meta = ending(in_("-1d"), **({"caught_up": caught_up} if caught_up else {}))
    action = act(meta, policy, DEPLOYMENTS if policy.timeline else CONFIG_MAPS)
    assert isinstance(action, Delete | ScaleDown)
    assert action.surprising == want


def test_a_delete_says_when_it_was_due() -> None:
    action = act(ending(in_("-2d")), STANDARD)
    assert isinstance(action, Delete)
    assert (action.expires_at, action.due) == (NOW - 2 * DAY, NOW - DAY)
    without = act(ending(in_("-1s")), a_policy(), CONFIG_MAPS)
    assert isinstance(without, Delete)
    assert (without.due, without.step) == (NOW - SECOND, "")


def test_under_unit_release_a_delete_names_the_release() -> None:
    helm = {
        "meta.helm.sh/release-name": "shop",
        "meta.helm.sh/release-namespace": "team-a",
    }
    meta = ending(in_("-1s"))
    labels = {**meta.label_map, "app.kubernetes.io/managed-by": "Helm"}
    made = msgspec.structs.replace(meta, labels=labels, annotations={**meta.annotation_map, **helm})
    for unit, want in ((Unit.RELEASE, ReleaseRef("team-a", "shop")), (Unit.OBJECT, None)):
        action = act(made, a_policy(unit=unit), CONFIG_MAPS)
        assert isinstance(action, Delete)
        assert action.release == want
