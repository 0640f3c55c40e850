"""What any cluster creates all day: one of each kind, called ``fresh``."""

import base64

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from support.neighbours import Json


def manifest(api: str, kind: str, content: Json, **meta: object) -> Json:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": "fresh", **meta}, **content}


POD = {"containers": [{"name": "web", "image": "nginx"}]}
WORKLOAD = {
    "selector": {"matchLabels": {"app": "fresh"}},
    "template": {"metadata": {"labels": {"app": "fresh"}}, "spec": POD},
}
WAY = {
    "path": "/",
    "pathType": "Prefix",
    "backend": {"service": {"name": "fresh", "port": {"number": 80}}},
}
ROUTES = {"rules": [{"host": "fresh.example.com", "http": {"paths": [WAY]}}]}
ORDINARY = [
    manifest("apps/v1", "Deployment", {"spec": WORKLOAD}),
    manifest("v1", "ConfigMap", {"data": {"a": "b"}}),
    manifest("v1", "Pod", {"spec": POD}),
    manifest("v1", "Service", {"spec": {"ports": [{"port": 80}]}}),
    manifest("v1", "Secret", {}),
    manifest("v1", "ServiceAccount", {}),
    manifest("networking.k8s.io/v1", "Ingress", {"spec": ROUTES}),
    manifest("coordination.k8s.io/v1", "Lease", {"spec": {"holderIdentity": "somebody"}}),
    manifest("v1", "Event", {"involvedObject": {"kind": "Pod", "namespace": "kept"}}),
    manifest("v1", "Node", {}),
    manifest("v1", "Namespace", {}),
]
TOKEN_REVIEW = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview"}


def signing_request() -> Json:
    """Ask for the certificate of a client."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "repairer")])
    asked = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, SHA256())
    spec = {
        "request": base64.b64encode(asked.public_bytes(Encoding.PEM)).decode(),
        "signerName": "kubernetes.io/kube-apiserver-client",
        "usages": ["client auth"],
    }
    return manifest("certificates.k8s.io/v1", "CertificateSigningRequest", {"spec": spec})
