"""Who held the operators' Lease when, and which of their writes came from somebody else."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from dayfly_core import instant, names
from dayfly_core.lease import LeaseRecord
from playground.audit import AuditEvent, ObjectReference
from playground.lags import OPERATOR
from playground.programs import RENEW_DEADLINE
from playground.spans import Span, covered
from playground.system import names_replica

WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})
CLAIMS = frozenset({"create", "update"})
UPKEEP = frozenset({"leases", "secrets", "selfsubjectaccessreviews", "events"})
"""Written by any replica: the election itself, the certificate by comparison, and questions. Events
tell of what was done while leading, and may come after: they are no acts. Nor is the history."""

RELEASE = "sh.helm.release."
"""What Helm calls its Secrets: they end with their release, by the leader alone."""


@dataclass(frozen=True, slots=True)
class Tenure:
    """One accepted write of the Lease: who has held it from ``since`` on, if renewed until when."""

    since: datetime
    holder: str
    valid_until: datetime
    asked: datetime
    """When that write was received: its answer may arrive a little before ``since``."""


class _Written(msgspec.Struct):
    spec: LeaseRecord


def tenures(events: Iterable[AuditEvent]) -> list[Tenure]:
    """Read the accepted writes of the Lease, in the order in which they were answered."""
    return sorted(map(_tenure, filter(_of_the_lease, events)), key=lambda tenure: tenure.since)


def _of_the_lease(event: AuditEvent) -> bool:
    return event.accepted and _claims(event)


def _claims(event: AuditEvent) -> bool:
    ref = event.object_ref
    return (ref.resource, ref.name) == ("leases", names.LEASE) and event.verb in CLAIMS


def _tenure(event: AuditEvent) -> Tenure:
    received = event.request_received_timestamp
    begun = _begun(event) or event.stage_timestamp
    return Tenure(event.stage_timestamp, _record(event).holder, begun + RENEW_DEADLINE, received)


def _record(event: AuditEvent) -> LeaseRecord:
    return msgspec.json.decode(event.request_object, type=_Written).spec


def _begun(event: AuditEvent) -> datetime | None:
    renewed = _record(event).renew_time
    return instant.parse(renewed) if renewed else None


def _ways(events: Iterable[AuditEvent]) -> list[tuple[str, Span]]:
    """Return from when to when writes of the Lease were on their way, and whose they were.

    They alone say when they were begun. One that is refused has been on its way for longer than
    nobody else led: its sender may have stood still all by itself.
    """
    claims = (e for e in events if _claims(e) and not 300 <= e.code < 500)
    return [
        (event.sender, Span(begun, event.request_received_timestamp))
        for event in claims
        if (begun := _begun(event))
    ]


def written(events: Iterable[AuditEvent]) -> list[AuditEvent]:
    """Pick what operators wrote that the leader alone may write, accepted or not."""
    return [
        event
        for event in events
        if event.user.username == OPERATOR
        and event.verb in WRITES
        and not _is_upkeep(event.object_ref)
        and event.stage == "ResponseComplete"
    ]


def _is_upkeep(ref: ObjectReference) -> bool:
    if ref.resource in UPKEEP:
        return not ref.name.startswith(RELEASE)
    return ref.name.startswith(f"{names.HISTORY_CONFIG_MAP}-")


LATE = timedelta(milliseconds=50)


def by_nobody(
    events: Sequence[AuditEvent], late: timedelta = LATE, still: Sequence[Span] = ()
) -> list[str]:
    """Describe each accepted write of an operator that did not lead when it was received.

    ``late`` is how long a request may take from the last look at the gate to the API server, beside
    the time in which the machine stood ``still``, and as long as its sender's claims took.
    """
    history, ways = tenures(events), _ways(events)
    return [
        f"{event.verb} {event.target} by {event.sender} at {event.request_received_timestamp}"
        for event in written(events)
        if event.accepted
        and not _led(
            history, event, late, [*still, *(way for whose, way in ways if whose == event.sender)]
        )
    ]


def _led(
    history: Sequence[Tenure], event: AuditEvent, late: timedelta, still: Sequence[Span]
) -> bool:
    received = event.request_received_timestamp
    after = bisect_right(history, received, key=lambda tenure: tenure.since)
    if after == 0:
        return True  # before the first write of the Lease that was read
    if any(t.asked <= received and _is_of(t, event) for t in history[after : after + 1]):
        return True  # it had its answer before the API server noted the time
    tenure = history[after - 1]
    if not _is_of(tenure, event):
        return _was_under_way(history[:after], event, late, still)
    closed = tenure.valid_until
    return received <= closed + late + covered(still, closed, received)


def _was_under_way(
    history: Sequence[Tenure], event: AuditEvent, late: timedelta, still: Sequence[Span]
) -> bool:
    """Whether it was sent by who led then, and the machine stood still until another one did."""
    place = next((n for n, t in reversed([*enumerate(history)]) if _is_of(t, event)), None)
    if place is None:
        return False
    closed = min(history[place].valid_until, history[place + 1].since)
    received = event.request_received_timestamp
    stood = covered(still, closed, received)
    return stood > timedelta() and received <= closed + late + stood


def _is_of(tenure: Tenure, event: AuditEvent) -> bool:
    return names_replica(tenure.holder, event.sender)
