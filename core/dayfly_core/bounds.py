"""What a policy refuses in a write, each with a sentence that says what would be right."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from msgspec.structs import replace

from dayfly_core import duration, instant, names
from dayfly_core.expiry import TOLERANCE, Case, Never, Until, after, decide, never_allowed
from dayfly_core.policies import Policy
from dayfly_core.reasons import Reason
from dayfly_core.violations import Violation
from dayfly_core.wish import Wish, asked, at_violation, read, ttl_violation, without_end


def objections(case: Case) -> tuple[Violation, ...]:
    """Name everything in a write that the policy does not allow.

    Only what the write changes is looked at: an end that is past, or beyond bounds that were
    narrowed since, blocks nobody's unrelated change.
    """
    wish = read(case.meta)
    news = asked(wish, read(case.old)) if case.old else wish
    return (*_to_ttl(case, news), *_to_expires_at(case, news))


def _to_ttl(case: Case, wish: Wish) -> Iterator[Violation]:
    policy = case.policy
    if wish.ttl_problem:
        yield wish.ttl_problem
    if wish.never and not never_allowed(policy):
        yield ttl_violation(Reason.NEVER_NOT_ALLOWED, wish, _allows(policy, _most(policy)))
    if wish.ttl is None:
        return
    if policy.minimum and wish.ttl < policy.minimum:
        least = _allows(policy, f"no less than {duration.render(policy.minimum)}")
        yield ttl_violation(Reason.TTL_TOO_SHORT, wish, least)
    if policy.maximum and wish.ttl > policy.maximum:
        yield ttl_violation(Reason.TTL_TOO_LONG, wish, _allows(policy, _most(policy)))
    if policy.max_total and _beyond(case.now + wish.ttl, case.created + policy.max_total):
        yield ttl_violation(Reason.TOTAL_TOO_LONG, wish, _total(case, policy.max_total))


def _to_expires_at(case: Case, wish: Wish) -> Iterator[Violation]:
    if wish.at_problem:
        yield wish.at_problem
    if wish.at is None or _given(case, wish.at):
        return
    if wish.ttl or wish.never:
        one = f"{names.TTL} asks for {wish.ttl_text}, which is another end; write one of the two"
        yield at_violation(Reason.ENDS_DISAGREE, wish, one)
    if wish.at <= case.now:
        past = "is past; write a later instant, or delete the object to end it now"
        yield at_violation(Reason.END_IN_THE_PAST, wish, past)
    else:
        yield from _out_of_bounds(case, wish, wish.at)


def _out_of_bounds(case: Case, wish: Wish, at: datetime) -> Iterator[Violation]:
    policy, now = case.policy, case.now
    if policy.minimum and _beyond(now + policy.minimum, at):
        earliest = _allows(policy, f"{after(now, policy.minimum).text} at the earliest")
        yield at_violation(Reason.TTL_TOO_SHORT, wish, earliest)
    if policy.maximum and _beyond(at, now + policy.maximum):
        last = _allows(policy, f"{_second(now + policy.maximum)} at the latest")
        yield at_violation(Reason.TTL_TOO_LONG, wish, last)
    if policy.max_total and _beyond(at, case.created + policy.max_total):
        yield at_violation(Reason.TOTAL_TOO_LONG, wish, _total(case, policy.max_total))


def _given(case: Case, at: datetime) -> bool:
    """Whether Dayfly itself gave this end a moment ago: a default is never refused."""
    given = decide(replace(case, meta=without_end(case.meta)))
    if given is None or isinstance(given, Never) or _kept(case, given):
        return False
    return abs(at - given.at) <= TOLERANCE


def _kept(case: Case, given: Until) -> bool:
    # Near the stored end is no excuse: it would creep past any bound, a minute at a time.
    return case.old is not None and read(case.old).at == given.at


def _beyond(later: datetime, bound: datetime) -> bool:
    # Subtracting cannot overflow; adding to an instant that somebody wrote can.
    return later - bound > TOLERANCE


def _allows(policy: Policy, what: str) -> str:
    return f"ExpiryPolicy {policy.name} allows {what}"


def _most(policy: Policy) -> str:
    bound = min(bound for bound in (policy.maximum, policy.max_total) if bound)
    return f"at most {duration.render(bound)}"


def _total(case: Case, total: timedelta) -> str:
    last = f"{_second(case.created + total)} at the latest"
    return _allows(case.policy, f"{last}, {duration.render(total)} after the creation")


def _second(moment: datetime) -> str:
    return instant.render(moment.replace(microsecond=0))
