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
from playground.system import names_replica

WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})
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


class _Written(msgspec.Struct):
    spec: LeaseRecord


def tenures(events: Iterable[AuditEvent]) -> list[Tenure]:
    """Read the accepted writes of the Lease, in the order in which they were answered."""
    return sorted(map(_tenure, filter(_of_the_lease, events)), key=lambda tenure: tenure.since)


def _of_the_lease(event: AuditEvent) -> bool:
    ref = event.object_ref
    ours = (ref.resource, ref.name) == ("leases", names.LEASE)
    return ours and event.verb in ("create", "update") and event.accepted


def _tenure(event: AuditEvent) -> Tenure:
    spec = msgspec.json.decode(event.request_object, type=_Written).spec
    renewed = instant.parse(spec.renew_time) if spec.renew_time else event.stage_timestamp
    return Tenure(event.stage_timestamp, spec.holder, renewed + RENEW_DEADLINE)


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


def by_nobody(
    events: Sequence[AuditEvent], late: timedelta = timedelta(milliseconds=50)
) -> list[str]:
    """Describe each accepted write of an operator that did not lead when it was received.

    ``late`` is how long a request may take from the last look at the gate to the API server.
    """
    history = tenures(events)
    return [
        f"{event.verb} {event.target} by {event.sender} at {event.request_received_timestamp}"
        for event in written(events)
        if event.accepted and not _led(history, event, late)
    ]


def _led(history: Sequence[Tenure], event: AuditEvent, late: timedelta) -> bool:
    received = event.request_received_timestamp
    index = bisect_right(history, received, key=lambda tenure: tenure.since) - 1
    if index < 0:
        return True  # before the first write of the Lease that was read
    tenure = history[index]
    return names_replica(tenure.holder, event.sender) and received <= tenure.valid_until + late
