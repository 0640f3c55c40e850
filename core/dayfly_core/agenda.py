"""What the timeline of its policy has to do with one object now.

All steps keep their order. After an outage several are due at once: a warning of what is due
already, and a scale-down of what is to be deleted, are skipped and recorded as such; a webhook
never is, and what comes after it waits until it is delivered or given up.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec
from msgspec.structs import replace

from dayfly_core import instant, names, timeline
from dayfly_core.actions import Annotate, Call, Delete, ScaleDown
from dayfly_core.api import StepType, Unit
from dayfly_core.helm.marks import release_of
from dayfly_core.lifecycle import Choice, Record, Result, Rule, choose, occurrence, overtakes
from dayfly_core.objects import ObjectMeta
from dayfly_core.outgoing.outbox import LONGEST_PAUSE
from dayfly_core.policies import Policy
from dayfly_core.reasons import Reason
from dayfly_core.scaling import SCALABLE
from dayfly_core.stamps import NO_CHANGES, Changes
from dayfly_core.subject import Plan, Subject
from dayfly_core.timeline import DELETION, Ledger, Step, Webhook
from dayfly_core.triggers import LAST, Facts, Until, shifted
from dayfly_core.wish import Wish

STRENGTH: Final[Mapping[StepType, int]] = {
    StepType.WEBHOOK: 0,
    StepType.NOTIFY: 1,
    StepType.SCALE_DOWN: 2,
    StepType.DELETE: 3,
}
"""Which due step makes which earlier one pointless; see ``Rule.strength``."""

LONGEST_WAIT: Final = timedelta(seconds=LONGEST_PAUSE)
"""Between two attempts of one step."""

NO_FACTS: Final = Facts()


class Due(msgspec.Struct, frozen=True):
    """When a step's turn comes."""

    at: datetime
    late: bool = False
    """Whether it became known only after it would have been due, and waits ``grace`` for that."""
    surprising: bool = False
    """Whether it is late, or was due before the policy began to act as it does."""


def due(policy: Policy, step: Step, end: datetime) -> Due:
    """Return when a step is due for this end."""
    at = shifted(end, step.at)
    known = policy.known.get(step.name)
    if known is None or known <= at:
        return Due(at, surprising=at <= policy.since)
    return Due(shifted(known, policy.grace), late=True, surprising=True)


def rules(policy: Policy, records: Mapping[str, Record], end: datetime) -> tuple[Rule, ...]:
    """Return the steps of a policy, for this end, as rules of the engine."""
    return tuple(
        _rule(step, due(policy, step, end).at, begun=step.name in records) for step in policy.steps
    )


def _rule(step: Step, at: datetime, *, begun: bool = False) -> Rule:
    # A call that was begun may have been heard: it is made until it is delivered or given up.
    strength = 0 if begun and step.webhook else STRENGTH[step.type]
    return Rule(step.name, Until(at), step, sequential=True, strength=strength)


class Coming(msgspec.Struct, frozen=True):
    """The step that is next, and when its turn comes."""

    step: Step
    at: datetime


def coming(policy: Policy, records: Mapping[str, Record], end: datetime) -> Coming | None:
    """Return what is next to be done for this end; None once all is.

    Most often the first step that is open. One that became known late waits, as does one that has
    failed, and a later one that overtakes it does not wait for it.
    """
    waiting: list[tuple[Rule, Coming]] = []
    for step in policy.steps:
        record = records.get(step.name)
        if record is None:
            when = due(policy, step, end)
            if not (when.late or waiting):
                return Coming(step, when.at)
            waiting.append(_behind(_rule(step, when.at), Coming(step, when.at), waiting))
        elif record.result is Result.PENDING:
            rule = _rule(step, record.at, begun=True)
            waiting.append((rule, Coming(step, record.at)))
    return min((each for _, each in waiting), key=lambda each: each.at, default=None)


def _behind(
    rule: Rule, coming: Coming, waiting: Sequence[tuple[Rule, Coming]]
) -> tuple[Rule, Coming]:
    held = [each.at for earlier, each in waiting if not overtakes(rule, earlier)]
    return rule, Coming(coming.step, max([coming.at, *held]))


def waiting(policy: Policy, end: datetime, now: datetime) -> Plan | None:
    """Wait for the first step of an object on which nothing is recorded; None if it is due or late.

    The same as ``plan`` does, without asking about each step: nearly every look at nearly every
    object is this one, or ``deletion``.
    """
    first = due(policy, policy.steps[0], end)
    if first.late or first.at <= now:
        return None
    return Plan((), first.at, Reason.NOT_DUE)


def deletion(subject: Subject, policy: Policy, end: datetime, now: datetime) -> Plan:
    """Plan for an object whose policy has no timeline, and on which nothing is recorded.

    The same as ``plan`` does, without reading records.
    """
    if end > now:
        return Plan((), end, Reason.NOT_DUE)
    when = due(policy, DELETION, end)
    if when.at > now:
        return Plan((), when.at, Reason.NOT_DUE)
    order = _delete(subject, policy, end, surprising=when.surprising)
    return Plan((order,), None, Reason.EXPIRED)


class Page(msgspec.Struct, frozen=True):
    """One object with an end, and whose turn it is in its policy's timeline."""

    subject: Subject
    policy: Policy
    end: datetime
    ledger: Ledger
    choice: Choice
    now: datetime

    @property
    def meta(self) -> ObjectMeta:
        """The object's metadata."""
        return self.subject.meta

    @property
    def step(self) -> Step | None:
        """The step whose turn it is."""
        action = self.choice.rule.action if self.choice.rule else None
        return action if isinstance(action, Step) else None

    @property
    def outdated(self) -> bool:
        """Whether the object carries a warning of an end that it does not have any more."""
        given = any(name.startswith(StepType.NOTIFY) for name in self.ledger.records)
        return names.WARNING in self.meta.annotation_map and not given


def plan(subject: Subject, policy: Policy, wish: Wish, now: datetime) -> Plan:
    """Decide about an object with an end, by the timeline of its policy."""
    end, ledger = wish.at or LAST, timeline.of(subject.meta)
    choice = choose(rules(policy, ledger.records, end), NO_FACTS, ledger.records, now)
    page = Page(subject, policy, end, ledger, choice, now)
    if page.outdated and not (page.step and page.step.type in REPLACING):
        return _withdrawn(page)
    if page.step is None:
        return Plan((), choice.again, Reason.NOT_DUE)
    return PLANS[page.step.type](page, page.step)


REPLACING: Final = frozenset({StepType.NOTIFY, StepType.DELETE})
"""Steps after which an old warning is not there any more."""


def _withdrawn(page: Page) -> Plan:
    note = "the end that it was warned of has been moved"
    return _written(page, page.ledger, Reason.WARNING_WITHDRAWN, note, {names.WARNING: None})


def _notify(page: Page, step: Step) -> Plan:
    if step.webhook and step.name in page.ledger.records:
        return _call(page, step, step.webhook)
    text = _warning(page, step)
    noted = _noted(page, step, Result.PENDING if step.webhook else Result.DONE)
    return _written(page, noted, Reason.WARNED, text, {names.WARNING: text})


def _webhook(page: Page, step: Step) -> Plan:
    if step.webhook and step.name in page.ledger.records:
        return _call(page, step, step.webhook)
    # Recorded before it is sent: the next leader sends it again, with the same id.
    return _written(page, _noted(page, step, Result.PENDING), Reason.CALL_PENDING)


def _call(page: Page, step: Step, webhook: Webhook) -> Plan:
    record = page.ledger.records[step.name]
    if _is_early(record, page.now):
        return _waiting(page, record, Reason.CALL_PENDING)
    call = Call(
        key=page.subject.key,
        uid=page.meta.uid,
        resource_version=page.meta.resource_version,
        due=due(page.policy, step, page.end).at,
        policy=page.policy.name,
        occurrence=_id_of(page, step),
        attempt=record.attempts + 1,
        step=step.name,
        webhook=webhook,
        ledger=page.ledger,
        expires_at=page.end,
    )
    return Plan((call,), page.choice.again, Reason.CALL_PENDING)


def _is_early(record: Record, now: datetime) -> bool:
    """Whether the next attempt is to come; nothing waits longer than any pause is, or for ever."""
    return now < record.at <= shifted(now, LONGEST_WAIT)


def _waiting(page: Page, record: Record, reason: str) -> Plan:
    """Wait for the next attempt of what was begun."""
    return Plan((), min(record.at, page.choice.again or record.at), reason)


def _scale_down(page: Page, step: Step) -> Plan:
    if not (page.subject.is_namespace or page.subject.group_resource in SCALABLE):
        noted = _noted(page, step, Result.SUPERSEDED, NOTHING_TO_SCALE)
        return _written(page, noted, Reason.NOTHING_TO_SCALE)
    record = page.ledger.records.get(step.name)
    if record and _is_early(record, page.now):
        return _waiting(page, record, Reason.SCALING_FAILED)
    when = due(page.policy, step, page.end)
    order = ScaleDown(
        key=page.subject.key,
        uid=page.meta.uid,
        resource_version=page.meta.resource_version,
        due=when.at,
        policy=page.policy.name,
        occurrence=_id_of(page, step),
        ledger=_noted(page, step, Result.DONE),
        surprising=when.surprising or names.CAUGHT_UP in page.meta.annotation_map,
        step=step.name,
        attempt=record.attempts + 1 if record else 1,
    )
    return Plan((order,), page.choice.again, Reason.SCALED_DOWN)


NOTHING_TO_SCALE: Final = "nothing to scale"


def _end(page: Page, step: Step) -> Plan:
    surprising = due(page.policy, step, page.end).surprising
    order = _delete(page.subject, page.policy, page.end, surprising=surprising)
    if page.policy.timeline:
        order = replace(order, delay=step.at, step=step.name)
    return Plan((order,), None, Reason.EXPIRED)


PLANS: Final[Mapping[StepType, Callable[[Page, Step], Plan]]] = {
    StepType.NOTIFY: _notify,
    StepType.SCALE_DOWN: _scale_down,
    StepType.WEBHOOK: _webhook,
    StepType.DELETE: _end,
}


def _delete(subject: Subject, policy: Policy, end: datetime, *, surprising: bool) -> Delete:
    meta = subject.meta
    return Delete(
        subject.key,
        meta.uid,
        meta.resource_version,
        end,
        policy.name,
        surprising=surprising or names.CAUGHT_UP in meta.annotation_map,
        release=release_of(meta) if policy.unit is Unit.RELEASE else None,
    )


def _noted(page: Page, step: Step, result: Result, message: str = "") -> Ledger:
    """Return the records with this step's, and those of what it overtakes."""
    own = Record(step.name, _id_of(page, step), result, page.now, message=message)
    overtaken = (
        Record(rule.name, "", Result.SUPERSEDED, page.now, message=f"overtaken by {step.name}")
        for rule in page.choice.superseded
    )
    return page.ledger.noting([*overtaken, own])


def _id_of(page: Page, step: Step) -> str:
    """Return the id of this step's one execution for this end."""
    return occurrence(page.policy.name, page.meta.uid, instant.render(page.end), step.name)


def _written(
    page: Page, ledger: Ledger, reason: str, note: str = "", more: Changes = NO_CHANGES
) -> Plan:
    order = Annotate(
        key=page.subject.key,
        uid=page.meta.uid,
        resource_version=page.meta.resource_version,
        annotations={names.STEPS: ledger.text or None, **more},
        reason=reason,
        policy=page.policy.name,
        note=note,
        step=page.step.name if page.step else "",
    )
    return Plan((order,), page.choice.again, reason)


def _warning(page: Page, step: Step) -> str:
    """Say what will happen, and when."""
    later = page.policy.steps[page.policy.steps.index(step) + 1 :]
    words = [
        f"{VERBS[each.type]} at {instant.render(due(page.policy, each, page.end).at)}"
        for each in later
        if each.type in VERBS and each.name not in page.ledger.records
    ]
    what = f"will be {' and '.join(words)}" if words else f"ends at {instant.render(page.end)}"
    return f"{what}, by ExpiryPolicy {page.policy.name}"


VERBS: Final[Mapping[StepType, str]] = {
    StepType.SCALE_DOWN: "scaled down",
    StepType.DELETE: "deleted",
}
