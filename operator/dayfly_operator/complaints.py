"""What people are told of what was not done, and why: once, as long as it stays the same."""

import logging
from typing import Final

from dayfly_core import names
from dayfly_core.actions import Action, Annotate, Call, Delete, ScaleDown, Stamp, Wake
from dayfly_core.objects import NAMESPACES, Key
from dayfly_core.reasons import Reason
from dayfly_core.subject import Plan, Subject
from dayfly_kube.errors import ApiError
from dayfly_operator.members import Keeper
from dayfly_operator.metrics import Metrics
from dayfly_operator.namespaces import Stuck
from dayfly_operator.telling import Teller

log = logging.getLogger(__name__)

VERBS: Final[dict[type, str]] = {
    Delete: "delete",
    Stamp: "stamp",
    Annotate: "annotate",
    ScaleDown: "scale down",
    Call: "record the webhook of",
    Wake: "wake",
}
"""What could not be done to an object."""

REFUSALS: Final[dict[type, str]] = {
    Stamp: Reason.NOT_STAMPED,
    ScaleDown: Reason.SCALING_FAILED,
    Wake: Reason.SCALING_FAILED,
}
"""Why, where it is not that something should have been deleted or written."""


class Complaints:
    """Tells what did not happen."""

    def __init__(self, teller: Teller, metrics: Metrics) -> None:
        self._teller = teller
        self._metrics = metrics

    def refused(self, action: Action, error: ApiError) -> None:
        """Say that the API server forbids an act, on the object and its policy."""
        what = VERBS[type(action)]
        reason = REFUSALS.get(type(action), Reason.DELETION_FAILED)
        self._complain(action, reason, f"could not {what} {action.key}: {error}")

    def unrecorded(self, action: Action, error: ApiError) -> None:
        """Say that an object does not take what is to be noted on it, and that its steps go on."""
        note = (
            f"could not note on {action.key} how far its steps are, so they go on without: {error}"
        )
        self._complain(action, Reason.NOT_RECORDED, note)

    def blocked(self, order: Delete, keeper: Keeper) -> None:
        """Say that a namespace stays because of what is in it, or may be."""
        note = f"{order.key} has reached its end and stays: {keeper.note}"
        self._complain(order, keeper.reason, note)

    def held_back(self, action: Action, why: str) -> None:
        """Say that an act waits for a person."""
        self._complain(action, Reason.BREAKER_OPEN, f"{action.key} stays for now: {why}")

    def release_stays(self, order: Delete, why: str) -> None:
        """Say that a Helm release does not end."""
        self._complain(order, Reason.RELEASE_BLOCKED, why)

    def _complain(self, action: Action, reason: str, note: str) -> None:
        if not self._teller.news(action.key, f"{action.uid} {note}"):
            return
        self._metrics.withheld.labels(action.policy, reason).inc()
        log.warning(
            "not done object=%s policy=%s reason=%s note=%s",
            action.key,
            action.policy,
            reason,
            note,
        )
        self._teller.warn(action.key, action.uid, reason, note)
        self._teller.tell_policy(action.policy, reason, note, warn=True)

    def failing(self, subject: Subject, error: str) -> None:
        """Say that for a while nothing could be done about an object."""
        key, meta, reason = subject.key, subject.meta, Reason.REQUEST_FAILS
        if not self._teller.news(key, f"{meta.uid} {reason} {error}"):
            return
        self._metrics.withheld.labels(meta.label_map.get(names.POLICY, ""), reason).inc()
        log.warning("failing object=%s reason=%s error=%s", key, reason, error)
        note = f"nothing could be done about {key} for a while, and it is tried again: {error}"
        self._teller.warn(key, meta.uid, reason, note)

    def ignored(self, subject: Subject, plan: Plan) -> None:
        """Say that what is written on an object cannot be read, so that it has no effect."""
        if not self._teller.news(subject.key, f"{subject.meta.uid} {plan.reason} {plan.note}"):
            return
        self._metrics.withheld.labels(plan.policy, plan.reason).inc()
        log.warning("ignored object=%s reason=%s note=%s", subject.key, plan.reason, plan.note)
        self._teller.warn(subject.key, subject.meta.uid, plan.reason, plan.note)

    def stuck(self, found: Stuck) -> None:
        """Say that a namespace does not go."""
        log.warning("stuck %s", found.diagnosis.text)
        key, text = Key(NAMESPACES, "", found.namespace), found.diagnosis.text
        self._teller.warn(key, "", Reason.NAMESPACE_STUCK, text)
        self._teller.tell_policy(found.policy, Reason.NAMESPACE_STUCK, text, warn=True)

    def conflict(self, key: Key, uid: str, note: str) -> None:
        """Say that an object wants a name or host that another has."""
        log.warning("name conflict object=%s note=%s", key, note)
        self._teller.warn(key, uid, Reason.NAME_CONFLICT, note)
