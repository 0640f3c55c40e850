"""What is kept in memory of one object."""

from datetime import datetime
from sys import intern
from typing import Final

import msgspec

from dayfly_core import instant, names
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
        return self.meta.label_map.get(names.POLICY, "")


def trimmed(found: PartialObject) -> Stamped:
    """Keep what decisions read: 10,000 objects should cost megabytes, not their whole metadata."""
    meta = found.metadata
    ours = {key: value for key, value in meta.annotation_map.items() if key in KEPT}
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


KEPT: Final = frozenset({*names.OUR_ANNOTATIONS, names.NAME_CONFLICT})


def _end(text: str | None) -> datetime | None:
    try:
        return instant.parse(text) if text else None
    except instant.InvalidInstant:
        return None
