"""What the operator does with one object: a policy's life, catch-up, and what is spared."""

from datetime import timedelta

import msgspec
import pytest
from msgspec.structs import replace

from dayfly_core import names
from dayfly_core.actions import Delete, Stamp
from dayfly_core.api import Enforcement
from dayfly_core.objects import NAMESPACES, ObjectMeta
from dayfly_core.policies import Policy
from dayfly_core.reasons import Reason
from dayfly_core.subject import Plan, Subject
from support.build import (
    CONFIG_MAPS,
    DAY,
    HOUR,
    NOW,
    an_object,
    controlled,
    in_,
)
from support.subjects import (
    AUDIT,
    ELSEWHERE,
    FREE,
    HEIR,
    OPT_IN,
    PREVIEWS,
    SUSPENDED,
    about,
    do,
    stamped,
)


def stamps_of(decided: Plan) -> dict[str, str | None]:
    (action,) = decided.actions
    assert isinstance(action, Stamp)
    return {**action.stamps.annotations, **action.stamps.labels}


def given(at: str) -> dict[str, str]:
    """Return the annotations of an end that nobody but the operator has thought of."""
    return {names.EXPIRES_AT: at, names.CAUGHT_UP: in_("0s")} if at else {}


# Stamped objects.


def test_an_end_to_come_is_waited_for_to_the_microsecond() -> None:
    moment = "2026-11-22T10:00:00.000001Z"
    assert do(about(stamped(moment)), PREVIEWS) == Plan(
        (), NOW + timedelta(microseconds=1), Reason.NOT_DUE
    )


@pytest.mark.parametrize(
    "at",
    [
        pytest.param(in_("0s"), id="an end that has come"),
        pytest.param(in_("-9d"), id="an end that is long past"),
        pytest.param("2026-11-22T11:00:00+01:00", id="an end in another zone"),
    ],
)
def test_what_is_due_is_deleted_as_judged(at: str) -> None:
    decided = do(about(stamped(at)), PREVIEWS)
    (action,) = decided.actions
    assert isinstance(action, Delete)
    assert (action.uid, action.resource_version, action.policy) == ("u-1", "7", "previews")
    assert action.expires_at <= NOW
    assert not action.unit
    assert (decided.again, decided.reason) == (None, Reason.EXPIRED)


def test_a_namespace_ends_as_a_unit() -> None:
    meta = msgspec.structs.replace(stamped(in_("-1h")), name="team-a", namespace="")
    (action,) = do(about(meta, NAMESPACES), PREVIEWS).actions
    assert isinstance(action, Delete)
    assert action.unit


SPARED = [
    pytest.param(
        replace(about(stamped(in_("-1h"))), namespace=None), [PREVIEWS, HEIR], Reason.UNCHANGED,
        id="its namespace is not known",
    ),
    pytest.param(
        about(stamped(in_("-1h"), deletion_timestamp=NOW)), [PREVIEWS], Reason.DELETED,
        id="being deleted already",
    ),
    pytest.param(
        about(stamped(in_("-1h"), owner_references=controlled())), [PREVIEWS], Reason.CONTROLLED,
        id="controlled: its metadata may be a copy",
    ),
    pytest.param(
        about(stamped(in_("-1h"), labels={names.PROTECTED: "true"})), [PREVIEWS], Reason.PROTECTED,
        id="protected",
    ),
    pytest.param(
        about(stamped(in_("-1h"), namespace="kube-system")), [PREVIEWS], Reason.GUARDED,
        id="an object in kube-system",
    ),
    pytest.param(
        about(stamped(in_("-1h"), name="default", namespace=""), NAMESPACES), [PREVIEWS],
        Reason.GUARDED, id="the namespace default",
    ),
    pytest.param(about(stamped(in_("-1h"))), [SUSPENDED], Reason.SUSPENDED, id="policy suspended"),
    pytest.param(
        about(stamped(in_("-1h"))), [SUSPENDED, HEIR], Reason.SUSPENDED,
        id="policy suspended: it keeps its objects from the next",
    ),
    pytest.param(about(stamped(in_("-1h"))), [], Reason.INERT, id="policy deleted"),
    pytest.param(about(stamped(in_("-1h"))), [AUDIT], Reason.AUDIT_ONLY, id="policy on Audit"),
    pytest.param(about(stamped(in_("-1h"))), [ELSEWHERE], Reason.INERT, id="matches no longer"),
    pytest.param(
        about(stamped(in_("-1h"))), [replace(HEIR, suspended=True)], Reason.SUSPENDED,
        id="policy deleted, the next one suspended",
    ),
    pytest.param(
        about(stamped()), [replace(OPT_IN, name="heir")], Reason.INERT,
        id="policy deleted, the next one has no end for it",
    ),
    pytest.param(about(stamped(ttl="never")), [FREE], Reason.UNCHANGED, id="never ends"),
    pytest.param(
        about(stamped(ttl="never")), [PREVIEWS], Reason.UNCHANGED,
        id="never ends, though the policy has bounds by now",
    ),
    pytest.param(about(stamped()), [OPT_IN], Reason.INERT, id="end lost, and no default"),
    pytest.param(
        about(stamped("9999999w")), [OPT_IN], Reason.INVALID_EXPIRES_AT, id="end garbled"
    ),
    pytest.param(about(an_object(age=HOUR)), [], Reason.NO_POLICY, id="unstamped, no policy"),
    pytest.param(about(an_object(age=HOUR)), [AUDIT], Reason.AUDIT_ONLY, id="unstamped, Audit"),
    pytest.param(
        about(an_object(age=HOUR)), [SUSPENDED], Reason.SUSPENDED, id="unstamped, suspended"
    ),
    pytest.param(about(an_object(age=HOUR)), [OPT_IN], Reason.UNCHANGED, id="unstamped, opt-in"),
    pytest.param(
        about(an_object(ttl="-1h", age=HOUR)), [OPT_IN], Reason.INVALID_TTL, id="unstamped, bad ttl"
    ),
    pytest.param(
        about(an_object(age=HOUR), CONFIG_MAPS._replace(namespaced=False)),
        [ELSEWHERE], Reason.NO_POLICY, id="cluster-scoped, under a namespace selector",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("subject", "policies", "reason"), SPARED)
def test_nothing_happens_for_a_reason(
    subject: Subject, policies: list[Policy], reason: str
) -> None:
    decided = do(subject, *policies)
    assert (decided.actions, decided.again, decided.reason) == ((), None, reason)


def test_what_is_ignored_is_explained() -> None:
    garbled = do(about(stamped("9999999w\x00")), OPT_IN)
    assert garbled.note == (
        'metadata.annotations[dayfly.dev/expires-at]: Invalid value: "9999999w\\x00": '
        "is not an instant in RFC 3339; write for example 2026-11-22T10:00:00Z"
    )
    assert garbled.unreadable
    assert garbled.policy == OPT_IN.name
    suspended = do(about(stamped()), SUSPENDED)
    assert suspended.note == "ExpiryPolicy previews is suspended"
    assert not suspended.unreadable


# Ends that the operator gives.

GIVEN = [
    pytest.param(an_object(age=HOUR), PREVIEWS, in_("23h"), id="default, from creation"),
    pytest.param(an_object(ttl="8h", age=HOUR), PREVIEWS, in_("7h"), id="ttl, from creation"),
    pytest.param(an_object(age=9 * DAY), PREVIEWS, in_("1h"), id="at least grace from now"),
    pytest.param(an_object(ttl="90s", age=HOUR), PREVIEWS, in_("1h"), id="a short ttl waits grace"),
    pytest.param(an_object(), PREVIEWS, in_("24h"), id="of unknown age: from now"),
    pytest.param(an_object(at=in_("5h"), age=HOUR), PREVIEWS, "", id="its own end is kept"),
    pytest.param(
        an_object(at=in_("5m"), age=HOUR), PREVIEWS, "", id="its own end is kept, if soon"
    ),
    pytest.param(an_object(at=in_("-5m"), age=HOUR), PREVIEWS, in_("1h"), id="its own end is past"),
    pytest.param(an_object(at=in_("0s"), age=HOUR), PREVIEWS, in_("1h"), id="its own end is now"),
    pytest.param(an_object(at="x", age=HOUR), PREVIEWS, in_("23h"), id="its own end is garbled"),
    pytest.param(
        an_object(at="9999-12-31T23:59:59Z", age=HOUR),
        PREVIEWS,
        in_("7d"),
        id="its end is over max",
    ),
    pytest.param(
        an_object(at=in_("6d"), age=29 * DAY), PREVIEWS, in_("1d"), id="its end is over maxTotal"
    ),
    pytest.param(
        an_object(at=in_("6d"), age=31 * DAY), PREVIEWS, in_("1h"), id="maxTotal is over: grace"
    ),
    pytest.param(
        an_object(at=in_("90d"), age=HOUR),
        replace(PREVIEWS, enforcement=Enforcement.WARN),
        "",
        id="its end is over max, under Warn",
    ),
    pytest.param(an_object(ttl="90d", age=HOUR), PREVIEWS, in_("7d"), id="its ttl is over max"),
    pytest.param(an_object(ttl="5", age=HOUR), PREVIEWS, in_("23h"), id="its ttl is unreadable"),
    pytest.param(an_object(ttl="never", age=HOUR), FREE, "", id="never, where that is allowed"),
    pytest.param(
        an_object(ttl="never", age=HOUR), PREVIEWS, in_("23h"), id="never, where it is not"
    ),
]


@pytest.mark.parametrize(("meta", "policy", "want"), GIVEN)
def test_catch_up(meta: ObjectMeta, policy: Policy, want: str) -> None:
    decided = do(about(meta), policy)
    assert stamps_of(decided) == {
        names.POLICY: "previews",
        **given(want),
    }
    assert decided.reason == Reason.CAUGHT_UP


LOST = [
    pytest.param(stamped(), in_("23h"), id="lost: from creation"),
    pytest.param(stamped("garbled"), in_("23h"), id="garbled: from creation"),
    pytest.param(stamped(ttl="5d", age=9 * DAY), in_("1h"), id="lost long ago: at least grace"),
]


@pytest.mark.parametrize(("meta", "want"), LOST)
def test_a_stamped_object_that_lost_its_end(meta: ObjectMeta, want: str) -> None:
    assert stamps_of(do(about(meta), PREVIEWS)) == given(want)


HANDED = [
    pytest.param(stamped(in_("5m")), [], {}, id="an end to come stays, however soon"),
    pytest.param(stamped(in_("90d")), [], {}, id="an end to come stays, however late"),
    pytest.param(stamped(in_("-5m")), [], given(in_("1h")), id="a past end waits grace"),
    pytest.param(stamped(in_("0s")), [], given(in_("1h")), id="so does one that comes now"),
    pytest.param(stamped(), [], given(in_("23h")), id="a lost end is computed"),
    pytest.param(stamped(ttl="never"), [], {}, id="never stays where it is allowed"),
    pytest.param(stamped(in_("5m")), [AUDIT], {}, id="the old policy only audits"),
    pytest.param(stamped(in_("5m")), [ELSEWHERE], {}, id="the old policy fits no longer"),
]


@pytest.mark.parametrize(("meta", "others", "want"), HANDED)
def test_hand_over(meta: ObjectMeta, others: list[Policy], want: dict[str, str]) -> None:
    decided = do(about(meta), *others, HEIR)
    assert stamps_of(decided) == {names.POLICY: "heir", **want}
    assert decided.reason == Reason.HANDED_OVER


def test_never_is_not_handed_over_to_a_policy_with_bounds() -> None:
    heir = replace(HEIR, maximum=7 * DAY)
    assert stamps_of(do(about(stamped(ttl="never")), heir)) == {
        names.POLICY: "heir",
        **given(in_("23h")),
    }


def test_a_stamp_carries_the_version_that_was_judged_and_the_next_look() -> None:
    subject = about(an_object(age=HOUR))
    decided = do(subject, PREVIEWS)
    (action,) = decided.actions
    assert isinstance(action, Stamp)
    assert (action.key, action.uid, action.resource_version) == (subject.key, "u-1", "7")
    assert (action.policy, action.reason) == ("previews", Reason.CAUGHT_UP)
    assert decided.again == NOW + 23 * HOUR


# Properties.
