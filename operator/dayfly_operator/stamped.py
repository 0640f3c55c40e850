"""What is kept in memory of one object."""

from datetime import datetime
from sys import intern
from typing import Final

import msgspec

from dayfly_core import instant, names
from dayfly_core.helm import marks as helm
from dayfly_core.objects import ObjectMeta, PartialObject


class Stamped(msgspec.Struct, frozen=True, gc=False):
    """An object with the label: its metadata as far as decisions read it, and its end.

    ``end`` is None if the object has none, or one that cannot be read.
    """

    meta: ObjectMeta
    end: datetime | None

    @property
    def policy(self) -> str:
        """Name of the policy that stamped it."""
        labels = self.meta.labels
        return labels.get(names.POLICY, "") if labels else ""


KEPT: Final = tuple(
    dict.fromkeys(
        (
            *names.OUR_ANNOTATIONS,
            names.NAME_CONFLICT,
            names.STEPS,
            names.CAUGHT_UP,
            names.WAKE_REQUESTED,
            names.SCALED_BY,
            names.WARNING,
            names.ENDED_BY,
        )
    )
)
"""Annotations that decisions, and those who tell of them, read."""

SHARED: Final = helm.ANNOTATIONS
"""The same, with texts that many objects have: each is in memory once."""


def trimmed(found: PartialObject) -> Stamped:
    """Keep what decisions read: 10,000 objects should cost megabytes, not their whole metadata."""
    meta = found.metadata
    ours = _ours(meta.annotations) if meta.annotations else {}
    return Stamped(
        meta=ObjectMeta(
            name=meta.name,
            namespace=intern(meta.namespace),
            uid=meta.uid,
            resource_version=meta.resource_version,
            creation_timestamp=meta.creation_timestamp,
            deletion_timestamp=meta.deletion_timestamp,
            labels=meta.labels,
            annotations=ours or None,
            owner_references=[o for o in meta.owner_references or () if o.controller] or None,
        ),
        end=_end(ours.get(names.EXPIRES_AT)),
    )


def _ours(annotations: dict[str, str]) -> dict[str, str]:
    # Under our own keys, not under those that were decoded with each object: 100 bytes each.
    kept = {key: annotations[key] for key in KEPT if key in annotations}
    for key in SHARED:
        if key in annotations:
            kept[key] = intern(annotations[key])
    return kept


def _end(text: str | None) -> datetime | None:
    try:
        return instant.parse(text) if text else None
    except instant.InvalidInstant:
        return None
