"""Waking: somebody asks for what was scaled down; it comes back, and may live anew.

What is awake keeps its end, however often it is asked for.

Any text in the annotation ``wake-requested`` that differs from the last one served is a request, so
a command line, an API and a plain ``kubectl annotate`` are the same.
"""

from datetime import datetime
from typing import Final

from msgspec.structs import replace

from dayfly_core import agenda, names, timeline
from dayfly_core.actions import Wake
from dayfly_core.api import StepType
from dayfly_core.expiry import Case, renewed_by_waking
from dayfly_core.lifecycle import Result, occurrence
from dayfly_core.objects import ObjectMeta
from dayfly_core.outlook import ENDING
from dayfly_core.policies import Policy
from dayfly_core.reasons import Reason
from dayfly_core.stamps import Changes
from dayfly_core.subject import Plan, Subject
from dayfly_core.timeline import Ledger
from dayfly_core.triggers import LAST
from dayfly_core.wish import Wish

WAKE: Final = "WAKE"
"""What a wake is called beside the steps of a timeline."""

LONGEST: Final = 256
"""Characters of a request that are recorded as they are: the record shares 256 KiB with it."""


def request(meta: ObjectMeta) -> str:
    """Return the request that has not been served yet; empty if there is none."""
    text = meta.annotation_map.get(names.WAKE_REQUESTED)
    if not text or timeline.of(meta).woken == mark(text):
        return ""
    return text


def plan(subject: Subject, policy: Policy, wish: Wish, text: str, now: datetime) -> Plan:
    """Serve a request before any step that is due: what is asked for is not taken away first."""
    meta = subject.meta
    order = Wake(
        key=subject.key,
        uid=meta.uid,
        resource_version=meta.resource_version,
        request=text,
        policy=policy.name,
        annotations=_written(Case(policy, meta, None, now), wish, text),
    )
    return Plan((order,), None, Reason.WOKEN)


def _written(case: Case, wish: Wish, text: str) -> Changes:
    annotations = case.meta.annotation_map
    end = renewed_by_waking(case, wish) if _rests(case, wish) else None
    if end is None:
        return {names.STEPS: replace(timeline.of(case.meta), woken=mark(text)).text}
    # Asked for by a person, so no surprise any more; and what it was warned of is not to come.
    gone: Changes = {key: None for key in (names.CAUGHT_UP, names.WARNING) if key in annotations}
    steps = Ledger(end.text, {}, mark(text), case.meta.uid).text
    return {names.STEPS: steps, names.EXPIRES_AT: end.text, **gone}


def _rests(case: Case, wish: Wish) -> bool:
    """Whether it sleeps, or would be put to rest or deleted now.

    To ask for what is awake is no extension: it keeps its end. What slept and was extended sleeps
    on, so the record of its former end counts.
    """
    steps = case.meta.annotation_map.get(names.STEPS)
    slept = timeline.latest(steps, case.meta.uid).records.values()
    if any(each.rule.startswith(StepType.SCALE_DOWN) and each.result in DOWN for each in slept):
        return True
    end = wish.at or LAST
    takes = (step for step in case.policy.steps if step.type in ENDING)
    return any(agenda.due(case.policy, step, end).at <= case.now for step in takes)


DOWN: Final = frozenset({Result.PENDING, Result.DONE, Result.FAILED})
"""Results of a scale-down after which something may be at rest."""


def mark(text: str) -> str:
    """Return what is recorded of a request once it is served."""
    return text if len(text) <= LONGEST else occurrence(text)


def served(uid: str, recorded: str) -> str:
    """Return the id of the one serving of a request, by what is recorded of it."""
    return occurrence(WAKE, uid, recorded)
