"""What admission answers: ``stamp`` for the mutating call, ``judge`` for the validating one."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

import msgspec

from dayfly_core import address, names
from dayfly_core.address import Address, Place
from dayfly_core.api import Enforcement
from dayfly_core.bounds import objections
from dayfly_core.claimants import HOST_FIELD
from dayfly_core.expiry import TOLERANCE, Case, End, Never, Until, decide
from dayfly_core.guard import furniture
from dayfly_core.objects import ObjectMeta
from dayfly_core.patch import crowded, too_large
from dayfly_core.policies import Policies, Policy, fits
from dayfly_core.reasons import Reason
from dayfly_core.receipts import changed, line, receipts, warning
from dayfly_core.request import Operation, Request
from dayfly_core.stamps import Stamps, applied, records, slept
from dayfly_core.violations import Violation, shown
from dayfly_core.wish import EXPIRES_AT_FIELD, read, without_end

__all__ = ["Operation", "Request", "Stamps", "Verdict", "judge", "stamp"]

COPIED: Final = "the stamps of another object were dropped: this one's end is counted anew"


class Verdict(msgspec.Struct, frozen=True):
    """The answer to one request. Only ``judge`` gives violations, and they refuse it."""

    reason: str
    policy: str = ""
    violations: tuple[Violation, ...] = ()
    stamps: Stamps | None = None
    warnings: tuple[str, ...] = ()
    receipts: tuple[str, ...] = ()
    """What is so from now on: to be told only if the request is let pass."""
    audited: tuple[str, ...] = ()
    """What Audit policies would have refused: for audit annotations and metrics."""
    claims: tuple[str, ...] = ()
    """NameClaims that give the object what it asks for: for audit annotations."""


def exempt(request: Request) -> str | None:
    """Say why a request is none of Dayfly's business, None if it is."""
    if request.operation not in (Operation.CREATE, Operation.UPDATE):
        return Reason.EXEMPT
    if request.meta.deletion_timestamp:
        return Reason.EXEMPT
    if furniture(request.group, request.plural, request.namespace, request.meta.name):
        return Reason.EXEMPT
    if request.meta.controlled:
        return Reason.CONTROLLED
    if not (request.meta.name or request.meta.generate_name):
        # The API server will refuse it; there may not even be metadata to patch.
        return Reason.UNREADABLE
    return None


def governing(request: Request, policies: Policies, around: dict[str, str] | None) -> Policy | None:
    """Find the policy that decides: the one on the label while it fits, or the first that does.

    So a new policy of higher priority takes no object over; the operator hands objects over when
    their own policy is gone.
    """
    stored = request.stored
    held = policies.get(stored.label_map.get(names.POLICY, "")) if stored else None
    acts = held is not None and held.enforcement is not Enforcement.AUDIT
    if held and acts and fits(held, request.group_resource, request.meta, around):
        return held
    return policies.deciding(request.group_resource, request.meta, around)


# The mutating call.


def stamp(
    request: Request, policies: Policies, namespace: ObjectMeta | None, now: datetime
) -> Verdict:
    """Set the end, the policy and the author; never raises, never refuses."""
    if reason := exempt(request):
        return Verdict(reason)
    policy = governing(request, policies, request.namespace_labels(namespace))
    stored, place = request.stored, _place(request, namespace)
    if stored is None:
        return _stamp_create(request, policy, place, now)
    return _stamp_update(request, stored, policy, place, now)


def _place(request: Request, namespace: ObjectMeta | None) -> Place:
    if not request.namespaced:
        return Place(request.group_resource)
    return Place(request.group_resource, request.namespace, namespace)


def _stamp_create(request: Request, policy: Policy | None, place: Place, now: datetime) -> Verdict:
    copied = _copied(request, policy, now)
    meta = without_end(request.meta) if copied else request.meta
    case = Case(policy, meta, None, now) if policy and not policy.suspended else None
    end = decide(case) if case else None
    host = address.first(policy if end else None, request.meta, place)
    strange = {**records(None, moved=True), **slept(request.meta)}
    stamps = Stamps(strange | ({names.CREATED_BY: None} if _author_forged(request) else {}))
    if policy and end:
        annotations = {names.CREATED_BY: request.username or None, names.EXPIRES_AT: _text(end)}
        stamps = Stamps(strange | annotations, {names.POLICY: policy.name})
    elif copied:
        annotations = {names.CREATED_BY: None, names.EXPIRES_AT: None}
        stamps = Stamps(strange | annotations, {names.POLICY: None})
    if copied:
        host = host._replace(overruled=COPIED)
    return _written(request, policy, stamps, host, _overruled(case, end))


def _author_forged(request: Request) -> bool:
    author = request.meta.annotation_map.get(names.CREATED_BY)
    return author is not None and author != request.username


def _copied(request: Request, policy: Policy | None, now: datetime) -> bool:
    """Whether the stamps on a CREATE are another object's: a copy, a restore, a clone."""
    carried = names.POLICY in request.meta.label_map and not request.reinvoked
    return carried and (policy is None or not _ours(request, policy, now))


def _ours(request: Request, policy: Policy, now: datetime) -> bool:
    """Whether these are the very stamps that this request would get: keep them, and be silent."""
    meta = request.meta
    if meta.label_map.get(names.POLICY) != policy.name:
        return False
    if meta.annotation_map.get(names.CREATED_BY) != request.username:
        return False
    end, given = read(meta).at, decide(Case(policy, without_end(meta), None, now))
    if isinstance(given, Until):
        return end is not None and abs(end - given.at) <= TOLERANCE
    return isinstance(given, Never) and end is None


def _stamp_update(
    request: Request, stored: ObjectMeta, policy: Policy | None, place: Place, now: datetime
) -> Verdict:
    case = _case(request, policy, now) if policy and not policy.suspended else None
    end = decide(case) if case else None
    fresh = bool(end) and names.POLICY not in stored.label_map
    meta = request.meta
    host = address.first(policy, meta, place) if fresh else address.kept(meta, stored)
    # Who made it and which policy has it are not for the client to change, by dropping either.
    annotations = {names.CREATED_BY: stored.annotation_map.get(names.CREATED_BY)}
    labels = {names.POLICY: stored.label_map.get(names.POLICY)}
    if policy and end:
        annotations[names.EXPIRES_AT] = _text(end)
        labels = {names.POLICY: labels[names.POLICY] or policy.name}
    written = applied(meta.annotation_map, annotations).get(names.EXPIRES_AT)
    moved = written != stored.annotation_map.get(names.EXPIRES_AT)
    annotations |= records(stored, moved=moved)
    return _written(request, policy, Stamps(annotations, labels), host, _overruled(case, end))


def _overruled(case: Case | None, end: End | None) -> tuple[str, ...]:
    """Warn of an ``expires-at`` that a lenient policy replaces: ``judge`` will not see it."""
    if case is None or end is None or not case.lenient:
        return ()
    if case.meta.annotation_map.get(names.EXPIRES_AT) == _text(end):
        return ()
    return tuple(warning(v) for v in objections(case) if v.field == EXPIRES_AT_FIELD)


def _text(end: End) -> str | None:
    return end.text if isinstance(end, Until) else None


def _written(
    request: Request,
    policy: Policy | None,
    stamps: Stamps,
    host: Address,
    warnings: tuple[str, ...],
) -> Verdict:
    name = policy.name if policy else ""
    warnings = (*host.warnings, *warnings)
    annotations = {**stamps.annotations, names.HOST: host.host}
    needed = Stamps(annotations, stamps.labels).needed(request.meta)
    if not needed:
        return Verdict(_idle(policy), name, warnings=warnings)
    if too_large(request.meta, needed):
        large = line("not stamped by Dayfly: its annotations would be over 256 KiB")
        return Verdict(Reason.ANNOTATIONS_TOO_LARGE, name, warnings=(large,))
    reason = Reason.HOST_SKIPPED if host.skipped else Reason.STAMPED
    return Verdict(reason, name, stamps=needed, warnings=warnings)


def _idle(policy: Policy | None) -> str:
    if policy is None:
        return Reason.NO_POLICY
    return Reason.SUSPENDED if policy.suspended else Reason.UNCHANGED


# The validating call.


def judge(
    request: Request, policies: Policies, namespace: ObjectMeta | None, now: datetime
) -> Verdict:
    """Check the object as it would be stored: every violation at once, or the receipts."""
    if reason := exempt(request):
        return Verdict(reason)
    around = request.namespace_labels(namespace)
    policy = governing(request, policies, around)
    auditing = policies.auditing(request.group_resource, request.meta, around)
    audited = tuple(text for audit in auditing for text in _audit(request, audit, now))
    if policy is None or policy.suspended:
        reason = Reason.AUDIT_ONLY if auditing and not policy else _idle(policy)
        return Verdict(reason, policy.name if policy else "", audited=audited)
    forged = _forgeries(request, policy, _true_host(request, policy, _place(request, namespace)))
    found = (*forged, *objections(_case(request, policy, now)))
    if policy.enforcement is Enforcement.ENFORCE and crowded(request.meta.annotation_map):
        found = (*found, *_unstampable(request, stamp(request, policies, namespace, now)))
    if found and policy.enforcement is Enforcement.ENFORCE:
        return Verdict(found[0].reason, policy.name, violations=found, audited=audited)
    calm = Reason.STAMPED if changed(request) else Reason.UNCHANGED
    return Verdict(
        found[0].reason if found else calm,
        policy.name,
        warnings=tuple(map(warning, found)),
        receipts=receipts(request, policy, namespace, now),
        audited=audited,
    )


def _case(request: Request, policy: Policy, now: datetime) -> Case:
    return Case(policy, request.meta, request.stored, now, request.spec_changed)


def _audit(request: Request, policy: Policy, now: datetime) -> Iterator[str]:
    for violation in objections(_case(request, policy, now)):
        yield f"{policy.name}: {violation.text}"


def _unstampable(request: Request, stamped: Verdict) -> Iterator[Violation]:
    """Refuse what has no room for its stamps: without them it would never end."""
    if stamped.reason == Reason.ANNOTATIONS_TOO_LARGE:
        keys = f"{len(request.meta.annotation_map)} keys"
        says = (
            "leave no room for Dayfly's own: of all annotations together, an object takes 256 KiB"
        )
        yield Violation(Reason.ANNOTATIONS_TOO_LARGE, "metadata.annotations", keys, says)


def _true_host(request: Request, policy: Policy, place: Place) -> str | None:
    stored, meta = request.stored, request.meta
    held = stored is not None and names.POLICY in stored.label_map
    if names.POLICY in meta.label_map and not held:
        return address.first(policy, meta, place).host
    return address.kept(meta, stored).host if stored else None


def _forgeries(request: Request, policy: Policy, true_host: str | None) -> Iterator[Violation]:
    """Check what ``stamp`` would have put right: it may not have been called.

    What the author did not write is no forgery, though another replica may have written something
    else than we would: the watches of two are never at the same point.
    """
    stored, meta = request.stored, request.meta
    author = meta.annotation_map.get(names.CREATED_BY)
    true_author = stored.annotation_map.get(names.CREATED_BY) if stored else request.username
    if author is not None and author != true_author:
        field = f"metadata.annotations[{names.CREATED_BY}]"
        says = f"is set by Dayfly, to {shown(true_author or 'nothing')}; leave it out"
        yield Violation(Reason.STAMP_FORGED, field, author, says)
    label = meta.label_map.get(names.POLICY)
    true_label = (stored.label_map.get(names.POLICY) if stored else None) or policy.name
    if label is not None and label != true_label and not request.reinvoked:
        field = f"metadata.labels[{names.POLICY}]"
        says = f"is set by Dayfly, to {shown(true_label)}; leave it out"
        yield Violation(Reason.STAMP_FORGED, field, label, says)
    host = meta.annotation_map.get(names.HOST)
    if host is not None and host != true_host and not request.host_given:
        says = f"is set by Dayfly, to {shown(true_host or 'nothing')}; leave it out"
        yield Violation(Reason.STAMP_FORGED, HOST_FIELD, host, says)
