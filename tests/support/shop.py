"""A namespace with one workload of each kind, and a scaler for it."""

from dataclasses import dataclass, field
from typing import Any

from dayfly_core import scaling
from dayfly_core.guard import Guard
from dayfly_core.objects import (
    CRON_JOBS,
    DEPLOYMENTS,
    JOBS,
    SCALED_OBJECTS,
    STATEFUL_SETS,
    Key,
    Resource,
)
from dayfly_core.scaling import PAUSED_REPLICAS
from dayfly_operator.scaling import Means, Scaler
from dayfly_operator.workloads import Workloads
from support.fake_store import Json, Store, as_map, place_of
from support.mortal import Mortal

KINDS = tuple(scaling.WAYS)
ONE, TWO = "occurrence-1", "occurrence-2"


class AtOnce:
    async def turn(self) -> float:
        return 0.0


@dataclass
class Witness:
    said: list[str] = field(default_factory=list[str])

    def scaled(self, key: Key, uid: str, note: str) -> None:
        self.said.append(f"{key} {note}")


def put(store: Store, kind: Resource, name: str, spec: Json, **meta: Any) -> None:
    store.create(place_of(kind.path("team")), {"metadata": {"name": name, **meta}, "spec": spec})


def got(store: Store, kind: Resource, name: str) -> Json:
    return store.get(place_of(kind.path("team", name)))


def shop() -> Store:
    store = Store()
    put(store, DEPLOYMENTS, "web", {"replicas": 3})
    put(store, DEPLOYMENTS, "idle", {"replicas": 0})
    put(store, STATEFUL_SETS, "db", {"replicas": 2})
    put(store, CRON_JOBS, "nightly", {"suspend": False})
    put(store, JOBS, "import", {})
    put(store, SCALED_OBJECTS, "worker", {}, annotations={PAUSED_REPLICAS: "7"})
    return store


def state(store: Store) -> dict[str, object]:
    """What runs: the spec, and what KEDA is told."""
    return {
        path.rsplit("/", 1)[1]: item["spec"]
        | {"paused": as_map(item["metadata"].get("annotations")).get(PAUSED_REPLICAS)}
        for path, item in store.objects.items()
    }


def scaler(client: Mortal, witness: Witness | None = None) -> Scaler:
    guard = Guard("dayfly-system")
    means = Means(Workloads(client, client), client, lambda: guard, AtOnce(), witness or Witness())
    return Scaler(means)
