"""What the operator's account may do with Ephemerators and NamespaceManagers themselves."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from playground import ControlPlane
from playground.commands import Result
from playground.process import eventually
from support import base
from support.definitions import define
from support.own_manifests import a_manager, an_ephemerator
from support.places import KUBE_SYSTEM, OPERATOR, Place, a_place, said
from support.reviews import Json

pytestmark = pytest.mark.cluster

RIGHTS = f"""
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {{name: test-own-kinds}}
rules: [{{apiGroups: [tessellate.io, k8s.consol.de], resources: ["*"], verbs: ["*"]}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {{name: test-own-kinds}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: test-own-kinds}}
subjects: [{{kind: User, name: "{OPERATOR}"}}]
"""
CRDS = {
    f"{name.replace('-', '')}s": base.MANIFESTS / f"components/{name}/crd.yaml"
    for name in ("ephemerator", "namespace-manager")
}
MARKER = "kopf.zalando.org/KopfFinalizerMarker"


@pytest.fixture(scope="module")
def place(bare: ControlPlane) -> Iterator[Place]:
    with a_place(bare, "test-own-kinds") as place:
        for plural, path in CRDS.items():
            define(bare, path, plural)
        bare.apply(RIGHTS)
        assert eventually(lambda: open_to_the_operator(place), 60)
        yield place
        unkept = '{"metadata":{"finalizers":null}}'
        bare.kubectl("patch", "ephemerator", "shop-ends", "--type=merge", "-p", unkept)
        for path in CRDS.values():
            bare.kubectl("delete", "-f", str(path), "--timeout=60s")


def open_to_the_operator(place: Place) -> bool:
    """Whether the API server has taken up the rights."""
    return place.run(OPERATOR, "get", "ephemerators,namespacemanagers").ok


def left_over(**metadata: Any) -> Json:
    """An Ephemerator as Ephemerate's kopf leaves it."""
    old = an_ephemerator("shop", {"duration": {"days": 9}})
    old["metadata"]["annotations"] |= {
        "kopf.zalando.org/last-handled-configuration": "{}",
        "kopf.zalando.org/ephemerate": "{}",
    }
    old["metadata"] |= {"finalizers": [MARKER, "example.com/keep"], **metadata}
    return old


def patched(place: Place, manifest: Json, patch: Json) -> Result:
    """Store it, and patch it as the operator does, keeping nothing."""
    kind, meta = manifest["kind"].lower(), manifest["metadata"]
    place.run(
        KUBE_SYSTEM,
        "apply",
        "--server-side",
        "--force-conflicts",
        "-f",
        "-",
        stdin=msgspec.json.encode(manifest).decode(),
    ).checked()
    text = msgspec.json.encode(patch).decode()
    how = ("--type=merge", "--dry-run=server", "-p", text)
    return place.run(OPERATOR, "patch", kind, meta["name"], *how)


NOTES = {
    "kopf.zalando.org/last-handled-configuration": None,
    "kopf.zalando.org/ephemerate": None,
}


@pytest.mark.parametrize(
    ("patch", "refusal"),
    [
        pytest.param(
            {"metadata": {"finalizers": ["example.com/keep"], "annotations": NOTES}},
            "",
            id="what kopf has left is taken away",
        ),
        pytest.param({"metadata": {"finalizers": []}}, "only dayfly.dev/", id="no one else's"),
        pytest.param(
            {"metadata": {"finalizers": [MARKER, "example.com/keep", "a.b/c"]}},
            "only dayfly.dev/",
            id="none is added",
        ),
        pytest.param(
            {"metadata": {"annotations": {"kopf.zalando.org/x": "y"}}},
            "only dayfly.dev/",
            id="no note of kopf's is added",
        ),
        pytest.param(
            {"metadata": {"annotations": {"ephemerators.tessellate.io/enabled": "false"}}},
            "only dayfly.dev/",
            id="nor is it switched",
        ),
        pytest.param(
            {"spec": {"lifetime": {"duration": {"minutes": 1}}}}, "nothing else", id="or hurried"
        ),
    ],
)
def test_patches_of_ephemerators(place: Place, patch: Json, refusal: str) -> None:
    result = patched(place, left_over(), patch)
    assert bool(said(result)) is bool(refusal), result.stderr
    assert refusal in said(result)


CHECKS = {
    f"namespacemanagers.k8s.consol.de/{which}CheckTimestamp": "2026-11-22T10:00:00Z"
    for which in ("first", "last")
}


@pytest.mark.parametrize(
    ("patch", "refusal"),
    [
        pytest.param({"spec": {"deactivated": True}}, "", id="one that has acted is put to rest"),
        pytest.param({"metadata": {"annotations": CHECKS}}, "", id="when it was looked at"),
        pytest.param(
            {"spec": {"namespace": "kube-system"}}, "spec.deactivated", id="it is not aimed anew"
        ),
        pytest.param({"metadata": {"labels": {"a": "b"}}}, "only dayfly.dev/", id="nor labelled"),
    ],
)
@pytest.mark.parametrize("protected", [False, True], ids=["", "protected"])
def test_patches_of_managers(place: Place, protected: bool, patch: Json, refusal: str) -> None:
    manager = a_manager(inside=place.namespace, target="shop")
    manager["metadata"]["labels"] = {"dayfly.dev/protected": "true"} if protected else {}
    result = patched(place, manager, patch)
    assert bool(said(result)) is bool(refusal), result.stderr
    assert refusal in said(result)


@pytest.mark.parametrize(
    ("labels", "refusal"),
    [
        pytest.param({}, "", id="an Ephemerator goes after its namespace"),
        pytest.param({"dayfly.dev/protected": "true"}, "dayfly.dev/protected", id="protected"),
    ],
)
def test_deletions_of_ephemerators(place: Place, labels: Json, refusal: str) -> None:
    old = left_over(labels=labels)
    patched(place, old, {})
    stored = place.plane.read("ephemerator", old["metadata"]["name"])["metadata"]
    options = {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "dryRun": ["All"],
        "preconditions": {"uid": stored["uid"], "resourceVersion": stored["resourceVersion"]},
    }
    path = f"/apis/tessellate.io/v1alpha1/ephemerators/{stored['name']}"
    body = msgspec.json.encode(options).decode()
    result = place.run(OPERATOR, "delete", "--raw", path, "-f", "-", stdin=body)
    assert bool(said(result)) is bool(refusal), result.stderr
    assert refusal in said(result)
