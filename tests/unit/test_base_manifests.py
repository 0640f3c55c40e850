"""What the files in manifests/base promise to each other and to the code."""

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml

from dayfly_admission import settings as admission
from dayfly_core import __version__, history, names
from dayfly_core.api import LabelSelector
from dayfly_operator import settings as operator
from support.base_files import ALL, BASE, DEPLOYMENTS, MANIFESTS, of_kind

KUSTOMIZATION: dict[str, Any] = yaml.safe_load((BASE / "kustomization.yaml").read_text())

PAGES = [history.slot_name(slot) for slot in range(history.SLOTS)]
"""The ConfigMaps of the history."""


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


@pytest.mark.parametrize("file", ["webhooks.yaml", "admission-policies.yaml"])
def test_keys_in_expressions_are_those_of_the_code(file: str) -> None:
    known = {*names.OUR_ANNOTATIONS, *names.OUR_LABELS, *names.RECORDS, names.ENVIRONMENT}
    known |= {names.NAME_CONFLICT, names.WAKE_REQUESTED, names.RELEASE_ENDING, names.RELEASE_DUE}
    assert set(re.findall(r"dayfly\.dev/[\w-]+", (BASE / file).read_text())) <= known


SAMPLES = sorted((MANIFESTS / "policies").glob("*.yaml"))
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


def test_pods_are_pushed_out_by_nothing_ordinary_and_push_out_nothing() -> None:
    (given,) = [d for d in ALL if d["kind"] == "PriorityClass"]
    asked = {d["spec"]["template"]["spec"]["priorityClassName"] for d in DEPLOYMENTS}
    assert asked == {given["metadata"]["name"]}
    assert (given["globalDefault"], given["preemptionPolicy"]) == (False, "Never")


@pytest.mark.parametrize("file", SAMPLES, ids=lambda f: f.stem)
def test_samples_teach(file: Path) -> None:
    comments = [line for line in file.read_text().splitlines() if line.startswith("#")]
    assert len(comments) >= 3
    assert list(yaml.safe_load_all(file.read_text()))
