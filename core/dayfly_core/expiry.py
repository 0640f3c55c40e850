"""Which end an object gets: the arithmetic of wishes, defaults and bounds.

``tests/unit/core/test_expiry.py`` is the table. A value that somebody wrote and that can be read
is stored as written: rewriting it would make tools that apply manifests see a difference for ever.
"""

from datetime import datetime, timedelta
from typing import Final

import msgspec

from dayfly_core import instant, names
from dayfly_core.api import Enforcement, RenewOn
from dayfly_core.objects import ObjectMeta
from dayfly_core.policies import Policy
from dayfly_core.wish import NOTHING, Wish, asked, read

TOLERANCE: Final = timedelta(seconds=60)
"""Between the mutating and the validating call, and between two hosts' clocks."""


class Until(msgspec.Struct, frozen=True):
    """Ends at this instant; ``text`` is what the annotation says."""

    at: datetime
    text: str


class Never(msgspec.Struct, frozen=True):
    """Has no end, by its own wish."""


End = Until | Never


class Case(msgspec.Struct, frozen=True):
    """One object, seen by one policy; ``old`` is None unless the object is being updated."""

    policy: Policy
    meta: ObjectMeta
    old: ObjectMeta | None
    now: datetime
    spec_changed: bool = False

    @property
    def created(self) -> datetime:
        """Creation of the object: now, if the API server has not set it yet."""
        return (self.old or self.meta).creation_timestamp or self.now

    @property
    def lenient(self) -> bool:
        """Whether nothing is refused: then what cannot be read counts as absent."""
        return self.policy.enforcement is not Enforcement.ENFORCE


def decide(case: Case) -> End | None:
    """Return the end that a write gives; None: leave what the request says, or does not say."""
    wish = read(case.meta)
    if case.old is None:
        return _first(case, wish)
    before = read(case.old)
    if names.POLICY in case.old.label_map:
        return _moved(case, wish, before)
    news = asked(wish, before)
    return None if news == NOTHING else _first(case, news)


def _first(case: Case, wish: Wish) -> End | None:
    if not (wish.readable or case.lenient):
        return None
    if wish.at and case.now - wish.at < TOLERANCE:
        # Just past: it may have been to come in an earlier call for this very request.
        return _as_written(wish)
    if wish.at and not case.lenient:
        # Refused as a mistake. Unstamped, so that nothing ends it should the refusal be down.
        return None
    if wish.never:
        return Never()
    given = life(case.policy, wish)
    return after(case.now, given) if given else None


def _moved(case: Case, wish: Wish, before: Wish) -> End | None:
    news = asked(wish, before)
    if news.at:
        return _as_written(wish)
    if not (news.readable or case.lenient):
        return None
    if news.never:
        return Never()
    if news.ttl:
        return after(case.now, news.ttl)
    if before.at is None:
        # `never` was taken away; or there is nothing to keep, and the operator finds an end.
        return overdue(case, NOTHING) if before.never and not wish.never else None
    return _renewed(case, wish, before.at) or _as_written(before)


def _as_written(wish: Wish) -> Until | None:
    return Until(wish.at, wish.at_text) if wish.at and wish.at_text else None


def _renewed(case: Case, wish: Wish, end: datetime) -> Until | None:
    """Start the life anew after a change of the spec; an end that is later already stays."""
    given = life(case.policy, wish)
    renews = case.spec_changed and case.policy.renew_on is RenewOn.GENERATION_CHANGE
    if not renews or wish.never or given is None:
        return None
    renewed = within(case, after(case.now, given))
    return renewed if renewed.at > end else None


def renewed_by_waking(case: Case, wish: Wish) -> Until | None:
    """Start the life of what is woken anew, if its policy says so; an end that is later stays."""
    given = life(case.policy, wish)
    if not case.policy.renew_on_wake or given is None or wish.at is None:
        return None
    renewed = within(case, after(case.now, given))
    # An end that is past by its bounds would take away at once what was just given back.
    return renewed if renewed.at > max(wish.at, case.now) else None


def overdue(case: Case, wish: Wish) -> Until | None:
    """Give an end to what should have had one since its creation: at least ``grace`` from now.

    None if neither the object nor the policy says how long it lives.
    """
    given = life(case.policy, wish)
    if given is None:
        return None
    return graced(case, within(case, after(case.created, given)))


def graced(case: Case, end: Until) -> Until:
    """Move an end that nobody was told of to at least ``grace`` from now."""
    earliest = after(case.now, case.policy.grace)
    return end if end.at >= earliest.at else earliest


def within(case: Case, end: Until) -> Until:
    """Cut an end to the policy's bounds."""
    bound = latest(case)
    return Until(bound, instant.render(bound)) if bound and bound < end.at else end


def latest(case: Case) -> datetime | None:
    """Return the latest end within the policy's bounds, None if it sets none."""
    lengths = (case.now, case.policy.maximum), (case.created, case.policy.max_total)
    return min((start + length for start, length in lengths if length), default=None)


def never_allowed(policy: Policy) -> bool:
    """Whether the policy lets an object live for ever."""
    return policy.maximum is None and policy.max_total is None


def life(policy: Policy, wish: Wish) -> timedelta | None:
    """Return how long an object lives from its start: as it asks, or as the policy's default."""
    return wish.ttl or policy.default


def after(start: datetime, length: timedelta) -> Until:
    """End after a life, rounded up to a whole second: people read it, and nobody is cut short."""
    end = start + length
    if end.microsecond:
        end = end.replace(microsecond=0) + timedelta(seconds=1)
    return Until(end, instant.render(end))
