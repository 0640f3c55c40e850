"""What a change tells of an act that another process has done, so that the history is complete.

A leader that is killed has told nobody of its last acts. The replicas beside it watch the same
objects: what went when its time had come, and what says on itself what was done to it, is told by
the one of them that leads next.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

import msgspec
from msgspec.structs import replace

from dayfly_core import duration, instant, names, timeline, waking
from dayfly_core.actions import Delete
from dayfly_core.api import StepType
from dayfly_core.history import Entry
from dayfly_core.lifecycle import Record, Result
from dayfly_core.objects import Key, ObjectMeta
from dayfly_core.subject import Plan
from dayfly_core.triggers import shifted

SEEN: Final = "seen by another replica than the one that did it"
"""All that is known of a deletion that nobody has told of: that it was due, and who watched."""

TOLD: Final = frozenset({Result.DONE, Result.FAILED})
"""Results that the history has; of the others the object itself tells."""

WITH_WEBHOOK: Final = (StepType.WEBHOOK, StepType.NOTIFY)


class Change(msgspec.Struct, frozen=True):
    """An object as it was and as it is, None if it is gone, and when that was seen."""

    key: Key
    before: ObjectMeta
    after: ObjectMeta | None
    at: datetime

    @property
    def is_end(self) -> bool:
        """Whether the object was deleted, be it that it waits for finalizers."""
        after = self.after
        going = after is None or after.uid != self.before.uid or after.deletion_timestamp
        return bool(going) and self.before.deletion_timestamp is None


def acts(change: Change, plan: Callable[[], Plan]) -> Iterator[Entry]:
    """Yield what was done; ``plan`` judges the object as it was."""
    if change.is_end:
        yield from _deleted(change, plan())
    elif change.after and _steps(change.after) != _steps(change.before):
        yield from _recorded(change, change.after)


def _deleted(change: Change, plan: Plan) -> Iterator[Entry]:
    order = next((each for each in plan.actions if isinstance(each, Delete)), None)
    by = change.before.annotation_map.get(names.ENDED_BY) or (order and _by(order.policy))
    if by:
        due = order.due if order else None
        yield replace(_entry(change, StepType.DELETE, by), due=due, message=SEEN)


def _recorded(change: Change, after: ObjectMeta) -> Iterator[Entry]:
    before, now = timeline.of(change.before), timeline.of(after)
    by = _by(after.label_map.get(names.POLICY, ""))
    for step, record in now.records.items():
        known, action = before.records.get(step), _action(record)
        if action and record.result in TOLD and (known is None or known.result not in TOLD):
            yield replace(
                _entry(change, action, by),
                due=_due(record, now.end),
                result=record.result,
                message=record.message,
                id=record.id,
            )
    if now.woken and now.woken != before.woken:
        served = waking.served(after.uid, now.woken)
        yield replace(_entry(change, waking.WAKE, by), message=now.woken, id=served)


def _action(record: Record) -> str:
    """Return what the history calls a step; empty if it does not have it: a mere warning."""
    step = record.rule.partition("@")[0]
    if step in WITH_WEBHOOK:
        return StepType.WEBHOOK if record.attempts else ""
    return step


def _due(record: Record, end: str) -> datetime | None:
    try:
        offset = duration.parse_signed(record.rule.partition("@")[2])
        return shifted(instant.parse(end), offset)
    except ValueError:
        return None  # nothing that we have written


def _steps(meta: ObjectMeta) -> str:
    return meta.annotation_map.get(names.STEPS, "")


def _by(policy: str) -> str:
    return f"ExpiryPolicy/{policy}"


def _entry(change: Change, action: str, by: str) -> Entry:
    key = change.key
    return Entry(
        at=change.at,
        action=action,
        kind=key.resource.group_resource,
        namespace=key.namespace,
        name=key.name,
        uid=change.before.uid,
        by=by,
    )
