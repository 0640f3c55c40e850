"""The timeline of an ExpiryPolicy: steps before and after an object's end, and their record.

A step is named by what it does and when, ``SCALE_DOWN@0s``, however that is spelled. The record is
an annotation of the object, and counts for one end: with another end all steps are open again.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import force_setattr, replace

from dayfly_core import duration, instant, names
from dayfly_core.api import StepType, StepWebhook, TimelineStep
from dayfly_core.lifecycle import Record, Result
from dayfly_core.objects import ObjectMeta


class Webhook(msgspec.Struct, frozen=True):
    """Where to send, and the Secret whose key ``hmac`` signs it; empty if nothing does."""

    url: str
    secret: str = ""


class Step(msgspec.Struct, frozen=True):
    """One step, relative to the end."""

    at: timedelta
    type: StepType
    webhook: Webhook | None = None
    name: str = ""
    """What it does and when, in the one canonical form: ``DELETE@1d``."""

    def __post_init__(self) -> None:
        """Spell the name."""
        force_setattr(self, "name", f"{self.type}@{duration.render(self.at)}")


DELETION: Final = Step(timedelta(), StepType.DELETE)
"""What a policy without a timeline does."""


def compiled(written: Iterable[TimelineStep] | UnsetType) -> tuple[Step, ...]:
    """Read the steps of a policy that is valid."""
    if written is UNSET:
        return ()
    return tuple(
        Step(duration.parse_signed(step.at), step.action.type, _webhook(step.action.webhook))
        for step in written
    )


def _webhook(written: StepWebhook | UnsetType) -> Webhook | None:
    if written is UNSET:
        return None
    return Webhook(written.url, "" if written.secret_ref is UNSET else written.secret_ref.name)


class Sightings(msgspec.Struct, frozen=True):
    """What is written and remembered of when a policy's steps were first seen."""

    created: datetime | None
    generation: int
    written: Mapping[str, datetime]
    """``status.steps``; empty if the status has none yet."""
    remembered: Mapping[str, datetime]
    """What this process has seen first and may not have written yet."""


def known_since(steps: Iterable[Step], sightings: Sightings, now: datetime) -> dict[str, datetime]:
    """Return since when each step is known: what was added since waits ``grace``.

    Without a record, what a new policy says, or one that deletes at the end as it always did, was
    known from its creation.
    """
    steps = tuple(steps)
    original = sightings.generation <= 1 or steps == (DELETION,)
    unwritten = sightings.created if original and not sightings.written else None
    seen = {**sightings.remembered, **sightings.written}
    return {step.name: seen.get(step.name) or unwritten or now for step in steps}


MOST_ATTEMPTS: Final = 10_000
"""Of one step: more are not of our writing."""


class _Done(msgspec.Struct, frozen=True, omit_defaults=True):
    step: str
    id: str
    result: Result
    at: str
    attempts: Annotated[int, Meta(ge=0, le=MOST_ATTEMPTS)] = 0
    message: str = ""


class _Stored(msgspec.Struct, frozen=True, omit_defaults=True):
    """The annotation as JSON."""

    end: str = ""
    done: list[_Done] = []
    woken: str = ""
    uid: str = ""


class Ledger(msgspec.Struct, frozen=True):
    """What is recorded on an object, as far as it counts for its present end."""

    end: str
    """The text of ``expires-at`` that the records are for."""
    records: Mapping[str, Record]
    woken: str = ""
    """The last request to wake it that was served."""
    uid: str = ""
    """The object's own: who plants records on a new object cannot know it."""

    def noting(self, records: Iterable[Record]) -> "Ledger":
        """Return it with these records added or replaced."""
        added = {record.rule: record for record in records}
        return replace(self, records={**self.records, **added})

    def ended(self, step: str, result: Result, at: datetime, message: str = "") -> "Ledger":
        """Return it with a pending step done or given up."""
        before = self.records[step]
        attempts = before.attempts + 1
        return self.noting([Record(step, before.id, result, at, attempts, message)])

    def postponed(self, step: str, until: datetime, message: str) -> "Ledger":
        """Return it with one more failed attempt of a pending step, and when the next is due."""
        return self.ended(step, Result.PENDING, until, message)

    @property
    def text(self) -> str:
        """The annotation ``dayfly.dev/steps``; empty if there is nothing to remember."""
        if not self.records and not self.woken:
            return ""
        done = [_done(record) for record in self.records.values()]
        return msgspec.json.encode(_Stored(self.end, done, self.woken, self.uid)).decode()


def of(meta: ObjectMeta) -> Ledger:
    """Read what is recorded on an object for the end that it has."""
    annotations = meta.annotation_map
    return read(annotations.get(names.STEPS), annotations.get(names.EXPIRES_AT, ""), meta.uid)


def read(text: str | None, end: str, uid: str = "") -> Ledger:
    """Read the annotation of an object with this ``expires-at``; what cannot be read is no record.

    Nobody but Dayfly can change it, and what is planted on a new object does not name its uid. To
    lose it makes the steps happen once more, not less safe.
    """
    stored = latest(text, uid)
    return replace(stored, end=end, records=stored.records if _same(stored.end, end) else {})


def latest(text: str | None, uid: str = "") -> Ledger:
    """Read the annotation of the object with this uid, for whichever end it is."""
    stored = _stored(text or "")
    if stored.uid == uid:
        return stored
    # A version that wrote no uid has served that request; planted, it keeps nobody from anything.
    return Ledger("", {}, "" if stored.uid else stored.woken, uid)


def _stored(text: str) -> Ledger:
    try:
        stored = msgspec.json.decode(text, type=_Stored)
        # Of what is there, none was deleted: with such a record it would live for ever.
        done = (each for each in stored.done if not each.step.startswith(f"{StepType.DELETE}@"))
        records = {each.step: _record(each) for each in done}
        return Ledger(stored.end, records, stored.woken, stored.uid)
    except (msgspec.MsgspecError, instant.InvalidInstant):
        return Ledger("", {})


def _same(one: str, other: str) -> bool:
    """Whether two texts are one instant: who only respells an end does not begin anew."""
    if one == other:
        return True
    try:
        return instant.parse(one) == instant.parse(other)
    except instant.InvalidInstant:
        return False


def _record(done: _Done) -> Record:
    at = instant.parse(done.at)
    return Record(done.step, done.id, done.result, at, done.attempts, done.message)


def _done(record: Record) -> _Done:
    return _Done(
        record.rule,
        record.id,
        record.result,
        instant.render(record.at),
        record.attempts,
        record.message,
    )
