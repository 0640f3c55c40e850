"""How long after its end each object was deleted, from the stamps seen and the audit log."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from playground.audit import AuditEvent

OPERATOR = "system:serviceaccount:dayfly-system:dayfly-operator"


@dataclass(frozen=True, slots=True)
class Ending:
    """One DELETE of the operator that the API server accepted."""

    target: str
    at: datetime
    replica: str
    lag: timedelta | None = None
    """After the ``expires-at`` that was last seen on it; None when none was seen."""


def endings(events: Iterable[AuditEvent], ends: Mapping[str, datetime]) -> list[Ending]:
    """Pick the operator's accepted DELETEs, oldest first.

    ``ends`` maps an audit target (``configmaps/team-a/settings``) to its ``expires-at``.
    """
    found = [
        Ending(e.target, e.request_received_timestamp, e.sender, _lag(e, ends))
        for e in events
        if e.verb == "delete" and e.user.username == OPERATOR and e.accepted
    ]
    return sorted(found, key=lambda ending: ending.at)


def _lag(event: AuditEvent, ends: Mapping[str, datetime]) -> timedelta | None:
    end = ends.get(event.target)
    return event.request_received_timestamp - end if end else None
