"""A team that has a name and a host, and a place beside it where somebody else wants the same."""

import json
import secrets
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from dayfly_core import names
from playground import System
from playground.commands import Result
from playground.process import eventually

Json = dict[str, Any]
PATIENCE = 60.0
IN_A_ROW = 6
"""Answers that must be stamped before the policies count as known to every admission replica."""

UNJUDGED = ("failed calling webhook", "is free was not found out")
"""What is said of what admission had no time for: a machine that stands still hears it."""

TEAM = "TEAM"
"""Stands for the team's name in what tests write down before there is a team."""

SETTING = """
apiVersion: dayfly.dev/v1alpha1
kind: ExpiryPolicy
metadata: {name: TEAM}
spec:
  match:
    namespaceSelector: {matchLabels: {team: TEAM}}
    resources: [{apiGroups: [apps], resources: [deployments]}]
  host: {template: "{name}.{domain}", domain: TEAM.example}
  ttl: {min: 1s, default: 8h, max: 2d}
---
apiVersion: dayfly.dev/v1alpha1
kind: ExpiryPolicy
metadata: {name: TEAM-namespaces}
spec:
  match:
    namespaceSelector: {matchLabels: {team: TEAM}}
    resources: [{apiGroups: [""], resources: [namespaces]}]
  ttl: {min: 1s, default: 8h, max: 2d}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: TEAM-guest}
rules:
- {apiGroups: [""], resources: [namespaces], verbs: [create]}
- {apiGroups: [""], resources: [namespaces], resourceNames: [TEAM-new], verbs: [get, patch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: TEAM-guest}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: TEAM-guest}
subjects: [{kind: User, name: TEAM-guest, apiGroup: rbac.authorization.k8s.io}]
"""
RIGHTS_BESIDE = """
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: guest, namespace: TEAM-beside}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: edit}
subjects: [{kind: User, name: TEAM-guest, apiGroup: rbac.authorization.k8s.io}]
"""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Namespace ``name`` is environment ``name``, and its Deployment has ``web.NAME.example``.

    ``NAME-beside`` belongs to the same team, but is no environment and has nothing in it.
    """

    system: System
    name: str
    guest: Path
    """Credentials of a user who may look at nothing in Namespace ``name``, nor at that itself."""

    def of_team(self, text: str) -> str:
        return text.replace(TEAM, self.name)

    def kubectl(self, *arguments: str, stdin: str = "", user: Path | None = None) -> Result:
        """Run it until somebody has judged it: what nobody had time for was not stored."""
        words, text = [*map(self.of_team, arguments)], self.of_team(stdin)
        answers = list[Result]()

        def judged() -> bool:
            answers.append(self.system.plane.try_kubectl(*words, stdin=text, user=user))
            return not any(each in answers[-1].stderr for each in UNJUDGED)

        eventually(judged, PATIENCE)
        return answers[-1]

    def helm(self, *arguments: str) -> Result:
        return self.system.plane.try_helm(*map(self.of_team, arguments))

    def read(self, *arguments: str) -> Json:
        found: Json = self.system.plane.read(*map(self.of_team, arguments))
        return found

    def holder(self, key: str) -> str:
        """Return who has a name: ``KIND NAMESPACE/NAME``; empty if nobody does."""
        claims = self.system.plane.read("nameclaims")["items"]
        found = (c["spec"]["holder"] for c in claims if c["spec"]["key"]["value"] == key)
        return next((f"{h['kind']} {h.get('namespace', '')}/{h['name']}" for h in found), "")


def a_namespace(
    name: str, labels: Mapping[str, str], annotations: Mapping[str, str] | None = None
) -> Json:
    """Write a Namespace of the team."""
    meta = {"name": name, "labels": {"team": TEAM, **labels}, "annotations": annotations or {}}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}


def a_deployment(name: str, namespace: str, annotations: Mapping[str, str] | None = None) -> Json:
    """Write a Deployment of one simulated pod."""
    labels = {"app": name}
    pod = {"containers": [{"name": "web", "image": "nginx"}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace, "annotations": annotations or {}},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


@contextmanager
def settled(system: System) -> Generator[Neighbours]:
    """Yield neighbours on that system, and remove all of them afterwards."""
    name = f"team-{secrets.token_hex(3)}"
    guest = system.plane.user(f"{name}-guest")
    neighbours = Neighbours(system, name, guest)
    system.plane.apply(neighbours.of_team(SETTING))
    system.wait_enforced(["deployments", "namespaces"])
    try:
        _move_in(neighbours)
        yield neighbours
    finally:
        neighbours.kubectl("delete", "-f", "-", stdin=SETTING)
        mine = ("-l", "team=TEAM", "--wait=false")
        neighbours.kubectl("delete", "namespaces", *mine)


def _move_in(neighbours: Neighbours) -> None:
    first = a_namespace(TEAM, {names.ENVIRONMENT: TEAM})
    beside = a_namespace("TEAM-beside", {})
    assert eventually(lambda: all(_stamped(neighbours, beside) for _ in range(IN_A_ROW)), PATIENCE)
    for item in (first, beside):
        made = neighbours.kubectl("create", "--save-config", "-f", "-", stdin=json.dumps(item))
        assert made.ok, made.stderr
    neighbours.kubectl("apply", "-f", "-", stdin=RIGHTS_BESIDE).checked()
    web = a_deployment("web", TEAM)
    assert eventually(lambda: all(_stamped(neighbours, web) for _ in range(IN_A_ROW)), PATIENCE)
    neighbours.kubectl("create", "-f", "-", stdin=json.dumps(web)).checked()


def _stamped(neighbours: Neighbours, item: Json) -> bool:
    dry = ("create", "--dry-run=server", "-o", "json", "-f", "-")
    return names.EXPIRES_AT in neighbours.kubectl(*dry, stdin=json.dumps(item)).stdout


def write_chart(directory: Path) -> Path:
    """Write a chart that installs whatever manifest it is given as ``--set-file manifest=FILE``."""
    (directory / "templates").mkdir(parents=True)
    (directory / "Chart.yaml").write_text("apiVersion: v2\nname: any\nversion: 0.1.0\n")
    (directory / "templates" / "any.yaml").write_text("{{ .Values.manifest }}\n")
    return directory


def write_manifest(path: Path, neighbours: Neighbours, *items: Json) -> Path:
    """Write manifests of the team to a file."""
    path.write_text(neighbours.of_team(yaml.safe_dump_all(items, sort_keys=False)))
    return path
