"""Namespaces, and people who have few rights in them."""

import json
from dataclasses import dataclass
from pathlib import Path

from playground import ControlPlane, System
from playground.commands import Result
from playground.process import eventually
from support.reviews import Json

SETTING = """
apiVersion: v1
kind: Namespace
metadata: {name: team-a, labels: {team: web}}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Namespace
metadata: {name: kept, labels: {dayfly.dev/protected: "true"}}
---
apiVersion: dayfly.dev/v1alpha1
kind: ExpiryPolicy
metadata: {name: teams}
spec:
  match:
    namespaceSelector: {matchLabels: {team: web}}
    resources: [{apiGroups: [""], resources: [namespaces]}]
  ttl: {default: 1d, max: 7d}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: test-ephemerators}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: dayfly-ephemerator-editor}
subjects: [{kind: User, name: tenant}, {kind: User, name: keeper}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: tenants, namespace: team-a}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: admin}
subjects: [{kind: User, name: tenant}, {kind: User, name: keeper}, {kind: User, name: worker}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: workers, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: edit}
subjects: [{kind: User, name: worker}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: keeper, namespace: shop}
rules:
- {apiGroups: [""], resources: [namespaces], verbs: [delete]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: keepers, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: keeper}
subjects: [{kind: User, name: keeper}]
"""
"""All three are at home in team-a. In shop the tenant may do nothing, the worker edit, and the
keeper delete the namespace itself, by a role in that very namespace."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A Dayfly with the components, and people with fewer rights than an administrator."""

    system: System
    users: dict[str, Path]

    def write(self, user: str, manifest: Json, *words: str) -> Result:
        words = words or ("apply",)
        stdin = json.dumps(manifest)
        return self.system.plane.try_kubectl(*words, "-f", "-", stdin=stdin, user=self.users[user])

    def run(self, user: str, *arguments: str) -> Result:
        return self.system.plane.try_kubectl(*arguments, user=self.users[user])

    def given(self, manifest: Json) -> None:
        """Store it as administrator."""
        self.system.plane.apply(json.dumps(manifest))


def prepared(plane: ControlPlane, system: System) -> Stage:
    """Let them in, and wait until their rights and the policy are in force."""
    users = {name: plane.user(name) for name in ("tenant", "worker", "keeper")}
    stage = Stage(system, users)
    plane.apply(SETTING)
    system.wait_enforced(["namespaces"])
    aggregated = ("auth", "can-i", "create", "namespacemanagers.k8s.consol.de", "-n", "team-a")
    assert eventually(lambda: stage.run("tenant", *aggregated).ok, 60)
    stamped = "dayfly.dev/expires-at"
    assert eventually(
        lambda: stamped in plane.read("namespace", "team-a")["metadata"].get("annotations", {}), 60
    )
    return stage
