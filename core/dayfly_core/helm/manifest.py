"""The objects that a release's stored manifest lists, and the order in which they end."""

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

import msgspec

from dayfly_core.helm import marks as helm
from dayfly_core.helm import yaml_texts
from dayfly_core.helm.storage import UnreadableRelease

INSTALL_ORDER: Final = (
    "PriorityClass",
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "SecretList",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleList",
    "ClusterRoleBinding",
    "ClusterRoleBindingList",
    "Role",
    "RoleList",
    "RoleBinding",
    "RoleBindingList",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
)
"""Kinds in the order in which Helm installs them (3.22; the last two since 4.0). All others come
after these, by name: custom resources, whose controller is a Deployment of the same chart."""

MOST: Final = 5000
"""Objects of one release; far more than a Secret can hold without a trick."""


class Meta(msgspec.Struct, frozen=True):
    """``metadata`` in a manifest."""

    name: str
    namespace: str | None = None
    annotations: dict[str, Any] | None = None


class Head(msgspec.Struct, frozen=True, rename="camel"):
    """What names an object in a manifest."""

    api_version: str
    kind: str
    metadata: Meta


class Bundle(msgspec.Struct, frozen=True):
    """A ``List`` in a manifest: its items stand for themselves."""

    kind: str = ""
    items: list[Any] | None = None


class Identity(NamedTuple):
    """An object as a manifest names it; ``namespace`` is empty if it does not say one."""

    api_version: str
    kind: str
    namespace: str
    name: str

    @property
    def group(self) -> str:
        """API group; empty for the core group."""
        return self.api_version.rpartition("/")[0]

    @property
    def version(self) -> str:
        """Version within the group."""
        return self.api_version.rpartition("/")[2]


class Document(msgspec.Struct, frozen=True):
    """One object of a manifest."""

    identity: Identity
    stays: bool = False
    """Whether the chart wants it to outlive the release."""


def documents(manifest: str) -> tuple[Document, ...]:
    """Return the objects of a manifest as they stand there; raises UnreadableRelease."""
    found: list[Document] = []
    try:
        for item in _flat(yaml_texts.load_all(manifest)):
            if len(found) == MOST:
                raise UnreadableRelease(f"lists more than {MOST} objects, the most of one release")
            found.append(_document(item))
    except yaml_texts.UnreadableText as error:
        raise UnreadableRelease(f"has a manifest that is not read as YAML: {error}") from error
    return tuple(found)


def ending_order(listed: Iterable[Document]) -> tuple[Document, ...]:
    """Return each object once, in the reverse of the order in which Helm installs them.

    So custom resources go before the controllers that have to clean up after them.
    """
    once = {document.identity: document for document in listed}
    return tuple(reversed(sorted(once.values(), key=_rank)))


def _rank(document: Document) -> tuple[int, str]:
    kind = document.identity.kind
    place = RANKS.get(kind)
    return (place, "") if place is not None else (len(RANKS), kind)


RANKS: Final = {kind: place for place, kind in enumerate(INSTALL_ORDER)}


def _flat(loaded: Iterable[object]) -> Iterator[object]:
    for item in loaded:
        if item is None:
            continue  # between two separators there may be nothing but a comment
        bundle = _bundle(item)
        yield from (item,) if bundle is None else bundle


def _bundle(item: object) -> list[Any] | None:
    try:
        bundle = msgspec.convert(item, Bundle)
    except msgspec.ValidationError:
        return None
    return bundle.items if bundle.kind.endswith("List") else None


def _document(item: object) -> Document:
    try:
        head = msgspec.convert(item, Head)
    except msgspec.ValidationError as error:
        raise UnreadableRelease(f"lists something that is no object ({error})") from error
    meta = head.metadata
    identity = Identity(head.api_version, head.kind, meta.namespace or "", meta.name)
    return Document(identity, helm.stays(meta.annotations or {}))
