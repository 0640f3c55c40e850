"""A chart as people write them, installed by a real Helm where a policy ends releases as one."""

import json
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dayfly_core import names
from dayfly_core.reasons import Condition
from playground import System
from playground.commands import Result
from playground.process import eventually

Json = dict[str, Any]
IN_A_ROW = 6
"""Answers that must be stamped before the policy counts as known to every admission replica."""
PATIENCE = 90.0
"""Seconds: what is in the way is looked at again each minute."""

RIGHTS = Path(__file__).resolve().parents[2] / "manifests" / "components" / "helm" / "rights.yaml"

POLICY = """
apiVersion: dayfly.dev/v1alpha1
kind: ExpiryPolicy
metadata: {name: PLACE}
spec:
  match:
    namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: PLACE}}
    resources: [{apiGroups: [apps], resources: [deployments]}]
  ttl: {min: 1s, default: 8h, max: 2d}
  grace: 5s
  unit: Release
"""

TEMPLATES = """
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  annotations: {dayfly.dev/ttl: "{{ .Values.ttl }}"}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: nginx}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
---
apiVersion: v1
kind: Secret
metadata: {name: password}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: kept, annotations: {helm.sh/resource-policy: keep}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: web}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: "{{ .Release.Namespace }}:web"}
rules: [{apiGroups: [""], resources: [nodes], verbs: [list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: "{{ .Release.Namespace }}:web"}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: "{{ .Release.Namespace }}:web"
subjects: [{kind: ServiceAccount, name: web, namespace: "{{ .Release.Namespace }}"}]
---
apiVersion: batch/v1
kind: Job
metadata: {name: migrate, annotations: {helm.sh/hook: post-install}}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: busybox}]}}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: farewell, annotations: {helm.sh/hook: pre-delete}}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: busybox}]}}}
{{- range $n := until (int .Values.more) }}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: "part-{{ $n }}"}
{{- end }}
"""

KINDS = "deployments,services,configmaps,secrets,serviceaccounts,jobs"


@dataclass(frozen=True, slots=True)
class Place:
    """A namespace with a policy of the same name, and a chart for it."""

    system: System
    name: str
    chart: Path

    def helm(self, *arguments: str) -> Result:
        return self.system.plane.try_helm(*arguments, "-n", self.name)

    def install(self, ttl: str, more: int = 0) -> Result:
        """Install the release ``shop``."""
        values = ("--set", f"ttl={ttl},more={more}")
        return self.helm("install", "shop", str(self.chart), *values)

    def kubectl(self, *arguments: str) -> Result:
        return self.system.plane.try_kubectl(*arguments, "-n", self.name)

    def expire(self, deployment: str = "web") -> None:
        """Have the end of a Deployment come now.

        With a short life from the beginning, it may come while Helm is still at work.
        """
        wish = f"{names.TTL}=1s"
        self.kubectl("annotate", "deployment", deployment, wish, "--overwrite").checked()

    def there(self) -> set[str]:
        """Return what is left of the release: kind and name."""
        listed = self.system.plane.read(KINDS, "-n", self.name)["items"]
        roles = self.system.plane.read("clusterroles,clusterrolebindings")["items"]
        mine = [item for item in roles if item["metadata"]["name"] == f"{self.name}:web"]
        found = {(item["kind"], item["metadata"]["name"]) for item in (*listed, *mine)}
        furniture = {("ConfigMap", "kube-root-ca.crt"), ("ServiceAccount", "default")}
        return {f"{kind}/{name}" for kind, name in found - furniture}

    def condition(self, kind: str) -> Json:
        """Return a condition of the policy; without status if it has none."""
        policy = self.system.plane.read("expirypolicy", self.name)
        conditions: list[Json] = policy.get("status", {}).get("conditions", [])
        return next((c for c in conditions if c["type"] == kind), {"message": ""})

    def events(self, kind: str) -> list[tuple[str, str]]:
        """Return reason and note of what was said on objects of a kind."""
        told = self.system.plane.read("events.events.k8s.io", "-A")["items"]
        mine = [event for event in told if self._is_mine(event["regarding"], kind)]
        return [(event["reason"], event.get("note", "")) for event in mine]

    def _is_mine(self, regarding: Json, kind: str) -> bool:
        here = regarding.get("namespace") == self.name or regarding.get("name") == self.name
        return here and regarding["kind"] == kind


@contextmanager
def permitted(system: System) -> Generator[System]:
    """Have Dayfly with the component meanwhile."""
    system.plane.apply(RIGHTS.read_text())
    try:
        yield system
    finally:
        system.plane.kubectl("delete", "-f", str(RIGHTS))


@contextmanager
def enforceable(system: System, directory: Path) -> Generator[Place]:
    """Yield a prepared place, once its policy says that its releases can be ended."""
    with prepared(system, directory) as place:
        met = eventually(lambda: _is_enforceable(place), PATIENCE)
        assert met, place.condition(Condition.ENFORCEABLE)
        yield place


def _is_enforceable(place: Place) -> bool:
    return place.condition(Condition.ENFORCEABLE).get("status") == "True"


@contextmanager
def prepared(system: System, directory: Path) -> Generator[Place]:
    """Yield a place whose policy is in force, and remove it afterwards."""
    name = f"shop-{secrets.token_hex(3)}"
    (directory / "templates").mkdir(parents=True)
    (directory / "Chart.yaml").write_text("apiVersion: v2\nname: shop\nversion: 0.1.0\n")
    (directory / "templates" / "shop.yaml").write_text(TEMPLATES)
    place = Place(system, name, directory)
    system.plane.kubectl("create", "namespace", name)
    system.plane.apply(POLICY.replace("PLACE", name))
    try:
        system.wait_enforced(["deployments"])
        assert eventually(lambda: all(_stamped(place) for _ in range(IN_A_ROW)), PATIENCE)
        yield place
    finally:
        place.kubectl("label", "services,configmaps", "--all", f"{names.PROTECTED}-")
        place.helm("uninstall", "shop", "--no-hooks", "--ignore-not-found")
        place.kubectl("delete", "expirypolicy", name, "--ignore-not-found")
        place.kubectl("delete", "namespace", name, "--wait=false")


def _stamped(place: Place) -> bool:
    item = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "probe"},
        "spec": {
            "selector": {"matchLabels": {"app": "probe"}},
            "template": {
                "metadata": {"labels": {"app": "probe"}},
                "spec": {"containers": [{"name": "probe", "image": "nginx"}]},
            },
        },
    }
    dry = ("create", "--dry-run=server", "-o", "json", "-f", "-", "-n", place.name)
    answer = place.system.plane.try_kubectl(*dry, stdin=json.dumps(item))
    return names.EXPIRES_AT in answer.stdout
