"""What the operator does with one object now, and when to look at it again."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from dayfly_core import address, names
from dayfly_core.actions import Action, Delete, Stamp
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
from dayfly_core.names import Reason
from dayfly_core.objects import NAMESPACES, Key, ObjectMeta
from dayfly_core.policies import GroupResource, Policies, Policy, fits
from dayfly_core.stamps import NO_CHANGES, Changes, Stamps
from dayfly_core.wish import Wish, read


@dataclass(frozen=True, slots=True)
class Subject:
    """An object as it was last seen, and the namespace around it; None around cluster-scoped ones.

    Of a namespaced object without its namespace nothing is decided: no selector can be asked.
    """

    key: Key
    meta: ObjectMeta
    namespace: ObjectMeta | None

    @property
    def group_resource(self) -> GroupResource:
        """Group and plural, as policies list them."""
        return self.key.resource.group, self.key.resource.plural

    @property
    def is_namespace(self) -> bool:
        """Whether it is a Namespace: its end is the end of all in it."""
        return self.group_resource == (NAMESPACES.group, NAMESPACES.plural)

    @property
    def namespace_labels(self) -> dict[str, str] | None:
        """Labels for a policy's ``namespaceSelector``; None where only an empty one may fit."""
        if self.is_namespace:
            return self.meta.label_map
        return self.namespace.label_map if self.namespace else None


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do now, when to look again if nothing changes before, and why."""

    actions: tuple[Action, ...]
    again: datetime | None
    reason: str
    note: str = ""
    policy: str = ""
    """Whose rule it is that nothing is done; an action names its own."""

    @property
    def unreadable(self) -> bool:
        """Whether nothing is done because of what is written there: somebody has to hear of it."""
        return self.reason in UNREADABLE


UNREADABLE: Final = frozenset({Reason.INVALID_EXPIRES_AT, Reason.INVALID_TTL, Reason.UNREADABLE})


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
        return _nothing(Reason.DELETED, "is being deleted already")
    if key.resource.namespaced and subject.namespace is None:
        return _nothing(Reason.UNCHANGED, f"namespace {key.namespace} is not known")
    if meta.controlled:
        return _nothing(Reason.CONTROLLED, "its owner decides")
    if meta.protected:
        return _nothing(Reason.PROTECTED, f"carries the label {names.PROTECTED}")
    if refusal := guard.refuses(key.resource, key.namespace, key.name):
        return _nothing(Reason.GUARDED, refusal)
    return None


def _stamped(subject: Subject, policies: Policies, now: datetime) -> Plan:
    name = subject.meta.label_map[names.POLICY]
    policy = policies.get(name)
    if policy is None or not _holds(policy, subject):
        return _orphaned(subject, policies, now)
    if policy.suspended:
        return _nothing(Reason.SUSPENDED, f"ExpiryPolicy {name} is suspended")
    wish = read(subject.meta)
    if wish.at is None:
        return _endless(subject, policy, wish, now)
    if wish.at > now:
        return Plan((), wish.at, Reason.NOT_DUE)
    meta = subject.meta
    ended = Delete(subject.key, meta.uid, meta.resource_version, wish.at, name)
    return Plan((ended,), None, Reason.EXPIRED)


def _holds(policy: Policy, subject: Subject) -> bool:
    acts = policy.enforcement is not Enforcement.AUDIT
    return acts and fits(policy, subject.group_resource, subject.meta, subject.namespace_labels)


def _endless(subject: Subject, policy: Policy, wish: Wish, now: datetime) -> Plan:
    """Treat a stamped object that says no instant: it never ends, or has lost its end."""
    if wish.never:
        # Also where the policy has bounds by now: changing `ttl` moves no existing end.
        return _nothing(Reason.UNCHANGED, "never ends")
    end = overdue(Case(policy, subject.meta, None, now), wish)
    if end is None:
        return _ignored(policy, wish, Reason.INERT)
    return _stamp(subject, policy, end, Reason.CAUGHT_UP)


def _orphaned(subject: Subject, policies: Policies, now: datetime) -> Plan:
    """Hand over what its policy let go; without a next policy its stamps mean nothing."""
    heir = policies.deciding(subject.group_resource, subject.meta, subject.namespace_labels)
    if heir is None:
        return _nothing(_without_policy(subject, policies, Reason.INERT))
    if heir.suspended:
        return _nothing(Reason.SUSPENDED, f"ExpiryPolicy {heir.name} is suspended")
    wish = read(subject.meta)
    end = _inherited(Case(heir, subject.meta, None, now), wish)
    if end is None:
        return _ignored(heir, wish, Reason.INERT)
    return _stamp(subject, heir, end, Reason.HANDED_OVER)


def _inherited(case: Case, wish: Wish) -> End | None:
    """Keep an end that was announced; one that came under nobody's rule waits ``grace``."""
    if wish.at and wish.at_text:
        announced = Until(wish.at, wish.at_text)
        return announced if wish.at > case.now else graced(case, announced)
    return _missed(case, wish)


def _unstamped(subject: Subject, policies: Policies, now: datetime) -> Plan:
    policy = policies.deciding(subject.group_resource, subject.meta, subject.namespace_labels)
    if policy is None:
        return _nothing(_without_policy(subject, policies, Reason.NO_POLICY))
    if policy.suspended:
        return _nothing(Reason.SUSPENDED, f"ExpiryPolicy {policy.name} is suspended")
    wish = read(subject.meta)
    end = _caught(Case(policy, subject.meta, None, now), wish)
    if end is None:
        return _ignored(policy, wish, Reason.UNCHANGED)
    place = Place(subject.group_resource, subject.key.namespace, subject.namespace)
    host = address.first(policy, subject.meta, place).host
    return _stamp(subject, policy, end, Reason.CAUGHT_UP, {names.HOST: host})


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


def _stamp(
    subject: Subject, policy: Policy, end: End, reason: str, host: Changes = NO_CHANGES
) -> Plan:
    """Write label and end; look again when that end comes. A host it has stays, unless given."""
    meta, until = subject.meta, end if isinstance(end, Until) else None
    annotations = {names.EXPIRES_AT: until.text if until else None, **host}
    stamps = Stamps(annotations, {names.POLICY: policy.name}).needed(meta)
    action = Stamp(subject.key, meta.uid, meta.resource_version, stamps, reason, policy.name)
    return Plan((action,), until.at if until else None, reason)


def _ignored(policy: Policy, wish: Wish, otherwise: str) -> Plan:
    """Do nothing, and name what could not be read if that is why."""
    problem = wish.at_problem or wish.ttl_problem
    if problem is None:
        return _nothing(otherwise)
    return Plan((), None, problem.reason, problem.text, policy.name)


def _nothing(reason: str, note: str = "") -> Plan:
    return Plan((), None, reason, note)
