"""The few fields of any Kubernetes object that Dayfly reads.

Decoded tolerantly (unknown fields are dropped while parsing), frozen, and without GC tracking:
10,000 of these cost one short collection instead of half a second of pause.
"""

import re
from datetime import datetime
from typing import Final, NamedTuple

import msgspec

from dayfly_core import names


class Resource(NamedTuple):
    """A kind as the API server serves it."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool

    @property
    def group_resource(self) -> str:
        """``deployments.apps``, or ``configmaps`` in the core group: as kubectl writes it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def pair(self) -> tuple[str, str]:
        """Group and plural: the kind in whichever version, as policies list it."""
        return self.group, self.plural

    @property
    def api_version(self) -> str:
        """``apps/v1``, or ``v1`` in the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str = "", name: str = "") -> str:
        """URL path of the collection or, with a name, of one object."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        scope = f"/namespaces/{_quoted(namespace)}" if self.namespaced and namespace else ""
        return f"{root}{scope}/{self.plural}" + (f"/{_quoted(name)}" if name else "")


def is_segment(name: str) -> bool:
    """Whether it can be one step of a path: the least that the API server asks of any name."""
    return name not in (".", "..") and "/" not in name and "%" not in name


_PLAIN: Final = re.compile(r"[A-Za-z0-9._~:-]*")


def _quoted(name: str) -> str:
    """Write a name into a path: that of a ClusterRole may be ``a?b``, and must not mean ``a``."""
    if _PLAIN.fullmatch(name):
        return name
    from urllib.parse import quote  # for a name in a million

    return quote(name, safe=":")


NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
EXPIRY_POLICIES = Resource(
    names.GROUP, names.VERSION, "expirypolicies", "ExpiryPolicy", namespaced=False
)
NAME_CLAIMS = Resource(names.GROUP, names.VERSION, "nameclaims", "NameClaim", namespaced=False)
STAYS = Resource(names.GROUP, names.VERSION, "stays", "Stay", namespaced=True)
EPHEMERATORS = Resource(
    names.EPHEMERATE_GROUP, "v1alpha1", "ephemerators", "Ephemerator", namespaced=False
)
NAMESPACE_MANAGERS = Resource(
    names.NSMAN_GROUP, "v1beta1", "namespacemanagers", "NamespaceManager", namespaced=True
)
PODS = Resource("", "v1", "pods", "Pod", namespaced=True)
SECRETS = Resource("", "v1", "secrets", "Secret", namespaced=True)
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap", namespaced=True)
DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment", namespaced=True)
STATEFUL_SETS = Resource("apps", "v1", "statefulsets", "StatefulSet", namespaced=True)
CRON_JOBS = Resource("batch", "v1", "cronjobs", "CronJob", namespaced=True)
JOBS = Resource("batch", "v1", "jobs", "Job", namespaced=True)
SCALED_OBJECTS = Resource("keda.sh", "v1alpha1", "scaledobjects", "ScaledObject", namespaced=True)
INGRESSES = Resource("networking.k8s.io", "v1", "ingresses", "Ingress", namespaced=True)
HTTP_ROUTES = Resource(
    "gateway.networking.k8s.io", "v1", "httproutes", "HTTPRoute", namespaced=True
)


class OwnerReference(msgspec.Struct, frozen=True, gc=False):
    """``metadata.ownerReferences[]``."""

    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool | None = None


class ObjectMeta(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """``metadata``: what matching, stamping and ending need."""

    name: str = ""
    generate_name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    owner_references: list[OwnerReference] | None = None
    generation: int = 0

    @property
    def label_map(self) -> dict[str, str]:
        """Labels, an empty map when there are none."""
        return self.labels or {}

    @property
    def annotation_map(self) -> dict[str, str]:
        """Annotations, an empty map when there are none."""
        return self.annotations or {}

    @property
    def controlled(self) -> bool:
        """Whether a controller owns it: then its metadata may be a copy, and its owner decides."""
        return any(o.controller for o in self.owner_references or ())

    @property
    def protected(self) -> bool:
        """Whether it carries the label that keeps Dayfly away."""
        return self.label_map.get(names.PROTECTED) == "true"


class OwnMeta(ObjectMeta, frozen=True, rename="camel", gc=False):
    """``metadata`` of a kind of ours, with what its original may have left behind in it."""

    finalizers: tuple[str, ...] = ()


class PartialObject(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """``PartialObjectMetadata`` of meta.k8s.io/v1, and the head of any object."""

    metadata: ObjectMeta = ObjectMeta()
    api_version: str = ""
    kind: str = ""


class Key(NamedTuple):
    """One object, by name: what queues and stores are keyed with."""

    resource: Resource
    namespace: str
    name: str

    def __str__(self) -> str:
        """``configmaps/team-a/settings``, or ``namespaces/team-a``."""
        middle = f"{self.namespace}/" if self.namespace else ""
        return f"{self.resource.group_resource}/{middle}{self.name}"
