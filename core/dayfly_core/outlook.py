"""What is next to happen to an object, by its policy's timeline."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec

from dayfly_core import agenda, names, timeline
from dayfly_core.api import StepType
from dayfly_core.lifecycle import Record, Result
from dayfly_core.objects import ObjectMeta
from dayfly_core.policies import Policy
from dayfly_core.timeline import DELETION, Step
from dayfly_core.triggers import shifted

ENDING: Final = frozenset({StepType.DELETE, StepType.SCALE_DOWN})
"""What takes something away: the rest only talks."""


class Next(msgspec.Struct, frozen=True):
    """The step that is next, and when."""

    at: datetime
    step: str


def earliest(policy: Policy, end: datetime) -> datetime:
    """Return an instant before which nothing happens: what ``coming`` says is never earlier."""
    return shifted(end, policy.steps[0].at)


def earliest_ending(policy: Policy, end: datetime) -> datetime | None:
    """Return an instant before which nothing is taken away: what ``ending`` says is never earlier.

    None if nothing ever is.
    """
    first = next((step for step in policy.steps if step.type in ENDING), None)
    return shifted(end, first.at) if first else None


def coming(policy: Policy, meta: ObjectMeta, end: datetime) -> Next | None:
    """Return the first step that is not done; None once all are."""
    if not policy.timeline and names.STEPS not in meta.annotation_map:
        return Next(agenda.due(policy, DELETION, end).at, DELETION.name)
    following = agenda.coming(policy, timeline.of(meta).records, end)
    if following is None:
        return None
    return Next(max(following.at, earliest(policy, end)), following.step.name)


def ending(policy: Policy, meta: ObjectMeta, end: datetime) -> datetime | None:
    """Return when the object is next scaled down or deleted; None once there is no more of that."""
    recorded = names.STEPS in meta.annotation_map
    records: Mapping[str, Record] = timeline.of(meta).records if recorded else {}
    dues = (
        _turn(policy, step, records.get(step.name), end)
        for step in policy.steps
        if step.type in ENDING
    )
    return min((due for due in dues if due), default=None)


def _turn(policy: Policy, step: Step, record: Record | None, end: datetime) -> datetime | None:
    if record is None:
        return agenda.due(policy, step, end).at
    return record.at if record.result is Result.PENDING else None
