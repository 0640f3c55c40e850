"""Fills the two Secrets of the installation, and keeps them good.

Any number of replicas may do this at once: each write is a PUT with the ``resourceVersion`` that
was judged, so one wins, the others get 409, read again, and find nothing left to do. Nothing is
ever created: nobody in the installation has the right to create Secrets.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from dayfly_certs import issue, secrets
from dayfly_certs.bundle import Bundle, Pair
from dayfly_certs.reading import trusted
from dayfly_certs.renewal import Keep, authority_needs, needs
from dayfly_core import names as vocabulary
from dayfly_kube.errors import ApiError

__all__ = ["Bundle", "NotInstalled", "Secrets", "ensure", "fill", "read", "service_names"]

ATTEMPTS = 8
"""Each lost race means that another replica wrote; three replicas lose at most twice each."""

Contents = Mapping[str, bytes]
Improve = Callable[[Contents], dict[str, bytes] | None]


class NotInstalled(LookupError):
    """A Secret of the installation is missing: needs a human."""


class Secrets(Protocol):
    """The two verbs that are needed of the API server."""

    async def get(self, path: str) -> bytes:
        """Read one object."""
        ...

    async def replace(self, path: str, body: object) -> bytes:
        """Write one object if its ``resourceVersion`` is still the one in the body."""
        ...


def service_names(namespace: str) -> tuple[str, ...]:
    """Names of the admission Service; API servers verify ``NAME.NAMESPACE.svc``."""
    service = vocabulary.ADMISSION_SERVICE
    local = f"{service}.{namespace}.svc"
    return (local, f"{local}.cluster.local", f"{service}.{namespace}", service)


async def ensure(client: Secrets, namespace: str, names: Sequence[str], now: datetime) -> Bundle:
    """Return a bundle good for ``names`` (DNS names or IP addresses), made if need be.

    Raises ``NotInstalled`` if a Secret is missing, ``ApiError`` or ``Unreachable`` as the client.
    """
    return await _bundle(client, namespace, names, now, when=_always)


async def fill(client: Secrets, namespace: str, names: Sequence[str], now: datetime) -> Bundle:
    """Fill only what is empty, and return what is there, good or not; raises as ``ensure``."""
    return await _bundle(client, namespace, names, now, when=_is_empty)


def _always(_contents: Contents) -> bool:
    return True


def _is_empty(contents: Contents) -> bool:
    return not any(contents.values())


async def _bundle(
    client: Secrets,
    namespace: str,
    names: Sequence[str],
    now: datetime,
    *,
    when: Callable[[Contents], bool],
) -> Bundle:
    def better_authority(contents: Contents) -> dict[str, bytes] | None:
        return _better_authority(contents, now) if when(contents) else None

    kept = await _settle(client, namespace, vocabulary.CA_SECRET, better_authority)
    ca = secrets.authority(kept)

    def better_leaf(contents: Contents) -> dict[str, bytes] | None:
        return _better_leaf(contents, ca, names, now) if when(contents) else None

    return secrets.bundle(await _settle(client, namespace, vocabulary.TLS_SECRET, better_leaf))


async def read(client: Secrets, namespace: str, name: str) -> secrets.Secret:
    """Read one Secret of the installation; raises ``NotInstalled`` when there is none."""
    try:
        return secrets.decode(await client.get(secrets.path(namespace, name)))
    except ApiError as error:
        if error.not_found:
            raise NotInstalled(
                f"Secret {namespace}/{name} does not exist; it is part of the installation: "
                "kubectl apply -k manifests/base"
            ) from error
        raise


def _better_authority(contents: Contents, now: datetime) -> dict[str, bytes] | None:
    pair = secrets.authority(contents)
    if isinstance(authority_needs(pair, now), Keep):
        return None
    new = issue.authority(now)
    bundle = trusted(new.cert_pem, pair.cert_pem, now)
    return {**contents, secrets.CA_CRT: bundle, secrets.CA_KEY: new.key_pem}


def _better_leaf(
    contents: Contents, ca: Pair, names: Sequence[str], now: datetime
) -> dict[str, bytes] | None:
    old = secrets.bundle(contents)
    known = Bundle(ca.cert_pem, old.cert_pem, old.key_pem)
    if not isinstance(needs(known, names, now), Keep):
        new = issue.leaf(ca, names, now)
        known = Bundle(ca.cert_pem, new.cert_pem, new.key_pem)
    if known == old:
        return None
    return {
        **contents,
        secrets.CA_CRT: known.ca_pem,
        secrets.TLS_CRT: known.cert_pem,
        secrets.TLS_KEY: known.key_pem,
    }


async def _settle(client: Secrets, namespace: str, name: str, better: Improve) -> Contents:
    """Compare and swap until there is nothing to improve; losing to another replica is success."""
    for _ in range(ATTEMPTS):
        secret = await read(client, namespace, name)
        contents = better(secret.contents)
        if contents is None:
            return secret.contents
        if await _replaced(client, secrets.path(namespace, name), secret, contents):
            return contents
    raise TimeoutError(f"Secret {namespace}/{name} changed {ATTEMPTS} times while it was filled")


async def _replaced(
    client: Secrets, path: str, secret: secrets.Secret, contents: dict[str, bytes]
) -> bool:
    body = secrets.Secret(
        api_version="v1",
        kind="Secret",
        metadata=secret.metadata,
        type=secret.type,
        data=contents,
    )
    try:
        await client.replace(path, body)
    except ApiError as error:
        if error.conflict:
            return False
        raise
    return True
