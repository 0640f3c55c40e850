"""Hosts of Ingresses are unique: what the component brings, and previews that share one host."""

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from dayfly_core import names
from dayfly_core.claim_key import ClaimKey, KeyKind
from dayfly_core.objects import HTTP_ROUTES, INGRESSES
from playground import ControlPlane, System
from playground.commands import Result
from playground.process import eventually
from support import base

pytestmark = pytest.mark.cluster

FLAG = "--claim-ingress-hosts=*"
SOON = 60.0
"""Seconds within which what is due has happened, on a machine that has other things to do."""
IN_A_ROW = 6
"""Answers that must have an end before admission counts as knowing policy and namespace."""


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
        assert eventually(partial(may, applied, user, verb), SOON)
    assert not may(applied, user, "create")


def may(plane: ControlPlane, user: str, verb: str) -> bool:
    asked = ("auth", "can-i", verb, "ingresses.networking.k8s.io", "-A")
    answer = plane.try_kubectl(*asked, f"--as={user}").stdout.strip()
    assert answer in {"yes", "no"}
    return answer == "yes"


def test_the_rights_are_to_read_the_two_kinds(applied: ControlPlane) -> None:
    rules = applied.read("clusterrole", "dayfly-ingress-hosts")["rules"]
    assert [(rule["apiGroups"], rule["resources"]) for rule in rules] == [
        ([kind.group], [kind.plural]) for kind in (INGRESSES, HTTP_ROUTES)
    ]
    assert all(rule["verbs"] == ["get", "list", "watch"] for rule in rules)


# A Deployment whose host its own Ingress routes.

GRACE = 3.0
RIGHTS = base.MANIFESTS / "components" / "ingress-hosts" / "rights.yaml"
POLICY = """
apiVersion: dayfly.dev/v1alpha1
kind: ExpiryPolicy
metadata: {name: previews}
spec:
  match:
    namespaceSelector: {matchLabels: {purpose: preview}}
    resources: [{apiGroups: [apps], resources: [deployments]}]
  ttl: {default: 24h}
  host: {template: "{name}.{domain}", domain: dev.example.com}
"""


@pytest.fixture(scope="module")
def previews(binaries: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    grace = ("--claim-grace", f"{GRACE:g}s")
    with ControlPlane.start(tmp_path_factory.mktemp("previews")) as plane:
        plane.apply(RIGHTS.read_text())
        with System.install(
            plane, operator_flags=(FLAG, *grace), admission_flags=(FLAG,)
        ) as installed:
            plane.apply(POLICY)
            installed.wait_enforced(["deployments"])
            assert eventually(lambda: judges_ingresses(installed), SOON)
            yield installed


def judges_ingresses(system: System) -> bool:
    entry = next(found for found in system.webhooks() if found["name"] == names.JUDGE_WEBHOOK)
    return any(INGRESSES.plural in rule["resources"] for rule in entry.get("rules", ()))


def make_namespace(plane: ControlPlane, name: str) -> None:
    head = {"apiVersion": "v1", "kind": "Namespace"}
    meta = {"name": name, "labels": {"purpose": "preview"}}
    plane.apply(yaml.safe_dump({**head, "metadata": meta}))
    assert eventually(lambda: all(stamped(plane, name) for _ in range(IN_A_ROW)), SOON)


def stamped(plane: ControlPlane, namespace: str) -> bool:
    tried = deploy(plane, namespace, f"{namespace}-probe", "--dry-run=server", "-o", "json")
    return names.EXPIRES_AT in tried.stdout


def deploy(plane: ControlPlane, namespace: str, name: str, *more: str) -> Result:
    return plane.try_kubectl("create", "deployment", name, "--image=web", "-n", namespace, *more)


def route(plane: ControlPlane, namespace: str, name: str) -> Result:
    rule = f"--rule={name}.dev.example.com/*=web:80"
    return plane.try_kubectl("create", "ingress", name, rule, "-n", namespace)


def held(plane: ControlPlane, name: str) -> tuple[str, str] | None:
    """Who has the host that the policy gives to this name, and how certainly."""
    key = ClaimKey(KeyKind.HOST, f"{name}.dev.example.com")
    found = plane.try_kubectl("get", "nclaim", key.claim_name, "-o", "json")
    if not found.ok:
        return None
    spec = msgspec.json.decode(found.stdout)["spec"]
    return spec["holder"]["kind"], spec["state"]


def in_conflict(plane: ControlPlane, namespace: str) -> bool:
    return names.NAME_CONFLICT in plane.kubectl(
        "get", "deployments,ingresses", "-n", namespace, "-o", "yaml"
    )


@pytest.mark.parametrize(
    ("name", "order"),
    [
        pytest.param("shop", (deploy, route), id="the Deployment first"),
        pytest.param("blog", (route, deploy), id="the Ingress first, as Helm may"),
    ],
)
def test_a_deployment_and_its_ingress_share_a_host_that_nobody_else_gets(
    previews: System, name: str, order: tuple[Callable[[ControlPlane, str, str], Result], ...]
) -> None:
    plane, mine, other = previews.plane, f"{name}-mine", f"{name}-other"
    make_namespace(plane, mine)
    make_namespace(plane, other)
    for make in order:
        made = make(plane, mine, name)
        assert made.ok, made.stderr
    for make in order:
        assert f"Deployment {mine}/{name}" in make(plane, other, name).stderr
    assert eventually(lambda: held(plane, name) == ("Deployment", "Bound"), SOON)
    assert not in_conflict(plane, mine)

    plane.kubectl("delete", "deployment", name, "-n", mine)
    assert "already used by" in route(plane, other, name).stderr
    assert eventually(lambda: held(plane, name) == ("Namespace", "Bound"), SOON)
    assert f"Namespace {mine}" in deploy(plane, other, name).stderr

    plane.kubectl("delete", "ingress", name, "-n", mine)
    for make in order:
        made = make(plane, other, name)
        assert made.ok, made.stderr
    assert not in_conflict(plane, other)
