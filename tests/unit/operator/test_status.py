"""What a policy's status says, and when it has nothing new to say."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from dayfly_core import api, instant
from dayfly_core.objects import ObjectMeta
from dayfly_core.policies import Policy, compile_policy
from dayfly_core.reach import Reach
from dayfly_operator.census import Coming, Tally
from dayfly_operator.policies import Entry
from dayfly_operator.rights import Obstacle
from dayfly_operator.status import Facts, status_of

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
META = ObjectMeta(name="previews", uid="u", generation=3)


def policy(**spec: object) -> Policy:
    rule = api.ResourceRule(api_groups=[""], resources=["configmaps"])
    plain = api.ExpiryPolicySpec(match=api.Match(resources=[rule]))
    compiled = compile_policy(api.ExpiryPolicy(metadata=META, spec=plain))
    return replace(compiled, **spec)


def entry(found: Policy | None, fault: str = "") -> Entry:
    return Entry(META, found, fault, api.ExpiryPolicyStatus())


ACTIVE = entry(policy())
BREAKER = api.Breaker(opened_at=instant.render(NOW), held=60, message="60 of 80 are held back")
COMING = Coming(LATER, "ConfigMap", "team-a", "settings", "u-1", "DELETE@0s")
SAD = Obstacle("MissingRights", "may not delete configmaps")


def told(status: api.ExpiryPolicyStatus) -> dict[str, tuple[str, str]]:
    return {c.type: (c.status.value, c.reason) for c in status.conditions}


@pytest.mark.parametrize(
    ("of", "facts", "expected"),
    [
        pytest.param(
            ACTIVE,
            Facts(),
            {"Ready": ("True", "Active"), "Enforceable": ("True", "AllRights")},
            id="in force",
        ),
        pytest.param(
            entry(policy(suspended=True)),
            Facts(),
            {"Ready": ("False", "Suspended"), "Enforceable": ("True", "AllRights")},
            id="suspended",
        ),
        pytest.param(
            entry(policy(enforcement=api.Enforcement.AUDIT)),
            Facts(),
            {"Ready": ("True", "AuditOnly"), "Enforceable": ("True", "AllRights")},
            id="an audit",
        ),
        pytest.param(
            entry(None, "spec.ttl.max: no"),
            Facts(),
            {"Ready": ("False", "InvalidPolicy"), "Enforceable": ("True", "AllRights")},
            id="not readable",
        ),
        pytest.param(
            ACTIVE,
            Facts(obstacles=[SAD], stuck=["namespace a is Terminating"]),
            {
                "Ready": ("True", "Active"),
                "Enforceable": ("False", "MissingRights"),
                "Stuck": ("True", "NamespaceStuck"),
            },
            id="without rights, and with something that does not go",
        ),
        pytest.param(
            ACTIVE,
            Facts(stopped_releases=["Helm release team-a/shop does not end: a is protected"]),
            {
                "Ready": ("True", "Active"),
                "Enforceable": ("True", "AllRights"),
                "ReleaseBlocked": ("True", "ReleaseBlocked"),
            },
            id="with a release that does not end",
        ),
        pytest.param(
            ACTIVE,
            Facts(breaker=BREAKER),
            {
                "Ready": ("True", "Active"),
                "Enforceable": ("True", "AllRights"),
                "BreakerOpen": ("True", "BreakerOpen"),
            },
            id="with its breaker open",
        ),
        pytest.param(
            ACTIVE,
            Facts(switched_off=["dayfly-stamp"]),
            {"Ready": ("False", "AdmissionOff"), "Enforceable": ("True", "AllRights")},
            id="with the webhooks switched off",
        ),
        pytest.param(
            ACTIVE,
            Facts(unasked=["deployments.apps"]),
            {"Ready": ("False", "AdmissionPending"), "Enforceable": ("True", "AllRights")},
            id="with rules that the API server has not got yet",
        ),
    ],
)
def test_conditions(of: Entry, facts: Facts, expected: dict[str, tuple[str, str]]) -> None:
    assert told(status_of(of, facts, NOW)) == expected


@pytest.mark.parametrize(
    ("gone", "begins"),
    [
        pytest.param(["a"], "webhook configuration a is missing: ", id="one"),
        pytest.param(["a", "b"], "webhook configurations a and b are missing: ", id="two"),
        pytest.param(["a", "b", "c"], "webhook configurations a, b and c are missing: ", id="more"),
    ],
)
def test_what_is_switched_off_is_named_in_a_sentence(gone: list[str], begins: str) -> None:
    ready, _ = status_of(ACTIVE, Facts(switched_off=gone), NOW).conditions
    assert ready.message.startswith(begins)


def test_the_same_facts_an_hour_later_are_the_same_status() -> None:
    facts = Facts(Tally(2, LATER, [COMING]), BREAKER, obstacles=[SAD])
    first = status_of(ACTIVE, facts, NOW)
    assert status_of(replace(ACTIVE, status=first), facts, LATER) == first


def test_what_went_at_last_is_no_longer_stuck() -> None:
    stuck = status_of(ACTIVE, Facts(stuck=["x"]), NOW)
    assert told(status_of(replace(ACTIVE, status=stuck), Facts(), LATER))["Stuck"] == (
        "False",
        "Deleted",
    )


def test_a_release_that_ended_at_last_is_no_longer_blocked() -> None:
    before = status_of(ACTIVE, Facts(stopped_releases=["it does not end"]), NOW)
    after = status_of(replace(ACTIVE, status=before), Facts(), LATER)
    assert told(after)["ReleaseBlocked"] == ("False", "ReleaseEnded")


def test_of_many_releases_that_do_not_end_some_are_named_and_all_are_counted() -> None:
    many = [f"release {number} does not end" for number in range(12)]
    blocked = status_of(ACTIVE, Facts(stopped_releases=many), NOW).conditions[-1]
    assert blocked.message.endswith("release 9 does not end; and 2 more")


def test_without_an_end_to_come_there_is_no_next_end() -> None:
    assert status_of(ACTIVE, Facts(), NOW).next_end is UNSET


def test_a_breaker_that_has_closed_says_so() -> None:
    before = status_of(ACTIVE, Facts(breaker=BREAKER), NOW)
    assert before.breaker == BREAKER
    after = status_of(replace(ACTIVE, status=before), Facts(), LATER)
    assert told(after)["BreakerOpen"] == ("False", "BreakerClosed")
    assert after.breaker is UNSET


def test_the_next_ends_are_told_with_what_happens() -> None:
    assert status_of(ACTIVE, Facts(Tally(1, LATER, [COMING])), NOW).next_ends == [
        api.NextEnd(
            at=instant.render(LATER),
            action="DELETE@0s",
            kind="ConfigMap",
            namespace="team-a",
            name="settings",
            uid="u-1",
        )
    ]


def test_since_when_a_step_is_known_is_written_down() -> None:
    known = policy(known={"DELETE@0s": NOW})
    expected = [api.KnownStep(step="DELETE@0s", since=instant.render(NOW))]
    status = status_of(entry(known), Facts(), LATER)
    assert status.steps == expected
    unreadable = Entry(META, None, "spec.ttl.max: no", status)
    assert status_of(unreadable, Facts(), LATER).steps == expected, "what was known stays known"


def test_since_when_a_policy_does_what_it_does_is_written_down() -> None:
    seen = replace(ACTIVE, reach=Reach("digest", NOW))
    status = status_of(seen, Facts(), LATER)
    assert status.reach == api.Reach(digest="digest", since=instant.render(NOW))
    assert status_of(replace(ACTIVE, status=status), Facts(), LATER).reach == status.reach


def test_a_step_that_was_given_up_is_told_until_it_is_no_more() -> None:
    tally = Tally(given_up=1, first_given_up=["configmaps/a/b WEBHOOK@0s: no answer"])
    status = status_of(ACTIVE, Facts(tally), NOW)
    *_, condition = status.conditions
    assert (condition.type, condition.status) == ("StepsGivenUp", api.ConditionStatus.TRUE)
    assert condition.message == (
        "steps of 1 object were given up: configmaps/a/b WEBHOOK@0s: no answer"
    )
    later = status_of(replace(ACTIVE, status=status), Facts(), LATER)
    assert told(later)["StepsGivenUp"] == ("False", "NoStepGivenUp")
