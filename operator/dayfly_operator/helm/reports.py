"""What people are told of the end of a Helm release, or of why it does not end."""

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Final, Protocol

import msgspec

from dayfly_core.helm.marks import ReleaseRef
from dayfly_core.helm.release import Blocker, ReleasePlan, Step
from dayfly_core.history import Entry
from dayfly_core.reasons import Reason
from dayfly_operator.helm.acts import Order
from dayfly_operator.metrics import Metrics
from dayfly_operator.telling import Teller

log = logging.getLogger(__name__)

NAMED: Final = 3
"""Objects in the way that one sentence names; of all others it says how many they are."""


class Notes(Protocol):
    """The history."""

    def note(self, entry: Entry) -> None:
        """Take an entry; never waits, never fails."""
        ...


class Ears(msgspec.Struct, frozen=True):
    """Where it is said."""

    teller: Teller
    metrics: Metrics
    history: Notes
    changed: Callable[[], None]
    """Called when other releases are stopped than before."""
    dry_run: bool = False


class ReleaseReports:
    """Tells each thing once, and keeps what stands in the way for the policies' status."""

    def __init__(self, ears: Ears) -> None:
        self._ears = ears
        self._stopped: dict[ReleaseRef, tuple[str, str]] = {}

    def stopped(self) -> Iterator[tuple[str, str]]:
        """Yield policy and reason of each release that has come to its end and does not end."""
        return iter(sorted(self._stopped.values()))

    def stopped_releases(self) -> tuple[ReleaseRef, ...]:
        """Return these releases."""
        return tuple(self._stopped)

    def waits(self, order: Order, note: str, *, lasting: bool = False) -> None:
        """Say on a member that it waits for the rest of its release.

        What will last until somebody does something is kept for the status as well.
        """
        if lasting:
            self._stops(order, f"Helm release {order.ref} does not end: {note}")
        else:
            self.over(order.ref)
        told = f"its Helm release {order.ref} ends as one, and not yet: {note}"
        if order.key and self._ears.teller.news(order.key, f"{order.uid} {told}"):
            log.info("release waits release=%s policy=%s why=%s", order.ref, order.policy, note)
            self._ears.teller.tell(order.key, order.uid, Reason.RELEASE_WAITS, told)

    def blocked(self, order: Order, plan: ReleasePlan) -> str:
        """Say on each object in the way that it is in the way; returns the sentence.

        It is also said on the member whose end has come, by whoever asked for that.
        """
        text = f"Helm release {order.ref} does not end: {_enumerated(plan.blockers)}"
        if not self._stops(order, text):
            return text
        for blocker in plan.blockers:
            if blocker.key and blocker.key != order.key:
                told = f"keeps Helm release {order.ref} from its end: it {blocker.note}"
                self._ears.teller.warn(blocker.key, blocker.uid, blocker.reason, told)
        if order.key is None:
            policy, reason = order.policy, Reason.RELEASE_BLOCKED
            self._ears.teller.tell_policy(policy, reason, text, warn=True)
        return text

    def _stops(self, order: Order, text: str) -> bool:
        """Keep the sentence for the status; returns whether it is news."""
        if self._stopped.get(order.ref) == (order.policy, text):
            return False
        self._stopped[order.ref] = order.policy, text
        self._ears.changed()
        log.warning("release blocked release=%s policy=%s why=%s", order.ref, order.policy, text)
        return True

    def deleted(self, order: Order, step: Step, sent_at: datetime, why: str) -> None:
        """Say that an object has ended with its release, or because of it by itself."""
        verb = "would delete" if self._ears.dry_run else "deleted"
        log.info(
            "%s object=%s uid=%s policy=%s why=%s", verb, step.key, step.uid, order.policy, why
        )
        kind = step.key.resource.group_resource
        self._ears.metrics.ended.labels(order.policy, kind).inc()
        self._ears.teller.tell(step.key, step.uid, Reason.DELETED, f"deleted {why}")
        entry = Entry(
            at=sent_at,
            action="DELETE",
            kind=kind,
            namespace=step.key.namespace,
            name=step.key.name,
            uid=step.uid,
            by=order.by,
            due=order.due,
            message=why,
        )
        self._ears.history.note(entry)

    def ended(self, order: Order, plan: ReleasePlan) -> None:
        """Say that nothing is left of a release but what was to stay."""
        self.over(order.ref)
        kept = f"; kept, as the chart says: {', '.join(plan.kept)}" if plan.kept else ""
        hooks = f"; hooks that were not run: {', '.join(plan.hooks)}" if plan.hooks else ""
        note = f"Helm release {order.ref} ended{kept}{hooks}"
        verb = "would have ended" if self._ears.dry_run else "ended"
        log.info("%s release=%s policy=%s", verb, order.ref, order.policy)
        self._ears.teller.tell_policy(order.policy, Reason.RELEASE_ENDED, note)

    def over(self, ref: ReleaseRef) -> None:
        """Forget what stood in the way of a release: it does not any more."""
        if self._stopped.pop(ref, None):
            self._ears.changed()


def _enumerated(blockers: Sequence[Blocker]) -> str:
    named = "; ".join(blocker.text for blocker in blockers[:NAMED])
    more = len(blockers) - NAMED
    return f"{named}; and {more} more" if more > 0 else named
