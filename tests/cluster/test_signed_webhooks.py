"""Signed webhooks over TLS, from operators that may read what they sign with and nothing else."""

import hashlib
import hmac
import json
import os
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml

from dayfly_core import names
from playground import ControlPlane, System
from playground.process import eventually
from support import base
from support.receiving import Posted, Receiver, receiving

pytestmark = pytest.mark.cluster

SOON = 60.0
HOST = "hooks.example.com"
OPERATOR = f"system:serviceaccount:{names.SYSTEM_NAMESPACE}:{names.OPERATOR_ACCOUNT}"

POLICY = """
apiVersion: dayfly.dev/v1alpha1
kind: ExpiryPolicy
metadata: {{name: {name}}}
spec:
  match:
    namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: calling}}}}
    objectSelector: {{matchLabels: {{called: {name}}}}}
    resources: [{{apiGroups: [""], resources: [configmaps]}}]
  timeline:
  - at: 0s
    action:
      type: WEBHOOK
      webhook: {{url: "https://{host}/{name}", secretRef: {{name: {secret}}}}}
  - {{at: 0s, action: {{type: DELETE}}}}
"""
ENDING = """
apiVersion: v1
kind: ConfigMap
metadata:
  name: {name}
  namespace: calling
  labels: {{called: {name}}}
  annotations: {{dayfly.dev/ttl: 2s}}
"""
MANAGER = """
apiVersion: k8s.consol.de/v1beta1
kind: NamespaceManager
metadata: {{name: calling, namespace: calling}}
spec:
  policies:
  - name: tell them
    condition: {{type: UNTIL, params: {{until: "2020-01-01T00:00:00Z"}}}}
    action:
      type: WEBHOOK
      params: {{url: "https://{host}/manager", secretRef: {{name: dayfly-webhook}}}}
"""


@dataclass(frozen=True)
class Stage:
    """Dayfly with the component, and a receiver."""

    system: System
    receiver: Receiver

    def apply(self, template: str, **values: str) -> None:
        self.system.plane.apply(template.format(host=HOST, **values))

    def ends(self, name: str) -> None:
        """Create a ConfigMap that ends by its policy as soon as admission knows that."""
        dry = ("create", "--dry-run=server", "-o", "json", "-f", "-")
        plane, text = self.system.plane, ENDING.format(name=name)
        assert eventually(lambda: names.POLICY in plane.try_kubectl(*dry, stdin=text).stdout, SOON)
        plane.apply(text)

    def called(self, path: str) -> bool:
        return bool(self.receiver.to(path))

    def steps(self, name: str) -> list[dict[str, Any]]:
        """Return what is on record of a ConfigMap."""
        meta = self.system.plane.read("configmap", name, "-n", "calling")["metadata"]
        found: list[dict[str, Any]] = json.loads(meta["annotations"].get(names.STEPS, "{}")).get(
            "done", []
        )
        return found


@pytest.fixture(scope="module")
def stage(binaries: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    directory = tmp_path_factory.mktemp("webhooks")
    with (
        receiving(certified(directory)) as receiver,
        ControlPlane.start(directory / "plane") as plane,
        System.install(
            plane,
            admissions=1,
            operators=2,
            operator_flags=(
                *("--webhook-host", f"{HOST}=127.0.0.1:{receiver.port}"),
                *("--webhook-allow", "127.0.0.1/32"),
                *("--webhook-ca", str(directory / "ca.pem")),
            ),
            manifests=composed(tmp_path_factory.mktemp("mine")),
        ) as installed,
    ):
        plane.kubectl("create", "namespace", "calling")
        for namespace in (names.SYSTEM_NAMESPACE, "calling"):
            secret = ("secret", "generic", names.WEBHOOK_SECRET)
            plane.kubectl("create", *secret, f"--from-literal=hmac=of {namespace}", "-n", namespace)
        yield Stage(installed, receiver)


def composed(folder: Path) -> Path:
    """Write a kustomization of base and the components that are meant, and no others."""
    beside = Path(os.path.relpath(base.MANIFESTS, folder))
    components = ("namespace-manager", "signed-webhooks")
    kustomization = {
        "resources": [str(beside / "base")],
        "components": [str(beside / "components" / name) for name in components],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    return folder


def certified(directory: Path) -> ssl.SSLContext:
    """Return the receiver's side of TLS, by an authority whose certificate is in ``ca.pem``."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(directory / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with authority.issue_cert(HOST).private_key_and_cert_chain_pem.tempfile() as path:
        context.load_cert_chain(path)
    return context


def signed_with(secret: bytes, posted: Posted) -> bool:
    fields = dict(part.split("=", 1) for part in posted.headers["dayfly-signature"].split(","))
    proof = hmac.new(secret, f"{fields['t']}.{posted.body}".encode(), hashlib.sha256)
    return hmac.compare_digest(proof.hexdigest(), fields["v1"])


def test_a_step_is_signed_with_the_secret_beside_dayfly(stage: Stage) -> None:
    stage.apply(POLICY, name="signed", secret=names.WEBHOOK_SECRET)
    stage.ends("signed")
    assert eventually(lambda: stage.called("/signed"), SOON)
    (posted,) = stage.receiver.to("/signed")
    assert posted.headers["host"] == HOST
    assert signed_with(b"of dayfly-system", posted)
    assert json.loads(posted.body)["id"] == posted.headers["idempotency-key"]
    assert "authorization" not in posted.headers
    reading = ("get", "configmap", "signed", "-n", "calling")
    assert eventually(lambda: not stage.system.plane.try_kubectl(*reading).ok, SOON)


def test_a_namespace_managers_call_is_signed_with_the_secret_beside_it(stage: Stage) -> None:
    stage.apply(MANAGER)
    assert eventually(lambda: stage.called("/manager"), SOON)
    (posted,) = stage.receiver.to("/manager")
    assert signed_with(b"of calling", posted)


def test_a_secret_of_another_name_cannot_be_read_and_nothing_is_sent(stage: Stage) -> None:
    stage.apply(POLICY, name="another", secret="another")
    stage.ends("another")
    assert eventually(lambda: any(each.get("attempts") for each in stage.steps("another")), SOON)
    (step,) = stage.steps("another")
    assert "dayfly-system/another: call it dayfly-webhook" in step["message"]
    assert not stage.receiver.to("/another")


@pytest.mark.parametrize(
    ("verb", "secret", "namespace", "may"),
    [
        pytest.param("get", "secrets/dayfly-webhook", "calling", "yes", id="the one it signs with"),
        pytest.param("get", "secrets/other", "calling", "no", id="another one"),
        pytest.param("list", "secrets", "calling", "no", id="all of them"),
        pytest.param("watch", "secrets/dayfly-webhook", "calling", "no", id="its changes"),
        pytest.param("get", "secrets/other", names.SYSTEM_NAMESPACE, "no", id="one beside it"),
    ],
)
def test_rights(stage: Stage, verb: str, secret: str, namespace: str, may: str) -> None:
    asked = ("auth", "can-i", verb, secret, "-n", namespace, "--as", OPERATOR)
    assert stage.system.plane.try_kubectl(*asked).stdout.strip() == may
