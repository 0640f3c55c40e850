"""Where the API server is and who we are to it, from a kubeconfig or from inside a pod.

Proxy variables of the environment are ignored: a controller that silently talks to its API server
through somebody's proxy is a surprise. ``proxy-url`` in a kubeconfig is honoured.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from dayfly_kube.credentials import Fixed, TokenFile, TokenSource

SERVICE_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")


class ConfigError(ValueError):
    """The message says which field of which file is wrong, and what would be right."""


class Config(msgspec.Struct, frozen=True):
    """Everything a connection needs to know."""

    server: str
    """Base URL without a trailing slash, for example ``https://[::1]:6443``."""
    ca_data: str | None = None
    """PEM; None means the system's authorities."""
    token_source: TokenSource = msgspec.field(default_factory=Fixed)
    namespace: str = "default"
    insecure: bool = False
    server_name: str = ""
    """Name to look for in the server's certificate, if not the host of ``server``."""
    proxy: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    """Sent with each request: impersonation."""


def load(
    kubeconfig: str | None,
    environ: Mapping[str, str],
    *,
    context: str = "",
    service_account: Path = SERVICE_ACCOUNT,
) -> Config:
    """Find the configuration: the path given, ``$KUBECONFIG``, the pod's, ``~/.kube/config``.

    Raises ``ConfigError``.
    """
    named = kubeconfig or environ.get("KUBECONFIG", "")
    if not named and "KUBERNETES_SERVICE_HOST" in environ and not context:
        return _in_cluster(environ, service_account)
    paths = [Path(kubeconfig)] if kubeconfig else _listed(named, environ)
    from dayfly_kube import kubeconfig as files  # yaml, which a pod does not need

    return files.read(paths, context=context, environ=environ)


def _listed(named: str, environ: Mapping[str, str]) -> list[Path]:
    if named:
        return [Path(path) for path in named.split(":") if path]
    home = environ.get("HOME", "")
    if not home:
        raise ConfigError(
            "no kubeconfig: give --kubeconfig PATH or set KUBECONFIG (HOME is not set either)"
        )
    return [Path(home, ".kube", "config")]


def _in_cluster(environ: Mapping[str, str], account: Path) -> Config:
    host, port = environ["KUBERNETES_SERVICE_HOST"], environ.get("KUBERNETES_SERVICE_PORT", "443")
    return Config(
        server=f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}",
        ca_data=_mounted(account / "ca.crt"),
        token_source=TokenFile(account / "token"),
        namespace=_mounted(account / "namespace").strip() or "default",
    )


def _mounted(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise ConfigError(
            f"{path}: {error.strerror}; KUBERNETES_SERVICE_HOST is set, so this should be a pod "
            "with automountServiceAccountToken: true"
        ) from error
