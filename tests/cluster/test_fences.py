"""Whoever has the operator's token deletes nothing but what carries a stamp or a mark, and changes
nothing but Dayfly's keys and how much of a workload runs."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import pytest

from dayfly_core import names
from playground import ControlPlane
from playground.commands import Result
from playground.process import eventually
from support import base
from support.places import (
    LATE,
    LONG_AGO,
    OPERATOR,
    OWNED,
    PATIENCE,
    Place,
    a_place,
    metadata_of,
    said,
)

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def place(bare: ControlPlane) -> Iterator[Place]:
    with a_place(bare, "test-fences") as place:
        yield place


@dataclass(frozen=True, slots=True)
class Deletion:
    """What the operator's account tries to delete, and how."""

    metadata: dict[str, Any]
    namespace: str = "test-fences"
    judged: bool = True
    """Whether it names uid and version."""


STAMPED = metadata_of(policy="p", end=LONG_AGO)
MARKED = metadata_of(ended_by="NamespaceManager/team/ci")


@pytest.mark.parametrize(
    ("deletion", "refusal"),
    [
        pytest.param(Deletion(STAMPED), "", id="what carries a stamp"),
        pytest.param(Deletion(STAMPED, "default"), "", id="what people try out in default"),
        pytest.param(Deletion({}), "carries both", id="never what does not"),
        pytest.param(Deletion(MARKED), "", id="what it has marked"),
        pytest.param(Deletion(metadata_of(ending="true")), "", id="what it has marked by a label"),
        pytest.param(
            Deletion(metadata_of(ended_by="x", protected="true")),
            names.PROTECTED,
            id="never what is protected, marked or not",
        ),
        pytest.param(Deletion(MARKED, "kube-public"), "guarded", id="nor what is guarded"),
        pytest.param(Deletion({**MARKED, "ownerReferences": OWNED}), "owner", id="nor owned"),
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
    return delete_one(place, "configmaps", judged=judged)


def delete_one(place: Place, plural: str, *, judged: bool = True) -> Result:
    stored = place.plane.read(plural, "doomed", "-n", place.namespace)["metadata"]
    preconditions = {"uid": stored["uid"], "resourceVersion": stored["resourceVersion"]}
    options = {"preconditions": preconditions} if judged else {}
    path = f"/api/v1/namespaces/{place.namespace}/{plural}/doomed"
    head = {"apiVersion": "v1", "kind": "DeleteOptions", "dryRun": ["All"]}
    body = msgspec.json.encode(head | options).decode()
    return place.run(OPERATOR, "delete", "--raw", path, "-f", "-", stdin=body)


@pytest.mark.parametrize(
    ("type_", "refusal"),
    [
        pytest.param("helm.sh/release.v1", "", id="what Helm keeps of a release"),
        pytest.param("Opaque", "carries both", id="never any other"),
    ],
)
def test_secrets_deleted_by_the_operator(place: Place, type_: str, refusal: str) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "doomed"}, "type": type_}
    place.store(msgspec.json.encode(secret).decode())
    result = delete_one(place, "secrets")
    assert bool(said(result)) is bool(refusal), result.stderr
    assert refusal in said(result)


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
    guards = "(test-gu*)"
    assert eventually(lambda: guards in delete(doomed, judged=True).stderr, PATIENCE)
    assert eventually(lambda: guards in scale(doomed, "deployments", NONE).stderr, PATIENCE)
    yield
    base.apply(plane)
    plane.kubectl("delete", "namespace", "test-guarded", "--wait=false")


@pytest.mark.parametrize("namespace", ["default", "kube-system", names.SYSTEM_NAMESPACE])
def test_the_operator_never_deletes_these_namespaces(place: Place, namespace: str) -> None:
    result = place.run(OPERATOR, "delete", "namespace", namespace, "--dry-run=server")
    assert "forbidden" in result.stderr


@pytest.mark.parametrize(
    ("patch", "refusal"),
    [
        pytest.param({"metadata": metadata_of(policy="p", end=LATE)}, "", id="stamps"),
        pytest.param({"metadata": metadata_of(steps="x", wake="now")}, "", id="records"),
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


def workload(kind: str, group: str, spec: dict[str, Any], metadata: dict[str, str]) -> str:
    head = {"apiVersion": f"{group}/v1", "kind": kind}
    meta = {"name": "scaled", **metadata_of(**metadata)}
    return msgspec.json.encode({**head, "metadata": meta, "spec": spec}).decode()


POD: dict[str, Any] = {
    "metadata": {"labels": {"app": "scaled"}},
    "spec": {"containers": [{"name": "c", "image": "c"}]},
}
ONCE = {"metadata": {}, "spec": {**POD["spec"], "restartPolicy": "Never"}}
SELECTOR = {"matchLabels": {"app": "scaled"}}
SPECS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "deployments": ("Deployment", "apps", {"replicas": 2, "selector": SELECTOR, "template": POD}),
    "statefulsets": (
        "StatefulSet",
        "apps",
        {"replicas": 2, "selector": SELECTOR, "template": POD, "serviceName": "scaled"},
    ),
    "cronjobs": (
        "CronJob",
        "batch",
        {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {"template": ONCE}}},
    ),
    "jobs": ("Job", "batch", {"template": ONCE}),
    "daemonsets": ("DaemonSet", "apps", {"selector": SELECTOR, "template": POD}),
}
NONE = {"replicas": 0}
DOWN = {names.REPLICAS: "2", names.SCALED_BY: "x", names.STEPS: "y"}


@pytest.mark.parametrize(
    ("plural", "spec", "refusal"),
    [
        pytest.param("deployments", NONE, "", id="how many run of a Deployment"),
        pytest.param("deployments", {"replicas": 5}, "", id="and back"),
        pytest.param("statefulsets", NONE, "", id="of a StatefulSet"),
        pytest.param("cronjobs", {"suspend": True}, "", id="whether a CronJob runs"),
        pytest.param("jobs", {"suspend": True}, "", id="or a Job"),
        pytest.param(
            "deployments", {"paused": True}, "spec.replicas and nothing else", id="never the rest"
        ),
        pytest.param(
            "deployments",
            {**NONE, "minReadySeconds": 5},
            "nothing else",
            id="not on the way",
        ),
        pytest.param(
            "deployments",
            {"template": {"spec": {"containers": [{"name": "c", "image": "evil"}]}}},
            "nothing else",
            id="least of all what runs",
        ),
        pytest.param("cronjobs", {"schedule": "* * * * *"}, "spec.suspend", id="nor when"),
        pytest.param("daemonsets", {"minReadySeconds": 5}, "nothing else", id="nor a DaemonSet"),
    ],
)
def test_workloads_scaled_by_the_operator(
    place: Place, plural: str, spec: dict[str, Any], refusal: str
) -> None:
    result = scale(place, plural, spec)
    assert bool(said(result)) is bool(refusal), result.stderr
    assert refusal in said(result)


def scale(place: Place, plural: str, spec: dict[str, Any], **metadata: str) -> Result:
    """Patch a workload as the operator does, keeping nothing."""
    place.store(workload(*SPECS[plural], metadata))
    patch = msgspec.json.encode({"metadata": {"annotations": DOWN}, "spec": spec}).decode()
    how = ("--type=merge", "--dry-run=server", "-p", patch)
    return place.run(OPERATOR, "patch", plural, "scaled", *how)


@pytest.mark.parametrize(
    ("namespace", "metadata", "refusal"),
    [
        pytest.param("test-fences", {"protected": "true"}, names.PROTECTED, id="protected"),
        pytest.param("test-fences", {"owned": ""}, "a controller owns", id="owned"),
        pytest.param("test-guarded", {}, "(test-gu*)", id="guarded"),
        pytest.param(names.SYSTEM_NAMESPACE, {}, "guarded", id="its own"),
        pytest.param("kube-public", {}, "(kube-*)", id="the control plane's"),
        pytest.param("default", {}, "", id="but what people try out in default"),
    ],
)
def test_what_the_operator_never_scales(
    place: Place, guarded: None, namespace: str, metadata: dict[str, str], refusal: str
) -> None:
    result = scale(replace(place, namespace=namespace), "deployments", NONE, **metadata)
    assert bool(said(result)) is bool(refusal), result.stderr
    assert refusal in said(result)


def test_a_missing_guard_stops_nobody(place: Place) -> None:
    guard = ("configmap", names.GUARD_CONFIG_MAP, "-n", names.SYSTEM_NAMESPACE)
    place.plane.kubectl("delete", *guard)
    try:
        for number in range(5):  # the API server forgets the ConfigMap after a moment
            place.plane.kubectl("create", "configmap", f"mine-{number}", "-n", place.namespace)
            place.plane.kubectl("delete", "configmap", f"mine-{number}", "-n", place.namespace)
    finally:
        base.apply(place.plane)
