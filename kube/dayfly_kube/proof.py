"""Whether an answer is what was asked for: only then is anything that it does not have not there.

An empty list and an object that says nothing look the same once they are decoded, and a proxy's
``{}`` looks like either. The API server writes on each what it is.
"""

from typing import Protocol, TypeVar

import msgspec

from dayfly_kube.errors import Unproven


class Kinded(Protocol):
    """An answer that says what it is: ``PodList``, ``PartialObjectMetadataList``, ``APIGroup``."""

    @property
    def kind(self) -> str:
        """``kind``, empty if it does not say."""
        ...


Found = TypeVar("Found", bound=Kinded)


def proven(body: bytes, type_: type[Found], path: str, kind: str = "List") -> Found:
    """Decode an answer whose kind ends in ``kind``; raises Unproven if it is no such thing."""
    try:
        found = msgspec.json.decode(body, type=type_)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Unproven(f"GET {path}: the answer cannot be read: {error}") from error
    if not found.kind.endswith(kind):
        raise Unproven(f"GET {path}: kind is {found.kind!r}, which is no {kind}")
    return found
