"""What Dayfly writes on an object: its own keys in ``metadata``, and nothing else."""

from collections.abc import Mapping
from typing import Final

import msgspec

from dayfly_core import names
from dayfly_core.objects import ObjectMeta

Changes = Mapping[str, str | None]
"""New values by key; None removes the key."""

NO_CHANGES: Final[Changes] = {}


class Stamps(msgspec.Struct, frozen=True):
    """Changes to annotations and labels."""

    annotations: Changes = {}
    labels: Changes = {}

    def __bool__(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.annotations or self.labels)

    def needed(self, meta: ObjectMeta) -> "Stamps":
        """Drop what the object has already."""
        return Stamps(
            differing(meta.annotation_map, self.annotations),
            differing(meta.label_map, self.labels),
        )


def differing(present: Mapping[str, str], changes: Changes) -> dict[str, str | None]:
    """Return the changes that would change something."""
    return {key: value for key, value in changes.items() if present.get(key) != value}


def applied(present: Mapping[str, str], changes: Changes) -> dict[str, str]:
    """Return the map as it is after the changes."""
    merged = {**present, **changes}
    return {key: value for key, value in merged.items() if value is not None}


def slept(meta: ObjectMeta) -> Changes:
    """Return what a new object keeps of the records of the one that it is a copy of: its way back.

    A restored workload at 0 replicas could never be woken without. It is no forgery: who creates
    a workload says how many replicas it has, so also how many it gets back. That the mark names the
    uid of another keeps it from being taken for scaled down already.
    """
    if not meta.annotation_map.get(names.SCALED_BY):
        return NO_CHANGES
    return {key: meta.annotation_map.get(key) for key in (names.REPLICAS, names.SCALED_BY)}


def records(stored: ObjectMeta | None, *, moved: bool) -> dict[str, str | None]:
    """Return the operator's records as they have to be after somebody's write.

    On a new object they are another's, and what tells of an end is so until there is a stamp: with
    steps that were never done an object would outlive its end. Later they stay: a replace that
    drops them would have done again what was done. An end that its author has ``moved`` is no
    surprise any more.
    """
    kept = {key: stored.annotation_map.get(key) if stored else None for key in names.RECORDS}
    if stored is None or names.POLICY not in stored.label_map:
        kept |= dict.fromkeys(names.RECORDS_OF_AN_END)
    return kept | ({names.CAUGHT_UP: None} if moved else {})
