"""Python types to the structural OpenAPI v3 schema that a CustomResourceDefinition takes.

The keywords are a closed list: whatever else a type produces raises, so that a new construct
fails here instead of giving a schema that the API server refuses, or one that it prunes by.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, cast

import msgspec

Schema = dict[str, Any]
"""A JSON schema, or a part of one."""


class UnsupportedSchema(TypeError):
    """A type that has no structural schema; the text names keyword and place."""


def schema(type_: Any) -> Schema:
    """Return the structural schema of a msgspec type; raises UnsupportedSchema."""
    (root,), components = msgspec.json.schema_components([type_], ref_template="{name}")
    return _structural(root, components, "")


def _structural(node: Schema, components: Mapping[str, Schema], path: str) -> Schema:
    resolved = _resolve(node, components, path)
    result: Schema = {}
    for keyword, value in resolved.items():
        if keyword in _DROPPED:
            continue
        if keyword not in _KEPT:
            raise UnsupportedSchema(f"{path or 'the root'}: keyword {keyword!r} is not structural")
        result[keyword] = _KEPT[keyword](value, components, f"{path}.{keyword}")
    if not result.get("required", True):
        del result["required"]
    if "enum" in result:
        result["type"] = "string"
    if "type" not in result:
        raise UnsupportedSchema(f"{path or 'the root'}: no type")
    return result


def _resolve(node: Schema, components: Mapping[str, Schema], path: str) -> Schema:
    """Put the referenced component in place; what is said beside the reference wins."""
    name = node.get("$ref")
    if name is None:
        return node
    if f"<{name}>" in path:
        raise UnsupportedSchema(f"{path}: {name} contains itself")
    beside = {keyword: value for keyword, value in node.items() if keyword != "$ref"}
    return {**components[name], **beside}


def _as_is(value: Any, components: Mapping[str, Schema], path: str) -> Any:
    return value


def _nested(value: Any, components: Mapping[str, Schema], path: str) -> Schema:
    return _structural(value, components, path)


def _properties(value: Any, components: Mapping[str, Schema], path: str) -> Schema:
    fields = cast("Schema", value)
    return {
        name: _structural(field, components, f"{path}.{name}") for name, field in fields.items()
    }


# title and examples say nothing to kubectl.
_DROPPED: Final = frozenset({"title", "examples"})
_KEPT: Final[Mapping[str, Callable[[Any, Mapping[str, Schema], str], Any]]] = {
    "additionalProperties": _nested,
    "items": _nested,
    "properties": _properties,
    **dict.fromkeys(
        (
            "default",
            "description",
            "enum",
            "format",
            "maxItems",
            "maxLength",
            "maxProperties",
            "maximum",
            "minItems",
            "minLength",
            "minProperties",
            "minimum",
            "pattern",
            "required",
            "type",
            "x-kubernetes-list-map-keys",
            "x-kubernetes-list-type",
            "x-kubernetes-map-type",
            "x-kubernetes-validations",
        ),
        _as_is,
    ),
}
