"""Whatever an object and its policies are: what a plan may never be."""

from datetime import datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from dayfly_core import names
from dayfly_core.actions import Delete, Stamp
from dayfly_core.api import Enforcement
from dayfly_core.objects import ObjectMeta
from dayfly_core.policies import Policies, Policy
from dayfly_core.stamps import Stamps, applied
from dayfly_core.subject import Plan
from support.build import (
    DAY,
    HOUR,
    NOW,
    a_policy,
    an_object,
    in_,
)
from support.subjects import HEIR, PREVIEWS, about, do

DURATIONS = st.sampled_from([None, "90s", "8h", "40d", "never", "5", "9999999w"])

INSTANTS = st.sampled_from(
    [None, in_("30s"), in_("5h"), in_("90d"), in_("-1d"), "x", "9999-12-31T23:59:59Z"]
)

POLICY = st.builds(
    a_policy,
    st.sampled_from(["previews", "heir", "audit"]),
    default=st.sampled_from([None, HOUR, DAY]),
    maximum=st.sampled_from([None, 7 * DAY]),
    max_total=st.sampled_from([None, 30 * DAY]),
    enforcement=st.sampled_from(list(Enforcement)),
    suspended=st.booleans(),
    grace=st.sampled_from([timedelta(minutes=1), HOUR, DAY]),
)

POLICIES = st.lists(POLICY, max_size=3, unique_by=lambda policy: policy.name)

OBJECT = st.builds(
    an_object,
    ttl=DURATIONS,
    at=INSTANTS,
    policy=st.sampled_from([None, "previews", "heir", "gone"]),
    age=st.sampled_from([timedelta(), HOUR, 29 * DAY, 400 * DAY]),
)

NOWS = st.integers(0, 86_400_000_000).map(lambda us: NOW + timedelta(microseconds=us))


def carried_out(meta: ObjectMeta, decided: Plan) -> ObjectMeta | None:
    """The object after the plan; None when it is gone."""
    for action in decided.actions:
        if isinstance(action, Delete):
            return None
        assert isinstance(action, Stamp)
        put: Stamps = action.stamps
        meta = msgspec.structs.replace(
            meta,
            annotations=applied(meta.annotation_map, put.annotations),
            labels=applied(meta.label_map, put.labels),
        )
    return meta


@given(meta=OBJECT, policies=POLICIES, now=NOWS)
def test_after_carrying_out_a_plan_planning_again_gives_nothing(
    meta: ObjectMeta, policies: list[Policy], now: datetime
) -> None:
    after = carried_out(meta, do(about(meta), *policies, now=now))
    assert after is None or do(about(after), *policies, now=now).actions == ()


@given(meta=OBJECT, policies=POLICIES, now=NOWS)
def test_again_is_never_in_the_past(
    meta: ObjectMeta, policies: list[Policy], now: datetime
) -> None:
    again = do(about(meta), *policies, now=now).again
    assert again is None or again > now


@given(meta=OBJECT, policies=POLICIES, now=NOWS)
def test_nothing_is_deleted_but_what_its_own_active_policy_stamped(
    meta: ObjectMeta, policies: list[Policy], now: datetime
) -> None:
    named = {policy.name: policy for policy in policies}
    for action in do(about(meta), *policies, now=now).actions:
        if isinstance(action, Delete):
            policy = named[meta.label_map[names.POLICY]]
            assert not policy.suspended
            assert policy.enforcement is not Enforcement.AUDIT
            assert action.expires_at <= now


@given(meta=OBJECT, policies=POLICIES, now=NOWS)
def test_no_end_that_the_operator_gives_is_nearer_than_grace(
    meta: ObjectMeta, policies: list[Policy], now: datetime
) -> None:
    named = {policy.name: policy for policy in Policies(policies)}
    decided = do(about(meta), *policies, now=now)
    for action in decided.actions:
        if isinstance(action, Stamp) and action.stamps.annotations.get(names.EXPIRES_AT):
            assert decided.again is not None
            assert decided.again >= now + named[action.policy].grace


@given(
    annotations=st.dictionaries(st.sampled_from([names.TTL, names.EXPIRES_AT]), st.text()),
    policy=st.none() | st.text(max_size=9),
)
def test_no_annotation_is_too_weird(annotations: dict[str, str], policy: str | None) -> None:
    meta = msgspec.structs.replace(an_object(policy=policy, age=HOUR), annotations=annotations)
    do(about(meta), PREVIEWS, HEIR)
