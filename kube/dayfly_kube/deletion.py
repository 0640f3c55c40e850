"""What a DELETE says of the object it means: this version of it, or nothing."""

import msgspec


class Preconditions(msgspec.Struct, frozen=True, rename="camel"):
    """The very version that was judged."""

    uid: str
    resource_version: str


class DeleteOptions(msgspec.Struct, frozen=True, rename="camel"):
    """Body of a DELETE."""

    preconditions: Preconditions
    propagation_policy: str
    api_version: str = "v1"
    kind: str = "DeleteOptions"
