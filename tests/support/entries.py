"""Builders of what the command line looks at."""

from datetime import UTC, datetime

from dayfly_cli.ends import Entry
from dayfly_core import names
from dayfly_core.objects import ObjectMeta, OwnerReference, Resource

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment", namespaced=True)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def meta(
    end: str = "",
    ttl: str = "",
    policy: str = "",
    *,
    host: str = "",
    conflict: str = "",
    protected: bool = False,
    owned: bool = False,
) -> ObjectMeta:
    """Deployment ``shop/web``, created an hour ago."""
    annotations = {
        names.EXPIRES_AT: end,
        names.TTL: ttl,
        names.HOST: host,
        names.NAME_CONFLICT: conflict,
    }
    labels = {names.POLICY: policy, names.PROTECTED: "true" if protected else ""}
    return ObjectMeta(
        name="web",
        namespace="shop",
        uid="u1",
        creation_timestamp=at("2026-11-22T09:00:00Z"),
        annotations={key: value for key, value in annotations.items() if value},
        labels={key: value for key, value in labels.items() if value},
        owner_references=[OwnerReference("Rollout", "web", "u0", controller=True)] if owned else [],
    )


def entry(seen: ObjectMeta, namespace_end: str = "") -> Entry:
    return Entry(DEPLOYMENTS, seen, at(namespace_end) if namespace_end else None)
