"""What an Ephemerator says before it is stored: everything wrong with it, or when what ends."""

from collections.abc import Iterator
from datetime import datetime

from dayfly_core import api, lifetime, names
from dayfly_core.entitlement import Right
from dayfly_core.ephemerator.aim import InvalidTarget, enabled, target
from dayfly_core.intent import Intent, InvalidSpec, Version, Yardstick, before, news, read
from dayfly_core.lifetime import InvalidLifetime, deadline
from dayfly_core.objects import NAMESPACES, ObjectMeta
from dayfly_core.reasons import Reason
from dayfly_core.receipts import fitted, line, when
from dayfly_core.violations import Violation


def judge(new: Version, old: Version | None, by: Yardstick) -> Intent:
    """Judge a write.

    Its author must be allowed to delete the namespace; unless an update ends no other one, no
    earlier, and none that did not end before.
    """
    try:
        spec = read(api.EphemeratorSpec, new.spec)
    except InvalidSpec as error:
        stopped = old is not None and new.spec == old.spec and not enabled(new.meta)
        # What was stored before there were rules can be stopped.
        return Intent(violations=() if stopped else error.violations)
    stored = before(api.EphemeratorSpec, old)
    faults = _faults(spec, new.meta, by)
    found = news(faults, _faults(stored, old.meta, by)) if old and stored else faults
    name, place = _target(spec), _place(spec)
    asks = old is None or stored is None or _goes_further(new, spec, old, stored, by)
    return Intent(
        target=name,
        place=place,
        rights=(Right("delete", NAMESPACES, name=name),) if name and asks else (),
        violations=found,
        receipts=() if faults else tuple(_receipts(new.meta, spec, by)),
    )


def _target(spec: api.EphemeratorSpec) -> str:
    try:
        return target(spec)
    except InvalidTarget:
        return ""


def _place(spec: api.EphemeratorSpec) -> str:
    return "spec.namespaceToWatch" if spec.namespace_to_watch else "spec.resourceToWatch.namespace"


def _faults(spec: api.EphemeratorSpec, meta: ObjectMeta, by: Yardstick) -> tuple[Violation, ...]:
    return (
        *_target_faults(spec, by),
        *(
            Violation(Reason.INVALID_LIFETIME, error.field, error.value, error.detail)
            for error in lifetime.faults(spec, _created(meta, by.now), by.months)
        ),
    )


def _target_faults(spec: api.EphemeratorSpec, by: Yardstick) -> Iterator[Violation]:
    try:
        name = target(spec)
    except InvalidTarget as error:
        field, _, detail = str(error).partition(": ")
        yield Violation(Reason.INVALID_SPEC, field, "", detail)
        return
    if refusal := by.guard.refuses(NAMESPACES, "", name):
        yield Violation(Reason.GUARDED, _place(spec), name, f"{refusal}; name another one")


def _goes_further(
    new: Version,
    spec: api.EphemeratorSpec,
    old: Version,
    stored: api.EphemeratorSpec,
    by: Yardstick,
) -> bool:
    if _target(spec) != _target(stored) or (enabled(new.meta) and not enabled(old.meta)):
        return True
    end, was = _deadline(spec, old.meta, by), _deadline(stored, old.meta, by)
    return end is not None and (was is None or end < was)


def _deadline(spec: api.EphemeratorSpec, meta: ObjectMeta, by: Yardstick) -> datetime | None:
    try:
        return deadline(spec, _created(meta, by.now), by.months)
    except InvalidLifetime:
        return None


def _created(meta: ObjectMeta, now: datetime) -> datetime:
    return meta.creation_timestamp or now


def _receipts(meta: ObjectMeta, spec: api.EphemeratorSpec, by: Yardstick) -> Iterator[str]:
    name, end = target(spec), deadline(spec, _created(meta, by.now), by.months)
    ends = f"ends {when(end, by.now)}"
    if not enabled(meta):
        fact = f' does nothing yet: it needs the annotation {names.ENABLED}: "true"'
        yield fitted(f"Ephemerator {meta.name}", fact)
        return
    yield fitted(f"namespace {name}", f" {ends}, by Ephemerator {meta.name}")
    known = by.known(name)
    if known and known.protected:
        yield line(f"as long as it carries the label {names.PROTECTED}, it does not end")
