"""Whether plain JSON data fits a structural schema: type, size and spelling of every field."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, cast

from dayfly_core import reasons
from dayfly_core.structural import Schema
from dayfly_core.violations import Violation

_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "array": (list,),
    "boolean": (bool,),
    "integer": (int,),
    "object": (dict,),
    "string": (str,),
}


def faults(schema: Schema, value: object, path: str) -> Iterator[Violation]:
    """Yield what does not fit, with its field path. Unknown fields fit: they may be newer."""
    if not _has_type(schema["type"], value):
        yield _fault(path, value, f"must be of type {schema['type']}")
        return
    yield from (_fault(path, value, text) for text in _size_faults(schema, value))
    if isinstance(value, list):
        for index, item in enumerate(cast("list[object]", value)):
            yield from faults(schema["items"], item, f"{path}[{index}]")
    if isinstance(value, dict):
        yield from _object_faults(schema, cast("dict[str, object]", value), path)


def without_nulls(value: object) -> object:
    """Drop fields that are null, as the API server does: templates write them for "not set"."""
    if isinstance(value, list):
        return [without_nulls(item) for item in cast("list[object]", value)]
    if not isinstance(value, dict):
        return value
    fields = cast("dict[str, object]", value)
    return {name: without_nulls(field) for name, field in fields.items() if field is not None}


def unknown(schema: Schema, value: object, path: str) -> Iterator[str]:
    """Yield the paths of fields that the schema does not have: the API server would drop them.

    A stored object may have them, for it may be newer than this schema; what somebody is just
    writing has misspelt them.
    """
    if isinstance(value, list):
        for index, item in enumerate(cast("list[object]", value)):
            yield from unknown(schema.get("items", {}), item, f"{path}[{index}]")
    if not isinstance(value, dict) or "properties" not in schema:
        return
    for field, item in cast("dict[str, object]", value).items():
        if field not in schema["properties"]:
            yield f"{path}.{field}"
        else:
            yield from unknown(schema["properties"][field], item, f"{path}.{field}")


def _has_type(type_: str, value: object) -> bool:
    # bool is an int to Python, not to JSON.
    return isinstance(value, _TYPES[type_]) and (type_ == "boolean" or not isinstance(value, bool))


def _object_faults(schema: Schema, value: dict[str, object], path: str) -> Iterator[Violation]:
    for field in schema.get("required", ()):
        if field not in value:
            yield Violation(reasons.Reason.INVALID_POLICY, f"{path}.{field}", "", "is required")
    if "additionalProperties" in schema:
        for key, item in value.items():
            yield from faults(schema["additionalProperties"], item, f"{path}[{key}]")
    for field, nested in schema.get("properties", {}).items():
        if field in value:
            yield from faults(nested, value[field], f"{path}.{field}")


def _size_faults(schema: Schema, value: Any) -> Iterator[str]:
    for keyword, (broken, words) in LIMITS.items():
        if keyword in schema and broken(value, schema[keyword]):
            yield words.format(schema[keyword])


LIMITS: Final[Mapping[str, tuple[Callable[[Any, Any], bool], str]]] = {
    "enum": (lambda value, limit: value not in limit, "must be one of {}"),
    "maxItems": (lambda value, limit: len(value) > limit, "must have at most {} items"),
    "maxLength": (lambda value, limit: len(value) > limit, "must have at most {} characters"),
    "maxProperties": (lambda value, limit: len(value) > limit, "must have at most {} entries"),
    "maximum": (lambda value, limit: value > limit, "must be at most {}"),
    "minItems": (lambda value, limit: len(value) < limit, "must have at least {} items"),
    "minLength": (lambda value, limit: len(value) < limit, "must have at least {} characters"),
    "minimum": (lambda value, limit: value < limit, "must be at least {}"),
}


def _fault(path: str, value: object, detail: str) -> Violation:
    return Violation(reasons.Reason.INVALID_POLICY, path, str(value), detail)
