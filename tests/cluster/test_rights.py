"""Rights that hold with no program of Dayfly running: who may edit may not thereby end, protect or
sign, the operator's account deletes nothing but what carries a stamp, and controllers go on."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import pytest

from dayfly_core import names
from playground import ControlPlane
from playground.commands import Result
from support import base

pytestmark = pytest.mark.cluster

SPACE = "test-rights"
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
- {{apiGroups: ["", apps], resources: ["*"], verbs: ["*"]}}
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
    namespace: str = SPACE

    def run(self, user: str, *arguments: str, stdin: str = "") -> Result:
        manifest = stdin.replace("UID", self.owner)
        where = (f"--as={user}", "-n", self.namespace)
        return self.plane.try_kubectl(*arguments, *where, stdin=manifest)

    def put(self, name: str, **metadata: Any) -> None:
        """Store a ConfigMap as an account that the rights do not bind."""
        admin = "system:serviceaccount:kube-system:test"
        found = self.run(admin, "replace", "--force", "-f", "-", stdin=config_map(name, metadata))
        assert found.ok, found.stderr


def config_map(name: str, metadata: dict[str, Any]) -> str:
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **metadata}}
    return msgspec.json.encode(manifest).decode()


def metadata_of(**keys: str) -> dict[str, Any]:
    """``ttl="8h"``, ``policy="p"`` and so on, put where they belong; ``owned`` adds an owner."""
    labels = {f"dayfly.dev/{key}": keys[key] for key in ("policy", "protected") if key in keys}
    where = {
        "ttl": names.TTL,
        "end": names.EXPIRES_AT,
        "author": names.CREATED_BY,
        "host": names.HOST,
        "conflict": names.NAME_CONFLICT,
    }
    annotations = {where[key]: value for key, value in keys.items() if key in where}
    owners = OWNED if "owned" in keys else []
    return {"labels": labels, "annotations": annotations, "ownerReferences": owners}


@pytest.fixture(scope="module")
def place(bare: ControlPlane) -> Iterator[Place]:
    base.apply(bare)
    bare.apply(ROLES)
    bare.apply(
        msgspec.json.encode(
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "ClusterRoleBinding",
                "metadata": {"name": "test-kube-system"},
                "roleRef": {
                    "apiGroup": "rbac.authorization.k8s.io",
                    "kind": "ClusterRole",
                    "name": "cluster-admin",
                },
                "subjects": [
                    {"kind": "User", "name": "system:serviceaccount:kube-system:test"},
                ],
            }
        ).decode()
    )
    bare.kubectl("create", "namespace", SPACE)
    owner = bare.read("namespace", "kube-public")["metadata"]["uid"]
    in_force(Place(bare, owner))
    yield Place(bare, owner)
    bare.kubectl("delete", "namespace", SPACE, "--wait=false")


def in_force(place: Place) -> None:
    """The API server takes up new policies after a moment: try what must be refused until it is."""
    forged = config_map("probe", metadata_of(author="somebody"))
    for _ in range(200):
        created = place.run(EDITOR, "create", "-f", "-", "--dry-run=server", stdin=forged)
        deleted = place.run(OPERATOR, "delete", "cm", "kube-root-ca.crt", "--dry-run=server")
        if not (created.ok or deleted.ok):
            return
    raise AssertionError("admission policies did not come into force")


def write(place: Place, user: str, before: dict[str, str] | None, after: dict[str, str]) -> Result:
    """Create an object with ``after``, or replace one that has ``before``; keeps nothing."""
    if before is None:
        manifest = config_map("fresh", metadata_of(**after))
        return place.run(user, "create", "-f", "-", "--dry-run=server", stdin=manifest)
    place.put("stored", **metadata_of(**before))
    manifest = config_map("stored", metadata_of(**after))
    return place.run(user, "replace", "-f", "-", "--dry-run=server", stdin=manifest)


def said(result: Result) -> str:
    return "" if result.ok else result.stderr


# One row: who, what is stored (None: nothing), what is written, and a piece of the refusal.
EDITS: list[Any] = [
    pytest.param(EDITOR, {"end": EARLY}, {"end": LATE}, "", id="a later end needs no more"),
    pytest.param(
        EDITOR, {"end": LATE}, {"end": EARLY}, f"to {LATE} or later", id="an earlier one does"
    ),
    pytest.param(OWNER, {"end": LATE}, {"end": EARLY}, "", id="who may delete may end earlier"),
    pytest.param(EDITOR, {}, {"end": LATE}, "right to delete", id="a first end does"),
    pytest.param(EDITOR, {}, {"ttl": "8h"}, "leave out", id="a first ttl does"),
    pytest.param(OWNER, {}, {"ttl": "8h"}, "", id="who may delete may ask for an end"),
    pytest.param(EDITOR, {}, {"ttl": "never"}, "", id="asking for none does not"),
    pytest.param(EDITOR, {"end": LATE}, {}, "", id="dropping an end does not"),
    pytest.param(
        EDITOR, {"end": LATE}, {"end": "soon"}, "RFC 3339", id="one that cannot be read does"
    ),
    pytest.param(
        EDITOR, {"end": "soon"}, {"end": LATE}, "right to delete", id="replacing such a one does"
    ),
    pytest.param(
        EDITOR,
        {"end": EARLY},
        {"end": "2098-01-01T01:00:00+01:00"},
        "",
        id="the same in another zone",
    ),
    pytest.param(
        EDITOR,
        {"end": EARLY},
        {"end": "2098-01-01T01:00:00+02:00"},
        "or later",
        id="zones are read",
    ),
    pytest.param(
        EDITOR, {"end": LATE, "ttl": "1h"}, {"end": LATE, "ttl": "2h"}, "", id="a ttl beside an end"
    ),
    pytest.param(
        EDITOR,
        {"end": EARLY, "owned": ""},
        {"end": EARLY},
        "right to delete",
        id="letting go of a copy does",
    ),
    pytest.param(
        EDITOR, {"owned": ""}, {"end": EARLY, "owned": ""}, "", id="a copy with an owner does not"
    ),
    pytest.param(EDITOR, None, {"end": LATE, "ttl": "8h"}, "", id="creating with an end does not"),
    # protected
    pytest.param(
        EDITOR, None, {"protected": "true"}, "leave the label out", id="protecting at creation"
    ),
    pytest.param(EDITOR, {}, {"protected": "true"}, 'verb "protect"', id="protecting later"),
    pytest.param(
        EDITOR, {"protected": "true"}, {}, "keep it as it is", id="taking protection away"
    ),
    pytest.param(
        EDITOR, {"protected": "true"}, {"protected": "true"}, "", id="leaving it as it is"
    ),
    pytest.param(PROTECTOR, {}, {"protected": "true"}, "", id="who has the verb may protect"),
    pytest.param(PROTECTOR, {"protected": "true"}, {}, "", id="and may take it away"),
    pytest.param(EDITOR, None, {"protected": "true", "owned": ""}, "", id="a protected copy"),
    pytest.param(
        EDITOR,
        {"protected": "true", "owned": ""},
        {"protected": "true"},
        "protect",
        id="a copy let go",
    ),
    # created-by
    pytest.param(EDITOR, None, {"author": EDITOR}, "", id="signing with one's own name"),
    pytest.param(EDITOR, None, {"author": OWNER}, f'as "{EDITOR}"', id="signing with another"),
    pytest.param(EDITOR, {"author": OWNER}, {"author": OWNER}, "", id="leaving a signature"),
    pytest.param(EDITOR, {"author": OWNER}, {}, "", id="dropping a signature: a plain replace"),
    pytest.param(EDITOR, {"author": OWNER}, {"author": EDITOR}, f'as "{OWNER}"', id="changing it"),
    pytest.param(EDITOR, {}, {"author": EDITOR}, "leave it out", id="signing later"),
    pytest.param(EDITOR, None, {"author": OWNER, "owned": ""}, "", id="a signed copy"),
    # policy
    pytest.param(EDITOR, None, {"policy": "p", "end": LATE}, "", id="a copy made with Dayfly away"),
    pytest.param(
        EDITOR, None, {"policy": "p", "end": LONG_AGO}, "has passed", id="a copy of what had ended"
    ),
    pytest.param(EDITOR, None, {"policy": "p"}, "together with an end", id="a label alone"),
    pytest.param(
        OWNER, {}, {"policy": "p", "ttl": "8h"}, "", id="with a wish, as the webhook adds it"
    ),
    pytest.param(
        OWNER, {"policy": "p", "end": LATE}, {"policy": "q", "end": LATE}, 'stays "p"', id="another"
    ),
    pytest.param(
        OWNER, {"policy": "p", "end": LATE}, {"end": LATE}, "", id="dropping it: a plain replace"
    ),
    # host, name-conflict
    pytest.param(EDITOR, None, {"host": "a.example"}, "", id="a host at creation means nothing"),
    pytest.param(EDITOR, None, {"conflict": "x"}, "", id="nor does a copied conflict"),
    pytest.param(EDITOR, {}, {"host": "a.example"}, "nobody changes it", id="adding a host"),
    pytest.param(
        EDITOR, {"host": "a.example"}, {"host": "b.example"}, "as it is", id="changing a host"
    ),
    pytest.param(EDITOR, {"host": "a.example"}, {"host": "a.example"}, "", id="leaving a host"),
    pytest.param(EDITOR, {"host": "a.example"}, {}, "", id="dropping a host: a plain replace"),
    pytest.param(
        OWNER, {}, {"ttl": "8h", "host": "a.example"}, "nobody changes it", id="beside a wish"
    ),
    pytest.param(
        OWNER,
        {},
        {"ttl": "8h", "policy": "p", "host": "a.example"},
        "",
        id="with a first stamp, as the webhook adds it",
    ),
    pytest.param(EDITOR, {}, {"conflict": "x"}, names.NAME_CONFLICT, id="adding a conflict"),
    pytest.param(EDITOR, {"conflict": "x"}, {}, "", id="dropping a conflict"),
    pytest.param(OPERATOR, {}, {"host": "a.example", "conflict": "x"}, "", id="Dayfly writes them"),
]


@pytest.mark.parametrize(("user", "before", "after", "refusal"), EDITS)
def test_edits(
    place: Place, user: str, before: dict[str, str] | None, after: dict[str, str], refusal: str
) -> None:
    result = write(place, user, before, after)
    assert bool(said(result)) is bool(refusal), result.stderr
    assert refusal in said(result)


@dataclass(frozen=True, slots=True)
class Deletion:
    """What the operator's account tries to delete, and how."""

    metadata: dict[str, Any]
    namespace: str = SPACE
    judged: bool = True
    """Whether it names uid and version."""


STAMPED = metadata_of(policy="p", end=LONG_AGO)


@pytest.mark.parametrize(
    ("deletion", "refusal"),
    [
        pytest.param(Deletion(STAMPED), "", id="what carries a stamp"),
        pytest.param(Deletion(STAMPED, "default"), "", id="what people try out in default"),
        pytest.param(Deletion({}), "carries both", id="never what does not"),
        pytest.param(
            Deletion(metadata_of(end=LONG_AGO)), "carries both", id="nor without a policy"
        ),
        pytest.param(
            Deletion(metadata_of(policy="p", end=LONG_AGO, protected="true")),
            names.PROTECTED,
            id="nor what is protected",
        ),
        pytest.param(Deletion({**STAMPED, "ownerReferences": OWNED}), "owner", id="nor a copy"),
        pytest.param(Deletion(STAMPED, judged=False), "preconditions", id="nor unjudged"),
        pytest.param(Deletion(STAMPED, "kube-public"), "guarded", id="nor in kube-public"),
        pytest.param(Deletion(STAMPED, names.SYSTEM_NAMESPACE), "guarded", id="nor its own"),
        pytest.param(Deletion(STAMPED, "test-guarded"), "test-gu*", id="nor where guarded"),
    ],
)
def test_deletions_by_the_operator(
    place: Place, guarded: None, deletion: Deletion, refusal: str
) -> None:
    there = replace(place, namespace=deletion.namespace)
    there.put("doomed", **deletion.metadata)
    result = delete(there, judged=deletion.judged)
    assert bool(said(result)) is bool(refusal), result.stderr
    assert refusal in said(result)


def delete(place: Place, *, judged: bool) -> Result:
    """DELETE as the operator sends it; kubectl cannot name a version."""
    stored = place.plane.read("configmap", "doomed", "-n", place.namespace)["metadata"]
    preconditions = {"uid": stored["uid"], "resourceVersion": stored["resourceVersion"]}
    options = {"preconditions": preconditions} if judged else {}
    path = f"/api/v1/namespaces/{place.namespace}/configmaps/doomed"
    head = {"apiVersion": "v1", "kind": "DeleteOptions", "dryRun": ["All"]}
    body = msgspec.json.encode(head | options).decode()
    return place.run(OPERATOR, "delete", "--raw", path, "-f", "-", stdin=body)


@pytest.fixture(scope="module")
def guarded(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Add a pattern to guard.yaml and apply, as somebody who runs the cluster would."""
    plane, copy = place.plane, tmp_path_factory.mktemp("edited") / "manifests"
    shutil.copytree(base.MANIFESTS, copy)
    guard = copy / "base" / "guard.yaml"
    guard.write_text(f"{guard.read_text()}    # production\n    test-gu*  # and more\n")
    plane.kubectl("create", "namespace", "test-guarded")
    plane.apply(base.without_pods(plane.kubectl("kustomize", str(copy / "base"))))
    doomed = replace(place, namespace="test-guarded")
    doomed.put("doomed", **STAMPED)
    assert any("test-gu*" in delete(doomed, judged=True).stderr for _ in range(200))
    yield
    base.apply(plane)
    plane.kubectl("delete", "namespace", "test-guarded", "--wait=false")


@pytest.mark.parametrize("namespace", ["default", "kube-system", names.SYSTEM_NAMESPACE])
def test_the_operator_never_deletes_these_namespaces(place: Place, namespace: str) -> None:
    result = place.run(OPERATOR, "delete", "namespace", namespace, "--dry-run=server")
    assert "forbidden" in result.stderr


def test_a_missing_guard_stops_nobody(place: Place) -> None:
    guard = ("configmap", names.GUARD_CONFIG_MAP, "-n", names.SYSTEM_NAMESPACE)
    place.plane.kubectl("delete", *guard)
    try:
        for number in range(5):  # the API server forgets the ConfigMap after a moment
            place.plane.kubectl("create", "configmap", f"mine-{number}", "-n", SPACE)
            place.plane.kubectl("delete", "configmap", f"mine-{number}", "-n", SPACE)
    finally:
        base.apply(place.plane)


@pytest.mark.parametrize(
    ("patch", "refusal"),
    [
        pytest.param({"metadata": metadata_of(policy="p", end=LATE)}, "", id="stamps"),
        pytest.param({"metadata": {"annotations": {names.TTL: None}}}, "", id="a stamp removed"),
        pytest.param({"data": {"key": "value"}}, "nothing else", id="never content"),
        pytest.param(
            {"metadata": {"labels": {"app": "x"}}}, "only dayfly.dev/", id="never a label"
        ),
        pytest.param(
            {"metadata": {"annotations": {"a": "x"}}}, "only dayfly.dev/", id="nor a note"
        ),
        pytest.param(
            {"metadata": {"finalizers": ["a.b/c"]}}, "only dayfly.dev/", id="nor a finalizer"
        ),
        pytest.param(
            {"metadata": {"ownerReferences": OWNED}}, "only dayfly.dev/", id="nor an owner"
        ),
    ],
)
def test_patches_by_the_operator(place: Place, patch: dict[str, Any], refusal: str) -> None:
    place.put("other", annotations={names.TTL: "8h"})
    text = msgspec.json.encode(patch).decode().replace("UID", place.owner)
    result = place.run(OPERATOR, "patch", "cm", "other", "--type=merge", "-p", text)
    assert bool(said(result)) is bool(refusal), result.stderr
    assert refusal in said(result)


WORKLOADS = f"""
apiVersion: v1
kind: List
items:
- apiVersion: apps/v1
  kind: Deployment
  metadata: &head
    name: copied
    labels: &labels {{app: copied, dayfly.dev/policy: p, dayfly.dev/protected: "true"}}
    annotations: &annotations {{dayfly.dev/expires-at: "{LATE}", dayfly.dev/ttl: 8h}}
  spec:
    replicas: 2
    selector: {{matchLabels: {{app: copied}}}}
    template: &template
      metadata: {{labels: *labels, annotations: *annotations}}
      spec: {{containers: [{{name: c, image: c}}]}}
- apiVersion: v1
  kind: Service
  metadata: *head
  spec:
    selector: {{app: copied}}
    ports: [{{port: 80}}]
- apiVersion: batch/v1
  kind: Job
  metadata: *head
  spec:
    template:
      metadata: {{labels: *labels, annotations: *annotations}}
      spec: {{restartPolicy: Never, containers: [{{name: c, image: c}}]}}
- apiVersion: apps/v1
  kind: StatefulSet
  metadata: *head
  spec:
    serviceName: copied
    selector: {{matchLabels: {{app: copied}}}}
    template: *template
    volumeClaimTemplates:
    - metadata: {{name: data, labels: *labels, annotations: *annotations}}
      spec: {{accessModes: [ReadWriteOnce], resources: {{requests: {{storage: 1Gi}}}}}}
"""
"""Everything that Kubernetes' controllers copy labels or annotations of, with all our keys."""


def test_controllers_go_on(bare: ControlPlane, place: Place) -> None:
    begun = bare.audit_log.position()
    bare.kubectl("create", "namespace", "test-controllers")
    there = ("-n", "test-controllers")
    bare.apply(WORKLOADS, *there)
    bare.kubectl("rollout", "status", "deployment/copied", *there, "--timeout=60s")
    bare.kubectl(
        "wait", "endpointslice", "-l", "app=copied", *there, "--for=create", "--timeout=30s"
    )
    bare.kubectl("wait", "pvc/data-copied-0", *there, "--for=create", "--timeout=30s")
    bare.kubectl("set", "image", "deployment/copied", "c=other", *there)
    bare.kubectl("rollout", "status", "deployment/copied", *there, "--timeout=60s")
    bare.kubectl("delete", "deployment", "copied", *there, "--cascade=orphan")
    bare.kubectl("delete", "service,job,statefulset", "copied", *there)
    bare.kubectl("delete", "namespace", "test-controllers", "--timeout=60s")
    refused = [
        (event.user.username, event.verb, event.target, event.response_status.message)
        for event in bare.audit(begun)
        if "ValidatingAdmissionPolicy" in event.response_status.message
    ]
    assert refused == []
