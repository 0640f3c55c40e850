"""What a Stay gives its namespace: what a person with rights on it would be allowed, and no more.

Judged as of the Stay's creation, so that admission and the operator, which comes later, say the
same; and only if the policies are known as they are now.
"""

from datetime import datetime

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from dayfly_core import duration, instant, names
from dayfly_core.api import ConditionStatus, Enforcement, Stay, StayStatus
from dayfly_core.bounds import objections
from dayfly_core.conditions import Said, with_condition
from dayfly_core.expiry import Case, Until, after
from dayfly_core.objects import NAMESPACES, ObjectMeta
from dayfly_core.policies import Policies, Policy, fits
from dayfly_core.reasons import Condition, Reason
from dayfly_core.receipts import warning
from dayfly_core.stamps import Changes
from dayfly_core.violations import Violation
from dayfly_core.wish import read

FOR_FIELD, UNTIL_FIELD = "spec.for", "spec.until"


class Grant(msgspec.Struct, frozen=True):
    """What is to be written on the namespace, in one patch of the version that was judged."""

    expires_at: str | None
    """The new end, later than the present one; None: it stays where it is."""
    wake: str
    """What goes into ``wake-requested``: always the same for one Stay; empty: no wish to wake."""
    policy: str
    warnings: tuple[str, ...] = ()

    @property
    def changes(self) -> Changes:
        """The annotations to write. An end that a tenant asked for is no surprise any more."""
        end: Changes = {names.EXPIRES_AT: self.expires_at, names.CAUGHT_UP: None}
        wake: Changes = {names.WAKE_REQUESTED: self.wake}
        return {**(end if self.expires_at else {}), **(wake if self.wake else {})}


class Denied(msgspec.Struct, frozen=True):
    """Nothing is written; the first violation's reason, and what would have been right."""

    reason: str
    message: str
    violations: tuple[Violation, ...] = ()


class AlreadyDone(msgspec.Struct, frozen=True):
    """Nothing is left to write: it was carried out, or the namespace stays that long anyway."""

    expires_at: str | None
    """The namespace's present end."""


Decision = Grant | Denied | AlreadyDone


def settled(stay: Stay) -> bool:
    """Whether its status says what has come of it: then it is never looked at again."""
    return stay.status is not UNSET and any(
        condition.type == Condition.GRANTED for condition in stay.status.conditions
    )


def decide(stay: Stay, namespace: ObjectMeta, policies: Policies, now: datetime) -> Decision:
    """Say what a Stay does to its namespace."""
    if settled(stay):
        return AlreadyDone(namespace.annotation_map.get(names.EXPIRES_AT))
    if namespace.deletion_timestamp:
        return Denied(Reason.NAMESPACE_ENDING, "the namespace is being deleted already")
    policy = _policy(namespace, policies)
    if policy is None:
        return Denied(Reason.NOTHING_TO_EXTEND, "no ExpiryPolicy has given the namespace an end")
    try:
        asked = _asked(stay, now)
    except (duration.InvalidDuration, instant.InvalidInstant) as error:
        return _denied(stay, Reason.INVALID_EXPIRES_AT, error.detail)
    return _judged(Petition(stay, namespace, policy, now), asked)


def _policy(namespace: ObjectMeta, policies: Policies) -> Policy | None:
    """Return whose end it is that the namespace has; None if nobody would carry it out."""
    held = policies.get(namespace.label_map.get(names.POLICY, ""))
    kind = NAMESPACES.pair
    if held is None or held.enforcement is Enforcement.AUDIT:
        return None
    return held if fits(held, kind, namespace, namespace.label_map) else None


class Petition(msgspec.Struct, frozen=True):
    """A Stay before the policy that it is for."""

    stay: Stay
    namespace: ObjectMeta
    policy: Policy
    now: datetime

    @property
    def wake(self) -> str:
        """The request to wake that is not on the namespace yet."""
        text = wake_text(self.stay) if self.stay.spec.wake else ""
        return "" if self.namespace.annotation_map.get(names.WAKE_REQUESTED) == text else text

    def objections(self, end: Until) -> tuple[Violation, ...]:
        """Object to the end as to one that a person writes on the namespace."""
        annotations = {**self.namespace.annotation_map, names.EXPIRES_AT: end.text}
        meta = replace(self.namespace, annotations=annotations)
        case = Case(self.policy, meta, self.namespace, created(self.stay, self.now))
        field, value = _written(self.stay)
        return tuple(Violation(v.reason, field, value, v.detail) for v in objections(case))


def _judged(petition: Petition, asked: Until | None) -> Decision:
    present = read(petition.namespace)
    if asked is None or present.at is None or asked.at <= present.at:
        if petition.wake:
            return Grant(None, petition.wake, petition.policy.name)
        return AlreadyDone(present.at_text)
    if asked.at <= petition.now:
        return _denied(petition.stay, Reason.END_IN_THE_PAST, "has passed; ask for a later end")
    found = petition.objections(asked)
    if found and petition.policy.enforcement is Enforcement.ENFORCE:
        return Denied(found[0].reason, "; ".join(v.text for v in found), found)
    return Grant(asked.text, petition.wake, petition.policy.name, tuple(map(warning, found)))


def _asked(stay: Stay, now: datetime) -> Until | None:
    if stay.spec.length is not UNSET:
        return after(created(stay, now), duration.parse(stay.spec.length))
    if stay.spec.until is not UNSET:
        at = instant.parse(stay.spec.until)
        return Until(at, instant.render(at))
    return None


def _written(stay: Stay) -> tuple[str, str]:
    if stay.spec.length is not UNSET:
        return FOR_FIELD, stay.spec.length
    return UNTIL_FIELD, "" if stay.spec.until is UNSET else stay.spec.until


def _denied(stay: Stay, reason: str, detail: str) -> Denied:
    violation = Violation(reason, *_written(stay), detail)
    return Denied(reason, violation.text, (violation,))


def created(stay: Stay, now: datetime) -> datetime:
    """When it was asked: now, if the API server has not set it yet."""
    return stay.metadata.creation_timestamp or now


def wake_text(stay: Stay) -> str:
    """Say who wants the namespace back; another text is another request, hence the uid."""
    meta = stay.metadata
    asked = f"{instant.render(meta.creation_timestamp)} " if meta.creation_timestamp else ""
    return f"{asked}Stay/{meta.name} {meta.uid}"


def status(stay: Stay, decision: Decision, now: datetime) -> StayStatus:
    """Return the status that records a decision, once what it says is written."""
    before = StayStatus() if stay.status is UNSET else stay.status
    conditions = with_condition(
        before.conditions,
        Condition.GRANTED,
        _outcome(decision),
        generation=stay.metadata.generation,
        now=now,
    )
    end = None if isinstance(decision, Denied) else decision.expires_at
    return StayStatus(expires_at=UNSET if end is None else end, conditions=conditions)


def _outcome(decision: Decision) -> Said:
    if isinstance(decision, Denied):
        return ConditionStatus.FALSE, decision.reason, decision.message
    return ConditionStatus.TRUE, Reason.GRANTED, _granted(decision)


def _granted(decision: Grant | AlreadyDone) -> str:
    end = decision.expires_at
    if isinstance(decision, AlreadyDone):
        return f"the namespace stays until {end} anyway" if end else "the namespace has no end"
    wake = "what its policy has scaled down comes back" if decision.wake else ""
    return "; ".join(filter(None, (f"the namespace ends {end}" if end else "", wake)))
