"""Which acts on an object come as a surprise to its author, and when."""

from datetime import datetime

from dayfly_core import agenda, names, timeline
from dayfly_core.objects import ObjectMeta
from dayfly_core.outlook import ENDING, earliest
from dayfly_core.policies import Policy


def surprises(policy: Policy, meta: ObjectMeta, end: datetime) -> tuple[datetime, ...]:
    """Return when what is to be done to an object, and surprising, is due; done steps are not.

    Asked for every object at every change of it, so the ordinary answer, none, comes first.
    """
    caught_up = names.CAUGHT_UP in meta.annotation_map
    if not caught_up and policy.changed < earliest(policy, end):
        return ()
    steps = (step for step in policy.steps if step.type in ENDING)
    dues = {step.name: agenda.due(policy, step, end) for step in steps}
    surprising = {
        # What somebody has confirmed before the policy came to act on it is not confirmed.
        name: max(due.at, policy.since)
        for name, due in dues.items()
        if caught_up or due.surprising
    }
    return tuple(_open(surprising, meta))


def _open(dues: dict[str, datetime], meta: ObjectMeta) -> list[datetime]:
    if not dues or names.STEPS not in meta.annotation_map:
        return list(dues.values())
    done = timeline.of(meta).records
    return [at for name, at in dues.items() if name not in done]
