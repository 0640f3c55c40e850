"""What people are told: a line in the log, a metric, and Kubernetes Events.

Nothing here waits, and nothing here fails what it reports on.
"""

import logging
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from typing import Final, Literal, Protocol

from dayfly_core import instant
from dayfly_core.actions import Action, Delete, Stamp
from dayfly_core.ending import Plan, Subject
from dayfly_core.names import Reason
from dayfly_core.objects import EXPIRY_POLICIES, NAMESPACES, Key
from dayfly_kube.errors import ApiError
from dayfly_kube.events import Regarding
from dayfly_operator.metrics import Metrics
from dayfly_operator.namespaces import Stuck

log = logging.getLogger(__name__)

REMEMBERED: Final = 1000
"""Complaints that are not repeated while they stay the same."""


class Recorder(Protocol):
    """Who writes Events, later, and drops them rather than wait."""

    def record(
        self,
        regarding: Regarding,
        *,
        type: Literal["Normal", "Warning"],
        reason: str,
        action: str,
        note: str,
    ) -> None:
        """Take an Event."""
        ...


class Reports:
    """Tells what was done and what was not, and why."""

    def __init__(
        self,
        recorder: Recorder,
        metrics: Metrics,
        policy_uid: Callable[[str], str],
        *,
        dry_run: bool = False,
    ) -> None:
        self._recorder = recorder
        self._metrics = metrics
        self._policy_uid = policy_uid
        self._verb = {"delete": "would delete", "stamp": "would stamp"} if dry_run else VERBS
        self._said: OrderedDict[Key, str] = OrderedDict()

    def ending(self, order: Delete) -> None:
        """Say on the object that its end has come."""
        end = instant.render(order.expires_at)
        note = f"its end {end}, by ExpiryPolicy {order.policy}, has come"
        self._tell(order.key, order.uid, Reason.EXPIRED, note)

    def ended(self, order: Delete, sent_at: datetime) -> None:
        """Say that an object was ended, on it and on its policy."""
        lag = (sent_at - order.expires_at).total_seconds()
        end = instant.render(order.expires_at)
        log.info(
            "%s object=%s uid=%s policy=%s expires-at=%s lag-ms=%.0f",
            self._verb["delete"],
            order.key,
            order.uid,
            order.policy,
            end,
            lag * 1000,
        )
        self._metrics.lag.observe(lag)
        self._metrics.ended.labels(order.policy, order.key.resource.group_resource).inc()
        self._tell(order.key, order.uid, Reason.DELETED, f"deleted at its end {end}")
        self._tell_policy(order.policy, Reason.DELETED, f"deleted {order.key} at its end {end}")

    def stamped(self, order: Stamp) -> None:
        """Say that an object has got its stamps after all, or from another policy."""
        self._said.pop(order.key, None)
        what = f"stamped by ExpiryPolicy {order.policy}"
        log.info(
            "%s object=%s uid=%s policy=%s reason=%s",
            self._verb["stamp"],
            order.key,
            order.uid,
            order.policy,
            order.reason,
        )
        self._metrics.stamped.labels(order.policy, order.reason).inc()
        self._tell(order.key, order.uid, order.reason, what)

    def refused(self, action: Action, error: ApiError) -> None:
        """Say that the API server forbids an act, on the object and its policy."""
        if not self._news(action.key, f"{action.uid} {error}"):
            return
        self._metrics.withheld.labels(action.policy, Reason.DELETION_FAILED).inc()
        what = "delete" if isinstance(action, Delete) else "stamp"
        log.warning(
            "refused to %s object=%s policy=%s error=%s", what, action.key, action.policy, error
        )
        note = f"could not {what} {action.key}: {error}"
        self._warn(action.key, action.uid, Reason.DELETION_FAILED, note)
        self._tell_policy(action.policy, Reason.DELETION_FAILED, note, warn=True)

    def blocked(self, order: Delete, member: str) -> None:
        """Say that a namespace stays because of something protected in it."""
        if not self._news(order.key, f"{order.uid} {member}"):
            return
        self._metrics.withheld.labels(order.policy, Reason.PROTECTED).inc()
        log.warning("not ended object=%s policy=%s protected=%s", order.key, order.policy, member)
        note = f"{order.key} has reached its end and stays: {member} in it is protected"
        self._warn(order.key, order.uid, Reason.PROTECTED, note)
        self._tell_policy(order.policy, Reason.PROTECTED, note, warn=True)

    def ignored(self, subject: Subject, plan: Plan) -> None:
        """Say that what is written on an object cannot be read, so that it has no effect."""
        if not self._news(subject.key, f"{subject.meta.uid} {plan.reason} {plan.note}"):
            return
        self._metrics.withheld.labels(plan.policy, plan.reason).inc()
        log.warning("ignored object=%s reason=%s note=%s", subject.key, plan.reason, plan.note)
        self._warn(subject.key, subject.meta.uid, plan.reason, plan.note)

    def stuck(self, found: Stuck) -> None:
        """Say that a namespace does not go."""
        log.warning("stuck %s", found.diagnosis.text)
        key = Key(NAMESPACES, "", found.namespace)
        self._warn(key, "", Reason.NAMESPACE_STUCK, found.diagnosis.text)
        self._tell_policy(found.policy, Reason.NAMESPACE_STUCK, found.diagnosis.text, warn=True)

    def conflict(self, key: Key, uid: str, note: str) -> None:
        """Say that an object wants a name or host that another has."""
        log.warning("name conflict object=%s note=%s", key, note)
        self._warn(key, uid, Reason.NAME_CONFLICT, note)

    def _news(self, key: Key, what: str) -> bool:
        if self._said.get(key) == what:
            return False
        self._said[key] = what
        self._said.move_to_end(key)
        if len(self._said) > REMEMBERED:
            self._said.popitem(last=False)
        return True

    def _tell(self, key: Key, uid: str, reason: str, note: str) -> None:
        self._record(Regarding.of(key, uid), "Normal", reason, note)

    def _warn(self, key: Key, uid: str, reason: str, note: str) -> None:
        self._record(Regarding.of(key, uid), "Warning", reason, note)

    def _tell_policy(self, policy: str, reason: str, note: str, *, warn: bool = False) -> None:
        uid = self._policy_uid(policy)
        if uid:
            regarding = Regarding.of(Key(EXPIRY_POLICIES, "", policy), uid)
            self._record(regarding, "Warning" if warn else "Normal", reason, note)

    def _record(
        self, regarding: Regarding, kind: Literal["Normal", "Warning"], reason: str, note: str
    ) -> None:
        self._recorder.record(regarding, type=kind, reason=reason, action=ACTION, note=note)


VERBS: Final = {"delete": "deleted", "stamp": "stamped"}
ACTION: Final = "Expire"
"""What the controller was doing: the same for all, while ``reason`` tells them apart."""
