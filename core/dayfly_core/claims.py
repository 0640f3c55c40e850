"""Names are unique by construction: one step of claiming a name, over frozen values.

Pure; the shell sends and receives. Looking whether a name is free and then storing the object is
a race, whatever is looked into: objects are stored after admission. So the webhook *creates* a
NameClaim, whose own name follows from what is claimed, and etcd lets exactly one be created. The
argument for one holder at a time:

* a request is admitted only after this very call wrote the claim (created it, or compared and
  swapped it), so that nobody who looked before can take it or delete it;
* a ``Pending`` claim may have requests under way that store its holder; only the operator ends
  it, after longer than any request can last, by its own monotonic clock;
* a ``Bound`` claim has none: its holder was seen stored *after* the claim was written, an UPDATE
  is stored only over the version that was admitted, and where an earlier CREATE may be under way
  the claim is ``contested`` and not bound before that must have ended;
* so whoever finds a Bound claim whose holder is gone, or no longer has the name, may swap it.

Wildcards overlap other names, which no single object can see: store first, then check. Of two
that overlap, whichever wrote last sees the other, and goes back (docs/design/014).

No clock decides anything: ``claimedAt`` is for people.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from dayfly_core import instant, names
from dayfly_core.api import ClaimedKey, ClaimState, Holder, NameClaim, NameClaimSpec
from dayfly_core.claim_key import ClaimKey, is_canonical, key_of
from dayfly_core.claim_steps import (
    PAUSES,
    Act,
    Attempt,
    Begun,
    Create,
    Exists,
    Find,
    Found,
    Granted,
    Inspect,
    Look,
    Looked,
    Outcome,
    Presence,
    Refused,
    Replace,
    Reserved,
    Seen,
    Step,
    Stored,
    Survey,
    Surveyed,
    Taken,
    Unsure,
)
from dayfly_core.objects import ObjectMeta


def decide(attempt: Attempt, seen: Seen) -> Step | Outcome:
    """Say what comes after what was seen last."""
    match seen:
        case Begun() | Refused() | Unsure():
            first = isinstance(seen, Begun) and not attempt.read_only
            return Create(pending(attempt)) if first else Look()
        case Stored(claim):
            return _check(attempt, claim)
        case Looked(claim):
            return _looked(attempt, claim)
        case Found(claim, presence):
            return _found(attempt, claim, presence)
        case Surveyed(survey, others):
            return _inspect(attempt, survey, rivals(attempt, others))
        case _:
            return _inspected(attempt, seen.inspect, seen.presence)


def _looked(attempt: Attempt, claim: NameClaim | None) -> Step | Outcome:
    if claim is None:
        return _check(attempt, None) if attempt.read_only else Create(pending(attempt))
    if key_of(claim) != attempt.key:
        # Two keys with one hash, or somebody's handiwork: never ours to take.
        return Taken(claim)
    own = claim.spec.holder.uid == attempt.holder.uid
    if same_object(claim.spec.holder, attempt.holder) and (own or attempt.act is not Act.CREATE):
        return _take(attempt, claim)
    return Find(claim)


def _found(attempt: Attempt, claim: NameClaim, presence: Presence | None) -> Step | Outcome:
    if same_object(claim.spec.holder, attempt.holder):
        # A CREATE beside an object of that name could only succeed after a DELETE, unclaimed.
        return Exists(claim) if presence else _take(attempt, claim)
    if presence and presence.lists:
        return Taken(claim)
    if claim.spec.state is ClaimState.BOUND:
        return _take(attempt, claim)
    return Reserved(claim)


def _take(attempt: Attempt, claim: NameClaim) -> Step | Outcome:
    """Swap the claim, also one's own: an old version may be about to be deleted."""
    if attempt.read_only:
        return _check(attempt, None)
    return Survey(None, swap=claim) if _overlapped(attempt.key) else Replace(taken(attempt, claim))


# Overlaps.


def _check(attempt: Attempt, mine: NameClaim | None) -> Step | Outcome:
    return Survey(mine) if _overlapped(attempt.key) else Granted(mine)


def _overlapped(key: ClaimKey) -> bool:
    return key.wildcard or bool(key.covering)


def rivals(attempt: Attempt, claims: Sequence[NameClaim]) -> tuple[NameClaim, ...]:
    """Pick the claims that overlap the key and are not the same object's."""
    return tuple(
        claim
        for claim in claims
        if attempt.key.overlaps(key_of(claim))
        and is_canonical(claim)
        and not same_object(claim.spec.holder, attempt.holder)
    )


def _inspect(attempt: Attempt, survey: Survey, left: tuple[NameClaim, ...]) -> Step | Outcome:
    if left:
        return Inspect(survey, left)
    return Replace(taken(attempt, survey.swap)) if survey.swap else Granted(survey.mine)


def _inspected(attempt: Attempt, inspect: Inspect, presence: Presence | None) -> Step | Outcome:
    survey, rival = inspect.survey, inspect.rivals[0]
    if presence and presence.lists:
        return Taken(rival)
    if rival.spec.state is ClaimState.BOUND:
        # Left over. If its holder comes back to it, it writes the claim and then sees this one.
        return _inspect(attempt, survey, inspect.rivals[1:])
    first = survey.mine is not None and _rank(survey.mine) < _rank(rival)
    if first and survey.looks < len(PAUSES):
        return Survey(survey.mine, looks=survey.looks + 1)
    return Reserved(rival)


def _rank(claim: NameClaim) -> tuple[str, str]:
    # Who waits and who goes back at once; that both do not get it does not hang on this order.
    created = claim.metadata.creation_timestamp
    return instant.render(created) if created else "", claim.metadata.uid


# The claims that are written.


def same_object(one: Holder, other: Holder) -> bool:
    """Whether two holders are one object by name, whatever its uid: at most one of them exists."""
    return identity(one) == identity(other)


def identity(holder: Holder) -> tuple[str, str, str, str]:
    """Return what an object is known by."""
    return holder.group, holder.resource, holder.namespace, holder.name


def pending(attempt: Attempt) -> NameClaim:
    """Build the claim of a request under way."""
    return claim_of(attempt.key, _spec(attempt))


def claim_of(key: ClaimKey, spec: NameClaimSpec) -> NameClaim:
    """Build a claim that is not stored yet."""
    return NameClaim(metadata=ObjectMeta(name=key.claim_name, labels=_labels(key)), spec=spec)


def taken(attempt: Attempt, before: NameClaim) -> NameClaim:
    """Build the next version of a claim: always another one, for an equal one changes nothing."""
    spec = _spec(attempt)
    at = spec.claimed_at
    if at == before.spec.claimed_at:
        at = instant.render(attempt.at + timedelta(microseconds=1))
    spec = msgspec.structs.replace(spec, claimed_at=at, contested=_contested(attempt, before.spec))
    return over(before, spec)


def bound(claim: NameClaim, holder: Holder, at: datetime) -> NameClaim:
    """Build the next version of a claim, whose holder was seen stored and is ``holder``."""
    spec = msgspec.structs.replace(
        claim.spec,
        holder=holder,
        state=ClaimState.BOUND,
        claimed_at=instant.render(at),
        contested=False,
    )
    return over(claim, spec)


def over(before: NameClaim, spec: NameClaimSpec) -> NameClaim:
    """Build a claim that is written over exactly this version of this object."""
    old = before.metadata
    labels = {**old.label_map, **_labels(key_of(before))}
    meta = ObjectMeta(
        name=old.name, uid=old.uid, resource_version=old.resource_version, labels=labels
    )
    return NameClaim(metadata=meta, spec=spec)


def _contested(attempt: Attempt, before: NameClaimSpec) -> bool:
    """Whether some other request for the same holder may still be stored.

    An UPDATE under way is no danger to a Bound claim (its version will have moved on), a CREATE
    is: the object may be created, bound and deleted by others before it is stored.
    """
    same = same_object(before.holder, attempt.holder)
    if before.state is ClaimState.BOUND:
        return same and attempt.act is Act.INSIDE
    own = same and before.holder.uid == attempt.holder.uid
    return before.contested or not (own and attempt.act is Act.CREATE)


def _spec(attempt: Attempt) -> NameClaimSpec:
    key = ClaimedKey(kind=attempt.key.kind, value=attempt.key.value, written=attempt.written)
    at = instant.render(attempt.at)
    return NameClaimSpec(key=key, holder=attempt.holder, state=ClaimState.PENDING, claimed_at=at)


def _labels(key: ClaimKey) -> dict[str, str]:
    return {names.CLAIM: key.kind.value}
