"""What a tenant may ask for its namespace: as much as a person with rights on it, and no more."""

from datetime import datetime, timedelta

import msgspec
import pytest
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from dayfly_core import names
from dayfly_core.api import Enforcement, LabelSelector, Stay, StaySpec, StayStatus
from dayfly_core.objects import ObjectMeta
from dayfly_core.policies import Policies, Policy
from dayfly_core.reasons import Condition, Reason
from dayfly_core.stays import AlreadyDone, Decision, Denied, Grant, decide, settled, status
from support.build import HOUR, NOW, a_policy, in_

SPACES = frozenset({("", "namespaces")})
BOUNDED = replace(
    a_policy(minimum="10m", default="24h", maximum="7d", max_total="30d"), resources=SPACES
)
WARN = replace(BOUNDED, enforcement=Enforcement.WARN)
AUDIT = replace(BOUNDED, enforcement=Enforcement.AUDIT)
ELSEWHERE = replace(BOUNDED, namespace_selector=LabelSelector(match_labels={"team": "b"}))
WAKE = "2026-11-22T10:00:00Z Stay/longer 7"


def a_stay(
    created: datetime | None = NOW,
    *,
    length: str | UnsetType = UNSET,
    until: str | UnsetType = UNSET,
    wake: bool = False,
) -> Stay:
    meta = ObjectMeta(
        name="longer", namespace="team-a", uid="7", creation_timestamp=created, generation=1
    )
    return Stay(metadata=meta, spec=StaySpec(length=length, until=until, wake=wake))


def a_namespace(at: str | None = "2h", *, age: timedelta = HOUR, **annotations: str) -> ObjectMeta:
    end = {} if at is None else {names.EXPIRES_AT: in_(at)}
    return ObjectMeta(
        name="team-a",
        labels={names.POLICY: "previews"},
        annotations=end | {f"dayfly.dev/{k.replace('_', '-')}": v for k, v in annotations.items()},
        creation_timestamp=NOW - age,
    )


def decided(
    stay: Stay, namespace: ObjectMeta | None = None, policy: Policy = BOUNDED, *, late: str = "0s"
) -> Decision:
    now = NOW + (datetime.fromisoformat(in_(late)) - NOW)
    return decide(stay, namespace or a_namespace(), Policies([policy]), now)


def granted(at: str | None, wake: str = "") -> Grant:
    return Grant(in_(at) if at else None, wake, "previews")


DONE = AlreadyDone(in_("2h"))


@pytest.mark.parametrize(
    ("decision", "want"),
    [
        pytest.param(decided(a_stay(length="8h")), granted("8h"), id="for, from its creation"),
        pytest.param(decided(a_stay(None, length="8h")), granted("8h"), id="or from now"),
        pytest.param(
            decided(a_stay(length="8h"), late="30m"), granted("8h"), id="whenever it is read"
        ),
        pytest.param(decided(a_stay(until=in_("8h"))), granted("8h"), id="until"),
        pytest.param(
            decided(a_stay(until="2026-11-22T20:00:00+02:00")), granted("8h"), id="in any zone"
        ),
        pytest.param(
            decided(a_stay(length="8h"), a_namespace("-2h")),
            granted("8h"),
            id="also when the end is past and the namespace is still there",
        ),
        pytest.param(decided(a_stay(length="7d")), granted("7d"), id="as long as allowed"),
        pytest.param(
            decided(a_stay(length="7d"), late="2d"),
            granted("7d"),
            id="bounds count from the creation too",
        ),
        pytest.param(
            decided(a_stay(length="10m"), a_namespace("5m"), late="6m"),
            granted("10m"),
            id="the shortest time as well",
        ),
        pytest.param(decided(a_stay(length="1h")), DONE, id="never earlier than it is"),
        pytest.param(decided(a_stay(length="2h")), DONE, id="carried out, not recorded yet"),
        pytest.param(decided(a_stay(until=in_("-1h"))), DONE, id="nor at once"),
        pytest.param(
            decided(a_stay(length="8h"), a_namespace(None, ttl="never")),
            AlreadyDone(None),
            id="what never ends stays",
        ),
        pytest.param(decided(a_stay(wake=True)), granted(None, WAKE), id="only to be woken"),
        pytest.param(
            decided(a_stay(length="8h", wake=True)), granted("8h", WAKE), id="both at once"
        ),
        pytest.param(
            decided(a_stay(length="1h", wake=True)), granted(None, WAKE), id="the rest of both"
        ),
        pytest.param(
            decided(a_stay(wake=True), a_namespace(wake_requested=WAKE)), DONE, id="woken once"
        ),
        pytest.param(
            decided(a_stay(None, wake=True)), granted(None, "Stay/longer 7"), id="with no date"
        ),
        pytest.param(
            decided(a_stay(wake=True), a_namespace(wake_requested="2026-11-22T09:00:00Z bob")),
            granted(None, WAKE),
            id="somebody else's wish is another",
        ),
    ],
)
def test_what_is_granted(decision: Decision, want: Decision) -> None:
    assert decision == want


GONE = msgspec.structs.replace(a_namespace(), deletion_timestamp=NOW)
UNSTAMPED = msgspec.structs.replace(a_namespace(), labels=None)


@pytest.mark.parametrize(
    ("decision", "reason", "text"),
    [
        pytest.param(
            decided(a_stay(length="8d")),
            Reason.TTL_TOO_LONG,
            'spec.for: Invalid value: "8d": ExpiryPolicy previews allows '
            "2026-11-29T10:00:00Z at the latest",
            id="for too long",
        ),
        pytest.param(
            decided(a_stay(until=in_("8d"))),
            Reason.TTL_TOO_LONG,
            f'spec.until: Invalid value: "{in_("8d")}"',
            id="until too late",
        ),
        pytest.param(
            decided(a_stay(length="7d"), a_namespace(age=timedelta(days=29))),
            Reason.TOTAL_TOO_LONG,
            "30d after the creation",
            id="longer than the namespace may live in all",
        ),
        pytest.param(
            decided(a_stay(length="5m"), a_namespace("1m")),
            Reason.TTL_TOO_SHORT,
            "at the earliest",
            id="shorter than the policy allows anybody",
        ),
        pytest.param(
            decided(a_stay(until=in_("-1h")), a_namespace("-2h")),
            Reason.END_IN_THE_PAST,
            "ask for a later end",
            id="until in the past",
        ),
        pytest.param(
            decided(a_stay(until=in_("0s")), a_namespace("-2h")),
            Reason.END_IN_THE_PAST,
            "has passed",
            id="until now",
        ),
        pytest.param(
            decided(a_stay(length="3h"), late="4h"),
            Reason.END_IN_THE_PAST,
            "has passed",
            id="read too late",
        ),
        pytest.param(
            decided(a_stay(until="2026-13-01T00:00:00Z")),
            Reason.INVALID_EXPIRES_AT,
            "no date and time of the calendar",
            id="no date",
        ),
        pytest.param(
            decided(a_stay(length="soon")), Reason.INVALID_EXPIRES_AT, "write", id="no length"
        ),
        pytest.param(
            decided(a_stay(wake=True), GONE), Reason.NAMESPACE_ENDING, "deleted", id="too late"
        ),
        pytest.param(
            decided(a_stay(length="8h"), UNSTAMPED),
            Reason.NOTHING_TO_EXTEND,
            "no ExpiryPolicy",
            id="a namespace that has no end is given none",
        ),
        pytest.param(
            decided(a_stay(wake=True), UNSTAMPED),
            Reason.NOTHING_TO_EXTEND,
            "no ExpiryPolicy",
            id="and nobody wakes it",
        ),
        pytest.param(
            decided(a_stay(wake=True), policy=ELSEWHERE),
            Reason.NOTHING_TO_EXTEND,
            "no ExpiryPolicy",
            id="the policy on its label no longer fits",
        ),
        pytest.param(
            decided(a_stay(wake=True), policy=AUDIT),
            Reason.NOTHING_TO_EXTEND,
            "no ExpiryPolicy",
            id="or only audits",
        ),
    ],
)
def test_what_is_denied(decision: Decision, reason: str, text: str) -> None:
    assert isinstance(decision, Denied)
    assert decision.reason == reason
    assert text in decision.message


def test_a_policy_that_only_warns_grants_with_a_warning() -> None:
    decision = decided(a_stay(length="8d"), policy=WARN)
    assert isinstance(decision, Grant)
    assert decision.expires_at == in_("8d")
    assert decision.warnings == (
        "spec.for: ExpiryPolicy previews allows 2026-11-29T10:00:00Z at the latest",
    )


@pytest.mark.parametrize(
    ("grant", "changes"),
    [
        pytest.param(
            granted("8h"),
            {names.EXPIRES_AT: in_("8h"), names.CAUGHT_UP: None},
            id="an end that was asked for is no surprise",
        ),
        pytest.param(granted(None, WAKE), {names.WAKE_REQUESTED: WAKE}, id="waking moves no end"),
        pytest.param(
            granted("8h", WAKE),
            {names.EXPIRES_AT: in_("8h"), names.CAUGHT_UP: None, names.WAKE_REQUESTED: WAKE},
            id="both in one patch",
        ),
    ],
)
def test_what_a_grant_writes(grant: Grant, changes: dict[str, str | None]) -> None:
    assert grant.changes == changes


@pytest.mark.parametrize(
    ("decision", "end", "condition"),
    [
        pytest.param(
            granted("8h", WAKE),
            in_("8h"),
            (
                "True",
                Reason.GRANTED,
                "the namespace ends 2026-11-22T18:00:00Z; what its policy has scaled down comes "
                "back",
            ),
            id="granted",
        ),
        pytest.param(
            DONE,
            in_("2h"),
            ("True", Reason.GRANTED, "the namespace stays until 2026-11-22T12:00:00Z anyway"),
            id="so already",
        ),
        pytest.param(
            AlreadyDone(None),
            UNSET,
            ("True", Reason.GRANTED, "the namespace has no end"),
            id="for ever",
        ),
        pytest.param(
            Denied(Reason.TTL_TOO_LONG, "too long"),
            UNSET,
            ("False", Reason.TTL_TOO_LONG, "too long"),
            id="denied",
        ),
    ],
)
def test_the_status_says_what_came_of_it(
    decision: Decision, end: str | UnsetType, condition: tuple[str, str, str]
) -> None:
    stay = a_stay(wake=True)
    recorded = status(stay, decision, NOW)
    assert recorded.expires_at == end
    (found,) = recorded.conditions
    assert (found.type, found.observed_generation) == (Condition.GRANTED, 1)
    assert (found.status, found.reason, found.message) == condition


def test_what_is_recorded_is_settled_for_ever() -> None:
    stay = a_stay(length="8h")
    assert not settled(stay)
    assert not settled(msgspec.structs.replace(stay, status=StayStatus()))
    denied = Denied(Reason.TTL_TOO_LONG, "too long")
    recorded = msgspec.structs.replace(stay, status=status(stay, denied, NOW))
    assert settled(recorded)
    assert decided(recorded) == DONE
    assert status(recorded, denied, NOW + HOUR) == recorded.status
