"""Claims, holders and attempts as tests write them down."""

from datetime import UTC, datetime

from dayfly_core import instant
from dayfly_core.api import ClaimedKey, ClaimState, Holder, KeyKind, NameClaim, NameClaimSpec
from dayfly_core.claim_key import ClaimKey
from dayfly_core.claim_steps import Act, Attempt
from dayfly_core.objects import ObjectMeta

AT = datetime(2026, 11, 22, 10, tzinfo=UTC)
SHOP = ClaimKey(KeyKind.ENVIRONMENT, "shop")


def host(value: str) -> ClaimKey:
    return ClaimKey(KeyKind.HOST, value)


def a_namespace(name: str = "mine", uid: str = "") -> Holder:
    return Holder(
        version="v1", resource="namespaces", kind="Namespace", name=name, uid=uid or f"uid-{name}"
    )


def a_claim(
    key: ClaimKey = SHOP,
    holder: Holder | None = None,
    state: ClaimState = ClaimState.PENDING,
    *,
    contested: bool = False,
    created: datetime | None = AT,
) -> NameClaim:
    """A claim as it is stored."""
    spec = NameClaimSpec(
        key=ClaimedKey(kind=key.kind, value=key.value, written=key.value),
        holder=holder or a_namespace("theirs"),
        state=state,
        claimed_at=instant.render(AT),
        contested=contested,
    )
    meta = ObjectMeta(
        name=key.claim_name,
        uid=f"claim-{spec.holder.name}",
        resource_version="7",
        creation_timestamp=created,
        labels={"dayfly.dev/claim": key.kind.value, "team": "web"},
    )
    return NameClaim(metadata=meta, spec=spec)


def an_attempt(
    key: ClaimKey = SHOP,
    act: Act = Act.CREATE,
    holder: Holder | None = None,
    *,
    read_only: bool = False,
) -> Attempt:
    return Attempt(key, key.value, holder or a_namespace(), act, AT, read_only=read_only)
