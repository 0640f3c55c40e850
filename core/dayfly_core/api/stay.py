"""Stay: a tenant's request to keep, or to wake, the namespace that it stands in."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from dayfly_core import cel
from dayfly_core.api.condition import StatusCondition
from dayfly_core.api.expiry_policy import DurationText
from dayfly_core.api.schema import INSTANT, keyed_by
from dayfly_core.objects import ObjectMeta

InstantText = Annotated[str, Meta(max_length=64, extra_json_schema=cel.INSTANT)]


class StaySpec(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for the namespace: a later end, to be woken, or both."""

    length: Annotated[
        DurationText | UnsetType,
        Meta(
            description="How long the namespace is still needed, counted from the creation of the "
            "Stay, written as 90s, 45m, 8h, 1d12h or 2w."
        ),
    ] = msgspec.field(name="for", default=UNSET)
    until: Annotated[
        InstantText | UnsetType,
        Meta(description="When the namespace is no longer needed, RFC 3339; instead of for."),
    ] = UNSET
    wake: Annotated[
        bool,
        Meta(
            description="True: what its policy has scaled down comes back, and lives anew if the "
            "policy says so. A namespace that is awake keeps its end."
        ),
    ] = False


class StayStatus(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What has come of it; a Stay is carried out once."""

    expires_at: Annotated[
        str | UnsetType,
        Meta(
            description="The end of the namespace since then, RFC 3339.",
            extra_json_schema=INSTANT,
        ),
    ] = UNSET
    conditions: Annotated[
        list[StatusCondition],
        Meta(
            description="Granted: the namespace stays as long as it was asked, or why it does not.",
            extra_json_schema=keyed_by("type"),
        ),
    ] = []


class Stay(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Keeps the namespace that it is created in for longer, or wakes it.

    For people who may work in a namespace and not change the namespace itself. What they may ask
    for is what the namespace's ExpiryPolicy allows; an end never comes earlier by it. A Stay is
    carried out once: to ask again, create another.
    """

    metadata: ObjectMeta = ObjectMeta()
    spec: StaySpec
    status: StayStatus | UnsetType = UNSET
