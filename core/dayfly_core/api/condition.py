"""Conditions, as in all Kubernetes kinds."""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from dayfly_core.api.schema import INSTANT


class ConditionStatus(StrEnum):
    """Status of a condition."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class StatusCondition(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One aspect of the object's state, as in all Kubernetes kinds."""

    type: Annotated[str, Meta(max_length=316, description="Which aspect.")]
    status: Annotated[ConditionStatus, Meta(description="True, False or Unknown.")]
    reason: Annotated[str, Meta(min_length=1, max_length=1024, description="One word: why.")]
    message: Annotated[
        str, Meta(max_length=32768, description="A sentence: why, and what to do about it.")
    ] = ""
    last_transition_time: Annotated[
        str,
        Meta(
            description="When the status last changed, RFC 3339.",
            extra_json_schema=INSTANT,
        ),
    ]
    observed_generation: Annotated[
        int | UnsetType, Meta(description="The generation of the object that this is about.")
    ] = UNSET
