"""Builders: the least that makes a valid value, and the one thing that a test is about."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec.structs import replace

from dayfly_core import api, duration, instant, names
from dayfly_core.objects import Key, ObjectMeta, OwnerReference, Resource
from dayfly_core.policies import Policy
from dayfly_core.request import Operation, Request

NOW = datetime(2026, 11, 22, 10, 0, 0, tzinfo=UTC)
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap", namespaced=True)
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)


def in_(text: str) -> str:
    """Write the instant so far after NOW: ``8h``, ``-5m``."""
    sign = -1 if text.startswith("-") else 1
    return instant.render(NOW + sign * duration.parse(text.removeprefix("-")))


def a_policy(name: str = "previews", **changes: Any) -> Policy:
    """Make a policy for ConfigMaps and Namespaces with a default of a day; durations as text."""
    bounds = {"minimum", "default", "maximum", "max_total", "grace"}
    read: dict[str, Any] = {
        key: duration.parse(value) if key in bounds and isinstance(value, str) else value
        for key, value in changes.items()
    }
    policy = Policy(
        name=name,
        uid=f"uid-of-{name}",
        generation=1,
        priority=0,
        suspended=False,
        namespace_selector=api.LabelSelector(),
        object_selector=api.LabelSelector(),
        resources=frozenset({("", "configmaps"), ("", "namespaces")}),
        minimum=None,
        default=DAY,
        maximum=None,
        max_total=None,
        renew_on=api.RenewOn.CREATION,
        enforcement=api.Enforcement.ENFORCE,
        receipts=api.Receipts.ON_CHANGE,
        grace=HOUR,
    )
    return replace(policy, **read)


def an_object(
    *,
    ttl: str | None = None,
    at: str | None = None,
    by: str | None = None,
    host: str | None = None,
    policy: str | None = None,
    labels: dict[str, str] | None = None,
    age: timedelta | None = None,
    **fields: Any,
) -> ObjectMeta:
    """Make the metadata of ``team-a/settings``; with an age it is stored, without it is new."""
    written = {names.TTL: ttl, names.EXPIRES_AT: at, names.CREATED_BY: by, names.HOST: host}
    annotations = {key: value for key, value in written.items() if value is not None}
    stamp = {names.POLICY: policy} if policy else {}
    meta = ObjectMeta(
        name="settings",
        namespace="team-a",
        labels={**(labels or {}), **stamp} or None,
        annotations=annotations or None,
    )
    if age is not None:
        stored = {"uid": "u-1", "resource_version": "7", "creation_timestamp": NOW - age}
        fields = {**stored, **fields}
    return msgspec.structs.replace(meta, **fields)


def controlled() -> list[OwnerReference]:
    """Make the owner references of what a controller made."""
    return [OwnerReference(kind="ReplicaSet", name="web", uid="o-1", controller=True)]


def a_request(meta: ObjectMeta, old: ObjectMeta | None = None, **changes: Any) -> Request:
    """Make alice's CREATE, or UPDATE if there is an old object."""
    request = Request(
        operation=Operation.UPDATE if old else Operation.CREATE,
        group="",
        plural="configmaps",
        kind="ConfigMap",
        namespaced=True,
        namespace="team-a",
        name=meta.name,
        username="alice",
        meta=meta,
        old=old,
        spec_changed=False,
    )
    return msgspec.structs.replace(request, **changes)


def key_of(meta: ObjectMeta, resource: Resource = CONFIG_MAPS) -> Key:
    """Name an object."""
    return Key(resource, meta.namespace if resource.namespaced else "", meta.name)
