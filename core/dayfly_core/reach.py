"""What a policy does to which objects, and since when: what had come due before is a surprise.

A policy that is resumed after weeks, leaves ``Audit``, matches more, ends other units or keeps
another timeline finds ends that are long past. Their authors were told of them then; not that they
would be carried out today, all at once.
"""

from datetime import datetime
from hashlib import sha256
from typing import Final

import msgspec

from dayfly_core.api import Enforcement
from dayfly_core.policies import Policy

DIGITS: Final = 16
"""Of a digest: enough to tell the few reaches that one policy ever has apart."""


class Reach(msgspec.Struct, frozen=True):
    """What a policy does, and since when."""

    digest: str
    """Equal as long as the policy does the same to the same objects; empty if it does nothing."""
    since: datetime


class Sightings(msgspec.Struct, frozen=True):
    """What is written and remembered of a policy's reach."""

    created: datetime | None
    unedited: bool
    """Whether the policy is as it was created, or as the operator last worked with it."""
    written: Reach | None
    """``status.reach``."""
    remembered: Reach | None
    """What this process has seen last and may not have written yet."""


def digest(policy: Policy | None) -> str:
    """Return what a policy does to which objects, in a few characters; None cannot be read.

    Written into statuses and read by later versions: what goes in must not change, or an upgrade
    makes every end a surprise that came due meanwhile. What an end is counted from, or who is told,
    is not in it: no such edit acts on what is due already.
    """
    if policy is None or policy.suspended or policy.enforcement is Enforcement.AUDIT:
        return ""
    said = (
        sorted(policy.resources),
        policy.namespace_selector,
        policy.object_selector,
        policy.unit,
        [(step.name, step.webhook) for step in policy.steps],
    )
    return sha256(msgspec.json.encode(said, order="sorted")).hexdigest()[:DIGITS]


def reach(policy: Policy | None, sightings: Sightings, now: datetime) -> Reach:
    """Return the policy's reach: the latest one that was seen if it is still that, or a new one.

    That of a policy nobody has edited, of which nothing was ever noted, began with the policy.
    """
    present = digest(policy)
    seen = [each for each in (sightings.remembered, sightings.written) if each]
    if seen:
        latest = max(seen, key=lambda each: each.since)
        return latest if latest.digest == present else Reach(present, now)
    began = sightings.created if sightings.unedited else None
    return Reach(present, began or now)
