"""What is next to happen to an object, by its policy's timeline."""

from dataclasses import dataclass
from datetime import datetime

from dayfly_core import agenda, names, timeline
from dayfly_core.objects import ObjectMeta
from dayfly_core.policies import Policy
from dayfly_core.timeline import DELETION
from dayfly_core.triggers import shifted


@dataclass(frozen=True, slots=True)
class Next:
    """The step that is next, and when."""

    at: datetime
    step: str


def earliest(policy: Policy, end: datetime) -> datetime:
    """Return an instant before which nothing happens: what ``coming`` says is never earlier."""
    return shifted(end, policy.steps[0].at)


def coming(policy: Policy, meta: ObjectMeta, end: datetime) -> Next | None:
    """Return the first step that is not done; None once all are."""
    annotations = meta.annotation_map
    if not policy.timeline and names.STEPS not in annotations:
        return Next(agenda.due(policy, DELETION, end).at, DELETION.name)
    ledger = timeline.read(annotations.get(names.STEPS), annotations.get(names.EXPIRES_AT, ""))
    following = agenda.coming(policy, ledger.records, end)
    if following is None:
        return None
    return Next(max(following.at, earliest(policy, end)), following.step.name)
