from enum import StrEnum
from typing import Annotated, Any

import msgspec
import pytest
from msgspec import UNSET, Meta, UnsetType

from dayfly_core import structural
from dayfly_core.structural import UnsupportedSchema


class Way(StrEnum):
    """Which way to go."""

    LEFT = "left"
    RIGHT = "right"


class Inner(msgspec.Struct):
    """Something inside."""

    size: Annotated[int, Meta(ge=1, description="How big.")]


class Outer(msgspec.Struct, kw_only=True):
    """Something."""

    inner: Annotated[Inner, Meta(description="What this one is for.")]
    again: Inner | UnsetType = UNSET
    names: list[str] = []
    way: Way = Way.LEFT


class Loose(msgspec.Struct):
    """A value of two kinds."""

    value: int | str


class Anything(msgspec.Struct):
    """A value of any kind."""

    value: Any


class Patterned(msgspec.Struct):
    """A value whose fault only a regular expression explains."""

    value: Annotated[str, Meta(pattern="^a$")]


def test_a_struct_becomes_a_structural_schema() -> None:
    assert structural.schema(Outer) == {
        "description": "Something.",
        "type": "object",
        "required": ["inner"],
        "properties": {
            "inner": {
                "description": "What this one is for.",
                "type": "object",
                "required": ["size"],
                "properties": {
                    "size": {"description": "How big.", "type": "integer", "minimum": 1}
                },
            },
            "again": {
                "description": "Something inside.",
                "type": "object",
                "required": ["size"],
                "properties": {
                    "size": {"description": "How big.", "type": "integer", "minimum": 1}
                },
            },
            "names": {"type": "array", "items": {"type": "string"}, "default": []},
            "way": {
                "description": "Which way to go.",
                "type": "string",
                "enum": ["left", "right"],
                "default": "left",
            },
        },
    }


@pytest.mark.parametrize(
    ("type_", "message"),
    [
        pytest.param(Loose, r"value: \['anyOf'\] is not structural", id="a union"),
        pytest.param(Patterned, r"value: \['pattern'\] is not structural", id="a pattern"),
        pytest.param(Anything, "value: no type", id="no type"),
        pytest.param(int | str, r"the root: \['anyOf'\]", id="a union at the root"),
    ],
)
def test_what_the_api_server_would_refuse_raises(type_: Any, message: str) -> None:
    with pytest.raises(UnsupportedSchema, match=message):
        structural.schema(type_)
