"""What holds of both calls, whatever they are asked."""

from datetime import datetime, timedelta

import msgspec
from hypothesis import assume, given
from hypothesis import strategies as st

from dayfly_core import names
from dayfly_core.api import Enforcement, RenewOn
from dayfly_core.hosts import Naming, Template
from dayfly_core.objects import ObjectMeta
from dayfly_core.patch import operations
from dayfly_core.policies import Policies, Policy
from dayfly_core.request import Operation, Request
from dayfly_core.stamps import Stamps, applied
from dayfly_core.verdict import COPIED, judge, stamp
from support.build import DAY, HOUR, NOW, a_policy, a_request, an_object, in_
from support.verdicts import TEAM, only

DURATIONS = st.sampled_from([None, "90s", "8h", "1d12h", "40d", "never", "5", "-1h", "9999999w"])
INSTANTS = st.sampled_from(
    [None, in_("30s"), in_("5h"), in_("3d"), in_("90d"), in_("-1d"), "x", "9999-12-31T23:59:59Z"]
)
POLICIES = st.builds(
    a_policy,
    st.sampled_from(["previews", "other"]),
    default=st.sampled_from([None, HOUR, DAY]),
    minimum=st.sampled_from([None, timedelta(minutes=1), 2 * HOUR]),
    maximum=st.sampled_from([None, 7 * DAY]),
    max_total=st.sampled_from([None, 30 * DAY]),
    renew_on=st.sampled_from(list(RenewOn)),
    enforcement=st.sampled_from(list(Enforcement)),
    suspended=st.booleans(),
    host=st.sampled_from([None, Naming(Template("{name}.{environment}.x"))]),
)


@st.composite
def objects(draw: st.DrawFn, *, stored: bool = False, silent: bool = False) -> ObjectMeta:
    return an_object(
        ttl=None if silent else draw(DURATIONS),
        at=None if silent else draw(INSTANTS),
        by=draw(st.sampled_from([None, "alice", "bob"])),
        host=draw(st.sampled_from([None, "settings.shop.x", "other.x"])),
        policy=draw(st.sampled_from([None, "previews", "other", "gone"])),
        age=draw(st.sampled_from([HOUR, 29 * DAY, 400 * DAY])) if stored else None,
    )


@st.composite
def requests(draw: st.DrawFn, *, silent: bool = False) -> Request:
    if draw(st.booleans()):
        return a_request(draw(objects(silent=silent)))
    old, new = draw(objects(stored=True)), draw(objects(stored=True, silent=silent))
    new = msgspec.structs.replace(new, creation_timestamp=old.creation_timestamp)
    return a_request(new, old, spec_changed=draw(st.booleans()))


def admitted(request: Request, policies: Policies, now: datetime) -> Request:
    """The request as it goes on after the mutating call."""
    put = stamp(request, policies, TEAM, now).stamps or Stamps()
    annotations = applied(request.meta.annotation_map, put.annotations)
    labels = applied(request.meta.label_map, put.labels)
    meta = msgspec.structs.replace(request.meta, annotations=annotations, labels=labels)
    return msgspec.structs.replace(request, meta=meta, reinvoked=True)


@given(
    request=requests(),
    policies=st.lists(POLICIES, max_size=2, unique_by=lambda policy: policy.name),
    late=st.integers(0, 50),
)
def test_stamping_ones_own_output_changes_nothing(
    request: Request, policies: list[Policy], late: int
) -> None:
    once = admitted(request, only(*policies), NOW)
    again = stamp(once, only(*policies), TEAM, NOW + timedelta(seconds=late))
    assert operations(once.meta, again.stamps or Stamps()) == []
    assert COPIED not in again.warnings


@given(request=requests(silent=True), policy=POLICIES, late=st.integers(0, 50))
def test_what_dayfly_gives_itself_is_never_refused(
    request: Request, policy: Policy, late: int
) -> None:
    once = admitted(request, only(policy), NOW)
    verdict = judge(once, only(policy), TEAM, NOW + timedelta(seconds=late))
    assert verdict.violations == ()


@given(request=requests(), policy=POLICIES, spec_changed=st.booleans(), days=st.integers(0, 60))
def test_what_was_admitted_is_accepted_unchanged_ever_after(
    request: Request, policy: Policy, spec_changed: bool, days: int
) -> None:
    stored = admitted(request, only(policy), NOW).meta
    later = NOW + timedelta(days=days)
    update = a_request(stored, stored, spec_changed=spec_changed)
    assert judge(admitted(update, only(policy), later), only(policy), TEAM, later).violations == ()


@given(request=requests(), policy=POLICIES, late=st.integers(0, 50))
def test_a_slow_second_call_changes_no_judgement(
    request: Request, policy: Policy, late: int
) -> None:
    once = admitted(request, only(policy), NOW)
    accepted = not judge(once, only(policy), TEAM, NOW).violations
    assume(accepted and once.meta.annotation_map.get(names.EXPIRES_AT) != in_("30s"))
    verdict = judge(once, only(policy), TEAM, NOW + timedelta(seconds=late))
    assert verdict.violations == ()


TEXT = st.text(max_size=30)
MAPS = st.none() | st.dictionaries(
    st.sampled_from([names.TTL, names.EXPIRES_AT, names.CREATED_BY, names.POLICY, names.HOST])
    | TEXT,
    TEXT,
)
METAS = st.builds(
    ObjectMeta,
    name=TEXT,
    generate_name=TEXT,
    labels=MAPS,
    annotations=MAPS,
    creation_timestamp=st.sampled_from([None, NOW, NOW - 9000 * DAY, NOW + 9000 * DAY]),
    deletion_timestamp=st.none() | st.just(NOW),
)  # fmt: skip


@given(
    request=st.builds(
        Request,
        operation=st.sampled_from(list(Operation)),
        group=st.just(""),
        plural=st.sampled_from(["configmaps", "namespaces", "secrets"]),
        kind=TEXT,
        namespaced=st.booleans(),
        namespace=TEXT,
        name=TEXT,
        username=TEXT,
        meta=METAS,
        old=st.none() | METAS,
        spec_changed=st.booleans(),
        reinvoked=st.booleans(),
        host_given=st.booleans(),
    ),
    policy=POLICIES,
)
def test_no_metadata_is_too_weird(request: Request, policy: Policy) -> None:
    put = stamp(request, only(policy), TEAM, NOW).stamps or Stamps()
    operations(request.meta, put)
    judge(request, only(policy), TEAM, NOW)
