"""One workload that is scaled down, or woken, by itself: in one patch, with what is recorded."""

from dataclasses import dataclass

import pytest

from dayfly_core import names
from dayfly_core.objects import DEPLOYMENTS, Key, Resource
from dayfly_kube.errors import ApiError, Status
from dayfly_operator.writing import Outdated
from support.fake_store import Json, Store, place_of
from support.mortal import Mortal
from support.shop import KINDS, ONE, got, put, scaler, shop


@dataclass(frozen=True)
class Order:
    key: Key
    uid: str
    resource_version: str


def order(store: Store, kind: Resource, name: str) -> Order:
    meta = got(store, kind, name)["metadata"]
    return Order(Key(kind, "team", name), meta["uid"], meta["resourceVersion"])


async def test_one_workload_goes_down_and_comes_back_in_one_patch_each() -> None:
    store = shop()
    client = Mortal(store, KINDS)
    down = {names.STEPS: "down"}
    await scaler(client).down_one(order(store, DEPLOYMENTS, "web"), ONE, down)
    web = got(store, DEPLOYMENTS, "web")
    remembered = {names.REPLICAS: "3", names.SCALED_BY: f"{ONE} {web['metadata']['uid']}"}
    assert web["spec"]["replicas"] == 0
    assert web["metadata"]["annotations"] == down | remembered
    await scaler(client).up_one(order(store, DEPLOYMENTS, "web"), {names.STEPS: "woken"})
    web = got(store, DEPLOYMENTS, "web")
    assert web["spec"]["replicas"] == 3
    assert web["metadata"]["annotations"] == {names.STEPS: "woken"}
    assert len(client.sent("PATCH")) == 2


async def test_one_workload_that_rests_already_gets_the_record_alone() -> None:
    store = shop()
    client = Mortal(store, KINDS)
    wanted = order(store, DEPLOYMENTS, "idle")
    await scaler(client).down_one(wanted, ONE, {names.STEPS: "done"})
    (patch,) = client.sent("PATCH")
    assert "spec" not in patch.body
    assert got(store, DEPLOYMENTS, "idle")["metadata"]["annotations"] == {names.STEPS: "done"}


@pytest.mark.parametrize("happened", ["touched", "made anew", "gone"])
async def test_one_workload_that_is_not_the_one_that_was_judged_is_left_alone(
    happened: str,
) -> None:
    store = shop()
    wanted = order(store, DEPLOYMENTS, "web")
    path = DEPLOYMENTS.path("team", "web")
    if happened == "touched":
        patch: Json = {"metadata": {"labels": {"a": "b"}}}
        store.patch(place_of(path), "application/merge-patch+json", patch)
    else:
        store.delete(place_of(path), {})
    if happened == "made anew":
        put(store, DEPLOYMENTS, "web", {"replicas": 3})
    client = Mortal(store, KINDS)
    with pytest.raises(Outdated):
        await scaler(client).down_one(wanted, ONE, {})
    assert client.sent("PATCH") == []


async def test_a_failing_read_of_one_workload_is_for_the_caller() -> None:
    store = shop()
    client = Mortal(store, KINDS)
    client.refusals["GET", DEPLOYMENTS.path("team", "web")] = [ApiError(Status(500, "x", "y"))]
    with pytest.raises(ApiError):
        await scaler(client).down_one(order(store, DEPLOYMENTS, "web"), ONE, {})
