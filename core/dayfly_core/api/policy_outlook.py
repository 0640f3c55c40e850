"""What an ExpiryPolicy's status says of its steps, of what comes next and of what it holds back."""

from typing import Annotated

import msgspec
from msgspec import Meta

from dayfly_core.api.schema import INSTANT


class KnownStep(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A step of the timeline, and since when the operator knows it."""

    step: Annotated[str, Meta(max_length=64, description="What it does and when: SCALE_DOWN@0s.")]
    since: Annotated[
        str,
        Meta(
            description="RFC 3339. Where the step was due before, it waits grace from then on.",
            extra_json_schema=INSTANT,
        ),
    ]


class Reach(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a policy does to which objects, and since when."""

    digest: Annotated[
        str,
        Meta(
            max_length=64,
            description="Changes with match, unit and timeline; empty while the policy does "
            "nothing, as it is suspended for example.",
        ),
    ] = ""
    since: Annotated[
        str,
        Meta(
            description="RFC 3339. What was due before, and is not done, comes as a surprise.",
            extra_json_schema=INSTANT,
        ),
    ]


class NextEnd(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Something that will happen to an object."""

    at: Annotated[str, Meta(description="When, RFC 3339.", extra_json_schema=INSTANT)]
    action: Annotated[str, Meta(max_length=64, description="The step: DELETE@0s.")]
    kind: Annotated[str, Meta(max_length=253, description="Kind of the object.")]
    namespace: Annotated[str, Meta(max_length=253, description="Its namespace.")] = ""
    name: Annotated[str, Meta(max_length=253, description="Its name.")]
    uid: Annotated[str, Meta(max_length=128, description="Its uid.")]


class Breaker(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What would end now and is left alone, because its authors do not expect it."""

    opened_at: Annotated[
        str,
        Meta(description="Since when, RFC 3339.", extra_json_schema=INSTANT),
    ]
    held: Annotated[int, Meta(ge=0, description="How many objects it keeps from ending.")] = 0
    first: Annotated[
        list[Annotated[str, Meta(max_length=512)]],
        Meta(max_length=10, description="The first of them, as kind.group/namespace/name."),
    ] = []
    message: Annotated[
        str, Meta(max_length=1024, description="Why, and how to go on all the same.")
    ] = ""
