"""What follows from what came of an act."""

from datetime import datetime, timedelta
from typing import Final

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from dayfly_core.api import ConditionStatus
from dayfly_core.api.namespace_manager import ActionType
from dayfly_core.errand import RECHECK, RETRIES, Came, Outcome, Stored
from dayfly_core.lifecycle import Result, Rule
from dayfly_core.namespace_manager.case import Begun, Case, ManagerPlan, whole
from dayfly_core.namespace_manager.entries import changed, done, over
from dayfly_core.namespace_manager.rules import action_of, read
from dayfly_core.outgoing.outbox import Retries
from dayfly_core.reasons import Reason

USUAL: Final = Retries()


def settle(
    stored: Stored, outcome: Outcome, now: datetime, retries: Retries = USUAL
) -> ManagerPlan:
    """Say what follows from what came of the act that ``plan`` returned.

    ``stored`` is the manager as it is after ``Plan.status`` was written. What is not begun any
    more, because somebody has changed it meanwhile, is looked at again. ``retries`` are those of
    webhooks.
    """
    case = Case(stored, read(stored), now)
    begun = case.begun()
    if begun is None:
        return ManagerPlan(None, now, Reason.NOT_DUE)
    if outcome.result is Came.DONE:
        return _succeeded(case, begun, outcome)
    if outcome.result is Came.WITHHELD:
        return _again(case, begun, outcome, now + RECHECK)
    attempts = (begun.entry.attempts or 0) + 1
    tried = Begun(begun.rule, msgspec.structs.replace(begun.entry, attempts=attempts))
    again = _retry(begun.rule, attempts, outcome, now, retries)
    return _again(case, tried, outcome, again) if again else _given_up(case, tried, outcome)


def _retry(
    rule: Rule, attempts: int, outcome: Outcome, now: datetime, retries: Retries
) -> datetime | None:
    """Return when to try again; None to give up. The API server comes back; a receiver may not."""
    if outcome.result is Came.REFUSED:
        return None
    if action_of(rule) != ActionType.WEBHOOK:
        return now + timedelta(seconds=RETRIES.delay(attempts, outcome.chance))
    asked = outcome.retry_after.total_seconds() if outcome.retry_after else None
    return retries.after(attempts, now, outcome.chance, asked)


def _succeeded(case: Case, begun: Begun, outcome: Outcome) -> ManagerPlan:
    entries = changed(case, done(begun.entry, outcome.note))
    plan = over(case, entries)
    others = [entry for entry in entries if entry.result != Result.DONE]
    if action_of(begun.rule) == ActionType.NOTIFY and others:
        return replace(plan, deactivate=False, again=case.now)
    return plan


def _again(case: Case, begun: Begun, outcome: Outcome, again: datetime) -> ManagerPlan:
    reason = outcome.reason if outcome.result is Came.WITHHELD else Reason.RETRYING
    entry = msgspec.structs.replace(
        begun.entry, reason=reason, message=outcome.note, next_check=whole(again)
    )
    entries = changed(case, entry)
    note = f"policy {begun.rule.name}: {outcome.note}"
    status = case.written(entries, case.ready(entries), (ConditionStatus.TRUE, reason, note))
    return ManagerPlan(None, again, reason, note, status=status)


def _given_up(case: Case, begun: Begun, outcome: Outcome) -> ManagerPlan:
    entry = msgspec.structs.replace(
        begun.entry,
        result=Result.FAILED,
        reason=Reason.GIVEN_UP,
        message=outcome.note,
        next_check=UNSET,
    )
    entries = changed(case, entry)
    status = case.written(entries, case.ready(entries))
    note = f"policy {begun.rule.name}: {outcome.note}"
    return ManagerPlan(None, case.now, Reason.GIVEN_UP, note, status=status)
