"""The component that makes hosts of Ingresses unique: as kustomize builds it, and its rights."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from dayfly_core import names
from dayfly_core.objects import HTTP_ROUTES, INGRESSES
from playground import ControlPlane
from support import base

pytestmark = pytest.mark.cluster

FLAG = "--claim-ingress-hosts=*"


@pytest.fixture(scope="module")
def built(bare: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Build base with the component, from a folder of somebody else's."""
    folder = tmp_path_factory.mktemp("mine")
    beside = Path(os.path.relpath(base.MANIFESTS, folder))
    kustomization = {
        "resources": [str(beside / "base")],
        "components": [str(beside / "components" / "ingress-hosts")],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    return bare.kubectl("kustomize", str(folder))


def test_both_programs_get_the_flag(built: str) -> None:
    documents: list[dict[str, Any]] = list(yaml.safe_load_all(built))
    commands = {
        document["metadata"]["name"]: container["command"]
        for document in documents
        if document["kind"] == "Deployment"
        for container in document["spec"]["template"]["spec"]["containers"]
    }
    assert commands == {
        "dayfly-admission": ["dayfly", "admission", FLAG],
        "dayfly-operator": ["dayfly", "operator", FLAG],
    }


@pytest.fixture(scope="module")
def applied(bare: ControlPlane, built: str) -> Iterator[ControlPlane]:
    bare.apply(base.without_pods(built))
    yield bare
    base.apply(bare)
    bare.kubectl("delete", "clusterrole,clusterrolebinding", "dayfly-ingress-hosts")


@pytest.mark.parametrize("account", [names.ADMISSION_ACCOUNT, names.OPERATOR_ACCOUNT])
def test_both_programs_may_read_who_uses_a_host(applied: ControlPlane, account: str) -> None:
    user = f"system:serviceaccount:{names.SYSTEM_NAMESPACE}:{account}"
    for verb in ("get", "list", "watch"):
        assert may(applied, user, verb) == "yes"
    assert may(applied, user, "create") == "no"


def may(plane: ControlPlane, user: str, verb: str) -> str:
    asked = ("auth", "can-i", verb, "ingresses.networking.k8s.io", "-A")
    return plane.try_kubectl(*asked, f"--as={user}").stdout.strip()


def test_the_rights_are_to_read_the_two_kinds(applied: ControlPlane) -> None:
    rules = applied.read("clusterrole", "dayfly-ingress-hosts")["rules"]
    assert [(rule["apiGroups"], rule["resources"]) for rule in rules] == [
        ([kind.group], [kind.plural]) for kind in (INGRESSES, HTTP_ROUTES)
    ]
    assert all(rule["verbs"] == ["get", "list", "watch"] for rule in rules)
