"""What the status says of each policy."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec
from msgspec import UNSET

from dayfly_core import names
from dayfly_core.api.namespace_manager import PolicyResult
from dayfly_core.conditions import Said
from dayfly_core.errand import RECHECK
from dayfly_core.lifecycle import Result, Rule
from dayfly_core.namespace_manager.case import WAITING, Case, ManagerPlan, noted, whole
from dayfly_core.reasons import Condition, Reason
from dayfly_core.triggers import SUCCEEDED, Facts, Met, PodsSucceed, ask, shifted

NOTED_EVERY: Final = timedelta(minutes=5)
"""Between two notes of the last check: each is a write, and many managers check every few
seconds."""


def entry_of(
    name: str, reason: str, message: str = "", again: datetime | None = None
) -> PolicyResult:
    """Record that a policy waits, and why."""
    next_check = whole(again) if again else UNSET
    return PolicyResult(
        name=name, result=WAITING, reason=reason, message=message, next_check=next_check
    )


def entries_of(case: Case, facts: Facts, uid: str) -> Iterator[PolicyResult]:
    """Yield what is to be recorded of each policy if none of them acts."""
    counting, open_or_over = case.counting, case.records(uid)
    for name, rule in case.understood:
        if isinstance(rule, str):
            yield entry_of(name, Reason.INVALID_RULE, rule)
        elif name in open_or_over:
            yield counting[name]
        else:
            yield _open(case, rule, facts)


def _open(case: Case, rule: Rule, facts: Facts) -> PolicyResult:
    condition = rule.condition
    if facts.created is None:
        return entry_of(rule.name, Reason.TARGET_MISSING)
    answer = ask(condition, facts, case.now)
    if isinstance(answer, Met):
        return entry_of(rule.name, Reason.EXPIRED, "true, and another policy goes first")
    if not isinstance(condition, PodsSucceed):
        return entry_of(rule.name, Reason.NOT_DUE, again=answer.again)
    begins = shifted(facts.created, condition.initial_delay)
    if begins > case.now:
        return entry_of(rule.name, Reason.NOT_DUE, again=begins)
    return _of_pods(case, rule.name, condition, facts)


def _of_pods(case: Case, name: str, condition: PodsSucceed, facts: Facts) -> PolicyResult:
    phases = facts.pods.get(name)
    if phases is None:
        before = case.entry(name)
        looked = facts.checks[name].last
        if looked and case.now < shifted(looked, condition.period):
            # Not due: what was seen last still holds.
            return before or entry_of(name, Reason.PODS_RUNNING)
        return entry_of(name, Reason.PODS_UNKNOWN, "its pods could not be read")
    succeeded = sum(phase == SUCCEEDED for phase in phases)
    if succeeded < len(phases):
        return entry_of(
            name, Reason.PODS_RUNNING, f"{succeeded} of {len(phases)} pods have succeeded"
        )
    found = "all pods have succeeded" if phases else "there are no pods"
    return entry_of(name, Reason.PODS_RUNNING, f"{found}; looked at again to be sure")


def idle(case: Case, reason: str) -> Iterator[PolicyResult]:
    """Yield the same for all: there is no namespace for which any could act."""
    for name, rule in case.understood:
        fault = rule if isinstance(rule, str) else ""
        yield entry_of(name, Reason.INVALID_RULE if fault else reason, fault)


def pending(case: Case, rule: Rule, uid: str) -> PolicyResult:
    """Record that a rule begins, before anything is done."""
    return PolicyResult(
        name=rule.name,
        result=Result.PENDING,
        reason=Reason.BEGUN,
        id=case.id(rule, uid),
        target_uid=uid,
    )


def replaced(entries: Iterable[PolicyResult], entry: PolicyResult) -> list[PolicyResult]:
    """Put an entry in the place of the one of its policy."""
    return [entry if each.name == entry.name else each for each in entries]


def changed(case: Case, entry: PolicyResult) -> list[PolicyResult]:
    """Return what is recorded of all, with this entry changed."""
    return replaced(case.status.policies, entry)


def done(entry: PolicyResult, note: str) -> PolicyResult:
    """Record that what was begun is done."""
    return msgspec.structs.replace(
        entry, result=Result.DONE, reason=Reason.SUCCEEDED, message=note, next_check=UNSET
    )


def withheld(case: Case) -> Said | None:
    """Return what keeps it, as it was found last: that is not over until it was tried again."""
    found = (each for each in case.status.conditions if each.type == Condition.WITHHELD)
    return next(((each.status, each.reason, each.message) for each in found), None)


def over(case: Case, entries: Sequence[PolicyResult]) -> ManagerPlan:
    """Record that it has acted, and deactivate it."""
    status = case.written(entries, case.ready(entries))
    again = case.now + RECHECK
    return ManagerPlan(
        None,
        again,
        Reason.SUCCEEDED,
        status=status,
        metadata=noting(case, acting=True),
        deactivate=True,
    )


def noting(case: Case, *, acting: bool) -> dict[str, object]:
    """Return the annotations that say when it was checked, as the original writes them.

    Of the check that led to an act with what is written once it is done: one write less before it.
    """
    meta, now = case.stored.metadata, whole(case.now)
    first = noted(meta, names.FIRST_CHECK, case.now)
    last = noted(meta, names.LAST_CHECK, case.now)
    written = {} if first else {names.FIRST_CHECK: now}
    if acting or last is None or case.now - last >= NOTED_EVERY:
        written[names.LAST_CHECK] = now
    return {"annotations": written} if written else {}
