"""What an Ephemerator says: which namespace, when, and whether it is in force."""

from collections.abc import Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase

import msgspec
from msgspec import UNSET, UnsetType

from dayfly_core import api, errand, grammar, names
from dayfly_core.api.ephemerator import OriginalExpiry
from dayfly_core.errand import Stored
from dayfly_core.lifetime import InvalidLifetime, Months, deadline
from dayfly_core.objects import ObjectMeta, OwnMeta
from dayfly_core.reasons import Reason


class InvalidTarget(ValueError):
    """No namespace is named, or two are; the text says what to write."""


class Settings(msgspec.Struct, frozen=True):
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


def ignored(name: str, patterns: Sequence[str]) -> bool:
    """Whether a namespace is on the list; a glob has ``*``, ``?`` and ``[…]``."""
    return any(fnmatchcase(name, pattern.strip()) for pattern in patterns)


def read(stored: Stored) -> api.EphemeratorSpec:
    """Read the spec; raises msgspec.ValidationError, whose text names the field."""
    return msgspec.convert(errand.written_spec(stored), api.EphemeratorSpec)


def read_status(stored: Stored) -> api.EphemeratorStatus:
    """Read the status; one that Ephemerate left in another shape is as good as none."""
    return errand.read_status(stored, api.EphemeratorStatus)


def aimed_at(stored: Stored) -> str:
    """Return the namespace that ends; empty if the spec does not say."""
    try:
        return target(read(stored))
    except (msgspec.ValidationError, InvalidTarget):
        return ""


class Aim(msgspec.Struct, frozen=True):
    """What the spec says, as far as it can be understood."""

    namespace: str
    at: datetime | None
    reason: str = ""
    problem: str = ""


def aim_of(stored: Stored, settings: Settings, now: datetime) -> Aim:
    """Understand an Ephemerator; without a sound lifetime, by what Ephemerate made of an older."""
    try:
        spec = read(stored)
        name = target(spec)
    except (msgspec.ValidationError, InvalidTarget) as error:
        return Aim("", None, Reason.INVALID_SPEC, str(error))
    try:
        # What was not stored yet lives as long as if it were now.
        created = stored.metadata.creation_timestamp or now
        return Aim(name, deadline(spec, created, settings.months))
    except InvalidLifetime as error:
        promised = _promised(read_status(stored))
        return Aim(name, promised, Reason.INVALID_LIFETIME, str(error))


def _promised(status: api.EphemeratorStatus) -> datetime | None:
    """Return the end as Ephemerate left it: what it wrote last it went by."""
    written = (_seconds(status.on_update), _seconds(status.on_create))
    return next((moment for moment in written if moment), None)


def _seconds(expiry: OriginalExpiry | UnsetType) -> datetime | None:
    if expiry is UNSET or expiry.expires_at_seconds is UNSET:
        return None
    try:
        return datetime.fromtimestamp(expiry.expires_at_seconds, UTC).replace(microsecond=0)
    except (ValueError, OverflowError, OSError):
        return None


def left_behind(meta: OwnMeta) -> dict[str, object]:
    """Return the patch of ``metadata`` that takes away what Ephemerate left; empty if nothing."""
    changes: dict[str, object] = {}
    if names.KOPF_FINALIZER in meta.finalizers:
        kept = [each for each in meta.finalizers if each != names.KOPF_FINALIZER]
        changes["finalizers"] = kept
    notes = [key for key in meta.annotation_map if key.startswith(names.KOPF_PREFIX)]
    if notes:
        changes["annotations"] = dict.fromkeys(notes)
    return changes
