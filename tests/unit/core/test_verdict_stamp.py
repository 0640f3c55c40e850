"""What the mutating call answers: stamps, warnings, and when it keeps out of it."""

import msgspec
import pytest
from msgspec.structs import replace

from dayfly_core import names
from dayfly_core.api import LabelSelector, RenewOn
from dayfly_core.objects import ObjectMeta
from dayfly_core.policies import Policy
from dayfly_core.reasons import Reason
from dayfly_core.request import Operation, Request
from dayfly_core.stamps import Stamps
from dayfly_core.verdict import COPIED, judge, stamp
from support.build import HOUR, NOW, a_policy, a_request, an_object, controlled, in_
from support.verdicts import (
    AUDIT,
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


def stamps(at: str | None = "", by: str | None = "", policy: str | None = "") -> Stamps:
    """The stamps that differ; an empty text: not among them."""
    annotations = {names.CREATED_BY: by, names.EXPIRES_AT: at}
    changes = {key: value for key, value in annotations.items() if value != ""}
    return Stamps(changes, {names.POLICY: policy} if policy != "" else {})


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
