"""Ephemerator: a namespace's end, as Ephemerate has it."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from dayfly_core import cel
from dayfly_core.api.condition import StatusCondition
from dayfly_core.api.schema import INSTANT, keyed_by
from dayfly_core.objects import OwnMeta

NamespaceName = Annotated[str, Meta(max_length=63, extra_json_schema=cel.NAMESPACE_NAME)]


class ResourceToWatch(msgspec.Struct, frozen=True, kw_only=True):
    """What ends."""

    namespace: Annotated[
        NamespaceName | UnsetType, Meta(description="The name of the namespace that ends.")
    ] = UNSET


class LifetimeDuration(msgspec.Struct, frozen=True, kw_only=True):
    """A length of time: the sum of its units."""

    # Each unit ends at a hundred years: longer is a typing error, and no sum leaves the calendar.
    years: Annotated[Annotated[int, Meta(ge=0, le=100)] | UnsetType, Meta(description="Years.")] = (
        UNSET
    )
    months: Annotated[
        Annotated[int, Meta(ge=0, le=1200)] | UnsetType, Meta(description="Months.")
    ] = UNSET
    weeks: Annotated[
        Annotated[int, Meta(ge=0, le=5220)] | UnsetType, Meta(description="Weeks.")
    ] = UNSET
    days: Annotated[
        Annotated[int, Meta(ge=0, le=36_525)] | UnsetType, Meta(description="Days.")
    ] = UNSET
    hours: Annotated[
        Annotated[int, Meta(ge=0, le=876_600)] | UnsetType, Meta(description="Hours.")
    ] = UNSET
    minutes: Annotated[
        Annotated[int, Meta(ge=0, le=52_596_000)] | UnsetType, Meta(description="Minutes.")
    ] = UNSET
    seconds: Annotated[
        Annotated[int, Meta(ge=0, le=3_155_760_000)] | UnsetType, Meta(description="Seconds.")
    ] = UNSET


class LifetimeUntil(msgspec.Struct, frozen=True, kw_only=True):
    """What the clocks of a time zone show."""

    date: Annotated[
        str,
        Meta(
            max_length=10,
            description="The day, for example 2026-11-26.",
            extra_json_schema=cel.CALENDAR_DATE,
        ),
    ]
    time: Annotated[
        str,
        Meta(
            max_length=8,
            description="The time of day, 24 hours, for example 22:20:00. One that the clocks skip "
            "is when they have skipped it; of one that they show twice it is the first.",
            extra_json_schema=cel.TIME_OF_DAY,
        ),
    ]
    timezone: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=64,
            description="The time zone by its IANA name, for example America/Phoenix.",
        ),
    ]


class Lifetime(msgspec.Struct, frozen=True, kw_only=True):
    """When it ends: either after a length of time or at an instant."""

    duration: Annotated[
        LifetimeDuration | UnsetType,
        Meta(
            description="How long after the creation of the Ephemerator.",
            extra_json_schema=cel.SOME_DURATION,
        ),
    ] = UNSET
    until: Annotated[
        LifetimeUntil | UnsetType, Meta(description="When, by the clocks of a time zone.")
    ] = UNSET


class EphemeratorSpec(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which namespace ends, and when."""

    namespace_to_watch: Annotated[
        NamespaceName | UnsetType, Meta(description="The name of the namespace that ends.")
    ] = UNSET
    resource_to_watch: Annotated[
        ResourceToWatch | UnsetType,
        Meta(description="The same in another spelling: resourceToWatch.namespace."),
    ] = UNSET
    lifetime: Annotated[
        Lifetime, Meta(description="When it ends.", extra_json_schema=cel.ONE_LIFETIME)
    ]


class OriginalExpiry(msgspec.Struct, frozen=True, kw_only=True):
    """An end as Ephemerate itself wrote it."""

    expires_at_seconds: Annotated[
        float | UnsetType, Meta(description="The end in seconds since 1970.")
    ] = msgspec.field(name="expiresAtSeconds", default=UNSET)
    expires_at: Annotated[
        Annotated[str, Meta(max_length=64)] | UnsetType,
        Meta(description="The end in local time."),
    ] = msgspec.field(name="expiresAt", default=UNSET)


class Ending(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """That the end has come, written before anything is done about it."""

    id: Annotated[str, Meta(max_length=64, description="Which end: another deadline has another.")]
    target_uid: Annotated[
        str,
        Meta(
            max_length=128,
            description="Uid of the namespace: one of that name made later is another.",
        ),
    ]
    at: Annotated[
        str,
        Meta(description="When it was written, RFC 3339.", extra_json_schema=INSTANT),
    ]


class EphemeratorStatus(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What the operator sees."""

    observed_generation: Annotated[
        int | UnsetType, Meta(description="The generation that the operator last worked with.")
    ] = UNSET
    namespace: Annotated[
        Annotated[str, Meta(max_length=63)] | UnsetType,
        Meta(description="The namespace that ends."),
    ] = UNSET
    expires_at: Annotated[
        str | UnsetType,
        Meta(
            description="When the namespace ends, RFC 3339.",
            extra_json_schema=INSTANT,
        ),
    ] = UNSET
    expires_at_seconds: Annotated[
        int | UnsetType, Meta(description="The same in seconds since 1970.")
    ] = UNSET
    ending: Annotated[
        Ending | UnsetType, Meta(description="Set once the end has come, until all is gone.")
    ] = UNSET
    conditions: Annotated[
        list[StatusCondition],
        Meta(
            description="Ready: the namespace ends as the spec says. Withheld: its end has come, "
            "and what keeps it.",
            extra_json_schema=keyed_by("type"),
        ),
    ] = []
    on_create: Annotated[
        OriginalExpiry | UnsetType,
        Meta(
            description="Left by Ephemerate; counts, and stays, only while the spec cannot be read."
        ),
    ] = msgspec.field(name="on_create", default=UNSET)
    on_update: Annotated[
        OriginalExpiry | UnsetType,
        Meta(
            description="Left by Ephemerate; counts, and stays, only while the spec cannot be read."
        ),
    ] = msgspec.field(name="on_update", default=UNSET)


class Ephemerator(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Ends a namespace, and then itself.

    It is in force while it carries the annotation ephemerators.tessellate.io/enabled: "true".
    """

    metadata: OwnMeta = OwnMeta()
    spec: EphemeratorSpec
    status: EphemeratorStatus | UnsetType = UNSET
