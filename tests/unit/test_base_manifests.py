"""What the files in manifests/base promise to each other and to the code."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from dayfly_core import __version__, names

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
DEPLOYMENTS = [d for d in ALL if d["kind"] == "Deployment"]


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
        ("ConfigMap", [names.GUARD_CONFIG_MAP]),
        ("MutatingWebhookConfiguration", [names.MUTATING_CONFIGURATION]),
        ("ValidatingWebhookConfiguration", [names.VALIDATING_CONFIGURATION]),
        ("Namespace", [names.SYSTEM_NAMESPACE]),
    ],
)
def test_names_are_those_of_the_code(kind: str, expected: list[str]) -> None:
    assert of_kind(kind) == expected


@pytest.mark.parametrize("secret", [d for d in ALL if d["kind"] == "Secret"], ids=str)
def test_applying_again_cannot_empty_a_secret(secret: dict[str, Any]) -> None:
    assert not {"data", "stringData"} & secret.keys()


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
        (names.KINDS_WEBHOOK, names.KINDS_PATH, "Fail"),
    ],
)
def test_only_our_own_kinds_wait_for_dayfly(name: str, path: str, failure_policy: str) -> None:
    webhook = next(webhook for webhook in WEBHOOKS if webhook["name"] == name)
    service = webhook["clientConfig"]["service"]
    assert (service["name"], service["namespace"], service["path"]) == (
        names.ADMISSION_SERVICE,
        names.SYSTEM_NAMESPACE,
        path,
    )
    assert webhook["failurePolicy"] == failure_policy


@pytest.mark.parametrize("webhook", WEBHOOKS, ids=lambda webhook: webhook["name"])
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
    known = {*names.OUR_ANNOTATIONS, *names.OUR_LABELS, names.ENVIRONMENT, names.NAME_CONFLICT}
    assert set(re.findall(r"dayfly\.dev/[\w-]+", (BASE / file).read_text())) <= known


def test_webhooks_look_at_every_key_of_ours() -> None:
    text = (BASE / "webhooks.yaml").read_text()
    missing = [key for key in (*names.OUR_ANNOTATIONS, *names.OUR_LABELS) if text.count(key) != 2]
    assert not missing


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
