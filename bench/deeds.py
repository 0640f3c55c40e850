"""What the operator did to each object and in which order, from the audit log."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bench.crowd import Crowd, Ending, Sort
from playground.audit import AuditEvent
from playground.lags import OPERATOR

OF_TARGET: Final = {"patch": "n", "delete": "d"}
OF_AUTHOR: Final = {"patch": "a", "patch status": "s", "delete": "x"}
ORDERS: Final = {
    Sort.OBJECT: re.compile("n?d"),
    Sort.NAMESPACE: re.compile("n?d"),
    Sort.MANAGER: re.compile("[sa]+nd[sa]*"),
    Sort.EPHEMERATOR: re.compile("[sa]+nd[sa]*x?"),
}
"""Of what is stamped: a warning, unless the end overtook it, and the DELETE. Of the others: it is
recorded (status, annotations), who ends it is noted on the Namespace, that is deleted, and what
came of it is recorded; then an Ephemerator goes itself, once the Namespace is gone."""


@dataclass(frozen=True, slots=True)
class Deeds:
    """Accepted writes, by what they are about, oldest first."""

    by_target: Mapping[str, Sequence[AuditEvent]]

    @classmethod
    def of(cls, events: Iterable[AuditEvent]) -> "Deeds":
        """Sort them."""
        found: dict[str, list[AuditEvent]] = {}
        for event in sorted(events, key=lambda e: e.request_received_timestamp):
            if event.accepted and event.verb in ("patch", "delete"):
                found.setdefault(event.target, []).append(event)
        return cls(found)

    def deleted(self, ending: Ending) -> datetime | None:
        """Tell when it was deleted first."""
        found = self.by_target.get(ending.target, ())
        return next((e.request_received_timestamp for e in found if e.verb == "delete"), None)

    def lags(self, crowd: Crowd, sort: Sort | None = None) -> list[float]:
        """Return the seconds from the end to the DELETE, of those that were deleted."""
        chosen = crowd.endings if sort is None else crowd.of(sort)
        found = (self.deleted(ending) for ending in chosen)
        return [(at - crowd.due).total_seconds() for at in found if at]

    def order(self, ending: Ending) -> str:
        """Write what was done as one letter each."""
        of_target = [(e, OF_TARGET[e.verb]) for e in self.by_target.get(ending.target, ())]
        of_author = [(e, OF_AUTHOR[_verb(e)]) for e in self.by_target.get(ending.author, ())]
        both = sorted(of_target + of_author, key=lambda pair: pair[0].request_received_timestamp)
        return "".join(letter for _, letter in both)

    def in_order(self, ending: Ending) -> bool:
        """Whether each was done once, and after what has to be done before."""
        return ORDERS[ending.sort].fullmatch(self.order(ending)) is not None


def _verb(event: AuditEvent) -> str:
    return f"{event.verb} {event.object_ref.subresource}".strip()


def ends(event: AuditEvent) -> bool:
    """Whether it is an accepted DELETE of what a Crowd has the operator delete."""
    ours = event.user.username == OPERATOR and event.accepted and event.verb == "delete"
    return ours and event.object_ref.resource in ("configmaps", "namespaces")


def at_once(instants: Iterable[datetime], rate: float) -> float:
    """Return how many were ahead of so many a second at the worst moment: the burst they make up.

    A bucket that drains at that rate: each pours one in.
    """
    level = worst = 0.0
    before: datetime | None = None
    for at in sorted(instants):
        drained = rate * (at - before).total_seconds() if before else 0.0
        level, before = max(0.0, level - drained) + 1, at
        worst = max(worst, level)
    return worst
