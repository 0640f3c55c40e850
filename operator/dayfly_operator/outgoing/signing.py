"""Reads the secrets that calls are signed with: each time, so that a new one counts at once."""

from typing import Final, Protocol

import msgspec

from dayfly_core import names
from dayfly_core.objects import SECRETS
from dayfly_core.outgoing.outbox import Failed, SecretRef
from dayfly_kube.errors import ApiError, Unreachable

KEY: Final = "hmac"
COMPONENT: Final = "manifests/components/signed-webhooks"


class Getter(Protocol):
    """The reading part of the client."""

    async def get(self, path: str) -> bytes:
        """GET."""
        ...


class Data(msgspec.Struct, frozen=True):
    """The one value that is decoded, out of base64; the others are nobody's business here."""

    hmac: bytes = b""


class Secret(msgspec.Struct, frozen=True):
    """A Secret."""

    data: Data = Data()


class Keys:
    """Never answers with nothing: a call that was to be signed is not sent unsigned."""

    def __init__(self, client: Getter) -> None:
        self._client = client

    async def hmac(self, ref: SecretRef) -> bytes | Failed:
        """Return the secret, or why there is none."""
        try:
            found = await self._client.get(SECRETS.path(ref.namespace, ref.name))
            secret = msgspec.json.decode(found, type=Secret).data.hmac
        except ApiError as error:
            return Failed(_refused(ref, error))
        except Unreachable:
            return Failed(f"Secret {ref} could not be read: the API server did not answer")
        except msgspec.MsgspecError:
            return Failed(f"Secret {ref} could not be read")
        return secret or Failed(f"Secret {ref} has no value under the key {KEY!r} to sign with")


def _refused(ref: SecretRef, error: ApiError) -> str:
    if error.not_found:
        return f"Secret {ref} to sign with does not exist"
    if error.forbidden:
        name = "" if ref.name == names.WEBHOOK_SECRET else f"call it {names.WEBHOOK_SECRET} and "
        return f"Dayfly may not read Secret {ref}: {name}install {COMPONENT}"
    return f"Secret {ref} could not be read: the API server answered {error.code}"
