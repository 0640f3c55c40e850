"""What is claimed, and the name of the claim: one name in, always the same claim out."""

import re
from collections.abc import Iterator
from hashlib import sha256
from typing import Final, NamedTuple

from dayfly_core.api import KeyKind, NameClaim

__all__ = ["ClaimKey", "KeyKind", "is_canonical", "key_of"]

HASHED: Final = 20
"""Hex digits of the hash: 80 bits, so that nobody finds a second key for somebody's claim."""

SLUG: Final = 120
"""Characters of the readable part; with kind and hash the name stays far below 253."""

WILDCARD: Final = "*."


class ClaimKey(NamedTuple):
    """A name as it is compared: environments as written, hosts normalised."""

    kind: KeyKind
    value: str

    @property
    def text(self) -> str:
        """As people read it: ``host:shop.example.com``."""
        return f"{self.kind}:{self.value}"

    @property
    def claim_name(self) -> str:
        """Name of the one NameClaim that there can be for it.

        The readable part is for people and may be the same for two keys (environments are
        case-sensitive, object names are not); the hash is of the exact key.
        """
        digest = sha256(self.text.encode()).hexdigest()[:HASHED]
        return "-".join(part for part in (self.kind, _slug(self.value), digest) if part)

    @property
    def wildcard(self) -> bool:
        """Whether it stands for all hosts below one."""
        return self.kind is KeyKind.HOST and self.value.startswith(WILDCARD)

    def covers(self, other: "ClaimKey") -> bool:
        """Whether it is a wildcard, and ``other`` lies below it, at any depth."""
        below = self.wildcard and other.kind is self.kind and other != self
        return below and other.value.endswith(self.value[1:])

    def overlaps(self, other: "ClaimKey") -> bool:
        """Whether both can mean one host, without being the same key."""
        return self.covers(other) or other.covers(self)

    @property
    def covering(self) -> tuple["ClaimKey", ...]:
        """Every wildcard that covers it: few, so that each can be looked up by its claim's name."""
        return tuple(self._covering())

    def _covering(self) -> Iterator["ClaimKey"]:
        if self.kind is not KeyKind.HOST:
            return
        rest = self.value.removeprefix(WILDCARD)
        while "." in rest:
            rest = rest.partition(".")[2]
            yield ClaimKey(self.kind, WILDCARD + rest)


def key_of(claim: NameClaim) -> ClaimKey:
    """Return what a claim says that it is for."""
    return ClaimKey(claim.spec.key.kind, claim.spec.key.value)


def is_canonical(claim: NameClaim) -> bool:
    """Whether a claim bears the name that its key gives it: else it claims nothing."""
    return key_of(claim).claim_name == claim.metadata.name


def _slug(value: str) -> str:
    """Keep what may stand in an object's name: lower case, digits, dots and dashes within."""
    plain = re.sub(r"[^a-z0-9.]+", "-", value.replace(WILDCARD, "wildcard.", 1).lower())
    return re.sub(r"-*\.[-.]*", ".", plain)[:SLUG].strip("-.")
