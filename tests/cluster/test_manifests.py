"""Installing: in any order, as often as one likes, without undoing what the operator fills in."""

import random
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from dayfly_core import names
from playground import ControlPlane
from playground.process import eventually
from support import base

pytestmark = pytest.mark.cluster

FILES = base.files()
SOON = 60.0
"""Seconds until waiting for what takes a moment is given up."""
NOBODY = "https://127.0.0.1:9"
"""Refuses connections at once."""

FILLED = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: dayfly-judge}
webhooks:
- name: judge.dayfly.dev
  sideEffects: NoneOnDryRun
  admissionReviewVersions: [v1]
  clientConfig: {caBundle: Y2E=}
  rules:
  - {apiGroups: [""], apiVersions: ["*"], resources: [limitranges], operations: [CREATE]}
"""


@pytest.fixture(scope="module", autouse=True)
def leave_it_installed(bare: ControlPlane) -> Any:
    yield
    base.apply(bare)


def shuffled(seed: int) -> list[Path]:
    return random.Random(seed).sample(FILES, len(FILES))


def versions(plane: ControlPlane) -> dict[str, str]:
    text = plane.kubectl("kustomize", str(base.BASE))
    listed = msgspec.json.decode(plane.kubectl("get", "-f", "-", "-o", "json", stdin=text))
    return {
        f"{item['kind']}/{item['metadata']['name']}": item["metadata"]["resourceVersion"]
        for item in listed["items"]
    }


@pytest.mark.parametrize(
    "order",
    [
        pytest.param(FILES[::-1], id="backwards"),
        pytest.param(shuffled(7), id="shuffled"),
    ],
)
def test_any_order_of_files_converges_when_applied_twice(
    bare: ControlPlane, order: list[Path]
) -> None:
    base.remove(bare)
    for path in order:
        bare.try_kubectl("apply", "-f", "-", stdin=base.without_pods(path.read_text()))
    for path in order:
        bare.apply(base.without_pods(path.read_text()))
    base.apply(bare)  # the common label, which only the kustomization adds
    assert len(versions(bare)) == len(
        list(yaml.safe_load_all(bare.kubectl("kustomize", str(base.BASE))))
    )


def test_applying_again_changes_nothing(bare: ControlPlane) -> None:
    base.apply(bare)
    settled(bare)
    before = versions(bare)
    base.apply(bare)
    assert versions(bare) == before


def test_what_the_operator_fills_in_survives_another_apply(bare: ControlPlane) -> None:
    base.apply(bare)
    settled(bare)
    patch = '{"data": {"tls.crt": "eA==", "tls.key": "eQ=="}}'
    bare.kubectl("patch", "secret", names.TLS_SECRET, "-n", names.SYSTEM_NAMESPACE, "-p", patch)
    bare.apply(FILLED, "--server-side", f"--field-manager={names.FIELD_MANAGER}")
    before = versions(bare)
    base.apply(bare)
    assert versions(bare) == before
    webhook, *_ = bare.read("validatingwebhookconfiguration", "dayfly-judge")["webhooks"]
    assert webhook["clientConfig"]["caBundle"] == "Y2E="
    assert webhook["rules"][0]["resources"] == ["limitranges"]


def test_sources_of_the_right_to_end_add_up(bare: ControlPlane) -> None:
    base.apply(bare)
    role = yaml.safe_dump(
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {"name": "test-more", "labels": {names.AGGREGATE_LABEL: "true"}},
            "rules": [{"apiGroups": ["x.example"], "resources": ["things"], "verbs": ["delete"]}],
        }
    )
    bare.apply(role)
    bare.kubectl(
        "wait",
        "clusterrole/dayfly-operator-ends",
        "--for=jsonpath={.rules[?(@.apiGroups[0]=='x.example')].resources[0]}=things",
        "--timeout=60s",
    )
    bare.kubectl("delete", "clusterrole", "test-more")


def test_samples_are_accepted(bare: ControlPlane) -> None:
    base.apply(bare)
    bare.kubectl("apply", "-f", str(base.MANIFESTS / "policies"), "--dry-run=server")


def settled(plane: ControlPlane) -> None:
    """Wait for the controllers that write to what was just created."""
    for deployment in ("dayfly-admission", "dayfly-operator"):
        plane.kubectl(
            *("wait", f"deployment/{deployment}", "-n", names.SYSTEM_NAMESPACE),
            *("--for=jsonpath={.status.observedGeneration}", "--timeout=60s"),
        )
    for budget in ("dayfly-admission", "dayfly-operator"):
        plane.kubectl(
            *("wait", f"poddisruptionbudget/{budget}", "-n", names.SYSTEM_NAMESPACE),
            *("--for=jsonpath={.status.observedGeneration}", "--timeout=60s"),
        )
    plane.kubectl(
        *("wait", "clusterrole/dayfly-operator-ends", "--for=jsonpath={.rules[0]}"),
        "--timeout=60s",
    )


class Asked:
    """The shipped conditions on a webhook that fails whenever it is asked: then one can see it."""

    def __init__(self, plane: ControlPlane, namespace: str) -> None:
        self.plane = plane
        self.namespace = namespace

    def by(self, *arguments: str, stdin: str = "") -> bool:
        result = self.plane.try_kubectl(*arguments, "-n", self.namespace, stdin=stdin)
        called = "failed calling webhook" in result.stderr
        assert called or result.ok, result.stderr
        return called


@pytest.fixture(scope="module")
def asked(bare: ControlPlane) -> Any:
    base.apply(bare)
    shipped = bare.read("validatingwebhookconfiguration", names.VALIDATING_CONFIGURATION)
    entry = next(w for w in shipped["webhooks"] if w["name"] == names.JUDGE_WEBHOOK)
    rule = {
        "apiGroups": ["", "apps"],
        "apiVersions": ["*"],
        "resources": ["configmaps", "deployments", "replicasets", "pods"],
        "operations": ["CREATE", "UPDATE"],
    }
    probe = {
        "apiVersion": shipped["apiVersion"],
        "kind": shipped["kind"],
        "metadata": {"name": "test-probe"},
        "webhooks": [
            {**entry, "failurePolicy": "Fail", "rules": [rule], "clientConfig": {"url": NOBODY}}
        ],
    }
    bare.kubectl("create", "namespace", "test-asked")
    for name in ("plain", "stamped", "leaving"):
        bare.kubectl("create", "configmap", name, "-n", "test-asked")
    for what, key in (
        ("annotate", "dayfly.dev/expires-at=2099-01-01T00:00:00Z"),
        ("label", "dayfly.dev/policy=x"),
    ):
        bare.kubectl(what, "configmap", "stamped", key, "-n", "test-asked")
    bare.kubectl("create", "deployment", "web", "--image=web", "-n", "test-asked")
    bare.kubectl("rollout", "status", "deployment/web", "-n", "test-asked", "--timeout=60s")
    bare.apply(yaml.safe_dump(probe))
    asked = Asked(bare, "test-asked")
    about = "create", "configmap", "any", "--dry-run=server"
    # The API server takes up a new configuration after a moment, and lets go of it likewise.
    assert eventually(lambda: asked.by(*about), SOON)
    yield asked
    bare.kubectl("delete", "validatingwebhookconfiguration", "test-probe")
    assert eventually(lambda: not asked.by(*about), SOON)
    bare.kubectl("delete", "namespace", "test-asked", "--wait=false")


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        pytest.param("create configmap new", True, id="a creation is"),
        pytest.param("annotate cm plain dayfly.dev/ttl=1h", True, id="a new ttl is"),
        pytest.param("annotate cm plain dayfly.dev/expires-at=x", True, id="a new end is"),
        pytest.param("label cm stamped dayfly.dev/policy-", True, id="a removed policy is"),
        pytest.param("label cm plain dayfly.dev/protected=true", True, id="protection is"),
        pytest.param("annotate cm plain note=x", False, id="somebody's own annotation is not"),
        pytest.param("label cm plain color=blue", False, id="a label is not"),
        pytest.param("set image deploy/web web=other", True, id="a changed spec is"),
        pytest.param("scale deploy/web --replicas=1", False, id="the scale subresource is not"),
        pytest.param("delete cm leaving", False, id="a deletion is not"),
    ],
)
def test_which_requests_the_webhooks_are_asked_about(
    asked: Asked, command: str, expected: bool
) -> None:
    assert asked.by(*command.split()) is expected


def test_what_a_controller_makes_is_not_asked_about(asked: Asked) -> None:
    def pods() -> set[str]:
        listed = asked.plane.read("pods", "-n", asked.namespace, "-l", "app=web")["items"]
        return {each["metadata"]["name"] for each in listed}

    (pod, *_) = before = pods()
    asked.plane.kubectl("delete", "pod", pod, "-n", asked.namespace, "--wait=false")
    assert eventually(lambda: bool(pods() - before), SOON)


@pytest.mark.parametrize("namespace", ["kube-system", names.SYSTEM_NAMESPACE])
def test_system_namespaces_are_not_asked_about(asked: Asked, namespace: str) -> None:
    result = asked.plane.try_kubectl(
        "create", "configmap", "test-asked", "-n", namespace, "--dry-run=server"
    )
    assert result.ok, result.stderr
