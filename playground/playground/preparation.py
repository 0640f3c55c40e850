"""Writes what a control plane needs before its first process: certificates, kubeconfigs, policy."""

import base64
import os
import shutil
import sys
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

from dayfly_certs.bundle import Pair
from playground import components, pki
from playground.commands import Commands
from playground.layout import Layout, kubeconfig

ADMINISTRATORS = "system:masters"

CLIENTS = {
    "kube-controller-manager": ("system:kube-controller-manager",),
    "kube-scheduler": ("system:kube-scheduler",),
    "kwok": ("kwok", ADMINISTRATORS),
}
"""User and groups of each component."""


def prepare(layout: Layout) -> None:
    """Fill the directory anew; what an earlier control plane left there goes."""
    clear(layout.directory)
    for folder in (layout.pki, layout.directory / "kubeconfigs", layout.directory / "bin"):
        folder.mkdir(parents=True)
    authority = pki.Authority.create(datetime.now(UTC))
    write_certificates(layout, authority)
    write_credential(layout, layout.credential("admin"), authority.client("admin", ADMINISTRATORS))
    (layout.directory / "kubeconfig").symlink_to(layout.credential("admin"))
    for component, (user, *groups) in CLIENTS.items():
        write_credential(layout, layout.credential(component), authority.client(user, *groups))
    (layout.directory / "audit-policy.yaml").write_text(components.AUDIT_POLICY)
    layout.save()
    link_programs(layout)


WRITTEN = (
    *("pki", "kubeconfigs", "bin", "etcd", "logs", "cache"),
    *("kubeconfig", "audit-policy.yaml", "audit.log", "layout.json", "state.json"),
)
"""Everything that a control plane writes into its directory."""


def clear(directory: Path, keep: Collection[str] = ()) -> None:
    """Remove what a control plane writes, and nothing that somebody else put there."""
    for name in WRITTEN:
        path = directory / name
        if name in keep:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def write_certificates(layout: Layout, authority: pki.Authority) -> None:
    """Write the CA, the server's pair, and the key of service accounts' tokens."""
    pki.write_pair(authority.pair, layout.pki, "ca")
    pki.write_pair(authority.server(), layout.pki, "server")
    pki.write_secret(layout.pki / "service-account.key", pki.service_account_key())


def write_credential(layout: Layout, path: Path, pair: Pair) -> Path:
    """Write the kubeconfig of a client with this certificate."""
    user = {
        "client-certificate-data": base64.b64encode(pair.cert_pem).decode(),
        "client-key-data": base64.b64encode(pair.key_pem).decode(),
    }
    return write_kubeconfig(layout, path, user)


def write_kubeconfig(layout: Layout, path: Path, user: dict[str, str]) -> Path:
    """Write a kubeconfig for this control plane, readable by its owner alone."""
    authority = base64.b64encode((layout.pki / "ca.crt").read_bytes()).decode()
    pki.write_secret(path, kubeconfig(layout.server, authority, user).encode())
    return path


def link_programs(layout: Layout) -> None:
    """Put into ``bin/`` what a person types: kubectl, helm, and Dayfly of this environment."""
    own = Path(sys.executable).parent
    for program in (
        layout.binaries.path("kubectl"),
        layout.binaries.path("helm"),
        own / "dayfly",
        own / "kubectl-dayfly",
        own / "kubectl_complete-dayfly",
    ):
        (layout.directory / "bin" / program.name).symlink_to(program)


def commands(layout: Layout) -> Commands:
    """Run commands as administrator, with caches that end with the control plane."""
    programs, cache = layout.directory / "bin", layout.directory / "cache"
    environ = {
        **os.environ,
        "KUBECONFIG": str(layout.directory / "kubeconfig"),
        "PATH": os.pathsep.join((str(programs), os.environ.get("PATH", ""))),
        "KUBECACHEDIR": str(cache / "kubectl"),
        "HELM_CACHE_HOME": str(cache / "helm"),
        "HELM_CONFIG_HOME": str(cache / "helm"),
        "HELM_DATA_HOME": str(cache / "helm"),
    }
    return Commands(programs, environ)
