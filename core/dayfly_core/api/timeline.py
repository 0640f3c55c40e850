"""What happens around an end: the steps of a policy's timeline, as they are written."""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from dayfly_core import cel


class StepType(StrEnum):
    """What a step of the timeline does."""

    NOTIFY = "NOTIFY"
    SCALE_DOWN = "SCALE_DOWN"
    WEBHOOK = "WEBHOOK"
    DELETE = "DELETE"


class SecretReference(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A Secret in Dayfly's own namespace."""

    name: Annotated[
        str,
        Meta(
            max_length=253,
            description="Its name; the key hmac in it signs what is sent.",
            extra_json_schema=cel.DNS_NAME,
        ),
    ]


class StepWebhook(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Who is told over HTTP."""

    url: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=2048,
            description="http:// or https://. No address of this cluster's own machinery.",
            extra_json_schema=cel.HTTP_URL,
        ),
    ]
    secret_ref: Annotated[
        SecretReference | UnsetType, Meta(description="What signs the request.")
    ] = UNSET


class StepAction(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a step does."""

    type: Annotated[
        StepType,
        Meta(
            description="NOTIFY: an Event and the annotation dayfly.dev/warning. SCALE_DOWN: to no "
            "replicas, until it is woken; of a Namespace, everything in it. WEBHOOK: an HTTP "
            "request. DELETE: only as the last step."
        ),
    ]
    webhook: Annotated[
        StepWebhook | UnsetType,
        Meta(description="Needed by WEBHOOK, possible for NOTIFY."),
    ] = UNSET


OffsetText = Annotated[str, Meta(max_length=33, extra_json_schema=cel.OFFSET)]


class TimelineStep(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Something that happens once, before, at or after the end."""

    at: Annotated[
        OffsetText,
        Meta(description="When: -1h is an hour before the end, 0s at it, 1d a day after it."),
    ]
    action: Annotated[
        StepAction,
        Meta(description="What happens.", extra_json_schema=cel.ACTION),
    ]
