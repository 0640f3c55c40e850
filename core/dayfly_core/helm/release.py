"""How a Helm release ends: which objects, in which order, and what keeps all of them.

A release ends whole or not at all: one object that is not its own, that is protected or that must
not be ended keeps the others too, and is named.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

from dayfly_core import instant, names
from dayfly_core.actions import Delete
from dayfly_core.guard import Guard
from dayfly_core.helm.manifest import Document
from dayfly_core.helm.marks import ReleaseRef, release_of, stays
from dayfly_core.helm.storage import Revision
from dayfly_core.objects import SECRETS, Key, ObjectMeta
from dayfly_core.reasons import Reason
from dayfly_core.subject import Plan


class Sighting(msgspec.Struct, frozen=True):
    """What was found under a name that the manifest lists."""

    document: Document
    key: Key | None
    """None: the API server serves no such kind, so that there is no such object."""
    meta: ObjectMeta | None = None
    """None: there is no such object (any more)."""


class Step(msgspec.Struct, frozen=True):
    """One DELETE of a plan; before it the object is marked, unless it is already."""

    key: Key
    uid: str
    resource_version: str
    marked: bool = False


class Blocker(msgspec.Struct, frozen=True):
    """Why a release does not end, and the object in the way, if it is one."""

    reason: str
    note: str
    key: Key | None = None
    uid: str = ""

    @property
    def text(self) -> str:
        """One sentence."""
        return f"{self.key} {self.note}" if self.key else self.note


class ReleasePlan(msgspec.Struct, frozen=True):
    """What the end of a release does; nothing at all while there is a blocker."""

    ref: ReleaseRef
    steps: tuple[Step, ...] = ()
    kept: tuple[str, ...] = ()
    """Objects that outlive the release because its chart says so."""
    hooks: tuple[str, ...] = ()
    """Hooks of the chart, which are not run."""
    blockers: tuple[Blocker, ...] = ()


class Surroundings(msgspec.Struct, frozen=True):
    """What else decides about the objects of a release."""

    guard: Guard
    others: Mapping[Key, ReleaseRef] = {}
    """Other releases that list an object too."""
    obstacles: Mapping[Key, Blocker] = {}
    """What only a question to the API server could tell: missing rights, what a namespace holds."""
    records: Sequence[Blocker] = ()
    """What keeps the Secrets from ending in which Helm stores the release: they go last."""


class Hold(msgspec.Struct, frozen=True):
    """A member of a release whose end has not come, so that the release's has not either."""

    key: Key
    until: datetime | None
    """When it may have come; None: not as things are."""
    note: str
    forsaken: bool = False
    """Whether nobody has wished that: it has an end that nobody will carry out."""

    @property
    def text(self) -> str:
        """One sentence."""
        return f"{self.key} {self.note}"


CONTROLLED: Final = "is controlled by another object"
PROTECTED: Final = f"carries the label {names.PROTECTED}"

_NO_HOLD: Final = frozenset({Reason.DELETED, Reason.PROTECTED, Reason.GUARDED, Reason.CONTROLLED})
"""Why a stamped object does not end by itself and is not waited for: it is going already, or it
will be named as what keeps the release."""


_FORSAKEN: Final[Mapping[str, str]] = {
    Reason.INERT: "has an end, but no policy covers it any more",
    Reason.AUDIT_ONLY: "has an end, but its policy only reports by now",
    Reason.INVALID_EXPIRES_AT: "has an end that cannot be read",
    Reason.INVALID_TTL: "has an end that cannot be read",
}
"""Why a stamped member does not end although nobody wants it to stay."""


def holding(key: Key, plan: Plan, now: datetime, brake: str | None = None) -> Hold | None:
    """Say whether one stamped member keeps its release, by its own plan; None: it does not.

    ``brake`` is why its policy's breaker holds its end back.
    """
    if any(isinstance(action, Delete) for action in plan.actions):
        return Hold(key, None, f"is held back: {brake}") if brake else None
    if plan.reason in _NO_HOLD:
        return None
    if plan.again and plan.again > now:
        return Hold(key, plan.again, f"has its next step at {instant.render(plan.again)}")
    note = plan.note or _FORSAKEN.get(plan.reason) or f"does not end ({plan.reason})"
    return Hold(key, None, note, forsaken=plan.reason in _FORSAKEN)


def marked(ref: ReleaseRef, sightings: Iterable[Sighting]) -> tuple[Key, ...]:
    """Return the objects that are there and say themselves that they are of the release.

    Whether another release lists one too need not be asked of any other: it is in the way already.
    """
    return tuple(
        seen.key for seen in sightings if seen.key and seen.meta and release_of(seen.meta) == ref
    )


def judge(
    ref: ReleaseRef,
    sightings: Iterable[Sighting],
    around: Surroundings,
    hooks: Sequence[str] = (),
) -> ReleasePlan:
    """Decide, over objects in the order in which they end."""
    there = [(seen.document, seen.key, seen.meta) for seen in sightings]
    present = [
        (document, key, meta)
        for document, key, meta in there
        if key and meta and not meta.deletion_timestamp
    ]
    kept = [key for document, key, meta in present if _stays(document, meta)]
    ending = [(key, meta) for document, key, meta in present if not _stays(document, meta)]
    found = (_blocker(ref, key, meta, around) for key, meta in ending)
    return ReleasePlan(
        ref,
        steps=tuple(_step(key, meta) for key, meta in ending),
        kept=tuple(str(key) for key in kept),
        hooks=tuple(hooks),
        blockers=(*around.records, *(blocker for blocker in found if blocker)),
    )


def of_records(revisions: Iterable[Revision], guard: Guard) -> tuple[Blocker, ...]:
    """Say what keeps Helm's own Secrets of a release from ending."""
    found = (_of_record(revision.meta, guard) for revision in revisions)
    return tuple(blocker for blocker in found if blocker)


def _of_record(meta: ObjectMeta, guard: Guard) -> Blocker | None:
    key = Key(SECRETS, meta.namespace, meta.name)
    refusal = guard.refuses(SECRETS, meta.namespace, meta.name)
    for reason, note in (
        (Reason.CONTROLLED, CONTROLLED if meta.controlled else None),
        (Reason.PROTECTED, PROTECTED if meta.protected else None),
        (Reason.GUARDED, f"cannot end: {refusal}" if refusal else None),
    ):
        if note:
            return Blocker(reason, note, key, meta.uid)
    return None


def _stays(document: Document, meta: ObjectMeta) -> bool:
    # Helm looks into the manifest alone; who has written it on the object means it as much.
    return document.stays or stays(meta.annotation_map)


def _step(key: Key, meta: ObjectMeta) -> Step:
    marked = names.ENDED_BY in meta.annotation_map or names.ENDED_BY in meta.label_map
    return Step(key, meta.uid, meta.resource_version, marked)


def _blocker(ref: ReleaseRef, key: Key, meta: ObjectMeta, around: Surroundings) -> Blocker | None:
    """Apply the rules in order; the first that speaks is the reason."""
    refusal = around.guard.refuses_in_release(key.resource, key.namespace, key.name)
    for reason, note in (
        (Reason.RELEASE_FOREIGN, _foreign(ref, meta)),
        (Reason.RELEASE_FOREIGN, _shared(key, around)),
        (Reason.CONTROLLED, CONTROLLED if meta.controlled else None),
        (Reason.PROTECTED, PROTECTED if meta.protected else None),
        (Reason.GUARDED, f"cannot end: {refusal}" if refusal else None),
    ):
        if note:
            return Blocker(reason, note, key, meta.uid)
    return around.obstacles.get(key)


def _foreign(ref: ReleaseRef, meta: ObjectMeta) -> str | None:
    owner = release_of(meta)
    if owner == ref:
        return None
    if owner:
        return f"belongs to the Helm release {owner}"
    return f"is not marked as made by the Helm release {ref}"


def _shared(key: Key, around: Surroundings) -> str | None:
    other = around.others.get(key)
    return f"is listed by the Helm release {other} too" if other else None
