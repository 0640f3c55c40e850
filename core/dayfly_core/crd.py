"""The custom resources as CustomResourceDefinitions: what ``manifests/crds`` holds, as data."""

import inspect
from typing import Any, Final, cast

import msgspec

from dayfly_core import api, cel, grammar, structural
from dayfly_core.objects import (
    EPHEMERATORS,
    EXPIRY_POLICIES,
    NAME_CLAIMS,
    NAMESPACE_MANAGERS,
    STAYS,
    Resource,
)
from dayfly_core.structural import Schema

CATEGORY: Final = "dayfly"
"""``kubectl get dayfly`` lists the objects of all our kinds."""


class Column(msgspec.Struct, frozen=True):
    """A column of ``kubectl get``. Future instants are strings: as dates they print <invalid>."""

    name: str
    type: str
    path: str
    description: str


class Kind(msgspec.Struct, frozen=True):
    """What a definition is made from; ``root`` lends its docstring."""

    resource: Resource
    root: type
    spec: type
    status: type | None
    columns: tuple[Column, ...]
    short_name: str = ""
    longest_name: int = 253
    rules: Schema | None = None
    """What holds for the spec as a whole."""


EXPIRY_POLICY: Final = Kind(
    resource=EXPIRY_POLICIES,
    root=api.ExpiryPolicy,
    spec=api.ExpiryPolicySpec,
    status=api.ExpiryPolicyStatus,
    short_name="expol",
    longest_name=grammar.LONGEST_NAME,
    columns=(
        Column("Priority", "integer", ".spec.priority", "Higher decides first"),
        Column("Default", "string", ".spec.ttl.default", "The life of objects that ask for none"),
        Column("Max", "string", ".spec.ttl.max", "The longest life that may be asked for"),
        Column("Objects", "integer", ".status.matched", "How many objects carry its stamp"),
        Column(
            "Next End",
            "string",
            ".status.nextEnd",
            "When the first of them is scaled down or deleted",
        ),
        Column(
            "Ready",
            "string",
            '.status.conditions[?(@.type=="Ready")].status',
            "Whether the policy is in force",
        ),
        Column(
            "Enforceable",
            "string",
            '.status.conditions[?(@.type=="Enforceable")].status',
            "Whether its kinds exist and may be ended",
        ),
        Column("Age", "date", ".metadata.creationTimestamp", "Since its creation"),
    ),
)

NAME_CLAIM: Final = Kind(
    resource=NAME_CLAIMS,
    root=api.NameClaim,
    spec=api.NameClaimSpec,
    status=None,
    short_name="nclaim",
    columns=(
        Column("Kind", "string", ".spec.key.kind", "environment or host"),
        Column("Key", "string", ".spec.key.value", "The name that is claimed"),
        Column("State", "string", ".spec.state", "Pending until the holder was seen stored"),
        Column("Holder", "string", ".spec.holder.kind", "The kind of the object that has the name"),
        Column("Namespace", "string", ".spec.holder.namespace", "The holder's namespace"),
        Column("Holder Name", "string", ".spec.holder.name", "The holder's own name"),
        Column("Age", "date", ".metadata.creationTimestamp", "Since the name was first claimed"),
    ),
)

STAY: Final = Kind(
    resource=STAYS,
    root=api.Stay,
    spec=api.StaySpec,
    status=api.StayStatus,
    rules=cel.STAY,
    columns=(
        Column("For", "string", ".spec.for", "How long the namespace is asked to stay"),
        Column("Until", "string", ".spec.until", "Or until when"),
        Column("Wake", "boolean", ".spec.wake", "Whether it is asked to be woken"),
        Column(
            "Granted",
            "string",
            '.status.conditions[?(@.type=="Granted")].status',
            "Whether it got what it asks for",
        ),
        Column("Ends", "string", ".status.expiresAt", "The end of the namespace since then"),
        Column("Age", "date", ".metadata.creationTimestamp", "Since it was asked"),
    ),
)

_READY: Final = (
    Column(
        "Ready", "string", '.status.conditions[?(@.type=="Ready")].status', "Whether it is in force"
    ),
    Column("Reason", "string", '.status.conditions[?(@.type=="Ready")].reason', "Why"),
)

EPHEMERATOR: Final = Kind(
    resource=EPHEMERATORS,
    root=api.Ephemerator,
    spec=api.EphemeratorSpec,
    status=api.EphemeratorStatus,
    # Fields that are not known stay, as in Ephemerate's definition: no manifest of its is refused
    # for them, not even by a kubectl that refuses what would be dropped.
    rules={"x-kubernetes-preserve-unknown-fields": True, **cel.ONE_TARGET},
    columns=(
        Column("Namespace", "string", ".status.namespace", "The namespace that ends"),
        Column("Ends", "string", ".status.expiresAt", "When"),
        *_READY,
        Column("Age", "date", ".metadata.creationTimestamp", "Since its creation"),
    ),
)

NAMESPACE_MANAGER: Final = Kind(
    resource=NAMESPACE_MANAGERS,
    root=api.NamespaceManager,
    spec=api.NamespaceManagerSpec,
    status=api.NamespaceManagerStatus,
    short_name="nsman",
    columns=(
        Column("Manages", "string", ".status.namespace", "The namespace that is managed"),
        Column("Deactivated", "boolean", ".spec.deactivated", "Whether it does nothing (any more)"),
        Column(
            "Next Check", "string", ".status.nextCheck", "When a policy may act at the earliest"
        ),
        *_READY,
        Column("Age", "date", ".metadata.creationTimestamp", "Since its creation"),
    ),
)


def definitions() -> list[dict[str, Any]]:
    """Return the CustomResourceDefinitions that everybody installs."""
    return [definition(EXPIRY_POLICY), definition(NAME_CLAIM), definition(STAY)]


def components() -> dict[str, dict[str, Any]]:
    """Return the CustomResourceDefinitions that only some install, by their component."""
    return {
        "ephemerator": definition(EPHEMERATOR),
        "namespace-manager": definition(NAMESPACE_MANAGER),
    }


def definition(kind: Kind) -> dict[str, Any]:
    """Return the CustomResourceDefinition of one kind."""
    resource = kind.resource
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": resource.group_resource},
        "spec": {
            "group": resource.group,
            "scope": "Namespaced" if resource.namespaced else "Cluster",
            "names": {
                "kind": resource.kind,
                "listKind": f"{resource.kind}List",
                "plural": resource.plural,
                "singular": resource.kind.lower(),
                # Empty, not missing: one that Ephemerate's definition has would stay.
                "shortNames": [kind.short_name] if kind.short_name else [],
                "categories": [CATEGORY],
            },
            "versions": [_version(kind)],
        },
    }


def _version(kind: Kind) -> dict[str, Any]:
    return {
        "name": kind.resource.version,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": _root(kind)},
        **({"subresources": {"status": {}}} if kind.status else {}),
        "additionalPrinterColumns": [_column(column) for column in kind.columns],
    }


def _column(column: Column) -> dict[str, str]:
    return {
        "name": column.name,
        "type": column.type,
        "jsonPath": column.path,
        "description": column.description,
    }


def _root(kind: Kind) -> Schema:
    return {
        "description": inspect.getdoc(kind.root),
        "type": "object",
        "required": ["spec"],
        "properties": {
            "metadata": _metadata(kind),
            "spec": {**structural.schema(kind.spec), **(kind.rules or {})},
            **_status(kind),
        },
    }


def _metadata(kind: Kind) -> Schema:
    name = {"type": "string", "maxLength": kind.longest_name}
    return {"type": "object", "properties": {"name": name}}


def _status(kind: Kind) -> dict[str, Schema]:
    return {"status": _without_defaults(structural.schema(kind.status))} if kind.status else {}


def _without_defaults(schema: Schema) -> Schema:
    """Drop defaults: the operator writes a status, the API server must not make one up."""
    return {
        keyword: _nested_without_defaults(value)
        for keyword, value in schema.items()
        if keyword != "default"
    }


def _nested_without_defaults(value: Any) -> Any:
    return _without_defaults(cast("Schema", value)) if isinstance(value, dict) else value
