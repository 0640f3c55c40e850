"""Who may write NameClaims with no program of Dayfly running: our accounts, and who repairs."""

from collections.abc import Iterator

import msgspec
import pytest

from dayfly_core import names
from playground import ControlPlane
from playground.commands import Result
from playground.process import eventually
from support import base

pytestmark = pytest.mark.cluster

WRITER, REPAIRER = "claim-writer", "claim-repairer"
"""Both have every right that RBAC knows on NameClaims; one may repair as well."""
ACCOUNT = f"system:serviceaccount:{names.SYSTEM_NAMESPACE}"
ADMISSION, OPERATOR = f"{ACCOUNT}:{names.ADMISSION_ACCOUNT}", f"{ACCOUNT}:{names.OPERATOR_ACCOUNT}"
KUBE_SYSTEM = "system:serviceaccount:kube-system:generic-garbage-collector"

RIGHTS = f"""
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {{name: test-claim-writer}}
rules:
- apiGroups: [dayfly.dev]
  resources: [nameclaims]
  verbs: [get, list, watch, create, update, patch, delete, deletecollection]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {{name: test-claim-writer}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: test-claim-writer}}
subjects:
- {{kind: User, name: {WRITER}}}
- {{kind: User, name: "{KUBE_SYSTEM}"}}
- {{kind: User, name: "{OPERATOR}"}}
- {{kind: User, name: "{ADMISSION}"}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {{name: test-claim-repairer}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: dayfly-repair-names}}
subjects: [{{kind: User, name: {REPAIRER}}}]
"""

HELD = "host-a.example-0"
PATIENCE = 60.0


def a_claim(name: str, holder: str = "web") -> str:
    claim = {
        "apiVersion": "dayfly.dev/v1alpha1",
        "kind": "NameClaim",
        "metadata": {"name": name, "labels": {names.CLAIM: "host"}},
        "spec": {
            "key": {"kind": "host", "value": "a.example", "written": "A.example"},
            "holder": {
                "group": "apps",
                "version": "v1",
                "resource": "deployments",
                "kind": "Deployment",
                "namespace": "shop",
                "name": holder,
                "uid": "705ab4f5",
            },
            "state": "Bound",
            "claimedAt": "2026-11-22T10:00:00Z",
        },
    }
    return msgspec.json.encode(claim).decode()


@pytest.fixture(scope="module")
def plane(bare: ControlPlane) -> Iterator[ControlPlane]:
    base.apply(bare)
    bare.apply(RIGHTS)
    # The kind, too, may be new.
    held = a_claim(HELD)
    assert eventually(lambda: bare.try_kubectl("apply", "-f", "-", stdin=held).ok, PATIENCE)
    assert eventually(lambda: in_force(bare), PATIENCE)
    yield bare
    bare.kubectl("delete", "nameclaim", HELD)


def in_force(plane: ControlPlane) -> bool:
    """The API server takes up rights and policies after a moment: try what each decides on."""
    refused = write(plane, WRITER, "create")
    unjudged = delete(plane, judged=False)
    allowed = (write(plane, user, "create") for user in (REPAIRER, ADMISSION, KUBE_SYSTEM))
    told = "repair" in refused.stderr and "preconditions" in unjudged.stderr
    return told and all(result.ok for result in allowed)


def write(plane: ControlPlane, user: str, how: str) -> Result:
    """Keeps nothing: all are dry runs."""
    dry = (f"--as={user}", "--dry-run=server")
    if how == "delete":
        return plane.try_kubectl("delete", "nameclaim", HELD, *dry)
    text = a_claim("host-a.example-1") if how == "create" else a_claim(HELD, "other")
    return plane.try_kubectl(how, "-f", "-", *dry, stdin=text)


@pytest.mark.parametrize("how", ["create", "replace", "delete"])
@pytest.mark.parametrize("user", [REPAIRER, ADMISSION, KUBE_SYSTEM])
def test_who_may_write_claims(plane: ControlPlane, user: str, how: str) -> None:
    result = write(plane, user, how)
    assert result.ok, result.stderr


@pytest.mark.parametrize("how", ["create", "replace"])
def test_the_operator_writes_claims_whole(plane: ControlPlane, how: str) -> None:
    result = write(plane, OPERATOR, how)
    assert result.ok, result.stderr


@pytest.mark.parametrize(
    ("judged", "refusal"),
    [
        pytest.param(True, "", id="the version that was judged"),
        pytest.param(False, "preconditions", id="never whatever is there"),
    ],
)
def test_the_operator_deletes_a_claim(plane: ControlPlane, judged: bool, refusal: str) -> None:
    result = delete(plane, judged=judged)
    assert result.ok is not bool(refusal), result.stderr
    assert refusal in result.stderr


def delete(plane: ControlPlane, *, judged: bool) -> Result:
    """DELETE as the operator sends it; ``judged``: with the version. A dry run, too."""
    meta = plane.read("nameclaim", HELD)["metadata"]
    preconditions = {"uid": meta["uid"], "resourceVersion": meta["resourceVersion"]}
    head = {"apiVersion": "v1", "kind": "DeleteOptions", "dryRun": ["All"]}
    options = head | ({"preconditions": preconditions} if judged else {})
    path = f"/apis/dayfly.dev/v1alpha1/nameclaims/{HELD}"
    body = msgspec.json.encode(options).decode()
    return plane.try_kubectl("delete", "--raw", path, "-f", "-", f"--as={OPERATOR}", stdin=body)


@pytest.mark.parametrize("how", ["create", "replace", "delete"])
def test_who_may_not_is_told_what_to_do(plane: ControlPlane, how: str) -> None:
    result = write(plane, WRITER, how)
    assert not result.ok
    assert 'needs the verb "repair" on nameclaims.dayfly.dev' in result.stderr
    assert "kubectl get nameclaims" in result.stderr
    assert "dayfly-repair-names" in result.stderr


def test_everybody_who_may_look_at_the_cluster_sees_who_has_a_name(plane: ControlPlane) -> None:
    view = plane.read("clusterrole", "view")["rules"]
    assert any(
        "nameclaims" in rule.get("resources", []) and "list" in rule["verbs"] for rule in view
    )


def test_no_role_for_users_repairs(plane: ControlPlane) -> None:
    for role in ("view", "edit", "admin"):
        rules = plane.read("clusterrole", role)["rules"]
        assert not [rule for rule in rules if "repair" in rule["verbs"]]
