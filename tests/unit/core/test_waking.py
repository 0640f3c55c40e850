"""Waking: what is a request, when it is served, and which end follows."""

import msgspec
import pytest
from msgspec.structs import replace

from dayfly_core import names, waking
from dayfly_core.actions import Wake
from dayfly_core.lifecycle import Result
from dayfly_core.objects import DEPLOYMENTS, ObjectMeta
from dayfly_core.policies import Policy
from dayfly_core.reasons import Reason
from dayfly_core.subject import Plan
from support.build import NOW, a_policy, an_object, in_
from support.subjects import about, do
from support.timelines import ending, ledger_of, on_timeline, recorded, told

STANDARD = on_timeline("SCALE_DOWN@0s", "DELETE@24h", maximum="7d", max_total="30d")
KEEPING = replace(STANDARD, renew_on_wake=False)
PAST = in_("-1h")
DOWN = ("SCALE_DOWN@0s", Result.DONE)


def decide(meta: ObjectMeta, policy: Policy = STANDARD) -> Plan:
    return do(about(meta, DEPLOYMENTS), policy)


def woken(meta: ObjectMeta, policy: Policy = STANDARD) -> Wake:
    (action,) = decide(meta, policy).actions
    assert isinstance(action, Wake)
    return action


def asking(at: str = PAST, request: str = "now, alice", woken: str = "", **more: str) -> ObjectMeta:
    return ending(at, recorded(at, DOWN, woken=woken), wake_requested=request, **more)


def test_what_is_woken_lives_anew_and_all_steps_are_open_again() -> None:
    action = woken(asking())
    assert (action.request, action.policy) == ("now, alice", "previews")
    assert action.annotations[names.EXPIRES_AT] == in_("24h")
    assert ledger_of(action) == {}
    after = ending(in_("24h"), action.annotations[names.STEPS] or "", wake_requested="now, alice")
    assert (decide(after).actions, decide(after).again) == ((), NOW.replace(day=23))


ENDS = [
    pytest.param(asking(), KEEPING, None, id="the policy renews nothing"),
    pytest.param(asking(in_("2d")), STANDARD, None, id="its end is later already"),
    pytest.param(asking(ttl="3d"), STANDARD, in_("3d"), id="as long as it asked for itself"),
    pytest.param(asking(ttl="9d"), STANDARD, in_("7d"), id="no longer than max"),
    pytest.param(
        msgspec.structs.replace(asking(), creation_timestamp=NOW.replace(month=10, day=23)),
        STANDARD, None, id="maxTotal is over: no new end",
    ),
    pytest.param(asking(), replace(STANDARD, default=None), None, id="no life to begin anew"),
    pytest.param(
        asking(in_("10m")), STANDARD, in_("24h"), id="it was put to rest before its end"
    ),
]  # fmt: skip


@pytest.mark.parametrize(("meta", "policy", "want"), ENDS)
def test_the_new_end(meta: ObjectMeta, policy: Policy, want: str | None) -> None:
    action = woken(meta, policy)
    assert action.annotations.get(names.EXPIRES_AT) == want
    assert ledger_of(action) == ({} if want else {"SCALE_DOWN@0s": "Done"})


NOTIFIED = ("NOTIFY@-1h", Result.DONE)


def calling(at: str, steps: str = "") -> ObjectMeta:
    return ending(at, steps, wake_requested="now, alice")


AWAKE = [
    pytest.param(calling(in_("2h")), STANDARD, None, id="awake: it keeps its end"),
    pytest.param(
        calling(in_("2h"), recorded(in_("2h"), woken="before, bob")), STANDARD, None,
        id="awake since it was woken before",
    ),
    pytest.param(
        calling(in_("30m"), recorded(in_("30m"), NOTIFIED)),
        on_timeline("NOTIFY@-1h", "SCALE_DOWN@0s", "DELETE@24h"), None, id="only warned",
    ),
    pytest.param(
        calling(in_("2h"), recorded(PAST, DOWN)), STANDARD, in_("24h"), id="asleep, and extended"
    ),
    pytest.param(calling(PAST), STANDARD, in_("24h"), id="about to be put to rest"),
    pytest.param(calling(in_("0s")), STANDARD, in_("24h"), id="put to rest this very second"),
    pytest.param(calling(PAST), on_timeline(), in_("24h"), id="about to be deleted"),
    pytest.param(
        calling(PAST, recorded(PAST, ("SCALE_DOWN@0s", Result.PENDING))), STANDARD, in_("24h"),
        id="half at rest",
    ),
    pytest.param(
        calling(in_("2h"), recorded(PAST, ("SCALE_DOWN@0s", Result.PENDING))), STANDARD,
        in_("24h"), id="half at rest, and extended",
    ),
    pytest.param(
        calling(in_("2h"), recorded(PAST, ("SCALE_DOWN@0s", Result.FAILED))), STANDARD,
        in_("24h"), id="given up half way, and extended",
    ),
    pytest.param(
        calling(in_("2h"), recorded(PAST, ("SCALE_DOWN@0s", Result.SUPERSEDED))), STANDARD, None,
        id="never put to rest",
    ),
    pytest.param(calling(in_("2h"), "no record"), STANDARD, None, id="nobody can read its record"),
]  # fmt: skip


@pytest.mark.parametrize(("meta", "policy", "want"), AWAKE)
def test_only_what_sleeps_or_would_lives_anew(
    meta: ObjectMeta, policy: Policy, want: str | None
) -> None:
    assert woken(meta, policy).annotations.get(names.EXPIRES_AT) == want


@pytest.mark.parametrize(
    ("length", "whole"),
    [
        pytest.param(256, True, id="as it is"),
        pytest.param(257, False, id="a longer one by an id"),
    ],
)
def test_a_request_that_was_served_is_known_again(length: int, *, whole: bool) -> None:
    text = "x" * length
    assert (waking.mark(text) == text) is whole
    assert waking.request(asking(request=text)) == text
    assert waking.request(asking(request=text, woken=waking.mark(text))) == ""


def test_a_new_end_is_no_surprise_and_withdraws_the_warning() -> None:
    annotations = woken(asking(caught_up=PAST, warning="soon")).annotations
    assert (annotations[names.CAUGHT_UP], annotations[names.WARNING]) == (None, None)
    kept = woken(asking(caught_up=PAST, warning="soon"), KEEPING).annotations
    assert kept.keys() == {names.STEPS}


LONG = "please " * 99

REQUESTS = [
    pytest.param(asking(woken="before, bob"), "wake", id="another text is another request"),
    pytest.param(asking(woken="now, alice"), "", id="the same text is served already"),
    pytest.param(asking(request=""), "", id="an empty text is none"),
    pytest.param(
        ending(PAST, recorded(in_("-2h"), woken="now, alice"), wake_requested="now, alice"),
        "SCALE_DOWN@0s", id="served for an earlier end",
    ),
    pytest.param(
        ending(PAST, recorded(PAST, DOWN, woken="now, alice", uid=""), wake_requested="now, alice"),
        "SCALE_DOWN@0s", id="served by a version that wrote no uid",
    ),
    pytest.param(
        ending(PAST, recorded(PAST, woken="now, alice", uid="u-0"), wake_requested="now, alice"),
        "wake", id="served on the object that this one is a copy of",
    ),
    pytest.param(
        asking(in_("-9d")), "wake", id="before the object is deleted, though that is due"
    ),
    pytest.param(asking(request=LONG), "wake", id="a long text"),
    pytest.param(
        an_object(policy="previews", labels={names.PROTECTED: "true"}), "", id="protected"
    ),
]  # fmt: skip


@pytest.mark.parametrize(("meta", "want"), REQUESTS)
def test_what_is_a_request(meta: ObjectMeta, want: str) -> None:
    assert "".join(told(action) for action in decide(meta).actions) == want


def test_a_long_request_is_served_once_and_recorded_in_short() -> None:
    text = woken(asking(request=LONG)).annotations[names.STEPS] or ""
    assert len(text) < 300
    served = ending(in_("24h"), text, wake_requested=LONG)
    assert decide(served).actions == ()


def test_also_what_has_no_end_is_woken() -> None:
    meta = msgspec.structs.replace(
        an_object(ttl="never", policy="previews", age=NOW - NOW),
        annotations={names.TTL: "never", names.WAKE_REQUESTED: "x"},
    )
    decided = do(about(meta), a_policy())
    assert decided.reason == Reason.WOKEN
    assert woken(meta).annotations.keys() == {names.STEPS}
