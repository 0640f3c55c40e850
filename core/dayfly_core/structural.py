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
    resolved = _resolve(node, components)
    unknown = resolved.keys() - _KEPT.keys() - _DROPPED
    if unknown:
        raise UnsupportedSchema(f"{path or 'the root'}: {sorted(unknown)} is not structural")
    if "type" not in resolved:
        raise UnsupportedSchema(f"{path or 'the root'}: no type")
    return {
        keyword: convert(resolved[keyword], components, f"{path}.{keyword}")
        for keyword, convert in _KEPT.items()
        if keyword in resolved and (keyword, resolved[keyword]) != ("required", [])
    }


def _resolve(node: Schema, components: Mapping[str, Schema]) -> Schema:
    """Put the referenced component in place; what is said beside the reference wins."""
    beside = {keyword: value for keyword, value in node.items() if keyword != "$ref"}
    named = components[node["$ref"]] if "$ref" in node else {}
    typed = {"type": "string"} if "enum" in named else {}
    return {**named, **typed, **beside}


def _as_is(value: Any, components: Mapping[str, Schema], path: str) -> Any:
    return value


def _nested(value: Any, components: Mapping[str, Schema], path: str) -> Schema:
    return _structural(value, components, path)


def _properties(value: Any, components: Mapping[str, Schema], path: str) -> Schema:
    fields = cast("Schema", value)
    return {
        name: _structural(field, components, f"{path}.{name}") for name, field in fields.items()
    }


# title and examples say nothing to kubectl. No `pattern`: its message shows a regular expression,
# a validation rule can say what to write.
_DROPPED: Final = frozenset({"title", "examples"})
_KEPT: Final[Mapping[str, Callable[[Any, Mapping[str, Schema], str], Any]]] = {
    "description": _as_is,
    "type": _as_is,
    "format": _as_is,
    "enum": _as_is,
    "minimum": _as_is,
    "maximum": _as_is,
    "minLength": _as_is,
    "maxLength": _as_is,
    "minItems": _as_is,
    "maxItems": _as_is,
    "maxProperties": _as_is,
    "x-kubernetes-list-type": _as_is,
    "x-kubernetes-list-map-keys": _as_is,
    "x-kubernetes-validations": _as_is,
    "required": _as_is,
    "properties": _properties,
    "items": _nested,
    "additionalProperties": _nested,
    "default": _as_is,
}
"""In the order in which they are written."""
