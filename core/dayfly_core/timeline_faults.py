"""What makes a timeline impossible; the schema has the same rules in CEL."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import pairwise

from msgspec import UNSET

from dayfly_core import api, duration, grammar
from dayfly_core.api import StepType
from dayfly_core.reasons import Reason
from dayfly_core.violations import Violation

FIELD = "spec.timeline"

_OFFSET = re.compile(grammar.OFFSET)
_HTTP_URL = re.compile(grammar.HTTP_URL)
_DNS_NAME = re.compile(grammar.DNS_NAME)


def of(timeline: Sequence[api.TimelineStep]) -> Iterator[Violation]:
    """Yield every fault of the steps, and of their order."""
    for index, step in enumerate(timeline):
        yield from _of_step(f"{FIELD}[{index}]", step)
    offsets = [offset(step.at) for step in timeline]
    known = [each for each in offsets if each is not None]
    if len(known) == len(timeline):
        yield from _of_order(timeline, known)


def offset(text: str) -> timedelta | None:
    """Read a time before or after the end; None for what the schema refuses."""
    if not _OFFSET.fullmatch(text):
        return None
    try:
        read = duration.parse_signed(text)
    except duration.InvalidDuration:
        return None
    return read if read or text == "0s" else None


def _of_step(field: str, step: api.TimelineStep) -> Iterator[Violation]:
    if offset(step.at) is None:
        yield _fault(f"{field}.at", step.at, grammar.OFFSET_HINT)
    type_, webhook = step.action.type, step.action.webhook
    if webhook is UNSET:
        if type_ is StepType.WEBHOOK:
            yield _fault(f"{field}.action.webhook", "", grammar.NEEDS_WEBHOOK_HINT)
        return
    if type_ not in (StepType.WEBHOOK, StepType.NOTIFY):
        yield _fault(f"{field}.action.webhook", webhook.url, grammar.NO_WEBHOOK_HINT)
    if not _HTTP_URL.fullmatch(webhook.url):
        yield _fault(f"{field}.action.webhook.url", webhook.url, grammar.HTTP_URL_HINT)
    if webhook.secret_ref is not UNSET and not _DNS_NAME.fullmatch(webhook.secret_ref.name):
        name = webhook.secret_ref.name
        yield _fault(f"{field}.action.webhook.secretRef.name", name, grammar.DNS_NAME_HINT)


def _of_order(
    timeline: Sequence[api.TimelineStep], offsets: Sequence[timedelta]
) -> Iterator[Violation]:
    if any(later < earlier for earlier, later in pairwise(offsets)):
        yield _fault(FIELD, "", grammar.ASCENDING_HINT)
    types = [step.action.type for step in timeline]
    if any(count > 1 for count in Counter(zip(types, offsets, strict=True)).values()):
        yield _fault(FIELD, "", grammar.UNIQUE_STEPS_HINT)
    if StepType.DELETE in types[:-1]:
        yield _fault(FIELD, "", grammar.DELETE_LAST_HINT)


def _fault(field: str, value: str, detail: str) -> Violation:
    return Violation(Reason.INVALID_POLICY, field, value, detail)
