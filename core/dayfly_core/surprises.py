"""Which acts on an object come as a surprise to its author, and when."""

from datetime import datetime
from typing import Final

from dayfly_core import agenda, names, timeline
from dayfly_core.api import StepType
from dayfly_core.objects import ObjectMeta
from dayfly_core.policies import Policy

ENDING: Final = frozenset({StepType.DELETE, StepType.SCALE_DOWN})
"""What takes something away: the rest only talks."""


def surprises(policy: Policy, meta: ObjectMeta, end: datetime) -> tuple[datetime, ...]:
    """Return when what is to be done to an object, and surprising, is due; done steps are not.

    Asked for every object at every change of it, so the ordinary answer, none, comes first.
    """
    annotations = meta.annotation_map
    caught_up = names.CAUGHT_UP in annotations
    if not caught_up and not policy.known:
        return ()
    steps = (step for step in policy.steps if step.type in ENDING)
    dues = {step.name: agenda.due(policy, step, end) for step in steps}
    open_ = {name: due.at for name, due in dues.items() if caught_up or due.late}
    if open_ and names.STEPS in annotations:
        done = timeline.read(annotations[names.STEPS], annotations.get(names.EXPIRES_AT, ""))
        open_ = {name: at for name, at in open_.items() if name not in done.records}
    return tuple(open_.values())
