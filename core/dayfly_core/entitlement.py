"""What somebody must be allowed to do by hand, to have Dayfly do it to another namespace."""

from typing import NamedTuple

from dayfly_core.objects import NAMESPACES, Resource


class Right(NamedTuple):
    """One verb on one object, or on all of a kind in a namespace."""

    verb: str
    resource: Resource
    namespace: str = ""
    name: str = ""

    def __str__(self) -> str:
        """``delete namespaces/team-b``, or ``patch deployments.apps in namespace team-b``."""
        name = f"/{self.name}" if self.name else ""
        inside = f" in namespace {self.namespace}" if self.namespace else ""
        return f"{self.verb} {self.resource.group_resource}{name}{inside}"

    @property
    def attributes(self) -> dict[str, str]:
        """As a SubjectAccessReview asks.

        The API server calls a Namespace its own namespace, so that a role in it may be about it.
        """
        own = self.resource.group_resource == NAMESPACES.group_resource
        return {
            "verb": self.verb,
            "group": self.resource.group,
            "version": self.resource.version,
            "resource": self.resource.plural,
            "namespace": self.name if own else self.namespace,
            "name": self.name,
        }
