"""What people are told of the end of a Helm release, or of why it does not end."""

import logging
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, Protocol

from dayfly_core import instant
from dayfly_core.helm import ReleaseRef
from dayfly_core.history import Entry
from dayfly_core.names import Reason
from dayfly_core.objects import EXPIRY_POLICIES, Key
from dayfly_core.release import Blocker, ReleasePlan, Step
from dayfly_kube.events import Regarding
from dayfly_operator.metrics import Metrics
from dayfly_operator.release_acts import Order
from dayfly_operator.reports import Recorder

log = logging.getLogger(__name__)

NAMED: Final = 3
"""Objects in the way that one sentence names; of all others it says how many they are."""

REMEMBERED: Final = 1000
"""Sentences that are not repeated while they stay the same."""

ACTION: Final = "Expire"


class Notes(Protocol):
    """The history."""

    def note(self, entry: Entry) -> None:
        """Take an entry; never waits, never fails."""
        ...


@dataclass(frozen=True, slots=True)
class Ears:
    """Where it is said."""

    recorder: Recorder
    metrics: Metrics
    history: Notes
    policy_uid: Callable[[str], str]


class ReleaseReports:
    """Tells each thing once, and keeps what stands in the way for the policies' status."""

    def __init__(self, ears: Ears) -> None:
        self._ears = ears
        self._said: OrderedDict[tuple[ReleaseRef, Key | None], str] = OrderedDict()
        self._stopped: dict[ReleaseRef, tuple[str, str]] = {}

    def stopped(self) -> Iterator[tuple[str, str]]:
        """Yield policy and reason of each release that has come to its end and does not end."""
        return iter(sorted(self._stopped.values()))

    def waits(self, order: Order, note: str) -> None:
        """Say on a member that it waits for the rest of its release."""
        self._stopped.pop(order.ref, None)
        if not self._news(order, note):
            return
        log.info("release waits release=%s policy=%s why=%s", order.ref, order.policy, note)
        if order.key:
            told = f"its Helm release {order.ref} ends as one, and not yet: {note}"
            self._record(Regarding.of(order.key, order.uid), "Normal", Reason.RELEASE_WAITS, told)

    def blocked(self, order: Order, plan: ReleasePlan) -> str:
        """Say what stands in the way, on all that it concerns; returns the sentence."""
        text = f"Helm release {order.ref} does not end: {_enumerated(plan.blockers)}"
        self._stopped[order.ref] = order.policy, text
        if not self._news(order, text):
            return text
        self._ears.metrics.withheld.labels(order.policy, Reason.RELEASE_BLOCKED).inc()
        log.warning("release blocked release=%s policy=%s why=%s", order.ref, order.policy, text)
        for blocker in plan.blockers:
            if blocker.key:
                regarding = Regarding.of(blocker.key, blocker.uid)
                self._record(regarding, "Warning", blocker.reason, f"{text}"[:1000])
        if order.key and order.key not in {blocker.key for blocker in plan.blockers}:
            regarding = Regarding.of(order.key, order.uid)
            self._record(regarding, "Warning", Reason.RELEASE_BLOCKED, text)
        self._tell_policy(order.policy, Reason.RELEASE_BLOCKED, text, warn=True)
        return text

    def deleted(self, order: Order, step: Step, sent_at: datetime) -> None:
        """Say that an object has ended with its release."""
        due = instant.render(order.due)
        log.info(
            "deleted object=%s uid=%s policy=%s release=%s due=%s",
            step.key,
            step.uid,
            order.policy,
            order.ref,
            due,
        )
        kind = step.key.resource.group_resource
        self._ears.metrics.ended.labels(order.policy, kind).inc()
        note = f"deleted with its Helm release {order.ref}, whose end {due} had come"
        self._record(Regarding.of(step.key, step.uid), "Normal", Reason.DELETED, note)
        self._ears.history.note(
            Entry(
                at=sent_at,
                action="Delete",
                kind=kind,
                namespace=step.key.namespace,
                name=step.key.name,
                uid=step.uid,
                by=order.by,
                due=order.due,
                message=f"Helm release {order.ref}",
            )
        )

    def ended(self, order: Order, plan: ReleasePlan) -> None:
        """Say that nothing is left of a release but what was to stay."""
        self._stopped.pop(order.ref, None)
        kept = f"; kept, as the chart says: {', '.join(plan.kept)}" if plan.kept else ""
        hooks = f"; hooks that were not run: {', '.join(plan.hooks)}" if plan.hooks else ""
        note = f"Helm release {order.ref} ended{kept}{hooks}"
        log.info("release ended release=%s policy=%s", order.ref, order.policy)
        self._tell_policy(order.policy, Reason.RELEASE_ENDED, note[:1000])

    def over(self, ref: ReleaseRef) -> None:
        """Forget what stood in the way of a release: it does not any more."""
        self._stopped.pop(ref, None)

    def _news(self, order: Order, what: str) -> bool:
        about = order.ref, order.key
        if self._said.get(about) == what:
            return False
        self._said[about] = what
        self._said.move_to_end(about)
        if len(self._said) > REMEMBERED:
            self._said.popitem(last=False)
        return True

    def _tell_policy(self, policy: str, reason: str, note: str, *, warn: bool = False) -> None:
        uid = self._ears.policy_uid(policy)
        if uid:
            regarding = Regarding.of(Key(EXPIRY_POLICIES, "", policy), uid)
            self._record(regarding, "Warning" if warn else "Normal", reason, note)

    def _record(
        self, regarding: Regarding, kind: Literal["Normal", "Warning"], reason: str, note: str
    ) -> None:
        self._ears.recorder.record(regarding, type=kind, reason=reason, action=ACTION, note=note)


def _enumerated(blockers: tuple[Blocker, ...]) -> str:
    named = "; ".join(blocker.text for blocker in blockers[:NAMED])
    more = len(blockers) - NAMED
    return f"{named}; and {more} more" if more > 0 else named
