"""Which requests our webhooks are asked about."""

import pytest

from dayfly_core import names
from dayfly_core.objects import NAMESPACES, ObjectMeta, Resource
from dayfly_operator.rules import (
    MUTATING,
    ClientConfig,
    Configuration,
    Rule,
    Webhook,
    amendment,
    asked_about,
    entries_for,
    rules_for,
)

DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment", namespaced=True)
STATEFUL_SETS = Resource("apps", "v1", "statefulsets", "StatefulSet", namespaced=True)


def rule(group: str, *resources: str) -> Rule:
    return Rule(
        api_groups=[group],
        api_versions=["*"],
        resources=list(resources),
        operations=["CREATE", "UPDATE"],
    )


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        pytest.param([], [], id="without policies nobody is called"),
        pytest.param(
            [STATEFUL_SETS, NAMESPACES, DEPLOYMENTS],
            [rule("", "namespaces"), rule("apps", "deployments", "statefulsets")],
            id="one rule a group, in an order that depends on the kinds alone",
        ),
        pytest.param([NAMESPACES, NAMESPACES], [rule("", "namespaces")], id="each kind once"),
    ],
)
def test_rules(resources: list[Resource], expected: list[Rule]) -> None:
    assert rules_for(resources) == expected
    assert rules_for(reversed(resources)) == expected


def live(rules: list[Rule], ca_bundle: str) -> Configuration:
    ours = Webhook(
        name=names.STAMP_WEBHOOK,
        side_effects="NoneOnDryRun",
        admission_review_versions=["v1"],
        rules=rules,
        client_config=ClientConfig(ca_bundle),
    )
    meta = ObjectMeta(name=names.MUTATING_CONFIGURATION, uid="u")
    return Configuration(metadata=meta, webhooks=[ours, Webhook(name="somebody.else")])


WANTED = entries_for([DEPLOYMENTS])


@pytest.mark.parametrize(
    ("configuration", "changes"),
    [
        pytest.param(live(WANTED[names.STAMP_WEBHOOK], "Q0E="), False, id="all as it should be"),
        pytest.param(live([], "Q0E="), True, id="rules were wiped"),
        pytest.param(live(WANTED[names.STAMP_WEBHOOK], ""), True, id="the bundle was wiped"),
        pytest.param(live(rules_for([NAMESPACES]), "Q0E="), True, id="rules of before"),
    ],
)
def test_only_a_difference_is_written(configuration: Configuration, changes: bool) -> None:
    assert (amendment(configuration, MUTATING, WANTED, "Q0E=") is not None) == changes


def test_an_amendment_is_of_our_entries_in_this_very_object() -> None:
    body = amendment(live([], ""), MUTATING, WANTED, "Q0E=")
    assert body is not None
    assert body["metadata"] == {"name": names.MUTATING_CONFIGURATION, "uid": "u"}
    assert body["webhooks"] == [
        {
            "name": names.STAMP_WEBHOOK,
            "sideEffects": "NoneOnDryRun",
            "admissionReviewVersions": ["v1"],
            "clientConfig": {"caBundle": "Q0E="},
            "rules": WANTED[names.STAMP_WEBHOOK],
        }
    ]


def judging(rules: list[Rule], ca_bundle: str) -> Configuration:
    return Configuration(
        webhooks=[
            Webhook(name=names.JUDGE_WEBHOOK, rules=rules, client_config=ClientConfig(ca_bundle)),
            Webhook(name=names.KINDS_WEBHOOK, rules=rules_for([NAMESPACES])),
        ]
    )


BOTH = rules_for([NAMESPACES, DEPLOYMENTS])
ONE = rules_for([DEPLOYMENTS])


@pytest.mark.parametrize(
    ("stamping", "judges", "asked"),
    [
        pytest.param(live(ONE, "Q0E="), judging(ONE, "Q0E="), {"deployments"}, id="both in step"),
        pytest.param(live(BOTH, "Q0E="), judging(ONE, "Q0E="), {"deployments"}, id="one ahead"),
        pytest.param(live(ONE, "Q0E="), judging(ONE, ""), set[str](), id="one that nobody trusts"),
        pytest.param(live(ONE, "Q0E="), None, set[str](), id="one deleted"),
        pytest.param(None, None, set[str](), id="both deleted"),
    ],
)
def test_a_kind_counts_as_asked_about_when_both_entries_name_it(
    stamping: Configuration | None, judges: Configuration | None, asked: set[str]
) -> None:
    assert {plural for _, plural in asked_about([stamping, judges])} == asked
