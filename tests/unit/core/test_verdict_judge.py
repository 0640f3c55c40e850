"""What the validating call answers: refusals, warnings and receipts."""

import msgspec
import pytest
from msgspec.structs import replace

from dayfly_core.objects import ObjectMeta
from dayfly_core.patch import ANNOTATIONS_LIMIT
from dayfly_core.policies import Policy
from dayfly_core.reasons import Reason
from dayfly_core.request import Operation, Request
from dayfly_core.verdict import judge
from support.build import HOUR, NOW, a_request, an_object, controlled, in_
from support.verdicts import (
    AUDIT,
    BOUNDED,
    ELSEWHERE,
    PREVIEWS,
    STAMPED,
    SUSPENDED,
    TEAM,
    UNSTAMPED,
    WARN,
    changed,
    labelled,
    only,
)


def filled(meta: ObjectMeta, free: int) -> ObjectMeta:
    """Fill the annotations up to so many bytes."""
    present = meta.annotation_map
    used = sum(len(key) + len(text) for key, text in present.items())
    filler = {"filler": "x" * (ANNOTATIONS_LIMIT - used - free - len("filler"))}
    return msgspec.structs.replace(meta, annotations={**present, **filler})


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
        a_request(filled(an_object(ttl="1h"), 9)), PREVIEWS, [Reason.ANNOTATIONS_TOO_LARGE],
        id="annotations that leave no room for an end",
    ),
    pytest.param(
        a_request(filled(msgspec.structs.replace(STAMPED, annotations={}, labels={}), 9), STAMPED),
        PREVIEWS, [Reason.ANNOTATIONS_TOO_LARGE], id="annotations that would displace the end",
    ),
    pytest.param(
        a_request(filled(an_object(), 9), filled(an_object(), 99)), PREVIEWS, [],
        id="annotations without room of what has no end anyway: the operator tells of it",
    ),
    pytest.param(a_request(filled(STAMPED, 0), STAMPED), PREVIEWS, [], id="filled, and stamped"),
    pytest.param(a_request(filled(an_object(), 9)), WARN, [], id="no room, and only a warning"),
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
