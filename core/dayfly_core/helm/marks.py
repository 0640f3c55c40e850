"""What Helm writes on the objects that it makes: whose they are, and what is to stay."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from dayfly_core.objects import ObjectMeta

RELEASE_NAME: Final = "meta.helm.sh/release-name"
"""Annotation: the release that made the object, or took it over."""
RELEASE_NAMESPACE: Final = "meta.helm.sh/release-namespace"
"""Annotation: where that release is stored."""
MANAGED_BY: Final = "app.kubernetes.io/managed-by"
"""Label: ``Helm`` on all that Helm takes for its own."""
MANAGER: Final = "Helm"
RESOURCE_POLICY: Final = "helm.sh/resource-policy"
"""Annotation: ``keep`` leaves the object where it is when its release goes."""

ANNOTATIONS: Final = (RELEASE_NAME, RELEASE_NAMESPACE, RESOURCE_POLICY)
"""What has to be remembered of an object to know which release it ends with."""


class ReleaseRef(NamedTuple):
    """A Helm release: names are unique within a namespace."""

    namespace: str
    name: str

    def __str__(self) -> str:
        """``team-a/shop``."""
        return f"{self.namespace}/{self.name}"


def release_of(meta: ObjectMeta) -> ReleaseRef | None:
    """Return the release that an object says it belongs to, by the marks that Helm itself asks for.

    Anybody may write these marks: they say whom to ask, and are no proof. The release's manifest
    has to list the object too.
    """
    annotations = meta.annotation_map
    name, namespace = annotations.get(RELEASE_NAME), annotations.get(RELEASE_NAMESPACE)
    if not (name and namespace) or meta.label_map.get(MANAGED_BY) != MANAGER:
        return None
    return ReleaseRef(namespace, name)


def stays(annotations: Mapping[str, object]) -> bool:
    """Whether the object outlives its release.

    Any value counts: ``helm uninstall`` deletes nothing that has the annotation, even misspelt.
    """
    return RESOURCE_POLICY in annotations
