"""Why: every reason, and the condition types, once."""

from typing import Final

from dayfly_core.reasons.acts import (
    BreakerReason,
    EndReason,
    ReleaseReason,
    TimelineReason,
    WebhookReason,
)
from dayfly_core.reasons.admission import AdmissionReason
from dayfly_core.reasons.kinds import OwnKindReason, PolicyReason


class Reason(
    AdmissionReason,
    EndReason,
    TimelineReason,
    WebhookReason,
    BreakerReason,
    ReleaseReason,
    OwnKindReason,
    PolicyReason,
):
    """Why: the same word in the answer, the condition, the Event and the metric.

    Each says what it means and, after ``Do:``, what a person does about it;
    ``docs/reference/reasons.md`` is made from that, section by section.
    """


class Condition:
    """Condition types of our kinds."""

    READY: Final = "Ready"
    ENFORCEABLE: Final = "Enforceable"
    STUCK: Final = "Stuck"
    STEPS_GIVEN_UP: Final = "StepsGivenUp"
    RELEASE_BLOCKED: Final = "ReleaseBlocked"
    GRANTED: Final = "Granted"
    BREAKER_OPEN: Final = "BreakerOpen"
    WITHHELD: Final = "Withheld"
