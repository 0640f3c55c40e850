"""Hosts on objects: given with the end, kept ever after, and nobody's to write but Dayfly's."""

import msgspec
import pytest
from msgspec.structs import replace

from dayfly_core import address, names
from dayfly_core.actions import Stamp
from dayfly_core.address import Place
from dayfly_core.ending import plan
from dayfly_core.guard import Guard
from dayfly_core.hosts import Facts, Naming, Template
from dayfly_core.objects import ObjectMeta
from dayfly_core.policies import Policies, Policy
from dayfly_core.reasons import Reason
from dayfly_core.request import Request
from dayfly_core.stamps import Stamps, applied
from dayfly_core.subject import Subject
from dayfly_core.verdict import COPIED, judge, stamp
from support.build import HOUR, NOW, a_policy, a_request, an_object, controlled, in_, key_of

TEAM = ObjectMeta(name="team-a", labels={names.ENVIRONMENT: "PR_17"})
BY_NAME = a_policy(host=Naming(Template("{name}-{namespace}.{domain}"), "dev.example"))
BY_ENVIRONMENT = a_policy(host=Naming(Template("{name}.{environment}.{domain}"), "dev.example"))
OPT_IN = replace(BY_NAME, default=None)
HOST = "settings-team-a.dev.example"
STAMPED = an_object(at=in_("2h"), by="alice", policy="previews", age=HOUR)
HOSTED = an_object(at=in_("2h"), by="alice", policy="previews", age=HOUR, host="old.example")
UNSTAMPED = an_object(age=HOUR)

SAID = "dayfly.dev/host is for Dayfly to write: "


def hosted(meta: ObjectMeta, host: str | None) -> ObjectMeta:
    rest = {key: value for key, value in meta.annotation_map.items() if key != names.HOST}
    annotations = rest | ({names.HOST: host} if host is not None else {})
    return msgspec.structs.replace(meta, annotations=annotations)


def a_namespace(**labels: str) -> Request:
    meta = ObjectMeta(name="team-a", labels={f"dayfly.dev/{k}": v for k, v in labels.items()})
    return a_request(meta, plural="namespaces", kind="Namespace", namespaced=False)


GIVEN = [
    pytest.param(a_request(an_object()), BY_NAME, HOST, [], id="CREATE: a host"),
    pytest.param(
        a_request(an_object()), BY_ENVIRONMENT, "settings.pr-17.dev.example", [],
        id="CREATE: one of the environment that the namespace is",
    ),
    pytest.param(
        a_namespace(environment="shop"), BY_ENVIRONMENT, "team-a.shop.dev.example", [],
        id="CREATE of a Namespace: one of the environment that it is itself",
    ),
    pytest.param(
        a_namespace(), BY_NAME, "team-a-team-a.dev.example", [],
        id="CREATE of a Namespace: it is its own namespace",
    ),
    pytest.param(
        a_request(an_object(), plural="widgets", namespaced=False),
        replace(BY_NAME, resources=frozenset({("", "widgets")})), None,
        ["no host given: it is in no namespace"], id="CREATE of what is in no namespace",
    ),
    pytest.param(a_request(an_object(ttl="never")), BY_NAME, HOST, [], id="CREATE with never"),
    pytest.param(a_request(an_object()), a_policy(), None, [], id="CREATE: no hosts here"),
    pytest.param(a_request(an_object()), OPT_IN, None, [], id="CREATE: no end, hence no host"),
    pytest.param(
        a_request(an_object(name="", generate_name="job-")), BY_NAME, None,
        ["no host given: its name is made up by the API server (generateName)"],
        id="CREATE with generateName: none, and why",
    ),
    pytest.param(
        a_request(an_object(host="mine.example")), BY_NAME, HOST, [SAID + f"the host is {HOST}"],
        id="CREATE with a host of its author's: overruled",
    ),
    pytest.param(
        a_request(an_object(host="mine.example")), OPT_IN, None, [SAID + "it was dropped"],
        id="CREATE with a host of its author's, and no end: dropped",
    ),
    pytest.param(
        a_request(an_object(host="mine.example")), replace(BY_NAME, suspended=True), None,
        [SAID + "it was dropped"], id="CREATE under a suspended policy: dropped",
    ),
    pytest.param(
        a_request(an_object(host="mine.example", generate_name="x-")), BY_NAME, None,
        ["no host given: its name is made up by the API server (generateName)",
         SAID + "it was dropped"], id="CREATE with generateName and a host: dropped",
    ),
    pytest.param(a_request(an_object(host=HOST)), BY_NAME, HOST, [], id="CREATE that guessed it"),
    pytest.param(
        a_request(an_object(at=in_("1h"), host="other.example", by="bob", policy="previews")),
        BY_NAME, HOST, [COPIED], id="CREATE of a copy: anew",
    ),
    pytest.param(
        a_request(an_object(at=in_("1h"), host="other.example", by="bob", policy="gone")),
        OPT_IN, None, [COPIED], id="CREATE of a copy that gets no end: none",
    ),
    pytest.param(
        a_request(an_object(at=in_("1h"), host=HOST, by="alice", policy="previews"),
                  reinvoked=True),
        BY_NAME, HOST, [], id="CREATE seen again: untouched",
    ),
    pytest.param(a_request(HOSTED, HOSTED), BY_NAME, "old.example", [], id="UPDATE: kept"),
    pytest.param(
        a_request(hosted(HOSTED, None), HOSTED), BY_NAME, "old.example", [],
        id="UPDATE that drops it: restored",
    ),
    pytest.param(
        a_request(hosted(HOSTED, "new.example"), HOSTED), BY_NAME, "old.example",
        [SAID + "the host is old.example"], id="UPDATE that changes it: put back",
    ),
    pytest.param(
        a_request(hosted(HOSTED, None), HOSTED), replace(BY_NAME, name="other"), "old.example", [],
        id="UPDATE under a policy with another template: kept",
    ),
    pytest.param(
        a_request(STAMPED, STAMPED), BY_NAME, None, [],
        id="UPDATE of what got its end before there were hosts: none",
    ),
    pytest.param(
        a_request(hosted(STAMPED, "new.example"), STAMPED), BY_NAME, None,
        [SAID + "it was dropped"], id="UPDATE that adds one: dropped",
    ),
    pytest.param(
        a_request(an_object(ttl="8h", age=HOUR), UNSTAMPED), OPT_IN, HOST, [],
        id="UPDATE that asks for an end for the first time: a host",
    ),
    pytest.param(
        a_request(hosted(UNSTAMPED, "new.example"), UNSTAMPED), OPT_IN, None,
        [SAID + "it was dropped"], id="UPDATE that adds one to what has no end: dropped",
    ),
    pytest.param(
        a_request(an_object(host="copy.example", owner_references=controlled())), BY_NAME,
        "copy.example", [], id="controlled: never touched",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "policy", "host", "warnings"), GIVEN)
def test_the_host_after_the_mutating_call(
    request_: Request, policy: Policy, host: str | None, warnings: list[str]
) -> None:
    verdict = stamp(request_, Policies([policy]), TEAM, NOW)
    put = verdict.stamps or Stamps()
    assert applied(request_.meta.annotation_map, put.annotations).get(names.HOST) == host
    assert list(verdict.warnings) == warnings


def test_a_host_that_cannot_be_given_is_the_reason_that_is_counted() -> None:
    skipped = stamp(
        a_request(an_object()), Policies([BY_ENVIRONMENT]), ObjectMeta(name="team-a"), NOW
    )
    assert skipped.reason == Reason.HOST_SKIPPED
    assert skipped.warnings == (
        "no host given: its namespace is no environment (label dayfly.dev/environment)",
    )
    assert skipped.stamps
    assert skipped.stamps.labels == {names.POLICY: "previews"}
    assert stamp(a_request(an_object()), Policies([BY_NAME]), TEAM, NOW).reason == Reason.STAMPED


JUDGED = [
    pytest.param(
        a_request(an_object(at=in_("24h"), by="alice", policy="previews", host=HOST)), "",
        id="CREATE with the host that it was given",
    ),
    pytest.param(
        a_request(an_object(at=in_("24h"), by="alice", policy="previews", host="x.example")),
        f"is set by Dayfly, to {HOST}; leave it out", id="CREATE with another",
    ),
    pytest.param(
        a_request(an_object(at=in_("24h"), by="alice", policy="previews", host="x.example"),
                  host_given=True), "",
        id="CREATE with another, by a replica that knew the policy or namespace as it was",
    ),
    pytest.param(
        a_request(an_object(host=HOST)), "is set by Dayfly, to nothing; leave it out",
        id="CREATE with a host, but without an end",
    ),
    pytest.param(a_request(an_object()), "", id="CREATE that the mutating call never saw"),
    pytest.param(a_request(HOSTED, HOSTED), "", id="UPDATE of anything else"),
    pytest.param(a_request(hosted(HOSTED, None), HOSTED), "", id="UPDATE that drops it"),
    pytest.param(
        a_request(hosted(HOSTED, HOST), HOSTED),
        "is set by Dayfly, to old.example; leave it out", id="UPDATE that changes it",
    ),
    pytest.param(
        a_request(HOSTED, hosted(HOSTED, "\x1b[31m" + "x" * 9999)),
        f"is set by Dayfly, to \\x1b[31m{'x' * 58}…; leave it out",
        id="UPDATE of what no terminal should show",
    ),
    pytest.param(
        a_request(hosted(UNSTAMPED, HOST), hosted(UNSTAMPED, HOST)), "",
        id="UPDATE of what was written while admission was down",
    ),
    pytest.param(
        a_request(hosted(STAMPED, HOST), STAMPED),
        "is set by Dayfly, to nothing; leave it out", id="UPDATE that adds one",
    ),
    pytest.param(a_request(HOSTED, UNSTAMPED), f"is set by Dayfly, to {HOST}; leave it out",
                 id="UPDATE that adds a whole stamp by hand"),
    pytest.param(a_request(an_object(host="copy.example", owner_references=controlled())), "",
                 id="controlled: not judged"),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "detail"), JUDGED)
def test_a_host_that_dayfly_did_not_give_is_refused(request_: Request, detail: str) -> None:
    verdict = judge(request_, Policies([BY_NAME]), TEAM, NOW)
    found = [v for v in verdict.violations if names.HOST in v.field]
    assert [violation.detail for violation in found] == ([detail] if detail else [])
    assert {violation.reason for violation in found} <= {Reason.STAMP_FORGED}


# The operator.


def caught_up(meta: ObjectMeta, *policies: Policy) -> dict[str, str | None]:
    subject = Subject(key_of(meta), meta, TEAM)
    decided = plan(subject, Policies(policies), Guard("dayfly-system"), NOW)
    (action,) = decided.actions
    assert isinstance(action, Stamp)
    return dict(action.stamps.annotations)


def test_what_slipped_past_the_webhook_gets_the_host_that_it_would_have_got() -> None:
    assert caught_up(UNSTAMPED, BY_NAME)[names.HOST] == HOST
    assert caught_up(hosted(UNSTAMPED, "mine.example"), BY_NAME)[names.HOST] == HOST
    assert names.HOST not in caught_up(hosted(UNSTAMPED, HOST), BY_NAME)
    assert names.HOST not in caught_up(UNSTAMPED, a_policy())


def test_a_host_that_nobody_gave_is_taken_off() -> None:
    assert caught_up(hosted(UNSTAMPED, "mine.example"), a_policy())[names.HOST] is None
    generated = msgspec.structs.replace(hosted(UNSTAMPED, HOST), generate_name="settings-")
    assert caught_up(generated, BY_NAME)[names.HOST] is None


def test_handing_over_and_finding_a_lost_end_leave_the_host() -> None:
    assert names.HOST not in caught_up(HOSTED, replace(BY_NAME, name="heir"))
    lost = an_object(by="alice", policy="previews", age=HOUR, host="old.example")
    assert names.HOST not in caught_up(lost, BY_NAME)


def test_the_facts_of_a_host() -> None:
    facts = address.facts(an_object(), Place(("apps", "deployments"), "team-a", TEAM))
    assert facts == Facts("settings", "team-a", "PR_17", "deployments.apps")
    unknown = address.facts(an_object(), Place(("", "configmaps"), "team-a", None))
    assert unknown == Facts("settings", "team-a", "", "configmaps")


PODS, SERVICES = ("", "pods"), ("", "services")


@pytest.mark.parametrize(
    ("template", "kinds", "want"),
    [
        pytest.param(None, {PODS, SERVICES}, "", id="no hosts, nothing to say"),
        pytest.param("{name}.{domain}", {PODS}, "", id="one kind: the cluster keeps names apart"),
        pytest.param("{name}.{domain}", {PODS, SERVICES}, "different kinds", id="two kinds"),
        pytest.param("{name}-{hash}.{domain}", {PODS, SERVICES}, "", id="told apart by the hash"),
        pytest.param("shop.{domain}", {PODS}, "no {name}", id="one host for everything"),
        pytest.param("{namespace}.{domain}", {("", "namespaces")}, "", id="a host a namespace"),
    ],
)
def test_a_policy_whose_objects_contend_for_hosts_is_warned_of(
    template: str | None, kinds: set[tuple[str, str]], want: str
) -> None:
    host = Naming(Template(template), "dev.example") if template else None
    said = address.cautions(a_policy(host=host, resources=frozenset(kinds)))
    assert want in " ".join(said)
    assert bool(said) is bool(want)
