"""Conditions that do not flap: ``lastTransitionTime`` moves only when the status does."""

from collections.abc import Sequence
from datetime import datetime

from dayfly_core import api, instant

Said = tuple[api.ConditionStatus, str, str]
"""Status, reason and message of a condition."""


def with_condition(
    existing: Sequence[api.StatusCondition],
    type: str,
    said: Said,
    *,
    generation: int,
    now: datetime,
) -> list[api.StatusCondition]:
    """Return the conditions with this one set, in its place or at the end.

    The result equals ``existing`` if nothing changed, so that comparing tells whether to write.
    """
    status, reason, message = said
    old = next((condition for condition in existing if condition.type == type), None)
    kept = old is not None and old.status == status
    new = api.StatusCondition(
        type=type,
        status=status,
        reason=reason,
        message=message,
        last_transition_time=old.last_transition_time if old and kept else _whole_second(now),
        observed_generation=generation,
    )
    if old is None:
        return [*existing, new]
    return [new if condition is old else condition for condition in existing]


def without_condition(
    existing: Sequence[api.StatusCondition], type: str
) -> list[api.StatusCondition]:
    """Return the conditions without this one: there is nothing to say about it."""
    return [condition for condition in existing if condition.type != type]


def _whole_second(now: datetime) -> str:
    # metav1.Time has whole seconds: anything finer would come back changed and look like news.
    return instant.render(now.replace(microsecond=0))
