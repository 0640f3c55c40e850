"""Ephemerators and NamespaceManagers as they are stored, and as they are after a plan."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec.structs import replace

from dayfly_core import instant
from dayfly_core.errand import Plan, as_map
from dayfly_core.guard import Guard
from dayfly_core.objects import ObjectMeta, OwnMeta

NOW = datetime.fromisoformat("2026-11-22T10:00:00+00:00")
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
GUARD = Guard("dayfly-system")


class Kept(msgspec.Struct, frozen=True):
    """An object in etcd."""

    metadata: OwnMeta
    spec: Any = None
    status: Any = None


def kept(manifest: dict[str, Any], *, created: datetime = NOW, **metadata: Any) -> Kept:
    """Store a manifest."""
    fields = {
        "uid": "uid-1",
        "resourceVersion": "1",
        "generation": 1,
        "creationTimestamp": instant.render(created),
    }
    meta = msgspec.convert({**fields, **manifest["metadata"], **metadata}, OwnMeta)
    return Kept(meta, manifest.get("spec"), manifest.get("status"))


def edited(stored: Kept, **spec: Any) -> Kept:
    """Change fields of the spec as a person does."""
    meta = msgspec.structs.replace(stored.metadata, generation=stored.metadata.generation + 1)
    return replace(stored, metadata=meta, spec={**as_map(stored.spec), **spec})


def written(stored: Kept, plan: Plan) -> Kept:
    """Write what a plan says, as the API server does."""
    after = replace(
        stored,
        metadata=_merged_meta(stored.metadata, plan),
        status=merged(stored.status, {**plan.status, **plan.concluded}) or None,
    )
    return edited(after, deactivated=True) if plan.deactivate else after


def _merged_meta(meta: OwnMeta, plan: Plan) -> OwnMeta:
    fields: dict[str, Any] = msgspec.to_builtins(meta)
    return msgspec.convert(merged(fields, plan.metadata), OwnMeta)


def merged(present: Any, patch: Any) -> dict[str, Any]:
    """Apply an RFC 7386 merge patch."""
    result: dict[str, Any] = dict(as_map(present))
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            result[key] = merged(result.get(key), value)
        else:
            result[key] = value
    return result


def a_namespace(
    name: str = "team-a", uid: str = "ns-1", *, created: datetime = NOW, leaving: bool = False
) -> ObjectMeta:
    """A namespace as etcd has it."""
    return ObjectMeta(
        name=name,
        uid=uid,
        creation_timestamp=created,
        deletion_timestamp=created if leaving else None,
    )


def condition(stored: Kept, type: str) -> tuple[str, str, str] | None:
    """Status, reason and message of a condition."""
    for each in as_map(stored.status).get("conditions", ()):
        if each["type"] == type:
            return each["status"], each["reason"], each["message"]
    return None
