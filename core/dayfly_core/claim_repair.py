"""What the leading operator does about one name: the claim follows what is stored.

The webhook writes ``Pending`` claims before it knows whether the object will be stored; this binds
them, or deletes them when no request can be under way any more. Objects that were stored without
the webhook get their claims, and where several list one name, the oldest wins and the others are
named; nothing but claims is ever deleted.

Pure, and from watched state that may be late: so each step says what a quorum read must confirm
before it is taken. All are written over the version that was decided on, so that two leaders, or a
leader and the webhook, cannot undo each other's work.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain, product
from typing import Final

import msgspec

from dayfly_core import instant
from dayfly_core.api import ClaimedKey, ClaimState, Holder, KeyKind, NameClaim, NameClaimSpec
from dayfly_core.claim_key import ClaimKey, is_canonical, key_of
from dayfly_core.claim_steps import Presence
from dayfly_core.claims import bound, claim_of, identity, kin, related, same_object

GRACE: Final = 75.0
"""Seconds that a claim must have been seen unchanged before nobody's request can rely on it: the
API server ends its own (``--request-timeout``) after 60."""


class Claimant(msgspec.Struct, frozen=True):
    """An object that lists a name, as it was last seen."""

    holder: Holder
    created: datetime | None
    written: str = ""


class Sighting(msgspec.Struct, frozen=True):
    """Since when, on the observer's monotonic clock, a claim has been seen in this version."""

    uid: str
    version: str
    since: float


class Case(msgspec.Struct, frozen=True):
    """One claim's name, and all that is known about it."""

    key: ClaimKey
    claim: NameClaim | None
    unchanged: float
    """Seconds that the claim has been seen in this version."""
    claimants: Sequence[Claimant]


class Create(msgspec.Struct, frozen=True):
    """POST the claim of an object that has none, if it is there and lists the key."""

    claim: NameClaim


class Bind(msgspec.Struct, frozen=True):
    """Write the claim over its version, if its holder is there and lists the key now.

    ``former`` is who held it, if that object is believed to be gone: that must be true.
    """

    claim: NameClaim
    former: Holder | None


class Remove(msgspec.Struct, frozen=True):
    """DELETE this version, if ``former`` (None: anyhow) is gone or does not list the key."""

    claim: NameClaim
    former: Holder | None


class Wait(msgspec.Struct, frozen=True):
    """Look again after so many seconds, if nothing changes before."""

    seconds: float


Write = Create | Bind | Remove


def sight(before: Sighting | None, claim: NameClaim, now: float) -> Sighting:
    """Take in a claim; a known version keeps its time."""
    uid, version = claim.metadata.uid, claim.metadata.resource_version
    if before and (before.uid, before.version) == (uid, version):
        return before
    return Sighting(uid, version, now)


def repair(case: Case, at: datetime, grace: float = GRACE) -> Write | Wait | None:
    """Decide about one name; None: all is well until something changes."""
    claim = case.claim
    winner = _winner(case.claimants)
    if claim is None:
        return Create(_claim(case.key, winner, at)) if winner else None
    if key_of(claim) != case.key or not is_canonical(claim):
        return _stray(case, claim, grace)
    left = grace - case.unchanged
    if winner is None:
        return Wait(left) if left > 0 else Remove(claim, claim.spec.holder)
    if _settled(claim, winner.holder):
        return None
    if left > 0 and not _sure(claim, winner.holder):
        return Wait(left)
    return Bind(bound(claim, winner.holder, at), _former(case, claim, winner))


def _winner(claimants: Sequence[Claimant]) -> Claimant | None:
    """Pick who shall have the claim: the oldest, but of its kin an object before its namespace."""
    oldest = min(claimants, key=seniority, default=None)
    if oldest is None or oldest.holder.namespace:
        return oldest
    inside = [each for each in claimants if kin(each.holder, oldest.holder)]
    return min(inside, key=seniority, default=oldest)


def _stray(case: Case, claim: NameClaim, grace: float) -> Remove | Wait | None:
    """Do away with what claims nothing, by its name, but stands in the way of what does."""
    if is_canonical(claim):
        return None  # two keys with one hash: the other was first
    left = grace - case.unchanged
    return Wait(left) if left > 0 else Remove(claim, None)


def _settled(claim: NameClaim, holder: Holder) -> bool:
    return claim.spec.state is ClaimState.BOUND and _same(claim.spec.holder, holder)


def _sure(claim: NameClaim, holder: Holder) -> bool:
    """Whether no request but one that was stored can rely on the claim as it is."""
    if claim.spec.state is ClaimState.BOUND:
        return True
    return not claim.spec.contested and _same(claim.spec.holder, holder)


def _same(one: Holder, other: Holder) -> bool:
    return same_object(one, other) and one.uid == other.uid


def _former(case: Case, claim: NameClaim, winner: Claimant) -> Holder | None:
    """Who is believed to be gone: a holder that lists the key as well only loses.

    A namespace need not be gone for an object in it. But an object for its namespace: a second
    object could take the claim from that.
    """
    held = claim.spec.holder
    known = any(same_object(held, claimant.holder) for claimant in case.claimants)
    inside = winner.holder.namespace and kin(held, winner.holder)
    return None if known or inside or same_object(held, winner.holder) else held


def _claim(key: ClaimKey, winner: Claimant, at: datetime) -> NameClaim:
    spec = NameClaimSpec(
        key=ClaimedKey(kind=key.kind, value=key.value, written=winner.written or key.value),
        holder=winner.holder,
        state=ClaimState.BOUND,
        claimed_at=instant.render(at),
    )
    return claim_of(key, spec)


def confirmed(step: Write, holder: Presence | None, former: Presence | None) -> bool:
    """Whether quorum reads, made after the step was decided on, bear it out.

    ``holder``: who shall have the claim; ``former``: who shall no longer.
    """
    if former and (former.lists or (former.kin and _leaves(step))):
        return False
    if isinstance(step, Remove):
        return True
    return holder is not None and holder.lists and holder.uid == step.claim.spec.holder.uid


def _leaves(step: Write) -> bool:
    """Whether the namespace of who holds a claim loses it."""
    if not isinstance(step, Bind) or step.former is None:
        return True
    return not related(step.former, step.claim.spec.holder)


# Conflicts.


class Conflict(msgspec.Struct, frozen=True):
    """An object that lists a name that another has, by the same key or one that overlaps."""

    loser: Claimant
    key: ClaimKey
    winner: Claimant
    winning: ClaimKey


def seniority(claimant: Claimant) -> tuple[str, str, str, str, str]:
    """Order claimants: the oldest, then the first by namespace and name, has the name."""
    created = instant.render(claimant.created) if claimant.created else ""
    group, resource, namespace, name = identity(claimant.holder)
    return created, namespace, name, group, resource


def conflicts(claimants: Mapping[ClaimKey, Sequence[Claimant]]) -> tuple[Conflict, ...]:
    """Name everybody who lists what somebody senior has; who loses stands in nobody's way."""
    ranked = sorted(
        ((key, claimant) for key, several in claimants.items() for claimant in several),
        key=lambda entry: (*seniority(entry[1]), *entry[0]),
    )
    winners, found = _Winners(), list[Conflict]()
    for key, claimant in ranked:
        senior = winners.against(key, claimant)
        if senior:
            found.append(Conflict(claimant, key, senior[1], senior[0]))
        else:
            winners.add(key, claimant)
    return tuple(found)


Entry = tuple[ClaimKey, Claimant]


class _Winners:
    """Who has what, found by the key and by every wildcard that would cover it."""

    def __init__(self) -> None:
        self._by_key: dict[ClaimKey, list[Entry]] = defaultdict(list)
        self._below: dict[ClaimKey, list[Entry]] = defaultdict(list)

    def add(self, key: ClaimKey, claimant: Claimant) -> None:
        self._by_key[key].append((key, claimant))
        for wildcard in key.covering:
            self._below[wildcard].append((key, claimant))

    def against(self, key: ClaimKey, claimant: Claimant) -> Entry | None:
        near = (self._by_key.get(k, ()) for k in (key, *key.covering))
        for entry in chain(*near, self._below.get(key, ())):
            holder = entry[1].holder
            if not (same_object(holder, claimant.holder) or kin(holder, claimant.holder)):
                return entry
        return None


def census(claims: Iterable[NameClaim]) -> Mapping[tuple[KeyKind, ClaimState], int]:
    """Count claims for the metric: Pending ones that grow in number are requests that failed."""
    counted = Counter((claim.spec.key.kind, claim.spec.state) for claim in claims)
    return {pair: counted[pair] for pair in product(KeyKind, ClaimState)}
