"""AdmissionReviews as the API server sends them, and the rules by which it reads the answers."""

import base64
import json
from typing import Any, cast

import jsonpatch
import msgspec

from dayfly_core import names
from dayfly_core.api import StoredPolicy
from dayfly_core.policies import Policy, read_policy

Json = dict[str, Any]
UID = "705ab4f5-6393-11e8-b7cc-42010a800002"

KINDS = {
    "Deployment": ("apps", "v1", "deployments"),
    "ConfigMap": ("", "v1", "configmaps"),
    "Namespace": ("", "v1", "namespaces"),
    "Ingress": ("networking.k8s.io", "v1", "ingresses"),
    "HTTPRoute": ("gateway.networking.k8s.io", "v1", "httproutes"),
    "ExpiryPolicy": ("dayfly.dev", "v1alpha1", "expirypolicies"),
}


def an_object(kind: str = "Deployment", **metadata: Any) -> Json:
    group, version, _ = KINDS[kind]
    return {
        "apiVersion": f"{group}/{version}" if group else version,
        "kind": kind,
        "metadata": {"name": "web", "namespace": "team-a", **metadata},
        "spec": {"replicas": 1},
    }


def a_review(new: Any, old: Any = None, **request: Any) -> Json:
    """Of an object of any shape; keyword arguments replace fields of the request."""
    kind = cast("Json", new if isinstance(new, dict) else {}).get("kind")
    group, version, plural = KINDS.get(str(kind), KINDS["Deployment"])
    return {
        "kind": "AdmissionReview",
        "apiVersion": "admission.k8s.io/v1",
        "request": {
            "uid": UID,
            "kind": {"group": group, "version": version, "kind": kind or "Deployment"},
            "resource": {"group": group, "version": version, "resource": plural},
            "name": "web",
            "namespace": "team-a",
            "operation": "CREATE" if old is None else "UPDATE",
            "userInfo": {"username": "alice", "groups": ["system:authenticated"]},
            "object": new,
            "oldObject": old,
            "dryRun": False,
            **request,
        },
    }


def a_namespace(name: str = "shop", uid: str = "", **metadata: Any) -> Json:
    """As validating webhooks see it, with a uid; ``environment`` sets the label."""
    if environment := metadata.pop("environment", ""):
        metadata["labels"] = {names.ENVIRONMENT: environment}
    meta = {"name": name, "uid": uid or f"uid-of-{name}", **metadata}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": meta, "spec": {}}


def of_namespace(new: Json, old: Json | None = None, **request: Any) -> Json:
    """Review a Namespace, which the API server calls its own namespace."""
    name = new["metadata"]["name"]
    return a_review(new, old, **{"name": name, "namespace": name, **request})


def encoded(review: Json) -> bytes:
    return json.dumps(review, separators=(",", ":")).encode()


def a_policy(name: str = "previews", **spec: Any) -> Policy:
    resources = [
        {"apiGroups": ["apps"], "resources": ["deployments"]},
        {"apiGroups": [""], "resources": ["configmaps", "namespaces"]},
    ]
    spec = {"match": {"resources": resources}, "ttl": {"default": "8h", "max": "7d"}} | spec
    stored = {"metadata": {"name": name}, "spec": spec}
    return read_policy(msgspec.json.decode(encoded(stored), type=StoredPolicy))


def accepted(answer: bytes, *, mutating: bool, api_version: str = "admission.k8s.io/v1") -> Json:
    """Read an answer as the API server does, or fail for the reason for which it would fail.

    After ``VerifyAdmissionResponse`` in k8s.io/apiserver.
    """
    review = json.loads(answer)
    assert review["apiVersion"] == api_version
    assert review["kind"] == "AdmissionReview"
    response: Json = review["response"]
    assert isinstance(response["allowed"], bool)
    assert isinstance(response["uid"], str)
    assert ("patch" in response) == ("patchType" in response), "one without the other"
    if "patch" in response:
        assert mutating, "a validating webhook may not send a patch"
        assert response["allowed"], "a patch beside a refusal"
        assert response["patchType"] == "JSONPatch"
    for warning in response.get("warnings", ()):
        assert len(warning) <= 120
        assert warning.isprintable()
    if not response["allowed"]:
        assert response["status"]["code"] >= 400
        assert response["status"]["message"]
    return response


def patched(new: Json, response: Json) -> Json:
    """Apply an answer's patch by somebody else's RFC 6902."""
    if "patch" not in response:
        return new
    operations = json.loads(base64.b64decode(response["patch"]))
    assert operations, "an empty patch is no patch"
    result: Json = jsonpatch.apply_patch(new, operations)
    return result
