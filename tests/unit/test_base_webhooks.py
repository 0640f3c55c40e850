"""Which requests the webhooks of manifests/base are sent, and what they say of themselves."""

import re
from typing import Any

import pytest

from dayfly_core import guard, names
from dayfly_core.objects import HTTP_ROUTES, INGRESSES, Resource
from dayfly_core.request import our_users
from dayfly_operator.webhooks.rules import entries_for
from support.base_files import WEBHOOKS, conditions, entry

NAMEABLE = [("", "namespaces"), ("", "secrets"), ("apps", "deployments"), ("example.com", "things")]
"""Kinds of all sorts that a policy may name."""


@pytest.mark.parametrize("webhook", WEBHOOKS, ids=lambda webhook: webhook["name"])
def test_fields_of_the_operator_are_left_to_it(webhook: dict[str, Any]) -> None:
    assert "rules" not in webhook
    assert "caBundle" not in webhook["clientConfig"]


@pytest.mark.parametrize("webhook", WEBHOOKS, ids=lambda webhook: webhook["name"])
def test_what_the_server_would_default_is_written_down(webhook: dict[str, Any]) -> None:
    fields = {"failurePolicy", "matchPolicy", "timeoutSeconds", "objectSelector", "sideEffects"}
    assert fields | {"namespaceSelector", "matchConditions"} <= webhook.keys()
    assert webhook["clientConfig"]["service"]["port"] == 443


@pytest.mark.parametrize(
    ("name", "path", "failure_policy"),
    [
        (names.STAMP_WEBHOOK, names.STAMP_PATH, "Ignore"),
        (names.JUDGE_WEBHOOK, names.JUDGE_PATH, "Ignore"),
        (names.ENVIRONMENTS_WEBHOOK, names.ENVIRONMENTS_PATH, "Fail"),
        (names.KINDS_WEBHOOK, names.KINDS_PATH, "Fail"),
    ],
)
def test_only_our_own_kinds_and_environments_wait_for_dayfly(
    name: str, path: str, failure_policy: str
) -> None:
    webhook = entry(name)
    service = webhook["clientConfig"]["service"]
    assert (service["name"], service["namespace"], service["path"]) == (
        names.ADMISSION_SERVICE,
        names.SYSTEM_NAMESPACE,
        path,
    )
    assert webhook["failurePolicy"] == failure_policy


def test_our_own_kinds_are_asked_about_wherever_they_are() -> None:
    """A NamespaceManager in kube-public could otherwise end any namespace, whoever wrote it."""
    assert entry(names.KINDS_WEBHOOK)["namespaceSelector"] == {}


@pytest.mark.parametrize(
    "webhook",
    [each for each in WEBHOOKS if each["name"] != names.KINDS_WEBHOOK],
    ids=lambda webhook: webhook["name"],
)
def test_system_namespaces_are_never_asked_about(webhook: dict[str, Any]) -> None:
    (expression,) = webhook["namespaceSelector"]["matchExpressions"]
    assert expression["key"] == "kubernetes.io/metadata.name"
    assert expression["operator"] == "NotIn"
    assert set(expression["values"]) == {
        "kube-system",
        "kube-public",
        "kube-node-lease",
        names.SYSTEM_NAMESPACE,
    }


@pytest.mark.parametrize("name", [names.STAMP_WEBHOOK, names.JUDGE_WEBHOOK])
def test_webhooks_look_at_every_key_of_ours(name: str) -> None:
    looked_at = set(re.findall(r"dayfly\.dev/[\w-]+", conditions(name)["new-or-changed"]))
    assert looked_at == {*names.OUR_ANNOTATIONS, *names.OUR_LABELS}


# Which requests each entry is sent: a resource and operation by the rules that the leader writes, a
# namespace by the selector, the rest by the conditions.

EVERYTHING = entries_for(
    [Resource(group, "v1", plural, "", namespaced=True) for group, plural in NAMEABLE],
    claiming=[INGRESSES, HTTP_ROUTES],
)


@pytest.mark.parametrize("name", [webhook["name"] for webhook in WEBHOOKS])
def test_every_entry_has_rules_and_every_rule_an_entry(name: str) -> None:
    assert EVERYTHING.keys() == {webhook["name"] for webhook in WEBHOOKS}
    assert EVERYTHING[name]


@pytest.mark.parametrize("name", EVERYTHING)
def test_no_entry_is_asked_about_deletions_subresources_or_everything(name: str) -> None:
    for rule in EVERYTHING[name]:
        assert rule.operations == ["CREATE", "UPDATE"]
        assert not any("/" in plural or "*" in plural for plural in rule.resources)
        assert "*" not in rule.api_groups


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        pytest.param(
            names.ENVIRONMENTS_WEBHOOK, [("", "namespaces")], id="namespaces of environments"
        ),
        pytest.param(
            names.KINDS_WEBHOOK,
            [
                (names.GROUP, "expirypolicies"),
                (names.GROUP, "stays"),
                (names.NSMAN_GROUP, "namespacemanagers"),
                (names.EPHEMERATE_GROUP, "ephemerators"),
            ],
            id="our own kinds, installed or not",
        ),
    ],
)
def test_nothing_else_waits_for_dayfly(name: str, kinds: list[tuple[str, str]]) -> None:
    waiting = [hook["name"] for hook in WEBHOOKS if hook["failurePolicy"] == "Fail"]
    assert name in waiting
    assert len(waiting) == 2
    assert [
        (group, plural)
        for rule in EVERYTHING[name]
        for group in rule.api_groups
        for plural in rule.resources
    ] == kinds


@pytest.mark.parametrize(
    ("group", "plural"),
    [
        ("coordination.k8s.io", "leases"),
        ("", "events"),
        ("events.k8s.io", "events"),
        ("", "nodes"),
        ("certificates.k8s.io", "certificatesigningrequests"),
        ("authentication.k8s.io", "tokenreviews"),
        ("authorization.k8s.io", "subjectaccessreviews"),
        (names.GROUP, "nameclaims"),
    ],
)
def test_what_a_cluster_needs_to_start_is_never_asked_about(group: str, plural: str) -> None:
    assert guard.off_limits(group, plural), "no policy may name it, and only policies could"


CHANGED_ENVIRONMENT = (
    "['dayfly.dev/environment', 'envs.sberz.de/name'].exists(key, "
    "object.metadata.?labels[?key].hasValue() "
    "&& (request.operation != 'UPDATE' "
    "|| object.metadata.?labels[?key] != oldObject.metadata.?labels[?key]))"
)


def test_of_judge_and_environments_exactly_one_is_asked() -> None:
    environments, judge = conditions(names.ENVIRONMENTS_WEBHOOK), conditions(names.JUDGE_WEBHOOK)
    assert environments["environment-added-or-changed"] == CHANGED_ENVIRONMENT
    assert judge["not-an-environment"] == (
        "request.resource.group != '' || request.resource.resource != 'namespaces' "
        f"|| !{CHANGED_ENVIRONMENT}"
    )


def test_the_labels_of_environments_are_those_of_the_code() -> None:
    for label in names.ENVIRONMENT_LABELS:
        assert f"'{label}'" in CHANGED_ENVIRONMENT


@pytest.mark.parametrize("name", [webhook["name"] for webhook in WEBHOOKS])
def test_who_writes_nothing_but_claims_says_so(name: str) -> None:
    claims = name in (names.JUDGE_WEBHOOK, names.ENVIRONMENTS_WEBHOOK)
    assert entry(name)["sideEffects"] == ("NoneOnDryRun" if claims else "None")


@pytest.mark.parametrize("name", [webhook["name"] for webhook in WEBHOOKS])
def test_conditions_spare_dayfly_itself(name: str) -> None:
    for account in our_users(names.SYSTEM_NAMESPACE):
        assert account in conditions(name)["not-dayfly-itself"]


GOING_AWAY = "!has(object.metadata.deletionTimestamp)"


@pytest.mark.parametrize(
    ("name", "condition"),
    [
        pytest.param(names.STAMP_WEBHOOK, GOING_AWAY, id="what goes away gets no end"),
        pytest.param(names.KINDS_WEBHOOK, GOING_AWAY, id="a policy that goes away decides nothing"),
        pytest.param(
            names.JUDGE_WEBHOOK,
            f"{GOING_AWAY} || object.?spec != oldObject.?spec",
            id="while a finalizer keeps it, it may take a host; the finalizer goes unasked",
        ),
        pytest.param(
            names.ENVIRONMENTS_WEBHOOK, None, id="the label is not touched by what ends a namespace"
        ),
    ],
)
def test_conditions_spare_what_is_going_away(name: str, condition: str | None) -> None:
    assert conditions(name).get("not-going-away") == condition


def test_what_its_controller_lets_go_is_judged() -> None:
    assert "ownerReferences != old" in conditions(names.JUDGE_WEBHOOK)["new-or-changed"]
