"""What the operator does with one object now, and when to look at it again."""

from datetime import datetime

from dayfly_core import address, agenda, instant, names, waking
from dayfly_core.actions import Stamp
from dayfly_core.address import Place
from dayfly_core.api import Enforcement
from dayfly_core.expiry import (
    Case,
    End,
    Never,
    Until,
    graced,
    never_allowed,
    overdue,
    within,
)
from dayfly_core.guard import Guard
from dayfly_core.policies import Policies, Policy, fits
from dayfly_core.reasons import Reason
from dayfly_core.stamps import NO_CHANGES, Changes, Stamps
from dayfly_core.subject import Plan, Subject, nothing
from dayfly_core.wish import Wish, read


def plan(subject: Subject, policies: Policies, guard: Guard, now: datetime) -> Plan:
    """Decide about one object; a change of the object or of a policy asks anew."""
    spared = _spared(subject, guard)
    if spared:
        return spared
    if names.POLICY in subject.meta.label_map:
        return _stamped(subject, policies, now)
    return _unstamped(subject, policies, now)


def _spared(subject: Subject, guard: Guard) -> Plan | None:
    key, meta = subject.key, subject.meta
    if meta.deletion_timestamp:
        return nothing(Reason.DELETED, "is being deleted already")
    if key.resource.namespaced and subject.namespace is None:
        return nothing(Reason.UNCHANGED, f"namespace {key.namespace} is not known")
    if meta.controlled:
        return nothing(Reason.CONTROLLED, "its owner decides")
    if meta.protected:
        return nothing(Reason.PROTECTED, f"carries the label {names.PROTECTED}")
    if refusal := guard.refuses(key.resource, key.namespace, key.name):
        return nothing(Reason.GUARDED, refusal)
    return None


def _stamped(subject: Subject, policies: Policies, now: datetime) -> Plan:
    name = subject.meta.label_map[names.POLICY]
    policy = policies.get(name)
    if policy is None or not _holds(policy, subject):
        return _orphaned(subject, policies, now)
    if policy.suspended:
        return nothing(Reason.SUSPENDED, f"ExpiryPolicy {name} is suspended")
    wish, annotations = read(subject.meta), subject.meta.annotation_map
    if names.WAKE_REQUESTED in annotations and (request := waking.request(subject.meta)):
        return waking.plan(subject, policy, wish, request, now)
    if wish.at is None:
        return _endless(subject, policy, wish, now)
    recorded = names.STEPS in annotations or names.WARNING in annotations
    if not (policy.timeline or recorded):
        return agenda.deletion(subject, policy, wish.at, now)
    waits = None if recorded else agenda.waiting(policy, wish.at, now)
    return waits or agenda.plan(subject, policy, wish, now)


def _holds(policy: Policy, subject: Subject) -> bool:
    acts = policy.enforcement is not Enforcement.AUDIT
    return acts and fits(policy, subject.group_resource, subject.meta, subject.namespace_labels)


def _endless(subject: Subject, policy: Policy, wish: Wish, now: datetime) -> Plan:
    """Treat a stamped object that says no instant: it never ends, or has lost its end."""
    if wish.never:
        # Also where the policy has bounds by now: changing `ttl` moves no existing end.
        return nothing(Reason.UNCHANGED, "never ends")
    case = Case(policy, subject.meta, None, now)
    end = overdue(case, wish)
    if end is None:
        return _ignored(policy, wish, Reason.INERT)
    return _stamp(subject, case, end, Reason.CAUGHT_UP)


def _orphaned(subject: Subject, policies: Policies, now: datetime) -> Plan:
    """Hand over what its policy let go; without a next policy its stamps mean nothing."""
    heir = policies.deciding(subject.group_resource, subject.meta, subject.namespace_labels)
    if heir is None:
        return nothing(_without_policy(subject, policies, Reason.INERT))
    if heir.suspended:
        return nothing(Reason.SUSPENDED, f"ExpiryPolicy {heir.name} is suspended")
    wish = read(subject.meta)
    case = Case(heir, subject.meta, None, now)
    end = _inherited(case, wish)
    if end is None:
        return _ignored(heir, wish, Reason.INERT)
    return _stamp(subject, case, end, Reason.HANDED_OVER)


def _inherited(case: Case, wish: Wish) -> End | None:
    """Keep an end that was announced; one that came under nobody's rule waits ``grace``."""
    if wish.at and wish.at_text:
        announced = Until(wish.at, wish.at_text)
        return announced if wish.at > case.now else graced(case, announced)
    return _missed(case, wish)


def _unstamped(subject: Subject, policies: Policies, now: datetime) -> Plan:
    policy = policies.deciding(subject.group_resource, subject.meta, subject.namespace_labels)
    if policy is None:
        return nothing(_without_policy(subject, policies, Reason.NO_POLICY))
    if policy.suspended:
        return nothing(Reason.SUSPENDED, f"ExpiryPolicy {policy.name} is suspended")
    wish = read(subject.meta)
    case = Case(policy, subject.meta, None, now)
    end = _caught(case, wish)
    if end is None:
        return _ignored(policy, wish, Reason.UNCHANGED)
    place = Place(subject.group_resource, subject.key.namespace, subject.namespace)
    host = address.first(policy, subject.meta, place).host
    # Steps that were done before there was a stamp were done to another object, or to none.
    fresh: Changes = {names.HOST: host, names.STEPS: None, names.WARNING: None}
    return _stamp(subject, case, end, Reason.CAUGHT_UP, fresh)


def _caught(case: Case, wish: Wish) -> End | None:
    """Give the end that the webhook would have given, but never a sudden one.

    An end that its author wrote is kept as written, unless it is past or out of bounds: writing
    it while admission was down is no way around the policy.
    """
    if wish.at is None or not wish.at_text:
        return _missed(case, wish)
    end = Until(wish.at, wish.at_text)
    bounded = end if case.lenient else within(case, end)
    return bounded if bounded is end and end.at > case.now else graced(case, bounded)


def _missed(case: Case, wish: Wish) -> End | None:
    if wish.never and never_allowed(case.policy):
        return Never()
    return overdue(case, wish)


def _without_policy(subject: Subject, policies: Policies, otherwise: str) -> str:
    auditing = policies.auditing(subject.group_resource, subject.meta, subject.namespace_labels)
    return Reason.AUDIT_ONLY if auditing else otherwise


def _stamp(subject: Subject, case: Case, end: End, reason: str, more: Changes = NO_CHANGES) -> Plan:
    """Write label and end; look again when that end comes. A host it has stays, unless given."""
    meta, until = case.meta, end if isinstance(end, Until) else None
    annotations = {names.EXPIRES_AT: until.text if until else None, **more}
    if until and until.text != meta.annotation_map.get(names.EXPIRES_AT):
        # Nobody asked for this end: until somebody moves it, to end the object is a surprise.
        annotations[names.CAUGHT_UP] = instant.render(case.now)
    stamps = Stamps(annotations, {names.POLICY: case.policy.name}).needed(meta)
    action = Stamp(subject.key, meta.uid, meta.resource_version, stamps, reason, case.policy.name)
    return Plan((action,), until.at if until else None, reason)


def _ignored(policy: Policy, wish: Wish, otherwise: str) -> Plan:
    """Do nothing, and name what could not be read if that is why."""
    problem = wish.at_problem or wish.ttl_problem
    if problem is None:
        return nothing(otherwise)
    return Plan((), None, problem.reason, problem.text, policy.name)
