"""The two Secrets of the installation, as they travel."""

from collections.abc import Mapping

import msgspec

from dayfly_certs.bundle import Bundle, Pair
from dayfly_core.objects import ObjectMeta

CA_CRT = "ca.crt"
CA_KEY = "ca.key"
TLS_CRT = "tls.crt"
TLS_KEY = "tls.key"


class Secret(msgspec.Struct, frozen=True, rename="camel", kw_only=True, omit_defaults=True):
    """A Secret that can be sent back whole: metadata stays the bytes that were read.

    So a PUT carries the ``resourceVersion`` that was judged, and loses nobody's labels.
    """

    api_version: str = ""
    kind: str = ""
    metadata: msgspec.Raw = msgspec.Raw(b"{}")
    type: str = ""
    immutable: bool = False
    data: dict[str, bytes] | None = None

    @property
    def contents(self) -> Mapping[str, bytes]:
        """The data, an empty map when there is none (as in a fresh installation)."""
        return self.data or {}


class WatchedSecret(msgspec.Struct, frozen=True):
    """A Secret as those see it who may only watch."""

    metadata: ObjectMeta = ObjectMeta()
    data: dict[str, bytes] | None = None


def keep(secret: WatchedSecret) -> Bundle:
    """Keep of a watched serving Secret what is served."""
    return bundle(secret.data or {})


def decode(body: bytes) -> Secret:
    """Read what the API server sent; base64 is undone."""
    return msgspec.json.decode(body, type=Secret)


def bundle(contents: Mapping[str, bytes]) -> Bundle:
    """Contents of the serving Secret; what is missing is empty."""
    return Bundle(contents.get(CA_CRT, b""), contents.get(TLS_CRT, b""), contents.get(TLS_KEY, b""))


def authority(contents: Mapping[str, bytes]) -> Pair:
    """Contents of the CA's Secret; what is missing is empty."""
    return Pair(contents.get(CA_CRT, b""), contents.get(CA_KEY, b""))


def path(namespace: str, name: str = "") -> str:
    """URL path of one Secret, or of a namespace's Secrets."""
    collection = f"/api/v1/namespaces/{namespace}/secrets"
    return f"{collection}/{name}" if name else collection
