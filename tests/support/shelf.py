"""Claims in memory, for tests of what is made of them; races are the simulation's matter."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from msgspec.structs import replace

from dayfly_core.api import ClaimedKey, ClaimState, Holder, KeyKind, NameClaim, NameClaimSpec
from dayfly_core.claim_key import ClaimKey, key_of
from dayfly_core.claim_steps import Presence
from dayfly_core.claims import identity
from dayfly_core.objects import ObjectMeta
from dayfly_kube.errors import ApiError, Status

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
CONFLICT = ApiError(Status(409, "AlreadyExists", "it is there"))


def a_holder(name: str = "shop", kind: str = "Namespace", namespace: str = "") -> Holder:
    group = "" if kind == "Namespace" else "apps"
    plural = f"{kind.lower()}s"
    return Holder(
        group=group,
        version="v1",
        resource=plural,
        kind=kind,
        namespace=namespace,
        name=name,
        uid=f"uid-of-{name}",
    )


def a_claim(key: ClaimKey, holder: Holder, state: ClaimState = ClaimState.BOUND) -> NameClaim:
    spec = NameClaimSpec(
        key=ClaimedKey(kind=key.kind, value=key.value, written=key.value),
        holder=holder,
        state=state,
        claimed_at="2026-11-22T09:00:00Z",
    )
    meta = ObjectMeta(name=key.claim_name, uid=f"uid-{key.text}", resource_version="1")
    return NameClaim(metadata=meta, spec=spec)


def environment(name: str) -> ClaimKey:
    return ClaimKey(KeyKind.ENVIRONMENT, name)


def host(name: str) -> ClaimKey:
    return ClaimKey(KeyKind.HOST, name)


@dataclass
class Shelf:
    """A ``ClaimStore``; ``present`` are the holders that are there, with all that they hold."""

    claims: dict[str, NameClaim] = field(default_factory=dict[str, NameClaim])
    present: set[tuple[str, str, str, str]] = field(default_factory=set[tuple[str, str, str, str]])
    ending: set[tuple[str, str, str, str]] = field(default_factory=set[tuple[str, str, str, str]])
    """Those of them that are being deleted."""
    writes: int = 0
    failing: Exception | None = None

    def hold(
        self,
        key: ClaimKey,
        holder: Holder,
        state: ClaimState = ClaimState.BOUND,
        *,
        there: bool = True,
    ) -> None:
        """Give the name to the holder, who may have gone since."""
        self.claims[key.claim_name] = a_claim(key, holder, state)
        if there:
            self.present.add(identity(holder))

    def held_by(self, key: ClaimKey) -> str:
        claim = self.claims.get(key.claim_name)
        return claim.spec.holder.name if claim else ""

    async def create(self, claim: NameClaim, seconds: float) -> NameClaim:
        self._write(seconds)
        if claim.metadata.name in self.claims:
            raise CONFLICT
        return self._store(claim)

    async def read(self, name: str, seconds: float) -> NameClaim | None:
        assert seconds > 0
        return self.claims.get(name)

    async def replace(self, claim: NameClaim, seconds: float) -> NameClaim:
        self._write(seconds)
        return self._store(claim)

    async def delete(self, claim: NameClaim, seconds: float) -> None:
        self._write(seconds)
        del self.claims[claim.metadata.name]

    async def overlapping(self, key: ClaimKey, seconds: float) -> Sequence[NameClaim]:
        assert seconds > 0
        return [claim for claim in self.claims.values() if key_of(claim).overlaps(key)]

    async def find(self, holder: Holder, key: ClaimKey, seconds: float) -> Presence | None:
        assert seconds > 0
        assert key
        if identity(holder) not in self.present:
            return None
        return Presence(holder.uid, lists=True, ending=identity(holder) in self.ending)

    def _write(self, seconds: float) -> None:
        assert seconds > 0
        self.writes += 1
        if self.failing:
            raise self.failing

    def _store(self, claim: NameClaim) -> NameClaim:
        meta = replace(claim.metadata, uid="u", resource_version=str(self.writes + 1))
        self.claims[claim.metadata.name] = replace(claim, metadata=meta)
        return self.claims[claim.metadata.name]
