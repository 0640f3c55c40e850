"""What becomes of a NamespaceManager: the first of its policies that is true acts, once.

What is begun is recorded before it is done, with the uid of the namespace that it is meant for; so
the next leader goes on with it, and a namespace made later under the same name is never hit.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec
from msgspec import UNSET

from dayfly_core import names
from dayfly_core.api import ConditionStatus
from dayfly_core.api.namespace_manager import ActionType
from dayfly_core.errand import RECHECK, Stored
from dayfly_core.guard import Guard
from dayfly_core.lifecycle import Choice, Result, Rule, choose
from dayfly_core.namespace_manager.acts import ACTS, Turn
from dayfly_core.namespace_manager.case import Begun, Case, ManagerPlan, noted, unreadable
from dayfly_core.namespace_manager.entries import (
    changed,
    done,
    entries_of,
    idle,
    noting,
    over,
    pending,
    replaced,
    withheld,
)
from dayfly_core.namespace_manager.rules import action_of, guarded, policy_of, read
from dayfly_core.objects import ObjectMeta
from dayfly_core.reasons import Reason
from dayfly_core.triggers import Checks, Facts, Met, NotYet, PodsSucceed, ask, checked

DESTRUCTIVE: Final = (ActionType.DELETE, ActionType.SCALE_DOWN)
"""Actions that take something away, and that protection stops."""

PATIENCE: Final = timedelta(seconds=10)
"""Until pods that could not be read are asked for again."""


class Observed(msgspec.Struct, frozen=True):
    """What was looked at for this decision."""

    pods: Mapping[str, Sequence[str]] = {}
    """Phases of the pods that ``pods_wanted`` asked for, by the name of its rule; what could not be
    read is left out."""
    checks: Mapping[str, Checks] = {}
    """What the last plan of this manager returned as ``checks``; empty after a start."""


class PodQuery(msgspec.Struct, frozen=True):
    """Pods to list, from etcd, for one rule; no labels means all of the namespace."""

    rule: str
    namespace: str
    labels: Mapping[str, str]


def pods_wanted(
    stored: Stored, namespace: ObjectMeta | None, checks: Mapping[str, Checks], now: datetime
) -> tuple[PodQuery, ...]:
    """Return the pods to list before deciding; none of a rule whose check is not due."""
    try:
        case = Case(stored, read(stored), now)
    except msgspec.ValidationError:
        return ()
    busy = case.spec.deactivated or case.acted() or case.begun()
    if busy or namespace is None or namespace.deletion_timestamp:
        return ()
    return tuple(_queries(case, _facts(case, namespace, Observed(checks=checks)), namespace))


def _queries(case: Case, facts: Facts, namespace: ObjectMeta) -> Iterator[PodQuery]:
    closed = case.records(namespace.uid)
    for rule in case.rules:
        if rule.name not in closed and _check_due(rule, facts, case.now):
            params = policy_of(rule).condition.params
            labels = params.pod_labels if params else UNSET
            yield PodQuery(rule.name, namespace.name, labels or {})


def _check_due(rule: Rule, facts: Facts, now: datetime) -> bool:
    if not isinstance(rule.condition, PodsSucceed):
        return False
    answer = ask(rule.condition, facts, now)
    return isinstance(answer, Met) or (answer.again is not None and answer.again <= now)


def _facts(case: Case, namespace: ObjectMeta | None, observed: Observed) -> Facts:
    meta = case.stored.metadata
    first = noted(meta, names.FIRST_CHECK, case.now)
    before = Checks(first, noted(meta, names.LAST_CHECK, case.now))
    checks = {rule.name: observed.checks.get(rule.name, before) for rule in case.rules}
    created = namespace.creation_timestamp if namespace else None
    return Facts(created=created, pods=observed.pods, checks=checks)


def plan(
    stored: Stored,
    namespace: ObjectMeta | None,
    observed: Observed,
    guard: Guard,
    now: datetime,
) -> ManagerPlan:
    """Decide about one NamespaceManager; ``namespace`` is its target as etcd has it."""
    if stored.metadata.deletion_timestamp:
        return ManagerPlan(None, None, Reason.DELETED)
    try:
        case = Case(stored, read(stored), now)
    except msgspec.ValidationError as error:
        return _unreadable(stored, str(error), now)
    if case.spec.deactivated:
        return _dormant(case)
    if case.acted():
        return over(case, case.status.policies)
    return _active(case, namespace, observed, guard)


def _active(
    case: Case, namespace: ObjectMeta | None, observed: Observed, guard: Guard
) -> ManagerPlan:
    begun = case.begun()
    if begun and _moot(begun, namespace):
        note = f"namespace {case.target} is gone"
        return over(case, changed(case, done(begun.entry, note)))
    if begun is None and (namespace is None or namespace.deletion_timestamp):
        return _without_target(case, namespace)
    return _turn(case, begun, namespace, _facts(case, namespace, observed), guard)


def _unreadable(stored: Stored, problem: str, now: datetime) -> ManagerPlan:
    ready = (ConditionStatus.FALSE, Reason.INVALID_SPEC, problem)
    patch = unreadable(stored, ready, now)
    return ManagerPlan(None, None, Reason.INVALID_SPEC, problem, status=patch)


def _dormant(case: Case) -> ManagerPlan:
    """Do nothing; that this was seen is what makes a later ``false`` begin anew."""
    kept = [msgspec.structs.replace(each, next_check=UNSET) for each in case.status.policies]
    acted = next((each.name for each in kept if each.result == Result.DONE), None)
    why = "; set it to false to begin"
    if acted is not None:
        why = f": policy {acted} has acted; set it to false to begin anew"
    note = f"spec.deactivated is true{why}"
    ready = (ConditionStatus.FALSE, Reason.DEACTIVATED, note)
    return ManagerPlan(None, None, Reason.DEACTIVATED, note, status=case.written(kept, ready))


def _moot(begun: Begun, namespace: ObjectMeta | None) -> bool:
    """Whether what was begun has come about: its namespace is gone, or going."""
    if action_of(begun.rule) not in DESTRUCTIVE:
        return False
    gone = namespace is None or namespace.uid != begun.entry.target_uid
    return gone or bool(namespace and namespace.deletion_timestamp)


def _without_target(case: Case, namespace: ObjectMeta | None) -> ManagerPlan:
    if namespace is None:
        reason, note = Reason.TARGET_MISSING, f"namespace {case.target} does not exist"
    else:
        reason, note = Reason.TERMINATING, f"namespace {case.target} is being deleted"
    status = case.written(idle(case, reason), (ConditionStatus.FALSE, reason, note))
    return ManagerPlan(None, None, reason, note, status=status)


# Whose turn it is.


def _turn(
    case: Case, begun: Begun | None, namespace: ObjectMeta | None, facts: Facts, guard: Guard
) -> ManagerPlan:
    uid = namespace.uid if namespace else ""
    choice = choose(case.rules, facts, case.records(uid), case.now)
    rule, since = choice.rule, choice.since
    if rule is None or since is None or (begun and since > case.now):
        return _waiting(case, choice, facts, uid)
    if kept := _kept(case, action_of(rule), namespace, guard):
        return _left_alone(case, facts, uid, kept)
    entry = begun.entry if begun else pending(case, rule, uid)
    entries = replaced(entries_of(case, facts, uid), entry)
    said = withheld(case) if begun else None
    act = ACTS[ActionType(action_of(rule))](Turn(case, rule, entry, min(since, case.now)))
    return ManagerPlan(
        act,
        case.now + RECHECK,
        Reason.BEGUN,
        status=case.written(entries, case.ready(entries), said),
        checks=_checked(case, facts),
    )


def _waiting(case: Case, choice: Choice, facts: Facts, uid: str) -> ManagerPlan:
    entries = list(entries_of(case, facts, uid))
    # One that was begun keeps its turn.
    again = choice.since if choice.rule else _next(case, facts, uid)
    return ManagerPlan(
        None,
        again,
        Reason.RETRYING if choice.rule else Reason.NOT_DUE,
        status=case.written(entries, case.ready(entries), withheld(case) if choice.rule else None),
        metadata=noting(case, acting=False) if facts.pods else {},
        checks=_checked(case, facts),
    )


def _kept(
    case: Case, action: str, namespace: ObjectMeta | None, guard: Guard
) -> tuple[str, str] | None:
    if refusal := guarded(guard, action, case.target):
        return Reason.GUARDED, refusal
    if action in DESTRUCTIVE and namespace and namespace.protected:
        note = f"namespace {case.target} carries the label {names.PROTECTED}"
        return Reason.PROTECTED, note
    return None


def _left_alone(case: Case, facts: Facts, uid: str, kept: tuple[str, str]) -> ManagerPlan:
    """Do nothing; the policy keeps its turn, for what keeps the namespace may be lifted."""
    reason, note = kept
    entries = list(entries_of(case, facts, uid))
    said = (ConditionStatus.TRUE, reason, note)
    status = case.written(entries, case.ready(entries), said)
    # That it is lifted is heard of; until then a policy before it may become true.
    again = _next(case, facts, uid)
    return ManagerPlan(None, again, reason, note, status=status, checks=_checked(case, facts))


def _next(case: Case, facts: Facts, uid: str) -> datetime | None:
    """Return when a policy may become true; what was not readable can wait."""
    closed = case.records(uid)
    answers = (
        ask(rule.condition, facts, case.now) for rule in case.rules if rule.name not in closed
    )
    waiting = [each.again for each in answers if isinstance(each, NotYet) and each.again]
    later = (at if at > case.now else case.now + PATIENCE for at in waiting)
    return min(later, default=None)


def _checked(case: Case, facts: Facts) -> dict[str, Checks]:
    return {
        rule.name: checked(rule.condition, facts, case.now)
        for rule in case.rules
        if isinstance(rule.condition, PodsSucceed)
    }
