"""What an object of ours would have Dayfly do to a namespace, judged before it is stored."""

from collections.abc import Callable, Hashable, Mapping
from datetime import datetime
from functools import cache
from typing import Any, TypeVar, cast

import msgspec

from dayfly_core import conformance, structural
from dayfly_core.entitlement import Right
from dayfly_core.guard import Guard
from dayfly_core.lifetime import Months
from dayfly_core.objects import ObjectMeta
from dayfly_core.outgoing import destinations
from dayfly_core.outgoing.destinations import ForbiddenDestination
from dayfly_core.reasons import Reason
from dayfly_core.violations import Violation

T = TypeVar("T")


class Version(msgspec.Struct, frozen=True):
    """An object of ours as somebody would have it, or had it; its spec may be anything."""

    meta: ObjectMeta
    spec: Any


class Yardstick(msgspec.Struct, frozen=True):
    """What it is judged by."""

    now: datetime
    guard: Guard
    known: Callable[[str], ObjectMeta | None] = lambda _name: None
    """What is known of a namespace, at no cost."""
    webhooks: destinations.Rules = msgspec.field(default_factory=destinations.Rules)
    months: Months = Months.CALENDAR


class Intent(msgspec.Struct, frozen=True):
    """What one version of it says."""

    target: str = ""
    """The namespace that it is about."""
    place: str = ""
    """Where the object says so."""
    rights: tuple[Right, ...] = ()
    """What its author has to be allowed to do there."""
    violations: tuple[Violation, ...] = ()
    warnings: tuple[str, ...] = ()
    receipts: tuple[str, ...] = ()


class InvalidSpec(ValueError):
    """A spec that the present schema would refuse."""

    def __init__(self, violations: tuple[Violation, ...]) -> None:
        super().__init__("; ".join(violation.text for violation in violations))
        self.violations = violations


def read(type_: type[T], spec: Any) -> T:
    """Read a spec; raises InvalidSpec, with every fault, for what the schema refuses."""
    raw: Any = conformance.without_nulls(spec)
    faults = conformance.faults(_schema(cast("Hashable", type_)), raw, "spec")
    found = tuple(Violation(Reason.INVALID_SPEC, v.field, v.value, v.detail) for v in faults)
    if found:
        raise InvalidSpec(found)
    return msgspec.convert(raw, type_)


def before(type_: type[T], old: Version | None) -> T | None:
    """Read what is stored; None if it cannot be read: it was stored before there were rules."""
    try:
        return read(type_, old.spec) if old else None
    except InvalidSpec:
        return None


@cache
def _schema(type_: Hashable) -> structural.Schema:
    return structural.schema(type_)


def news(found: tuple[Violation, ...], before: tuple[Violation, ...]) -> tuple[Violation, ...]:
    """Keep what the stored version does not have: a write that only mends a part must pass."""
    return tuple(violation for violation in found if violation not in before)


def to_webhooks(urls: Mapping[str, str], rules: destinations.Rules) -> tuple[Violation, ...]:
    """Object to URLs, by the fields that they stand in, to which no webhook is sent."""
    found = list[Violation]()
    for place, url in urls.items():
        try:
            destinations.check(url, rules)
        except ForbiddenDestination as error:
            found.append(Violation(Reason.DESTINATION_FORBIDDEN, place, url, str(error)))
    return tuple(found)
