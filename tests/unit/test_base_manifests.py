"""What the files in manifests/base promise to each other and to the code."""

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml

from dayfly_admission import settings as admission
from dayfly_core import __version__, guard, history, names
from dayfly_core.api import LabelSelector
from dayfly_core.objects import HTTP_ROUTES, INGRESSES, Resource
from dayfly_core.request import our_users
from dayfly_operator import settings as operator
from dayfly_operator.rules import entries_for

MANIFESTS = Path(__file__).parents[2] / "manifests"
SAMPLES = sorted((MANIFESTS / "policies").glob("*.yaml"))
BASE = MANIFESTS / "base"


def documents(directory: Path) -> list[dict[str, Any]]:
    files = sorted(path for path in directory.glob("*.yaml") if path.stem != "kustomization")
    return [
        document for file in files for document in yaml.safe_load_all(file.read_text()) if document
    ]


KUSTOMIZATION: dict[str, Any] = yaml.safe_load((BASE / "kustomization.yaml").read_text())
ALL = documents(BASE)
WEBHOOKS: list[dict[str, Any]] = [hook for d in ALL for hook in d.get("webhooks", [])]
NAMEABLE = [("", "namespaces"), ("", "secrets"), ("apps", "deployments"), ("example.com", "things")]
"""Kinds of all sorts that a policy may name."""
DEPLOYMENTS = [d for d in ALL if d["kind"] == "Deployment"]


PAGES = [history.slot_name(slot) for slot in range(history.SLOTS)]
"""The ConfigMaps of the history."""


def entry(name: str) -> dict[str, Any]:
    return next(webhook for webhook in WEBHOOKS if webhook["name"] == name)


def conditions(name: str) -> dict[str, str]:
    return {c["name"]: " ".join(c["expression"].split()) for c in entry(name)["matchConditions"]}


def of_kind(kind: str) -> list[str]:
    return [d["metadata"]["name"] for d in ALL if d["kind"] == kind]


def test_every_file_is_listed() -> None:
    files = {path.name for path in BASE.glob("*.yaml")} - {"kustomization.yaml"}
    assert set(KUSTOMIZATION["resources"]) == files | {"../crds"}


def test_one_place_says_which_release_runs() -> None:
    assert [image["newTag"] for image in KUSTOMIZATION["images"]] == [__version__]
    images = [c["image"] for d in DEPLOYMENTS for c in d["spec"]["template"]["spec"]["containers"]]
    assert set(images) == {"dayfly"}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("ServiceAccount", [names.ADMISSION_ACCOUNT, names.OPERATOR_ACCOUNT]),
        ("Secret", [names.CA_SECRET, names.TLS_SECRET]),
        ("ConfigMap", [names.GUARD_CONFIG_MAP, *PAGES]),
        ("MutatingWebhookConfiguration", [names.MUTATING_CONFIGURATION]),
        ("ValidatingWebhookConfiguration", [names.VALIDATING_CONFIGURATION]),
        ("Namespace", [names.SYSTEM_NAMESPACE]),
    ],
)
def test_names_are_those_of_the_code(kind: str, expected: list[str]) -> None:
    assert of_kind(kind) == expected


@pytest.mark.parametrize(
    "filled",
    [
        pytest.param(document, id=document["metadata"]["name"])
        for document in ALL
        if document["kind"] == "Secret" or document["metadata"]["name"] in PAGES
    ],
)
def test_applying_again_cannot_empty_what_the_operator_fills(filled: dict[str, Any]) -> None:
    assert not {"data", "binaryData", "stringData", "immutable"} & filled.keys()


def test_who_may_read_the_history_may_read_all_of_it_and_nothing_else() -> None:
    role = next(d for d in ALL if d["metadata"]["name"] == names.HISTORY_READER)
    expected = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}
    assert role["rules"] == [{**expected, "resourceNames": PAGES}]


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


@pytest.mark.parametrize("file", ["webhooks.yaml", "admission-policies.yaml"])
def test_keys_in_expressions_are_those_of_the_code(file: str) -> None:
    known = {*names.OUR_ANNOTATIONS, *names.OUR_LABELS, *names.RECORDS, names.ENVIRONMENT}
    known |= {names.NAME_CONFLICT, names.WAKE_REQUESTED, names.RELEASE_ENDING, names.RELEASE_DUE}
    assert set(re.findall(r"dayfly\.dev/[\w-]+", (BASE / file).read_text())) <= known


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


COMPONENT = MANIFESTS / "components" / "ingress-hosts"


def test_the_component_sets_one_flag_in_both_programs() -> None:
    (patch,) = yaml.safe_load((COMPONENT / "kustomization.yaml").read_text())["patches"]
    (operation,) = yaml.safe_load(patch["patch"])
    assert patch["target"]["name"].split("|") == [d["metadata"]["name"] for d in DEPLOYMENTS]
    assert admission.parse([operation["value"]], {}).claim_ingress_hosts == LabelSelector()
    assert operator.parse([operation["value"]], {}).claim_ingress_hosts == LabelSelector()


def test_the_network_policy_waits_for_the_addresses_of_the_api_servers() -> None:
    policy = yaml.safe_load((COMPONENT.parent / "network-policy" / "policy.yaml").read_text())
    webhooks, others = policy["spec"]["ingress"]
    pods = DEPLOYMENTS[0]["spec"]["template"]
    named = {port["name"] for port in pods["spec"]["containers"][0]["ports"]}
    chosen = policy["spec"]["podSelector"]["matchLabels"]
    assert chosen.items() <= pods["metadata"]["labels"].items()
    assert {port["port"] for rule in (webhooks, others) for port in rule["ports"]} == named
    assert [port["port"] for port in webhooks["ports"]] == ["https"]
    # Whoever forgets to write them in is told so by the API server, instead of locking it out.
    with pytest.raises(ValueError, match="ADDRESSES"):
        ip_network(webhooks["from"][0]["ipBlock"]["cidr"])


@pytest.mark.parametrize("policy", of_kind("ValidatingAdmissionPolicy"))
def test_every_admission_policy_is_bound_and_denies(policy: str) -> None:
    bound = [
        d["spec"]["validationActions"]
        for d in ALL
        if d["kind"] == "ValidatingAdmissionPolicyBinding" and d["spec"]["policyName"] == policy
    ]
    assert bound == [["Deny"]]


def test_no_admission_policy_has_a_parameter_that_could_go_missing() -> None:
    policies = [d["spec"] for d in ALL if d["kind"] == "ValidatingAdmissionPolicy"]
    assert policies
    assert not [policy for policy in policies if "paramKind" in policy]


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda d: d["metadata"]["name"])
def test_pods_are_restricted(deployment: dict[str, Any]) -> None:
    spec = deployment["spec"]["template"]["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in spec["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert "cpu" not in container["resources"]["limits"]


@pytest.mark.parametrize(
    "file", sorted((MANIFESTS / "policies").glob("*.yaml")), ids=lambda f: f.stem
)
def test_samples_teach(file: Path) -> None:
    comments = [line for line in file.read_text().splitlines() if line.startswith("#")]
    assert len(comments) >= 3
    assert list(yaml.safe_load_all(file.read_text()))
