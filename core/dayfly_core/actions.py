"""What the operator may do to an object, as values: decided here, carried out by the operator.

Each names the uid and version that were judged, so that none can hit anything else.
"""

from datetime import datetime, timedelta

import msgspec

from dayfly_core.helm.marks import ReleaseRef
from dayfly_core.lifecycle import Record, Result
from dayfly_core.objects import NAMESPACES, Key
from dayfly_core.stamps import Changes, Stamps
from dayfly_core.timeline import Ledger, Webhook
from dayfly_core.triggers import shifted


class Delete(msgspec.Struct, frozen=True):
    """End an object, if it is still the one that was judged: same uid, same version."""

    key: Key
    uid: str
    resource_version: str
    expires_at: datetime
    policy: str
    surprising: bool = False
    """Whether its author does not expect it now: the breaker counts these."""
    release: ReleaseRef | None = None
    """The Helm release that ends with it, if its policy says so."""
    delay: timedelta = timedelta()
    """How long after its end the policy's timeline has it deleted."""
    step: str = ""
    """Name of that step; empty if the policy has no timeline."""

    @property
    def due(self) -> datetime:
        """When it is to be deleted."""
        return shifted(self.expires_at, self.delay)

    @property
    def unit(self) -> bool:
        """Whether other objects end with it: then none of them may be protected."""
        return self.key.resource.pair == NAMESPACES.pair


class Stamp(msgspec.Struct, frozen=True):
    """Write stamps on an object, if it is still the one that was judged."""

    key: Key
    uid: str
    resource_version: str
    stamps: Stamps
    reason: str
    policy: str


class Annotate(msgspec.Struct, frozen=True):
    """Write annotations of ours: a warning, or what is recorded of the timeline."""

    key: Key
    uid: str
    resource_version: str
    annotations: Changes
    reason: str
    policy: str
    note: str
    """A sentence for people; empty if it is not worth an Event."""
    step: str = ""
    """The step of the timeline that it is about."""


class ScaleDown(msgspec.Struct, frozen=True):
    """Scale a workload, or all in a Namespace, to nothing, remembering what it had."""

    key: Key
    uid: str
    resource_version: str
    due: datetime
    policy: str
    occurrence: str
    ledger: Ledger
    """What is recorded once it is done."""
    surprising: bool = False
    step: str = ""
    attempt: int = 1
    """1 for the first."""

    @property
    def steps(self) -> str:
        """The annotation ``steps`` once it is done: in the same patch as the replicas."""
        return self.ledger.text

    def refused(self, now: datetime, again: datetime | None, message: str) -> Ledger:
        """Return what to record instead if it is forbidden: tried again then, or given up."""
        result = Result.PENDING if again else Result.FAILED
        record = Record(self.step, self.occurrence, result, again or now, self.attempt, message)
        return self.ledger.noting([record])


class Call(msgspec.Struct, frozen=True):
    """Send an outgoing webhook that is recorded as pending, and record what came of it.

    ``ledger.ended(...)`` is what to write afterwards, ``ledger.postponed(...)`` after a failure
    that is tried again.
    """

    key: Key
    uid: str
    resource_version: str
    due: datetime
    policy: str
    occurrence: str
    attempt: int
    """1 for the first."""
    step: str
    webhook: Webhook
    ledger: Ledger
    expires_at: datetime


class Wake(msgspec.Struct, frozen=True):
    """Give back what a scale-down took, and record that this request was served."""

    key: Key
    uid: str
    resource_version: str
    request: str
    """The text of the annotation ``wake-requested``."""
    policy: str
    annotations: Changes
    """To be written when everything is back: the record, and a new end if the policy renews."""


Action = Delete | Stamp | Annotate | ScaleDown | Call | Wake
