"""What a schema says of a field, and msgspec has no word for: for ``Meta(extra_json_schema=…)``."""

from typing import Any, Final

INSTANT: Final[dict[str, Any]] = {"format": "date-time"}
"""An instant, RFC 3339."""


def keyed_by(field: str) -> dict[str, Any]:
    """Say by which field the items of a list are told apart.

    No two may have the same, and server-side apply merges such lists item by item.
    """
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [field]}
