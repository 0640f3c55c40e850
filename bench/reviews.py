"""AdmissionReviews of the sizes that a cluster sends: a Deployment of 7 kB, a Namespace of 2 kB."""

import base64
from pathlib import Path
from typing import Any

import msgspec

USER = {"username": "ci@example.com", "groups": ["system:authenticated"]}


def deployment(namespace: str) -> bytes:
    """CREATE of a Deployment with managedFields, about 7 kB."""
    containers = [
        {
            "name": f"container-{i}",
            "image": f"registry.example.com/team/service-{i}:2026.11.{i}",
            "imagePullPolicy": "IfNotPresent",
            "env": [{"name": f"SETTING_{j}", "value": f"value-{j}-of-{i}"} for j in range(12)],
            "ports": [{"containerPort": 8080 + i, "protocol": "TCP", "name": f"http-{i}"}],
            "resources": {
                "requests": {"cpu": "100m", "memory": "128Mi"},
                "limits": {"memory": "256Mi"},
            },
            "readinessProbe": {"httpGet": {"path": "/readyz", "port": 8080 + i}},
        }
        for i in range(3)
    ]
    fields: dict[str, Any] = {
        f"f:setting-{i}": {".": {}, "f:name": {}, "f:value": {}, "f:valueFrom": {}}
        for i in range(56)
    }
    body: dict[str, Any] = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "web",
            "namespace": namespace,
            "labels": {"app": "web", "team": "bench"},
            "annotations": {"deployment.kubernetes.io/revision": "1"},
            "managedFields": [
                {
                    "manager": "kubectl-create",
                    "operation": "Update",
                    "apiVersion": "apps/v1",
                    "fieldsType": "FieldsV1",
                    "fieldsV1": {"f:spec": fields},
                }
            ],
        },
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": containers, "restartPolicy": "Always"},
            },
        },
    }
    return _review("apps", "deployments", "Deployment", namespace, body)


def namespace(name: str) -> bytes:
    """CREATE of a Namespace, about 2 kB."""
    body: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": name,
            "labels": {"kubernetes.io/metadata.name": name, "bench": "yes"},
            "managedFields": [
                {
                    "manager": "kubectl-create",
                    "operation": "Update",
                    "apiVersion": "v1",
                    "fieldsType": "FieldsV1",
                    "fieldsV1": {"f:metadata": {f"f:label-{i}": {".": {}} for i in range(46)}},
                }
            ],
        },
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    }
    return _review("", "namespaces", "Namespace", name, body)


def _review(group: str, plural: str, kind: str, namespace: str, body: dict[str, Any]) -> bytes:
    version = {"group": group, "version": "v1"}
    return msgspec.json.encode(
        {
            "apiVersion": "admission.k8s.io/v1",
            "kind": "AdmissionReview",
            "request": {
                "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
                "kind": {**version, "kind": kind},
                "resource": {**version, "resource": plural},
                "requestKind": {**version, "kind": kind},
                "requestResource": {**version, "resource": plural},
                "name": body["metadata"]["name"],
                "namespace": namespace,
                "operation": "CREATE",
                "userInfo": USER,
                "object": body,
                "oldObject": None,
                "dryRun": False,
                "options": {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"},
            },
        }
    )


def wrk_script(body: bytes, path: Path) -> Path:
    """Write the Lua that makes wrk post the body; in base64, since Lua quotes unlike JSON."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    path.write_text(
        f"""local b = '{alphabet}'
local function decode(data)
  data = string.gsub(data, '[^'..b..'=]', '')
  return (data:gsub('.', function(x)
    if x == '=' then return '' end
    local r, f = '', (b:find(x, 1, true) - 1)
    for i = 6, 1, -1 do r = r .. (f % 2 ^ i - f % 2 ^ (i - 1) > 0 and '1' or '0') end
    return r
  end):gsub('%d%d%d?%d?%d?%d?%d?%d?', function(x)
    if #x ~= 8 then return '' end
    return string.char(tonumber(x, 2))
  end))
end
wrk.method = 'POST'
wrk.headers['Content-Type'] = 'application/json'
wrk.body = decode('{base64.b64encode(body).decode()}')
"""
    )
    return path
