"""Label selectors, as in all Kubernetes kinds."""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from dayfly_core import cel


class Operator(StrEnum):
    """Operators of a label selector's expression."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"


LabelValue = Annotated[str, Meta(max_length=63, extra_json_schema=cel.LABEL_VALUE)]


class LabelSelectorRequirement(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One expression over a label."""

    key: Annotated[
        str,
        Meta(max_length=317, description="The label's key.", extra_json_schema=cel.LABEL_KEY),
    ]
    operator: Annotated[Operator, Meta(description="In, NotIn, Exists or DoesNotExist.")]
    # No default: the API server would write it into the stored list, and from then on each
    # `kubectl apply` of the same file would find a difference there.
    values: Annotated[
        Annotated[list[LabelValue], Meta(max_length=32)] | UnsetType,
        Meta(description="Needed by In and NotIn, left out for the other two."),
    ] = UNSET

    @property
    def listed(self) -> list[str]:
        """The values, none if they are left out."""
        return self.values or []


class LabelSelector(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A Kubernetes label selector; empty selects everything."""

    match_labels: Annotated[
        dict[str, LabelValue],
        Meta(
            max_length=32,
            description="Labels that must have exactly these values.",
            extra_json_schema=cel.LABEL_KEYS,
        ),
    ] = {}
    match_expressions: Annotated[
        list[Annotated[LabelSelectorRequirement, Meta(extra_json_schema=cel.VALUES)]],
        Meta(max_length=16, description="Expressions that must all be true."),
    ] = []
