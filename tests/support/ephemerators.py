"""Ephemerators as they are applied, and one look at them."""

from datetime import datetime
from typing import Any

from dayfly_core import ephemerator, names
from dayfly_core.ephemerator import Settings
from dayfly_core.errand import Plan
from dayfly_core.objects import ObjectMeta
from support.own_kinds import (
    GUARD,
    HOUR,
    NOW,
    Kept,
    a_namespace,
)

SETTINGS = Settings()
EIGHT_HOURS = {"duration": {"hours": 8}}
END = NOW + 8 * HOUR


def manifest(
    lifetime: Any = EIGHT_HOURS, *, target: Any = None, enabled: str | None = "true", **meta: Any
) -> dict[str, Any]:
    annotations = {names.ENABLED: enabled} if enabled is not None else {}
    return {
        "metadata": {"name": "my-ephemerator", "annotations": annotations, **meta},
        "spec": {**({"namespaceToWatch": "team-a"} if target is None else target)}
        | {"lifetime": lifetime},
    }


HERE = a_namespace()


def decided(
    stored: Kept,
    namespace: ObjectMeta | None = HERE,
    now: datetime = NOW,
    settings: Settings = SETTINGS,
) -> Plan:
    return ephemerator.plan(stored, namespace, GUARD, settings, now)
