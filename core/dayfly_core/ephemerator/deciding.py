"""What becomes of an Ephemerator: its namespace ends at the deadline, and then the object itself.

The deadline follows from the spec and from the creation of the Ephemerator, which do not change by
themselves: it is computed anew each time, so a relabelled or restarted one ends no sooner.
"""

from datetime import datetime, timedelta
from typing import Final

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from dayfly_core import api, errand, instant, names
from dayfly_core.api import ConditionStatus
from dayfly_core.api.ephemerator import Ending
from dayfly_core.conditions import Said, without_condition
from dayfly_core.ephemerator.aim import (
    Aim,
    Settings,
    aim_of,
    enabled,
    ignored,
    left_behind,
    read_status,
)
from dayfly_core.errand import (
    RECHECK,
    Came,
    DeleteItself,
    EndNamespace,
    Outcome,
    Plan,
    Stored,
    judged,
)
from dayfly_core.guard import Guard
from dayfly_core.lifecycle import Rule, choose, occurrence
from dayfly_core.objects import EPHEMERATORS, NAMESPACES, ObjectMeta, OwnMeta
from dayfly_core.reasons import Condition, Reason
from dayfly_core.triggers import Facts, Until

END: Final = "END"
"""Name of its only rule."""

RETRY: Final = timedelta(minutes=1)
"""Until a DELETE that failed is tried again, half of it drawn by lot."""


def plan(
    stored: Stored, namespace: ObjectMeta | None, guard: Guard, settings: Settings, now: datetime
) -> Plan:
    """Decide about one Ephemerator; ``namespace`` is its target as etcd has it, None if not."""
    meta = stored.metadata
    if meta.deletion_timestamp:
        return Plan(None, None, Reason.DELETED, metadata=left_behind(meta))
    aim = aim_of(stored, settings, now)
    case = _Case(stored, aim, now)
    if hindrance := _hindrance(meta, aim, guard, settings):
        return case.hindered(*hindrance)
    assert aim.at is not None
    choice = choose((Rule(END, Until(aim.at), END),), Facts(), {}, now)
    if choice.rule is None:
        return case.waiting(choice.again)
    return _due(case, aim.at, namespace)


class _Case(msgspec.Struct, frozen=True):
    """One Ephemerator at one instant; writes its status down beside each decision."""

    stored: Stored
    aim: Aim
    now: datetime

    def hindered(self, reason: str, note: str) -> Plan:
        """Do nothing until something changes."""
        ready = (ConditionStatus.FALSE, reason, note)
        return self._plan(Plan(None, None, reason, note), self._status(ready))

    def waiting(self, again: datetime | None) -> Plan:
        """Wait for the deadline."""
        return self._plan(Plan(None, again, Reason.NOT_DUE), self._status(self._ready()))

    def begun(self, at: datetime, namespace: ObjectMeta) -> Ending:
        """Return what is recorded of this end, or what is to be."""
        written = read_status(self.stored).ending
        id = occurrence(self.stored.metadata.uid, END, instant.render(at))
        if written is not UNSET and written.id == id:
            return written
        noted = instant.render(self.now.replace(microsecond=0))
        return Ending(id=id, target_uid=namespace.uid, at=noted)

    def ending(self, act: EndNamespace | None, reason: str, ending: Ending) -> Plan:
        """Record the end, and carry it out; without an act, until its namespace is gone."""
        status = replace(self._status(self._ready()), ending=ending)
        if act:
            # What kept it until now is not known to be gone before it is tried again.
            kept = [each for each in self._present() if each.type == Condition.WITHHELD]
            status = replace(status, conditions=[*status.conditions, *kept])
        again = self.now + RECHECK if act else None
        return self._plan(Plan(act, again, reason), status)

    def _ready(self) -> Said:
        if self.aim.reason:
            return ConditionStatus.FALSE, self.aim.reason, self.aim.problem
        assert self.aim.at
        says = f"namespace {self.aim.namespace} ends at {instant.render(self.aim.at)}"
        return ConditionStatus.TRUE, Reason.ACTIVE, says

    def _present(self) -> list[api.StatusCondition]:
        return read_status(self.stored).conditions

    def _status(self, ready: Said) -> api.EphemeratorStatus:
        at = self.aim.at
        conditions = without_condition(self._present(), Condition.WITHHELD)
        return replace(
            self._believed(),
            observed_generation=self.stored.metadata.generation,
            namespace=self.aim.namespace or UNSET,
            expires_at=instant.render(at) if at else UNSET,
            expires_at_seconds=int(at.timestamp()) if at else UNSET,
            ending=UNSET,
            conditions=judged(self.stored, conditions, Condition.READY, ready, self.now),
        )

    def _believed(self) -> api.EphemeratorStatus:
        """Return the status without what Ephemerate left there, unless nothing else says an end."""
        status = read_status(self.stored)
        if self.aim.reason:
            return status
        return replace(status, on_create=UNSET, on_update=UNSET)

    def _plan(self, plan: Plan, status: api.EphemeratorStatus) -> Plan:
        # Only when first seen: beside an Ephemerate that still runs and puts it back each time,
        # the two would write for ever.
        new = read_status(self.stored).observed_generation is UNSET
        left = left_behind(self.stored.metadata) if new else {}
        if not left:
            return replace(plan, status=errand.patch_of_status(self.stored, status))
        # That it was seen is said last: a write that is refused or lost is made again.
        soon = self.now + RETRY
        return replace(
            plan,
            again=min(plan.again or soon, soon),
            status=errand.patch_of_status(self.stored, replace(status, observed_generation=UNSET)),
            metadata=left,
            concluded={"observedGeneration": status.observed_generation},
        )


def _hindrance(
    meta: ObjectMeta, aim: Aim, guard: Guard, settings: Settings
) -> tuple[str, str] | None:
    if aim.at is None:
        return aim.reason, aim.problem
    if not enabled(meta):
        return Reason.DISABLED, f'it does not carry the annotation {names.ENABLED}: "true"'
    if ignored(aim.namespace, settings.ignore):
        return Reason.IGNORED, f"namespace {aim.namespace} is on the list of ignored namespaces"
    if refusal := guard.refuses(NAMESPACES, "", aim.namespace):
        return Reason.GUARDED, refusal
    return None


def _due(case: _Case, at: datetime, namespace: ObjectMeta | None) -> Plan:
    """End the namespace, or itself once that namespace is gone: one made later is left alone."""
    meta = case.stored.metadata
    if namespace is None:
        return _over(meta, case.now)
    ending = case.begun(at, namespace)
    if ending.target_uid != namespace.uid:
        return _over(meta, case.now)
    if namespace.deletion_timestamp:
        return case.ending(None, Reason.TERMINATING, ending)
    by = f"{EPHEMERATORS.kind}/{meta.name}"
    act = EndNamespace(namespace.name, namespace.uid, by, at, ending.id)
    return case.ending(act, Reason.EXPIRED, ending)


def _over(meta: OwnMeta, now: datetime) -> Plan:
    """Delete itself; first, so that this version can go, what would keep it is taken away."""
    if left := left_behind(meta):
        return Plan(None, now, Reason.TARGET_MISSING, metadata=left)
    return Plan(DeleteItself(meta.uid, meta.resource_version), None, Reason.TARGET_MISSING)


def settle(stored: Stored, outcome: Outcome, now: datetime) -> Plan:
    """Say what follows from what came of ``EndNamespace``; of ``DeleteItself`` nothing does.

    ``stored`` is the Ephemerator as it is after ``Plan.status`` was written.
    """
    conditions = without_condition(read_status(stored).conditions, Condition.WITHHELD)
    reason, again = Reason.DELETED, now + RECHECK
    if outcome.result is Came.WITHHELD:
        reason = outcome.reason
    elif outcome.result is not Came.DONE:
        reason, again = Reason.DELETION_FAILED, now + RETRY * (1 - outcome.chance / 2)
    if outcome.result is not Came.DONE:
        present, said = read_status(stored).conditions, (ConditionStatus.TRUE, reason, outcome.note)
        conditions = judged(stored, present, Condition.WITHHELD, said, now)
    status = replace(read_status(stored), conditions=conditions)
    patch = errand.patch_of_status(stored, status)
    return Plan(None, again, reason, outcome.note, status=patch)
