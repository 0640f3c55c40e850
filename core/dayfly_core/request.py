"""One admission request, reduced to what the decisions read."""

from enum import StrEnum

import msgspec

from dayfly_core import names
from dayfly_core.objects import NAMESPACES, ObjectMeta
from dayfly_core.policies import GroupResource


def our_users(namespace: str) -> frozenset[str]:
    """Return Dayfly's own accounts where it is installed: their requests are not judged."""
    return frozenset(
        f"system:serviceaccount:{namespace}:{account}"
        for account in (names.ADMISSION_ACCOUNT, names.OPERATOR_ACCOUNT)
    )


class Operation(StrEnum):
    """What is asked of the API server."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"
    CONNECT = "CONNECT"


class Request(msgspec.Struct, frozen=True):
    """Who wants to do what to which object; ``meta`` is the object as it would be stored."""

    operation: Operation
    group: str
    plural: str
    kind: str
    namespaced: bool
    namespace: str
    name: str
    username: str
    meta: ObjectMeta
    old: ObjectMeta | None
    spec_changed: bool
    reinvoked: bool = False
    """Of a CREATE that carries stamps: an earlier call for this very request put them there, for
    ``managedFields`` does not list them. (Without this, stamps on a CREATE are a copy's.)"""
    host_given: bool = False
    """Of a CREATE: its host is a webhook's, for the same reason; perhaps by another replica, which
    knew the policy or the namespace as it was a moment ago."""

    @property
    def group_resource(self) -> GroupResource:
        """Group and plural, as policies list them."""
        return self.group, self.plural

    @property
    def stored(self) -> ObjectMeta | None:
        """Metadata before the request, None for a CREATE."""
        return None if self.operation is Operation.CREATE else self.old or self.meta

    def namespace_labels(self, namespace: ObjectMeta | None) -> dict[str, str] | None:
        """Labels for a policy's ``namespaceSelector``; None where only an empty one may fit.

        That is so for cluster-scoped objects, and for a namespace that nobody knows: reading its
        labels as none would fit every selector that asks for the absence of one.
        """
        if self.group_resource == NAMESPACES.pair:
            return self.meta.label_map
        return namespace.label_map if self.namespaced and namespace else None
