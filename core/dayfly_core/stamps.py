"""What Dayfly writes on an object: its own keys in ``metadata``, and nothing else."""

from collections.abc import Mapping
from typing import Final

import msgspec

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
