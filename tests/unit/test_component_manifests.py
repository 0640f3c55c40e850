"""The components for Ephemerators and NamespaceManagers: what they grant, and to whom."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from dayfly_core import crd
from support.rights import OPERATOR, granted, rights

COMPONENTS = Path(__file__).parents[2] / "manifests" / "components"
KINDS = sorted(crd.components())
EPHEMERATORS, MANAGERS = "ephemerators.tessellate.io", "namespacemanagers.k8s.consol.de"
USERS = "rbac.authorization.k8s.io/aggregate-to-"


def documents(component: str, file: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((COMPONENTS / component / file).read_text()))


@pytest.mark.parametrize("component", KINDS)
def test_every_file_is_listed_and_the_definition_is_the_code_s(component: str) -> None:
    [kustomization] = documents(component, "kustomization.yaml")
    files = {path.name for path in (COMPONENTS / component).glob("*.yaml")}
    assert set(kustomization["resources"]) == files - {"kustomization.yaml"}
    assert documents(component, "crd.yaml") == [crd.components()[component]]


@pytest.mark.parametrize(
    ("component", "wanted"),
    [
        pytest.param(
            "ephemerator",
            [
                *rights(OPERATOR, EPHEMERATORS, "get list watch patch delete"),
                *rights(OPERATOR, "ephemerators/status.tessellate.io", "patch"),
                *rights(OPERATOR, "namespaces", "get list watch patch delete"),
            ],
            id="Ephemerators: they delete themselves",
        ),
        pytest.param(
            "namespace-manager",
            [
                *rights(OPERATOR, MANAGERS, "get list watch patch"),
                *rights(OPERATOR, "namespacemanagers/status.k8s.consol.de", "patch"),
                *rights(OPERATOR, "namespaces", "get list watch patch delete"),
                *rights(OPERATOR, "pods", "list"),
                *rights(OPERATOR, "deployments.apps", "get list patch"),
                *rights(OPERATOR, "statefulsets.apps", "get list patch"),
            ],
            id="NamespaceManagers: nobody deletes them",
        ),
    ],
)
def test_the_operator_gets_what_it_uses(component: str, wanted: list[Any]) -> None:
    assert granted(documents(component, "rights.yaml")) == frozenset(wanted)


@pytest.mark.parametrize(
    ("component", "role", "aggregated", "writes"),
    [
        pytest.param(
            "ephemerator",
            "dayfly-ephemerator-view",
            {"view", "edit", "admin"},
            False,
            id="whoever may look may look at Ephemerators",
        ),
        pytest.param(
            "ephemerator",
            "dayfly-ephemerator-editor",
            set[str](),
            True,
            id="P14: an Ephemerator is for those who run the cluster",
        ),
        pytest.param(
            "namespace-manager",
            "dayfly-namespace-manager-view",
            {"view", "edit", "admin"},
            False,
            id="whoever may look may look at NamespaceManagers",
        ),
        pytest.param(
            "namespace-manager",
            "dayfly-namespace-manager-edit",
            {"admin"},
            True,
            id="N13: a NamespaceManager is for a namespace's administrators",
        ),
    ],
)
def test_who_may_write_them(component: str, role: str, aggregated: set[str], writes: bool) -> None:
    [found] = [d for d in documents(component, "rights.yaml") if d["metadata"]["name"] == role]
    labels = found["metadata"]["labels"]
    assert {key.removeprefix(USERS) for key in labels if key.startswith(USERS)} == aggregated
    [rule] = found["rules"]
    assert ("create" in rule["verbs"]) is writes
    assert not [resource for resource in rule["resources"] if "/" in resource]


ORIGINAL = {
    "Namespace": {"namespace-manager"},
    "ServiceAccount": {"namespace-manager-sa"},
    "ClusterRole": {"namespace-manager-role"},
    "ClusterRoleBinding": {"grant-namespace-manager-role-to-namespace-manager-sa"},
    "Deployment": {"namespace-manager-operator"},
}
"""Names in k8s-namespace-manager's own examples/operator.yml."""


@pytest.mark.parametrize("component", KINDS)
def test_an1_no_name_is_one_of_the_original_s_own_manifests(component: str) -> None:
    for document in documents(component, "rights.yaml"):
        assert document["metadata"]["name"] not in ORIGINAL.get(document["kind"], set())
        assert document["metadata"]["name"].startswith("dayfly-")
