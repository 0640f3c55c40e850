"""Stamps as patches: RFC 6902 for the webhook's answer, a merge patch for the operator."""

from collections.abc import Iterator, Mapping
from typing import Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from dayfly_core.objects import ObjectMeta
from dayfly_core.stamps import Changes, Stamps, applied, differing

ANNOTATIONS_LIMIT: Final = 256 * 1024
"""Bytes of all keys and values of the annotations that the API server takes
(``TotalAnnotationSizeLimitB`` in apimachinery); with more it refuses the whole request."""

ROOM: Final = 4 * 1024
"""Bytes that all stamps together need less than."""


class Operation(msgspec.Struct, frozen=True):
    """One RFC 6902 operation. Never ``test`` or ``move``: a patch that fails fails the request."""

    op: Literal["add", "replace", "remove"]
    path: str
    value: str | dict[str, str] | UnsetType = UNSET


def operations(meta: ObjectMeta, stamps: Stamps) -> list[Operation]:
    """Write the stamps as operations that apply to exactly this object; none if it has them."""
    return [
        *_map_operations("/metadata/annotations", meta.annotations, stamps.annotations),
        *_map_operations("/metadata/labels", meta.labels, stamps.labels),
    ]


def _map_operations(
    parent: str, present: dict[str, str] | None, changes: Changes
) -> Iterator[Operation]:
    needed = differing(present or {}, changes)
    if present is None and needed:
        # Missing or null: adding to it would not apply, adding it replaces a null.
        yield Operation("add", parent, applied({}, needed))
        return
    for key, value in needed.items():
        path = f"{parent}/{key.replace('~', '~0').replace('/', '~1')}"
        if value is None:
            yield Operation("remove", path)
        else:
            yield Operation("replace" if key in (present or {}) else "add", path, value)


def crowded(annotations: Mapping[str, str]) -> bool:
    """Whether these may be near the limit: few objects' are, and of the others this is sure."""
    characters = sum(map(len, annotations)) + sum(map(len, annotations.values()))
    return characters * 4 > ANNOTATIONS_LIMIT - ROOM  # no character takes more than four bytes


def too_large(meta: ObjectMeta, stamps: Stamps) -> bool:
    """Whether the annotations with the stamps would be more than the API server takes."""
    annotations = applied(meta.annotation_map, stamps.annotations)
    if not crowded(annotations):
        return False
    return sum(_bytes(k) + _bytes(v) for k, v in annotations.items()) > ANNOTATIONS_LIMIT


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def merge_patch(stamps: Stamps, resource_version: str, uid: str) -> dict[str, object]:
    """Write the stamps as an RFC 7386 patch.

    ``resourceVersion`` and ``uid`` make the API server answer 409 if the object was touched or
    re-created since it was judged.
    """
    return {
        "metadata": {
            "resourceVersion": resource_version,
            "uid": uid,
            "annotations": dict(stamps.annotations),
            "labels": dict(stamps.labels),
        }
    }
