"""What admission answers: stamps, refusals, warnings, and when it keeps out of it."""

from dataclasses import replace
from datetime import datetime, timedelta

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dayfly_core import names
from dayfly_core.api import Enforcement, LabelSelector, RenewOn
from dayfly_core.hosts import Naming, Template
from dayfly_core.objects import ObjectMeta
from dayfly_core.patch import operations
from dayfly_core.policies import Policies, Policy
from dayfly_core.reasons import Reason
from dayfly_core.request import Operation, Request
from dayfly_core.stamps import Stamps, applied
from dayfly_core.verdict import COPIED, judge, stamp
from support.build import DAY, HOUR, NOW, a_policy, a_request, an_object, controlled, in_

TEAM = ObjectMeta(name="team-a", labels={"team": "a", names.ENVIRONMENT: "shop"})
PREVIEWS = a_policy()
BOUNDED = a_policy(minimum="1m", maximum="7d", max_total="30d")
WARN = replace(BOUNDED, enforcement=Enforcement.WARN)
AUDIT = replace(BOUNDED, enforcement=Enforcement.AUDIT)
SUSPENDED = replace(PREVIEWS, suspended=True)
ELSEWHERE = replace(PREVIEWS, namespace_selector=LabelSelector(match_labels={"team": "b"}))

STAMPED = an_object(ttl="8h", at=in_("2h"), by="alice", policy="previews", age=HOUR)
UNSTAMPED = an_object(age=HOUR)


def only(*policies: Policy) -> Policies:
    return Policies(policies)


def stamps(at: str | None = "", by: str | None = "", policy: str | None = "") -> Stamps:
    """The stamps that differ; an empty text: not among them."""
    annotations = {names.CREATED_BY: by, names.EXPIRES_AT: at}
    changes = {key: value for key, value in annotations.items() if value != ""}
    return Stamps(changes, {names.POLICY: policy} if policy != "" else {})


def changed(meta: ObjectMeta, **annotations: str | None) -> ObjectMeta:
    """Change annotations of the prefix: ``ttl``, ``expires_at``, ``created_by``."""
    changes = {f"dayfly.dev/{key.replace('_', '-')}": v for key, v in annotations.items()}
    return msgspec.structs.replace(meta, annotations=applied(meta.annotation_map, changes))


def labelled(meta: ObjectMeta, policy: str | None) -> ObjectMeta:
    labels = applied(meta.label_map, {names.POLICY: policy})
    return msgspec.structs.replace(meta, labels=labels)


# The mutating call.

STAMPS = [
    pytest.param(
        a_request(an_object()),
        PREVIEWS,
        stamps(in_("24h"), "alice", "previews"),
        id="CREATE: end, author and policy",
    ),
    pytest.param(
        a_request(an_object(at=in_("5h"))),
        PREVIEWS,
        stamps(by="alice", policy="previews"),
        id="CREATE with an end: author and policy",
    ),
    pytest.param(
        a_request(an_object(ttl="never")),
        PREVIEWS,
        stamps(by="alice", policy="previews"),
        id="CREATE with never: author and policy",
    ),
    pytest.param(
        a_request(an_object(by="mallory")),
        PREVIEWS,
        stamps(in_("24h"), "alice", "previews"),
        id="CREATE with another author: set right",
    ),
    pytest.param(
        a_request(an_object(), username=""),
        PREVIEWS,
        stamps(in_("24h"), policy="previews"),
        id="CREATE by nobody: no author",
    ),
    pytest.param(
        a_request(an_object()), a_policy(default=None), None, id="CREATE without default: nothing"
    ),
    pytest.param(
        a_request(an_object(by="mallory")),
        a_policy(default=None),
        stamps(by=None),
        id="CREATE without default by another author: taken off",
    ),
    pytest.param(a_request(an_object(ttl="5")), PREVIEWS, None, id="CREATE, bad ttl: nothing"),
    pytest.param(a_request(an_object()), ELSEWHERE, None, id="CREATE, no policy: nothing"),
    pytest.param(a_request(an_object()), SUSPENDED, None, id="CREATE, suspended policy: nothing"),
    pytest.param(a_request(an_object()), AUDIT, None, id="CREATE, Audit: nothing"),
    pytest.param(
        a_request(an_object(at=in_("-9d"), by="bob", policy="previews")),
        PREVIEWS,
        stamps(in_("24h"), "alice"),
        id="CREATE of a copy whose end is past: anew",
    ),
    pytest.param(
        a_request(an_object(at=in_("21h"), by="alice", policy="previews")),
        PREVIEWS,
        stamps(in_("24h")),
        id="CREATE of a copy of one's own: anew",
    ),
    pytest.param(
        a_request(an_object(ttl="8h", at=in_("1h"), by="bob", policy="gone")),
        PREVIEWS,
        stamps(in_("8h"), "alice", "previews"),
        id="CREATE of a copy from another policy: anew, by its ttl",
    ),
    pytest.param(
        a_request(an_object(ttl="never", at=in_("1h"), by="alice", policy="previews")),
        PREVIEWS,
        stamps(None),
        id="CREATE of a copy that never ends",
    ),
    pytest.param(
        a_request(an_object(at=in_("1h"), by="bob", policy="gone")),
        ELSEWHERE,
        stamps(None, None, None),
        id="CREATE of a copy that no policy covers: stripped",
    ),
    pytest.param(
        a_request(an_object(at=in_("1h"), by="bob", policy="previews")),
        SUSPENDED,
        stamps(None, None, None),
        id="CREATE of a copy under a suspended policy: stripped",
    ),
    pytest.param(
        a_request(an_object(at=in_("23h59m5s"), by="alice", policy="previews")),
        PREVIEWS,
        None,
        id="CREATE seen again within a minute: untouched",
    ),
    pytest.param(
        a_request(an_object(ttl="never", by="alice", policy="previews")),
        PREVIEWS,
        None,
        id="CREATE with never seen again: untouched",
    ),
    pytest.param(
        a_request(an_object(at=in_("5h"), by="alice", policy="previews"), reinvoked=True),
        PREVIEWS,
        None,
        id="CREATE with an end seen again: untouched",
    ),
    pytest.param(
        a_request(STAMPED, STAMPED), PREVIEWS, None, id="UPDATE of anything else: nothing"
    ),
    pytest.param(
        a_request(changed(STAMPED, ttl="12h"), STAMPED),
        PREVIEWS,
        stamps(in_("12h")),
        id="UPDATE of ttl: the end",
    ),
    pytest.param(
        a_request(an_object(ttl="8h"), STAMPED),
        PREVIEWS,
        stamps(in_("2h"), "alice", "previews"),
        id="UPDATE by replace that drops all stamps: restored",
    ),
    pytest.param(
        a_request(labelled(changed(STAMPED, created_by="mallory"), "mine"), STAMPED),
        PREVIEWS,
        stamps(by="alice", policy="previews"),
        id="UPDATE that forges author and policy: restored",
    ),
    pytest.param(
        a_request(labelled(changed(UNSTAMPED, created_by="mallory"), "mine"), UNSTAMPED),
        PREVIEWS,
        stamps(by=None, policy=None),
        id="UPDATE that adds stamps by hand: taken off",
    ),
    pytest.param(
        a_request(an_object(ttl="3h", age=HOUR), UNSTAMPED),
        PREVIEWS,
        stamps(in_("3h"), policy="previews"),
        id="UPDATE that asks for the first time: stamped, without an author",
    ),
    pytest.param(a_request(UNSTAMPED, UNSTAMPED), PREVIEWS, None, id="UPDATE unstamped: nothing"),
    pytest.param(
        a_request(changed(STAMPED, expires_at=None), STAMPED),
        ELSEWHERE,
        None,
        id="UPDATE that no policy covers: an end may go",
    ),
    pytest.param(
        a_request(an_object(), STAMPED),
        SUSPENDED,
        stamps(by="alice", policy="previews"),
        id="UPDATE under a suspended policy: author and policy stay",
    ),
    pytest.param(
        a_request(STAMPED, STAMPED, spec_changed=True),
        replace(PREVIEWS, renew_on=RenewOn.GENERATION_CHANGE),
        stamps(in_("8h")),
        id="UPDATE of the spec that renews",
    ),
    pytest.param(
        a_request(STAMPED, operation=Operation.UPDATE),
        PREVIEWS,
        None,
        id="UPDATE of unknown origin",
    ),
    pytest.param(
        a_request(an_object(), operation=Operation.DELETE), PREVIEWS, None, id="DELETE: never"
    ),
    pytest.param(
        a_request(an_object(), operation=Operation.CONNECT), PREVIEWS, None, id="CONNECT: never"
    ),
    pytest.param(
        a_request(an_object(owner_references=controlled())), PREVIEWS, None, id="controlled: never"
    ),
    pytest.param(
        a_request(an_object(deletion_timestamp=NOW, age=HOUR), STAMPED),
        PREVIEWS,
        None,
        id="being deleted: never",
    ),
    pytest.param(a_request(ObjectMeta()), PREVIEWS, None, id="no name at all: never"),
]


@pytest.mark.parametrize(("request_", "policy", "want"), STAMPS)
def test_stamp(request_: Request, policy: Policy, want: Stamps | None) -> None:
    assert stamp(request_, only(policy), TEAM, NOW).stamps == want


@pytest.mark.parametrize(
    ("request_", "policy", "reason"),
    [
        pytest.param(a_request(an_object()), PREVIEWS, Reason.STAMPED, id="stamped"),
        pytest.param(a_request(STAMPED, STAMPED), PREVIEWS, Reason.UNCHANGED, id="unchanged"),
        pytest.param(a_request(an_object()), ELSEWHERE, Reason.NO_POLICY, id="no policy"),
        pytest.param(a_request(an_object()), SUSPENDED, Reason.SUSPENDED, id="suspended"),
        pytest.param(
            a_request(an_object(), operation=Operation.DELETE), PREVIEWS, Reason.EXEMPT, id="DELETE"
        ),
        pytest.param(a_request(ObjectMeta()), PREVIEWS, Reason.UNREADABLE, id="nameless"),
        pytest.param(
            a_request(an_object(owner_references=controlled())),
            PREVIEWS,
            Reason.CONTROLLED,
            id="controlled",
        ),
        pytest.param(
            a_request(msgspec.structs.replace(an_object(), name="kube-root-ca.crt")),
            PREVIEWS,
            Reason.EXEMPT,
            id="the control plane's own",
        ),
        pytest.param(
            a_request(
                msgspec.structs.replace(an_object(), annotations={"a": "x" * (256 * 1024 - 9)})
            ),
            PREVIEWS,
            Reason.ANNOTATIONS_TOO_LARGE,
            id="annotations that would grow too large",
        ),
    ],
)
def test_a_stamping_says_why(request_: Request, policy: Policy, reason: str) -> None:
    verdict = stamp(request_, only(policy), TEAM, NOW)
    assert verdict.reason == reason
    assert (verdict.stamps is not None) == (reason == Reason.STAMPED)


@pytest.mark.parametrize(
    ("request_", "policy", "want"),
    [
        pytest.param(
            a_request(an_object(by="bob", policy="previews")), PREVIEWS, [COPIED], id="a copy"
        ),
        pytest.param(
            a_request(an_object(at="tomorrow")),
            WARN,
            ["dayfly.dev/expires-at: is not an instant in RFC 3339; "
             "write for example 2026-11-22T10:00:00Z"],
            id="a bad end that Warn replaces",
        ),
        pytest.param(
            a_request(an_object(at=in_("-1h"))),
            WARN,
            ["dayfly.dev/expires-at: is past; write a later instant, "
             "or delete the object to end it now"],
            id="a past end that Warn replaces",
        ),
        pytest.param(a_request(an_object(ttl="90d")), WARN, [], id="a bound is for judge to name"),
        pytest.param(a_request(an_object(at=in_("90d"))), WARN, [], id="an end that Warn keeps"),
        pytest.param(a_request(an_object(at="x")), PREVIEWS, [], id="a bad end that is refused"),
    ],
)  # fmt: skip
def test_a_stamping_warns_of_what_it_overrules(
    request_: Request, policy: Policy, want: list[str]
) -> None:
    assert list(stamp(request_, only(policy), TEAM, NOW).warnings) == want


def test_a_policy_keeps_its_objects_from_one_of_higher_priority() -> None:
    newer = a_policy("strict", priority=9, maximum="1h")
    request = a_request(changed(STAMPED, ttl="12h"), STAMPED)
    assert stamp(request, only(PREVIEWS, newer), TEAM, NOW).policy == "previews"
    assert judge(request, only(PREVIEWS, newer), TEAM, NOW).violations == ()
    assert stamp(request, only(newer), TEAM, NOW).policy == "strict"
    assert stamp(request, only(AUDIT, newer), TEAM, NOW).policy == "strict"


def test_an_unknown_namespace_fits_only_an_empty_selector() -> None:
    here = replace(PREVIEWS, namespace_selector=LabelSelector(match_labels={"team": "a"}))
    assert stamp(a_request(an_object()), only(here), TEAM, NOW).stamps
    assert stamp(a_request(an_object()), only(here), None, NOW).reason == Reason.NO_POLICY
    assert stamp(a_request(an_object()), only(PREVIEWS), None, NOW).stamps


def test_a_namespace_is_selected_by_its_own_labels() -> None:
    here = replace(PREVIEWS, namespace_selector=LabelSelector(match_labels={"team": "a"}))
    meta = ObjectMeta(name="team-a", labels={"team": "a"})
    request = a_request(meta, plural="namespaces", kind="Namespace", namespaced=False, namespace="")
    assert stamp(request, only(here), None, NOW).stamps


# The validating call.

REFUSALS = [
    pytest.param(a_request(an_object(ttl="5", at="x")), PREVIEWS,
                 [Reason.INVALID_TTL, Reason.INVALID_EXPIRES_AT], id="all violations at once"),
    pytest.param(a_request(an_object(ttl="8d")), BOUNDED, [Reason.TTL_TOO_LONG], id="too long"),
    pytest.param(a_request(an_object(ttl="8d")), WARN, [], id="too long under Warn"),
    pytest.param(a_request(an_object(ttl="8d")), AUDIT, [], id="too long under Audit"),
    pytest.param(
        a_request(an_object(ttl="8d")), replace(BOUNDED, suspended=True), [], id="suspended"
    ),
    pytest.param(a_request(an_object(ttl="8d")), ELSEWHERE, [], id="too long for nobody"),
    pytest.param(a_request(an_object(by="bob")), PREVIEWS, [Reason.STAMP_FORGED], id="forger"),
    pytest.param(
        a_request(an_object(policy="mine")), PREVIEWS, [Reason.STAMP_FORGED], id="policy forged"
    ),
    pytest.param(
        a_request(an_object(policy="old"), reinvoked=True), PREVIEWS, [],
        id="policy of a replica that did not know a newer one",
    ),
    pytest.param(
        a_request(labelled(changed(STAMPED, created_by="bob"), "mine"), STAMPED),
        PREVIEWS,
        [Reason.STAMP_FORGED, Reason.STAMP_FORGED],
        id="UPDATE: author and policy forged",
    ),
    pytest.param(
        a_request(changed(UNSTAMPED, created_by="bob"), UNSTAMPED),
        PREVIEWS,
        [Reason.STAMP_FORGED],
        id="UPDATE: an author added",
    ),
    pytest.param(
        a_request(an_object(ttl="8h"), STAMPED), PREVIEWS, [], id="UPDATE: stamps dropped"
    ),
    pytest.param(a_request(an_object(), None), PREVIEWS, [], id="CREATE that stamp never saw"),
    pytest.param(
        a_request(an_object(ttl="5"), operation=Operation.DELETE), PREVIEWS, [], id="DELETE"
    ),
    pytest.param(
        a_request(an_object(ttl="5", owner_references=controlled())), PREVIEWS, [], id="controlled"
    ),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "policy", "want"), REFUSALS)
def test_judge(request_: Request, policy: Policy, want: list[str]) -> None:
    verdict = judge(request_, only(policy), TEAM, NOW)
    assert [violation.reason for violation in verdict.violations] == want
    assert verdict.stamps is None
    if want:
        assert (verdict.reason, verdict.warnings, verdict.receipts) == (want[0], (), ())


@pytest.mark.parametrize(
    ("request_", "policy", "reason"),
    [
        pytest.param(
            a_request(an_object(at=in_("1h"), policy="previews")),
            PREVIEWS,
            Reason.STAMPED,
            id="new",
        ),
        pytest.param(a_request(STAMPED, STAMPED), PREVIEWS, Reason.UNCHANGED, id="unchanged"),
        pytest.param(a_request(an_object()), ELSEWHERE, Reason.NO_POLICY, id="no policy"),
        pytest.param(a_request(an_object()), SUSPENDED, Reason.SUSPENDED, id="suspended"),
        pytest.param(a_request(an_object()), AUDIT, Reason.AUDIT_ONLY, id="Audit"),
        pytest.param(a_request(an_object(ttl="8d")), WARN, Reason.TTL_TOO_LONG, id="warned of"),
    ],
)
def test_a_judgement_says_why(request_: Request, policy: Policy, reason: str) -> None:
    assert judge(request_, only(policy), TEAM, NOW).reason == reason


def test_warn_lets_pass_with_warnings_and_receipts() -> None:
    meta = an_object(ttl="8d", at=in_("8d"), by="alice", policy="previews")
    verdict = judge(a_request(meta), only(WARN), TEAM, NOW)
    assert verdict.warnings == ("dayfly.dev/ttl: ExpiryPolicy previews allows at most 7d",)
    assert verdict.receipts == (
        "configmap team-a/settings ends 2026-11-30T10:00:00Z (in 8d), by ExpiryPolicy previews",
        "to extend: kubectl dayfly extend configmap/settings -n team-a 8d",
    )


def test_what_others_wrote_is_not_repeated_as_it_is() -> None:
    stored = an_object(by="\x1b[31m", policy="\n", age=HOUR)
    asked = a_request(an_object(by="bob", policy="mine", age=HOUR), stored)
    found = judge(asked, only(PREVIEWS), TEAM, NOW).violations
    assert [violation.detail for violation in found] == [
        "is set by Dayfly, to \\x1b[31m; leave it out",
        "is set by Dayfly, to \\n; leave it out",
    ]


def test_audit_records_what_it_would_refuse_and_leaves_the_decision_to_the_next() -> None:
    policies = only(replace(AUDIT, name="audit", priority=9), PREVIEWS)
    verdict = judge(a_request(an_object(ttl="8d")), policies, TEAM, NOW)
    assert verdict.audited == (
        'audit: metadata.annotations[dayfly.dev/ttl]: Invalid value: "8d": '
        "ExpiryPolicy audit allows at most 7d",
    )
    assert (verdict.policy, verdict.violations) == ("previews", ())
    forged = judge(a_request(an_object(ttl="8d", by="bob")), policies, TEAM, NOW)
    assert (forged.reason, forged.audited) == (Reason.STAMP_FORGED, verdict.audited)


# Properties.

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
