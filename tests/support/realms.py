"""What leaders, one after the other, are tried with: a namespace, or a workload, on a timeline."""

from typing import Any, Final

from dayfly_core import names
from dayfly_core.objects import CRON_JOBS, DEPLOYMENTS, NAMESPACES, STATEFUL_SETS, Key
from dayfly_core.policies import Policies
from support.build import in_
from support.fake_store import Json, Store, place_of
from support.succession import Realm
from support.timelines import on_timeline

TEAM: Final = Key(NAMESPACES, "", "team")
WEB: Final = Key(DEPLOYMENTS, "team", "web")
END: Final = "15m"
TIMELINE: Final = ("NOTIFY@-10m", "SCALE_DOWN@0s", "WEBHOOK@10m", "DELETE@30m")


def stamps() -> Json:
    """Return the head of what ends."""
    return {
        "labels": {names.POLICY: "previews"},
        "annotations": {names.EXPIRES_AT: in_(END)},
    }


def put(store: Store, key: Key, spec: Json | None = None, **meta: Any) -> None:
    """Store an object."""
    place = place_of(key.resource.path(key.namespace))
    store.create(place, {"metadata": {"name": key.name, **meta}, "spec": spec or {}})


def namespace(timeline: tuple[str, ...] = TIMELINE, store: Store | None = None) -> Realm:
    """A stamped namespace, with what can be scaled down in it."""
    store = store or Store()
    put(store, TEAM, **stamps())
    put(store, WEB, {"replicas": 3})
    put(store, Key(STATEFUL_SETS, "team", "db"), {"replicas": 2})
    put(store, Key(CRON_JOBS, "team", "nightly"), {})
    return Realm(store, Policies([on_timeline(*timeline)]))


def workload(timeline: tuple[str, ...] = TIMELINE) -> Realm:
    """A Deployment that is stamped itself, in a namespace that is not."""
    store = Store()
    put(store, TEAM)
    put(store, WEB, {"replicas": 3}, **stamps())
    return Realm(store, Policies([on_timeline(*timeline)]))
