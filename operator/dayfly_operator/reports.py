"""What people are told of what was done: a line in the log, a metric, Events, and the history.

Nothing here waits, and nothing here fails what it reports on.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final, Protocol

from dayfly_core import duration, instant, waking
from dayfly_core.actions import Action, Annotate, Call, Delete, ScaleDown, Stamp, Wake
from dayfly_core.api import StepType
from dayfly_core.history import Entry
from dayfly_core.lifecycle import Result
from dayfly_core.objects import Key
from dayfly_core.outgoing.outbox import FollowUp
from dayfly_core.reasons import Reason
from dayfly_kube.errors import ApiError
from dayfly_operator.metrics import Metrics
from dayfly_operator.scaling import Scaled
from dayfly_operator.telling import Teller

log = logging.getLogger(__name__)

NAMED: Final = 5
"""Of what was left alone, so many are named in an Event; all of them are in the log."""


class Chronicle(Protocol):
    """Who keeps the history."""

    def note(self, entry: Entry) -> None:
        """Take an entry; never waits, never fails."""
        ...


class Reports:
    """Tells what was done, and why."""

    def __init__(
        self,
        teller: Teller,
        metrics: Metrics,
        history: Chronicle,
        now: Callable[[], datetime],
        *,
        dry_run: bool = False,
    ) -> None:
        self._teller = teller
        self._metrics = metrics
        self._history = history
        self._now = now
        self._would = "would: " if dry_run else ""
        self._dry_run = dry_run

    def ending(self, order: Delete) -> None:
        """Say on the object that its end has come."""
        end = instant.render(order.expires_at)
        note = f"its end {end}, by ExpiryPolicy {order.policy}, has come"
        self._teller.tell(order.key, order.uid, Reason.EXPIRED, note)

    def ended(self, order: Delete, sent_at: datetime) -> None:
        """Say that an object was ended, on it and on its policy."""
        lag = (sent_at - order.due).total_seconds()
        end = instant.render(order.expires_at)
        log.info(
            "%s object=%s uid=%s policy=%s expires-at=%s lag-ms=%.0f",
            "would delete" if self._dry_run else "deleted",
            order.key,
            order.uid,
            order.policy,
            end,
            lag * 1000,
        )
        self._metrics.lag.observe(lag)
        self._metrics.ended.labels(order.policy, order.key.resource.group_resource).inc()
        self._count(order, StepType.DELETE, Result.DONE)
        after = f"{duration.render(order.delay)} after its end" if order.delay else "at its end"
        self._teller.tell(order.key, order.uid, Reason.DELETED, f"deleted {after} {end}")
        note = f"deleted {order.key} {after} {end}"
        self._teller.tell_policy(order.policy, Reason.DELETED, note)
        self._note(order, StepType.DELETE, order.due)

    def stamped(self, order: Stamp) -> None:
        """Say that an object has got its stamps after all, or from another policy."""
        self._teller.settled(order.key)
        log.info(
            "%s object=%s uid=%s policy=%s reason=%s",
            "would stamp" if self._dry_run else "stamped",
            order.key,
            order.uid,
            order.policy,
            order.reason,
        )
        self._metrics.stamped.labels(order.policy, order.reason).inc()
        self._teller.tell(
            order.key, order.uid, order.reason, f"stamped by ExpiryPolicy {order.policy}"
        )

    def annotated(self, order: Annotate) -> None:
        """Say what was written on an object, if it is for people."""
        self._say("annotated", order, order.note)
        if order.note:
            self._teller.tell(order.key, order.uid, order.reason, order.note)

    def scaled(self, key: Key, uid: str, note: str) -> None:
        """Say what has become of one workload."""
        log.info("%sscaled object=%s uid=%s note=%s", self._would, key, uid, note)
        self._teller.tell(key, uid, Reason.SCALED, note)

    def scaled_down(self, order: ScaleDown, scaled: Scaled) -> None:
        """Say that a step has scaled down a workload, or all that a namespace holds."""
        what = _outcome(scaled)
        note = _joined(f"scaled down by ExpiryPolicy {order.policy}", what)
        self._acted("scaled down", order, Reason.SCALED_DOWN, note)
        self._count(order, StepType.SCALE_DOWN, Result.DONE)
        self._note(order, StepType.SCALE_DOWN, order.due, message=what)

    def not_scaled(self, order: ScaleDown, error: ApiError, *, given_up: bool) -> None:
        """Say that the API server forbids to scale something down."""
        then = "given up" if given_up else "tried again"
        result = Result.FAILED if given_up else Result.PENDING
        note = f"could not scale down {order.key}, {then}: {error}"
        self._say("not scaled down", order, note)
        self._count(order, StepType.SCALE_DOWN, result)
        if given_up or order.attempt == 1:
            self._teller.warn(order.key, order.uid, Reason.SCALING_FAILED, note)
            self._teller.tell_policy(order.policy, Reason.SCALING_FAILED, note, warn=True)
        if given_up:
            self._note(order, StepType.SCALE_DOWN, order.due, result=result, message=str(error))

    def woken(self, order: Wake, scaled: Scaled) -> None:
        """Say that what was scaled down is back."""
        note = _joined(f"woken, as asked: {order.request}", _outcome(scaled))
        self._acted("woken", order, Reason.WOKEN, note)
        self._count(order, waking.WAKE, Result.DONE)
        self._note(order, waking.WAKE, None, message=order.request)

    def called(self, order: Call, outcome: FollowUp) -> None:
        """Say what came of an outgoing webhook."""
        result, reason = _judged(outcome), outcome.reason
        self._say(f"webhook {result.lower()}", order, outcome.message)
        note = f"{order.step}: {outcome.message}"
        self._count(order, StepType.WEBHOOK, result)
        if outcome.delivered:
            self._teller.tell(order.key, order.uid, reason, note)
        elif outcome.given_up or order.attempt == 1:
            self._teller.warn(order.key, order.uid, reason, note)
        if outcome.given_up:
            self._metrics.dead_letters.labels("ExpiryPolicy").inc()
            self._teller.tell_policy(order.policy, reason, f"{order.key} {note}", warn=True)
        if outcome.delivered or outcome.given_up:
            self._note(order, StepType.WEBHOOK, order.due, result=result, message=outcome.message)

    def _acted(self, what: str, order: Action, reason: str, note: str) -> None:
        self._teller.settled(order.key)
        self._say(what, order, note)
        self._teller.tell(order.key, order.uid, reason, note)

    def _say(self, what: str, order: Action, note: str) -> None:
        log.info(
            "%s%s object=%s uid=%s policy=%s note=%s",
            self._would,
            what,
            order.key,
            order.uid,
            order.policy,
            note,
        )

    def _count(self, order: Action, action: str, result: str) -> None:
        self._metrics.steps.labels(order.policy, action, result).inc()

    def _note(
        self,
        order: Action,
        action: str,
        due: datetime | None,
        *,
        result: str = Result.DONE,
        message: str = "",
    ) -> None:
        entry = Entry(
            at=self._now(),
            action=action,
            kind=order.key.resource.group_resource,
            namespace=order.key.namespace,
            name=order.key.name,
            uid=order.uid,
            by=f"ExpiryPolicy/{order.policy}",
            due=due,
            result=result,
            message=message,
            id=_occurrence(order),
        )
        if not self._dry_run:
            self._history.note(entry)


def _occurrence(order: Action) -> str:
    """Return the id of what is done once, as whoever only sees it done finds it too."""
    if isinstance(order, ScaleDown | Call):
        return order.occurrence
    return waking.served(order.uid, waking.mark(order.request)) if isinstance(order, Wake) else ""


def _judged(outcome: FollowUp) -> Result:
    if outcome.delivered:
        return Result.DONE
    return Result.FAILED if outcome.given_up else Result.PENDING


def _outcome(scaled: Scaled) -> str:
    """Say how many, and what was left; nothing of a workload by itself."""
    done = f"{len(scaled.done)} workloads" if scaled.done else ""
    more = len(scaled.skipped) - NAMED
    left = [*scaled.skipped[:NAMED], *([f"{more} more"] if more > 0 else [])]
    return _joined(done, f"left alone: {', '.join(left)}" if left else "")


def _joined(*sentences: str) -> str:
    return "; ".join(filter(None, sentences))
