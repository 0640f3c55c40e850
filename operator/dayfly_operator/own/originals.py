"""The environment variables of Ephemerate and k8s-namespace-manager, as far as they still matter.

Manifests of either can be left as they are: what decided something still does, and of what no
longer decides anything the log says so, once.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from dayfly_kube import config
from dayfly_kube.config import Config, ConfigError
from dayfly_kube.credentials import Credential, Fixed

IGNORED: Final = ("EPHEMERATOR_IGNORE_NAMESPACES", "EPHEMERATOR_IGNORED_NAMESPACES")
"""The second is how the original's own documentation spelt it."""

CLIENT: Final = "K8S_NSMAN_K8S_CLIENT_"
AUTOCONFIG: Final = f"{CLIENT}USE_AUTOCONFIG"

WITHOUT_EFFECT: Final = {
    "EPHEMERATE_INTERVAL": "nothing is polled; each Ephemerator ends to the second",
    "K8S_NSMAN_K8S_INFORMER_RECYNC_PERIOD_SEC": "a full list repairs what watches missed",
    "K8S_NSMAN_K8S_INFORMER_RESYNC_PERIOD_SEC": "a full list repairs what watches missed",
    "K8S_NSMAN_NAMESPACE_MONITORING_INTERVAL_SEC": "the original did not use it either",
    f"{CLIENT}CLIENT_KEY_ALGO": "the key file says what it holds",
    "JAVA_OPTS": "there is no JVM here",
}
"""Variables that are accepted, and why they decide nothing."""

EXAMPLES: Final = {
    "MASTER_URL": "https://10.96.0.1:443",
    "CA_CERT_FILE": "/etc/nsman/ca.crt",
    "CLIENT_CERT_FILE": "/etc/nsman/client.crt",
    "CLIENT_KEY_FILE": "/etc/nsman/client.key",
}


def ignored_namespaces(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the patterns of namespaces that no Ephemerator ends."""
    written = ",".join(environ.get(name, "") for name in IGNORED)
    return tuple(dict.fromkeys(text.strip() for text in written.split(",") if text.strip()))


def notes(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield a sentence for each variable that has no effect."""
    for name, why in WITHOUT_EFFECT.items():
        if name in environ:
            yield f"{name} has no effect: {why}"


def load(kubeconfig: str | None, environ: Mapping[str, str]) -> Config:
    """Find out how to reach the API server, as k8s-namespace-manager was told if it was told.

    A kubeconfig given on the command line wins. Raises ConfigError.
    """
    if kubeconfig or _true(environ.get(AUTOCONFIG, "true")):
        return config.load(kubeconfig, environ)
    authority = _pem(environ, "CA_CERT_FILE").decode("utf-8", "replace")
    certificate = _pem(environ, "CLIENT_CERT_FILE")
    key = _opened(_pem(environ, "CLIENT_KEY_FILE"), environ)
    server = _given(environ, "MASTER_URL").rstrip("/")
    return Config(server, authority, Fixed(Credential("", certificate, key)))


def _true(text: str) -> bool:
    # Spring reads booleans so.
    return text.strip().lower() in {"true", "on", "yes", "1"}


def _given(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(CLIENT + name, "").strip()
    if not value:
        raise ConfigError(
            f"{CLIENT}{name}: not set, and {AUTOCONFIG} is false; "
            f"write for example {EXAMPLES[name]}, or set {AUTOCONFIG} to true"
        )
    return value


def _pem(environ: Mapping[str, str], name: str) -> bytes:
    path = _given(environ, name)
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(f"{CLIENT}{name}: {path}: {error.strerror}") from error


def _opened(key: bytes, environ: Mapping[str, str]) -> bytes:
    """Return the key as OpenSSL takes it without asking for a pass phrase."""
    if b"ENCRYPTED" not in key:
        return key
    # Here, not above: it costs 30 ms, and next to nobody has such a key.
    from cryptography.hazmat.primitives import serialization

    phrase = environ.get(f"{CLIENT}CLIENT_KEY_PASS_PHRASE", "").encode()
    try:
        opened = serialization.load_pem_private_key(key, phrase)
    except (ValueError, TypeError) as error:
        raise ConfigError(
            f"{CLIENT}CLIENT_KEY_PASS_PHRASE: does not open the key file: {error}"
        ) from error
    return opened.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
