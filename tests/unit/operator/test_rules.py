"""Which requests our webhooks are asked about."""

import msgspec
import pytest

from dayfly_core import names
from dayfly_core.objects import HTTP_ROUTES, INGRESSES, NAMESPACES, ObjectMeta, Resource
from dayfly_operator.webhooks.rules import (
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
    meta = ObjectMeta(name=names.MUTATING_CONFIGURATION, uid="u", resource_version="7")
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
    assert body["metadata"] == {
        "name": names.MUTATING_CONFIGURATION,
        "uid": "u",
        "resourceVersion": "7",
    }
    assert body["webhooks"] == [
        {
            "name": names.STAMP_WEBHOOK,
            "sideEffects": "NoneOnDryRun",
            "admissionReviewVersions": ["v1"],
            "clientConfig": {"caBundle": "Q0E="},
            "rules": WANTED[names.STAMP_WEBHOOK],
        }
    ]


GOLDEN = """
judge.dayfly.dev
  {"apiGroups":["apps"],"apiVersions":["*"],"resources":["deployments","statefulsets"],\
"operations":["CREATE","UPDATE"],"scope":"*"}
  {"apiGroups":["gateway.networking.k8s.io"],"apiVersions":["*"],"resources":["httproutes"],\
"operations":["CREATE","UPDATE"],"scope":"*"}
  {"apiGroups":["networking.k8s.io"],"apiVersions":["*"],"resources":["ingresses"],\
"operations":["CREATE","UPDATE"],"scope":"*"}
environments.dayfly.dev
  {"apiGroups":[""],"apiVersions":["*"],"resources":["namespaces"],\
"operations":["CREATE","UPDATE"],"scope":"*"}
kinds.dayfly.dev
  {"apiGroups":["dayfly.dev"],"apiVersions":["*"],"resources":["expirypolicies","stays"],\
"operations":["CREATE","UPDATE"],"scope":"*"}
  {"apiGroups":["k8s.consol.de"],"apiVersions":["*"],"resources":["namespacemanagers"],\
"operations":["CREATE","UPDATE"],"scope":"*"}
  {"apiGroups":["tessellate.io"],"apiVersions":["*"],"resources":["ephemerators"],\
"operations":["CREATE","UPDATE"],"scope":"*"}
"""


@pytest.mark.parametrize(
    ("resources", "claiming"),
    [
        pytest.param([STATEFUL_SETS, DEPLOYMENTS], [INGRESSES, HTTP_ROUTES], id="one order"),
        pytest.param([DEPLOYMENTS, STATEFUL_SETS], [HTTP_ROUTES, INGRESSES], id="another order"),
    ],
)
def test_what_is_written_has_every_field_that_the_api_server_would_fill_in(
    resources: list[Resource], claiming: list[Resource]
) -> None:
    entries = entries_for(resources, claiming)
    lines = [
        line
        for name in (names.JUDGE_WEBHOOK, names.ENVIRONMENTS_WEBHOOK, names.KINDS_WEBHOOK)
        for line in (name, *(f"  {msgspec.json.encode(rule).decode()}" for rule in entries[name]))
    ]
    assert lines == GOLDEN.strip().splitlines()


def test_what_claims_a_host_is_judged_and_gets_no_end_by_that() -> None:
    entries = entries_for([DEPLOYMENTS], [INGRESSES])
    assert entries[names.STAMP_WEBHOOK] == rules_for([DEPLOYMENTS])


def test_names_of_environments_are_kept_unique_without_any_policy() -> None:
    entries = entries_for([])
    assert [name for name, rules in entries.items() if rules] == [
        names.ENVIRONMENTS_WEBHOOK,
        names.KINDS_WEBHOOK,
    ]


def test_each_entry_keeps_the_side_effects_that_base_has_written() -> None:
    claims = Webhook(name=names.JUDGE_WEBHOOK, side_effects="NoneOnDryRun")
    kinds = Webhook(name=names.KINDS_WEBHOOK, side_effects="None")
    body = amendment(Configuration(webhooks=[claims, kinds]), MUTATING, WANTED, "Q0E=")
    assert body is not None
    written = msgspec.convert(body["webhooks"], list[Webhook])
    assert [each.side_effects for each in written] == ["NoneOnDryRun", "None"]


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
