"""NameClaim: who has a name or a host."""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from dayfly_core import cel
from dayfly_core.api.schema import INSTANT
from dayfly_core.objects import ObjectMeta


class KeyKind(StrEnum):
    """What kind of name is claimed."""

    ENVIRONMENT = "environment"
    HOST = "host"


class ClaimState(StrEnum):
    """How sure it is that the holder exists."""

    PENDING = "Pending"
    BOUND = "Bound"


class ClaimedKey(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The name that is claimed."""

    kind: Annotated[KeyKind, Meta(description="environment: a Namespace's. host: a DNS name.")]
    value: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=255,
            description="The name as it is compared: a host in lower case, international "
            "characters as xn--, no dot at the end.",
        ),
    ]
    written: Annotated[
        str, Meta(max_length=1024, description="The name as the holder writes it.")
    ] = ""


class Holder(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The object that has the name."""

    group: Annotated[str, Meta(max_length=253, description='Its API group, "" for core.')] = ""
    version: Annotated[str, Meta(max_length=63, description="Its API version.")]
    resource: Annotated[str, Meta(max_length=63, description="Its kind's plural name.")]
    kind: Annotated[str, Meta(max_length=63, description="Its kind.")]
    namespace: Annotated[
        str, Meta(max_length=63, description="Its namespace; empty around cluster-scoped objects.")
    ] = ""
    name: Annotated[str, Meta(min_length=1, max_length=253, description="Its name.")]
    uid: Annotated[
        str,
        Meta(max_length=128, description="Its uid: one of the same name made later is another."),
    ]


class NameClaimSpec(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Who has which name."""

    key: Annotated[
        ClaimedKey, Meta(description="The name that is claimed.", extra_json_schema=cel.SAME_KEY)
    ]
    holder: Annotated[Holder, Meta(description="The object that has the name.")]
    state: Annotated[
        ClaimState,
        Meta(
            description="Pending: reserved by a request that was admitted, the object was not seen "
            "stored yet. Bound: the object is there and has the name."
        ),
    ]
    claimed_at: Annotated[
        str,
        Meta(
            description="When the claim was last taken or renewed, RFC 3339.",
            extra_json_schema=INSTANT,
        ),
    ]
    contested: Annotated[
        bool,
        Meta(
            description="True: when it was claimed, an earlier request for the same holder may "
            "still have been on its way. It stays Pending until that one must have ended."
        ),
    ] = False


class NameClaim(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Says who has a name: the name of an environment, or a host.

    Dayfly writes it before it admits the object, and deletes it when the object is gone or no
    longer has the name. The claim's own name follows from what is claimed, so the API server
    itself sees to it that there is never a second one. Nobody else writes claims, save who has the
    verb "repair" on them.
    """

    metadata: ObjectMeta = ObjectMeta()
    spec: NameClaimSpec
