"""A namespace in which the rights of base are in force, and users who have more or fewer."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import msgspec

from dayfly_core import names
from playground import ControlPlane
from playground.commands import Result
from playground.process import eventually
from support import base

PATIENCE = 60.0

EDITOR = "editor"
"""May create, read and change everything in the namespace, and delete nothing."""
OWNER = "owner"
"""May delete as well."""
PROTECTOR = "protector"
"""May edit, and protect."""
OPERATOR = f"system:serviceaccount:{names.SYSTEM_NAMESPACE}:{names.OPERATOR_ACCOUNT}"

EARLY, LATE = "2098-01-01T00:00:00Z", "2099-01-01T00:00:00Z"
LONG_AGO = "2001-01-01T00:00:00Z"

ROLES = f"""
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {{name: test-editor}}
rules:
- {{apiGroups: ["", apps], resources: ["*"], verbs: [get, list, watch, create, update, patch]}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {{name: test-owner}}
rules:
- {{apiGroups: ["", apps, batch], resources: ["*"], verbs: ["*"]}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {{name: test-editor}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: test-editor}}
subjects: [{{kind: User, name: {EDITOR}}}, {{kind: User, name: {PROTECTOR}}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {{name: test-owner}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: test-owner}}
subjects: [{{kind: User, name: {OWNER}}}, {{kind: User, name: "{OPERATOR}"}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {{name: test-protector}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: dayfly-protector}}
subjects: [{{kind: User, name: {PROTECTOR}}}]
"""
"""The operator is given all rights here: what stops it must not be RBAC."""

OWNED = [
    {
        "apiVersion": "v1",
        "kind": "Namespace",
        "name": "kube-public",
        "uid": "UID",
        "controller": True,
    }
]
"""A controller that is there: the garbage collector would take away what has none."""


@dataclass(frozen=True, slots=True)
class Place:
    """A namespace in which the rights are in force."""

    plane: ControlPlane
    owner: str
    """Whose uid stands for UID in manifests."""
    namespace: str

    def run(self, user: str, *arguments: str, stdin: str = "") -> Result:
        manifest = stdin.replace("UID", self.owner)
        where = (f"--as={user}", "-n", self.namespace)
        return self.plane.try_kubectl(*arguments, *where, stdin=manifest)

    def put(self, name: str, **metadata: Any) -> None:
        """Store a ConfigMap as an account that the rights do not bind."""
        self.store(config_map(name, metadata))

    def store(self, manifest: str) -> None:
        """Store anything as that account."""
        found = self.run(KUBE_SYSTEM, "replace", "--force", "-f", "-", stdin=manifest)
        assert found.ok, found.stderr


def config_map(name: str, metadata: dict[str, Any]) -> str:
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **metadata}}
    return msgspec.json.encode(manifest).decode()


def metadata_of(**keys: str) -> dict[str, Any]:
    """``ttl="8h"``, ``policy="p"`` and so on, put where they belong; ``owned`` adds an owner."""
    labels = {f"dayfly.dev/{key}": keys[key] for key in ("policy", "protected") if key in keys}
    labels |= {names.ENDED_BY: keys["ending"]} if "ending" in keys else {}
    where = {
        "ttl": names.TTL,
        "end": names.EXPIRES_AT,
        "author": names.CREATED_BY,
        "host": names.HOST,
        "conflict": names.NAME_CONFLICT,
        "steps": names.STEPS,
        "caught_up": names.CAUGHT_UP,
        "ended_by": names.ENDED_BY,
        "release_due": names.RELEASE_DUE,
        "wake": names.WAKE_REQUESTED,
    }
    annotations = {where[key]: value for key, value in keys.items() if key in where}
    owners = OWNED if "owned" in keys else []
    return {"labels": labels, "annotations": annotations, "ownerReferences": owners}


KUBE_SYSTEM = "system:serviceaccount:kube-system:test"
"""An account that the rights do not bind."""

ADMIN = f"""
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {{name: test-kube-system}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}}
subjects: [{{kind: User, name: "{KUBE_SYSTEM}"}}]
"""


@contextmanager
def a_place(plane: ControlPlane, namespace: str) -> Generator[Place]:
    """Apply base, let people in, and wait until the rights hold."""
    base.apply(plane)
    plane.apply(ROLES)
    plane.apply(ADMIN)
    plane.kubectl("create", "namespace", namespace)
    owner = plane.read("namespace", "kube-public")["metadata"]["uid"]
    place = Place(plane, owner, namespace)
    assert eventually(lambda: _in_force(place), PATIENCE), "no admission policies are in force"
    yield place
    plane.kubectl("delete", "namespace", namespace, "--wait=false")


def _in_force(place: Place) -> bool:
    """The API server takes up rights and policies after a moment: try what each decides on."""
    forged = config_map("probe", metadata_of(author="somebody"))
    create = ("create", "-f", "-", "--dry-run=server")
    stored = place.run(KUBE_SYSTEM, *create, stdin=forged)
    created = place.run(EDITOR, *create, stdin=forged)
    deleted = place.run(OPERATOR, "delete", "cm", "kube-root-ca.crt", "--dry-run=server")
    # By a policy, not because a right, or what is to be deleted, is not there yet.
    return stored.ok and all("ValidatingAdmissionPolicy" in it.stderr for it in (created, deleted))


def said(result: Result) -> str:
    return "" if result.ok else result.stderr
