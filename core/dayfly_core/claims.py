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

A namespace, which holds the hosts of its Ingresses, and an object in it do not contend: they are
*kin*. The object holds the claim, for two objects do contend; against other namespaces it counts
for both (docs/design/018).

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
from dayfly_core.objects import NAMESPACES, ObjectMeta


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
    theirs = claim.spec.holder
    own = theirs.uid == attempt.holder.uid
    if same_object(theirs, attempt.holder) and (own or attempt.act is Act.INSIDE):
        return _swap(attempt, taken(attempt, claim))
    return _within(attempt, claim) if kin(theirs, attempt.holder) else Find(claim)


def _within(attempt: Attempt, claim: NameClaim) -> Step | Outcome:
    """Go on where a namespace and an object in it want one name."""
    if attempt.holder.namespace:
        return _swap(attempt, taken(attempt, claim))
    if claim.spec.state is ClaimState.PENDING:
        # The object may be under way: without its claim a second one would get the name.
        return _swap(attempt, shared(attempt, claim))
    return Find(claim)


def _found(attempt: Attempt, claim: NameClaim, presence: Presence | None) -> Step | Outcome:
    if same_object(claim.spec.holder, attempt.holder):
        return _succeeded(attempt, claim, presence.uid if presence else "")
    if kin(claim.spec.holder, attempt.holder):
        has = presence is not None and presence.lists
        return _swap(attempt, shared(attempt, claim) if has else taken(attempt, claim))
    if presence and _keeps_out(presence, claim, attempt):
        return Taken(claim, presence.ending)
    if claim.spec.state is ClaimState.BOUND:
        return _swap(attempt, taken(attempt, claim))
    return Reserved(claim)


def _succeeded(attempt: Attempt, claim: NameClaim, there: str) -> Step | Outcome:
    """Go on where an object of the same name had it; ``there`` is the uid of the one there is.

    Of an UPDATE the uid is what its review says: believed only if etcd says the same, for then it
    is neither outdated nor somebody else's than the API server's.
    """
    if attempt.act is Act.CREATE and there:
        # Beside an object of that name it could only succeed after a DELETE, unclaimed.
        return Exists(claim)
    if attempt.act is Act.UPDATE and there != attempt.holder.uid:
        return Reserved(claim)
    return _swap(attempt, taken(attempt, claim))


def _keeps_out(presence: Presence, claim: NameClaim, attempt: Attempt) -> bool:
    stranger = not related(claim.spec.holder, attempt.holder)
    return presence.lists or (presence.kin and stranger)


def _swap(attempt: Attempt, after: NameClaim) -> Step | Outcome:
    """Write a claim anew, also one's own: an old version may be about to be deleted."""
    if attempt.read_only:
        return _check(attempt, None)
    return Survey(None, swap=after) if _overlapped(attempt.key) else Replace(after)


# Overlaps.


def _check(attempt: Attempt, mine: NameClaim | None) -> Step | Outcome:
    return Survey(mine) if _overlapped(attempt.key) else Granted(mine)


def _overlapped(key: ClaimKey) -> bool:
    return key.wildcard or bool(key.covering)


def rivals(attempt: Attempt, claims: Sequence[NameClaim]) -> tuple[NameClaim, ...]:
    """Pick the claims that overlap the key and are neither the same object's nor of its kin."""
    return tuple(
        claim
        for claim in claims
        if attempt.key.overlaps(key_of(claim))
        and is_canonical(claim)
        and not same_object(claim.spec.holder, attempt.holder)
        and not kin(claim.spec.holder, attempt.holder)
    )


def _inspect(attempt: Attempt, survey: Survey, left: tuple[NameClaim, ...]) -> Step | Outcome:
    if left:
        return Inspect(survey, left)
    return Replace(survey.swap) if survey.swap else Granted(survey.mine)


def _inspected(attempt: Attempt, inspect: Inspect, presence: Presence | None) -> Step | Outcome:
    survey, rival = inspect.survey, inspect.rivals[0]
    if presence and _keeps_out(presence, rival, attempt):
        return Taken(rival, presence.ending)
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


def kin(one: Holder, other: Holder) -> bool:
    """Whether one is a namespace and the other an object in it: they never contend for a name."""
    return not same_object(one, other) and (
        _home(one) == identity(other) or _home(other) == identity(one)
    )


def related(one: Holder, other: Holder) -> bool:
    """Whether two holders belong to one namespace, or are one object."""
    return _home(one) == _home(other)


def namespace_of(holder: Holder) -> Holder:
    """Name the namespace of an object, whichever of that name there is."""
    kind = NAMESPACES
    return Holder(
        version=kind.version, resource=kind.plural, kind=kind.kind, name=holder.namespace, uid=""
    )


def _home(holder: Holder) -> tuple[str, str, str, str]:
    return identity(namespace_of(holder) if holder.namespace else holder)


def pending(attempt: Attempt) -> NameClaim:
    """Build the claim of a request under way."""
    return claim_of(attempt.key, _spec(attempt))


def claim_of(key: ClaimKey, spec: NameClaimSpec) -> NameClaim:
    """Build a claim that is not stored yet."""
    return NameClaim(metadata=ObjectMeta(name=key.claim_name, labels=_labels(key)), spec=spec)


def taken(attempt: Attempt, before: NameClaim) -> NameClaim:
    """Build the next version of a claim: always another one, for an equal one changes nothing."""
    at, contested = _moment(attempt, before), _contested(attempt, before.spec)
    spec = msgspec.structs.replace(_spec(attempt), claimed_at=at, contested=contested)
    return over(before, spec)


def shared(attempt: Attempt, before: NameClaim) -> NameClaim:
    """Build the next version of a claim that stays an object's, when its namespace wants it too.

    Not Bound before the request for the namespace must have ended: the object may be deleted first.
    """
    at, state = _moment(attempt, before), ClaimState.PENDING
    spec = msgspec.structs.replace(before.spec, claimed_at=at, state=state, contested=True)
    return over(before, spec)


def _moment(attempt: Attempt, before: NameClaim) -> str:
    at = instant.render(attempt.at)
    if at != before.spec.claimed_at:
        return at
    return instant.render(attempt.at + timedelta(microseconds=1))


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
    if before.state is ClaimState.BOUND:
        return related(before.holder, attempt.holder) and attempt.act is Act.INSIDE
    same = same_object(before.holder, attempt.holder)
    own = same and before.holder.uid == attempt.holder.uid
    return before.contested or not (own and attempt.act is Act.CREATE)


def _spec(attempt: Attempt) -> NameClaimSpec:
    key = ClaimedKey(kind=attempt.key.kind, value=attempt.key.value, written=attempt.written)
    at = instant.render(attempt.at)
    return NameClaimSpec(key=key, holder=attempt.holder, state=ClaimState.PENDING, claimed_at=at)


def _labels(key: ClaimKey) -> dict[str, str]:
    kind = {names.CLAIM: key.kind.value}
    return {**kind, names.WILDCARD: "true"} if key.wildcard else kind
