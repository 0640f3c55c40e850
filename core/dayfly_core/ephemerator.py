"""What becomes of an Ephemerator: its namespace ends at the deadline, and then the object itself.

The deadline follows from the spec and from the creation of the Ephemerator, which do not change by
themselves: it is computed anew each time, so a relabelled or restarted one ends no sooner.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Final

import msgspec
from msgspec import UNSET

from dayfly_core import api, errand, grammar, names
from dayfly_core.errand import Outcome, Plan, Stored
from dayfly_core.guard import Guard
from dayfly_core.lifetime import Months
from dayfly_core.objects import ObjectMeta

RETRY: Final = timedelta(minutes=1)
"""Until a DELETE that failed is tried again, half of it drawn by lot."""


class InvalidTarget(ValueError):
    """No namespace is named, or two are; the text says what to write."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the installation decides for all Ephemerators."""

    months: Months = Months.CALENDAR
    ignore: tuple[str, ...] = ()
    """Patterns of namespaces that none of them ends."""


def target(spec: api.EphemeratorSpec) -> str:
    """Return the namespace that ends, in either spelling; raises InvalidTarget."""
    resource = spec.resource_to_watch
    written = {
        name
        for name in (spec.namespace_to_watch, resource.namespace if resource else UNSET)
        if name is not UNSET and name
    }
    if len(written) > 1:
        raise InvalidTarget(f"spec.namespaceToWatch: {grammar.SAME_TARGET_HINT}")
    if not written:
        raise InvalidTarget(f"spec: {grammar.ONE_TARGET_HINT}")
    return written.pop()


def enabled(meta: ObjectMeta) -> bool:
    """Whether it is in force: exactly "true", and of two spellings the right one counts."""
    written = meta.annotation_map
    return written.get(names.ENABLED, written.get(names.ENABLED_MISSPELT)) == "true"


def ignore_list(written: str) -> tuple[str, ...]:
    """Read ``EPHEMERATOR_IGNORE_NAMESPACES``: names and globs, apart by commas."""
    return tuple(pattern for part in written.split(",") if (pattern := part.strip()))


def ignored(name: str, patterns: Sequence[str]) -> bool:
    """Whether a namespace is on the list; a glob has ``*``, ``?`` and ``[…]``."""
    return any(fnmatchcase(name, pattern.strip()) for pattern in patterns)


def read(stored: Stored) -> api.EphemeratorSpec:
    """Read the spec; raises msgspec.ValidationError, whose text names the field."""
    return msgspec.convert(dict(stored.spec or {}), api.EphemeratorSpec)


def read_status(stored: Stored) -> api.EphemeratorStatus:
    """Read the status; one that Ephemerate left in another shape is as good as none."""
    return errand.read_status(stored, api.EphemeratorStatus)


def plan(
    stored: Stored, namespace: ObjectMeta | None, guard: Guard, settings: Settings, now: datetime
) -> Plan:
    """Decide about one Ephemerator; ``namespace`` is its target as etcd has it, None if not."""
    raise NotImplementedError


def settle(stored: Stored, outcome: Outcome, now: datetime) -> Plan:
    """Say what follows from what came of the act."""
    raise NotImplementedError
