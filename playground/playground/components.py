"""The control plane's processes and their flags."""

from collections.abc import Mapping, Sequence

from playground.layout import Layout
from playground.process import Rank, Spec

NODE_STAGES = ("node/fast", "node/heartbeat-with-lease", "pod/fast", "pod/chaos")
"""Pods run at once, those of Jobs succeed at once, and those fail that are labelled to."""

AUDIT_POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
# What Dayfly writes, word for word: preconditions of deletes, contents of patches.
- level: Request
  userGroups: ["system:serviceaccounts:dayfly-system"]
  verbs: [create, update, patch, delete, deletecollection]
- level: Metadata
"""

Flags = Mapping[str, str | int | bool]


def argv(program: str, flags: Flags) -> tuple[str, ...]:
    """Write flags as ``--name=value``, the one form that every Go flag package reads."""
    words = {name: str(v).lower() if isinstance(v, bool) else v for name, v in flags.items()}
    return (program, *(f"--{name}={value}" for name, value in words.items()))


def etcd(layout: Layout, *, durable: bool) -> Spec:
    """Store everything; without ``durable`` it answers before the disk has, as tests want it."""
    client, peer = (f"http://127.0.0.1:{p}" for p in (layout.ports.etcd, layout.ports.etcd_peer))
    flags: dict[str, str | int | bool] = {
        "data-dir": str(layout.directory / "etcd"),
        "listen-client-urls": client,
        "advertise-client-urls": client,
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "initial-cluster": f"default={peer}",
        "unsafe-no-fsync": not durable,
        "log-level": "warn",
    }
    return Spec(
        name="etcd",
        rank=Rank.STORE,
        argv=argv(str(layout.binaries.path("etcd")), flags),
        health=f"{client}/health",
    )


def api_server(layout: Layout) -> Spec:
    """Serve the real API, with RBAC and the audit log on."""
    pki = layout.pki
    flags: Flags = {
        "etcd-servers": f"http://127.0.0.1:{layout.ports.etcd}",
        "bind-address": "127.0.0.1",
        "advertise-address": "127.0.0.1",
        "secure-port": layout.ports.server,
        "tls-cert-file": f"{pki}/server.crt",
        "tls-private-key-file": f"{pki}/server.key",
        "client-ca-file": f"{pki}/ca.crt",
        "service-account-key-file": f"{pki}/service-account.key",
        "service-account-signing-key-file": f"{pki}/service-account.key",
        "service-account-issuer": "https://kubernetes.default.svc",
        "authorization-mode": "RBAC",
        "service-cluster-ip-range": "10.96.0.0/16",
        "allow-privileged": True,
        "enable-admission-plugins": "NodeRestriction",
        "endpoint-reconciler-type": "none",
        "audit-policy-file": str(layout.directory / "audit-policy.yaml"),
        "audit-log-path": str(layout.audit_log),
        # One file from first to last: readers keep an offset into it.
        "audit-log-maxsize": 100_000,
        "cert-dir": str(pki),
    }
    return Spec(
        name="kube-apiserver",
        rank=Rank.SERVER,
        argv=argv(str(layout.binaries.path("kube-apiserver")), flags),
        health=f"{layout.server}/readyz",
    )


def controller_manager(layout: Layout) -> Spec:
    """Run namespaces, Deployments, Jobs, garbage collection as in any cluster."""
    pki = layout.pki
    flags: Flags = {
        "kubeconfig": str(layout.credential("kube-controller-manager")),
        "service-account-private-key-file": f"{pki}/service-account.key",
        "root-ca-file": f"{pki}/ca.crt",
        "cluster-signing-cert-file": f"{pki}/ca.crt",
        "cluster-signing-key-file": f"{pki}/ca.key",
        "leader-elect": False,
        "use-service-account-credentials": True,
        # By default it makes its forty accounts' tokens at 20 requests a second: 4 s of waiting.
        "kube-api-qps": 300,
        "kube-api-burst": 600,
        "bind-address": "127.0.0.1",
        "secure-port": layout.ports.controller_manager,
    }
    return controller(layout, flags, layout.ports.controller_manager, "kube-controller-manager")


def scheduler(layout: Layout) -> Spec:
    """Schedule pods as in any cluster."""
    flags: Flags = {
        "kubeconfig": str(layout.credential("kube-scheduler")),
        "leader-elect": False,
        "bind-address": "127.0.0.1",
        "secure-port": layout.ports.scheduler,
    }
    return controller(layout, flags, layout.ports.scheduler, "kube-scheduler")


def controller(layout: Layout, flags: Flags, port: int, name: str) -> Spec:
    """Run one of Kubernetes' own controllers, with health over HTTPS."""
    return Spec(
        name=name,
        rank=Rank.CONTROLLERS,
        argv=argv(str(layout.binaries.path(name)), flags),
        health=f"https://127.0.0.1:{port}/healthz",
    )


def kwok(layout: Layout, stages: Sequence[str] = NODE_STAGES) -> Spec:
    """Simulate nodes and pods: everything about a pod but its containers."""
    flags: Flags = {
        "kubeconfig": str(layout.credential("kwok")),
        "manage-all-nodes": True,
        "config": ",".join(map(str, layout.binaries.stages(*stages))),
        "cidr": "10.0.0.1/16",
        "node-ip": "10.0.0.1",
        "node-lease-duration-seconds": 40,
        "server-address": f"127.0.0.1:{layout.ports.kwok}",
    }
    return Spec(
        name="kwok",
        rank=Rank.CONTROLLERS,
        argv=argv(str(layout.binaries.path("kwok")), flags),
        health=f"http://127.0.0.1:{layout.ports.kwok}/healthz",
    )


NODE = """\
apiVersion: v1
kind: Node
metadata:
  name: pond
  labels: {kubernetes.io/hostname: pond, kubernetes.io/os: linux, type: kwok}
  annotations: {kwok.x-k8s.io/node: fake, node.alpha.kubernetes.io/ttl: "0"}
status:
  capacity: {cpu: "64", memory: 256Gi, pods: "5000"}
  allocatable: {cpu: "64", memory: 256Gi, pods: "5000"}
"""
