"""The scaler: everything in a namespace, each once, whatever happens in between."""

from collections.abc import Callable
from typing import Any

import pytest

from dayfly_core import names
from dayfly_core.objects import (
    DEPLOYMENTS,
    SCALED_OBJECTS,
    STATEFUL_SETS,
)
from dayfly_kube.errors import ApiError, Status
from dayfly_operator.scaling import EVERYTHING, Scaled, Scaler, Selector
from dayfly_operator.workloads import PAGE
from dayfly_operator.writing import Outdated
from support.fake_store import Json, Store, place_of
from support.mortal import Killed, Mortal
from support.shop import KINDS, ONE, TWO, Witness, got, put, scaler, shop, state

REST = {
    "web": {"replicas": 0, "paused": None},
    "idle": {"replicas": 0, "paused": None},
    "db": {"replicas": 0, "paused": None},
    "nightly": {"suspend": True, "paused": None},
    "import": {"suspend": True, "paused": None},
    "worker": {"paused": "0"},
}


async def test_all_that_runs_in_a_namespace_comes_to_rest_and_wakes_as_it_was() -> None:
    store, witness = shop(), Witness()
    before = state(store)
    client = Mortal(store, KINDS)
    down = await scaler(client, witness).down("team", EVERYTHING, ONE)
    assert state(store) == REST
    assert [key.name for key in down.done] == ["web", "db", "nightly", "import", "worker"]
    up = await scaler(client, witness).up("team")
    assert state(store) == before | {"import": {"suspend": False, "paused": None}}
    assert [key.name for key in up.done] == ["worker", "import", "nightly", "db", "web"]
    assert down.skipped == up.skipped == ()
    assert witness.said[0] == "deployments.apps/team/web 3 replicas to 0"
    annotations = [item["metadata"].get("annotations", {}) for item in store.objects.values()]
    assert not any(names.SCALED_BY in each or names.REPLICAS in each for each in annotations)


Act = Callable[[Scaler], Any]


@pytest.mark.parametrize("waking", [False, True], ids=["scaling down", "waking"])
async def test_whenever_the_leader_is_killed_the_next_one_finishes_and_nothing_is_done_twice(
    *, waking: bool
) -> None:
    moment, alive = 0, False
    while not alive:
        moment += 1
        store = shop()
        before = state(store) | {"import": {"suspend": False, "paused": None}}
        if waking:
            await scaler(Mortal(store, KINDS)).down("team", EVERYTHING, ONE)
        first, second = Mortal(store, KINDS, dies_at=moment), Mortal(store, KINDS)
        try:
            await act(first, waking=waking)
            alive = True
        except Killed:
            await act(second, waking=waking)
        assert state(store) == (before if waking else REST)
        patched = [request.path for request in first.sent("PATCH") + second.sent("PATCH")]
        assert sorted(patched) == sorted(set(patched)), f"killed at moment {moment}"
        assert len(patched) == 5
    assert moment > 20


async def act(client: Mortal, *, waking: bool) -> Scaled:
    if waking:
        return await scaler(client).up("team")
    return await scaler(client).down("team", EVERYTHING, ONE)


async def test_what_somebody_scales_up_again_stays_up_while_the_rest_is_finished() -> None:
    store = shop()
    with pytest.raises(Killed):
        await scaler(Mortal(store, KINDS, dies_at=7)).down("team", EVERYTHING, ONE)
    assert state(store)["web"] == {"replicas": 0, "paused": None}
    got(store, DEPLOYMENTS, "web")["spec"]["replicas"] = 5
    done = await scaler(Mortal(store, KINDS)).down("team", EVERYTHING, ONE)
    assert state(store)["web"] == {"replicas": 5, "paused": None}
    assert len(done.done) == 5
    await scaler(Mortal(store, KINDS)).down("team", EVERYTHING, TWO)
    assert got(store, DEPLOYMENTS, "web")["metadata"]["annotations"][names.REPLICAS] == "5"


@pytest.mark.parametrize(
    ("meta", "why"),
    [
        pytest.param(
            {"ownerReferences": [{"kind": "Shop", "name": "s", "uid": "x", "controller": True}]},
            "deployments.apps/team/web is left to its owner, Shop s",
            id="controlled",
        ),
        pytest.param(
            {"labels": {names.PROTECTED: "true"}},
            f"deployments.apps/team/web carries the label {names.PROTECTED}",
            id="protected",
        ),
        pytest.param(
            {"deletionTimestamp": "2026-11-22T10:00:00Z"},
            "deployments.apps/team/web is being deleted",
            id="on its way out",
        ),
    ],
)
async def test_what_is_not_ours_to_scale_is_left_and_named(meta: Json, why: str) -> None:
    store = Store()
    put(store, DEPLOYMENTS, "web", {"replicas": 3}, **meta)
    put(store, DEPLOYMENTS, "other", {"replicas": 3})
    client = Mortal(store, KINDS)
    done = await scaler(client).down("team", EVERYTHING, ONE)
    assert done.skipped == (why,)
    assert [request.path for request in client.sent("PATCH")] == [DEPLOYMENTS.path("team", "other")]


async def test_a_guarded_namespace_is_left_and_named() -> None:
    store = Store()
    path = DEPLOYMENTS.path("kube-system", "dns")
    store.create(
        place_of(DEPLOYMENTS.path("kube-system")),
        {"metadata": {"name": "dns"}, "spec": {"replicas": 2}},
    )
    client = Mortal(store, KINDS)
    done = await scaler(client).down("kube-system", EVERYTHING, ONE)
    assert done.done == ()
    assert done.skipped == (
        "deployments.apps/kube-system/dns is left alone: objects in namespace kube-system are "
        "guarded and never ended",
    )
    assert store.get(place_of(path))["spec"]["replicas"] == 2


async def test_selectors_choose_by_kind_in_any_case_and_by_all_labels() -> None:
    store = Store()
    for name, labels in (("a", {"app": "x", "tier": "1"}), ("b", {"app": "x"}), ("c", {})):
        put(store, DEPLOYMENTS, name, {"replicas": 1}, labels=labels)
    put(store, STATEFUL_SETS, "d", {"replicas": 1}, labels={"app": "x"})
    wanted = [Selector("DEPLOYMENT", {"app": "x", "tier": "1"}), Selector("statefulset")]
    done = await scaler(Mortal(store, KINDS)).down("team", wanted, ONE)
    assert [key.name for key in done.done] == ["a", "d"]


async def test_an_unknown_kind_is_named_and_the_others_are_scaled() -> None:
    store = shop()
    wanted = [Selector("DaemonSet"), Selector("deployment")]
    done = await scaler(Mortal(store, KINDS)).down("team", wanted, ONE)
    assert [key.name for key in done.done] == ["web"]
    (said,) = done.skipped
    assert said.startswith("'DaemonSet' is no kind that can be scaled down; write one of Deploy")


async def test_kinds_that_are_not_served_or_no_longer_are_passed_over() -> None:
    store = shop()
    client = Mortal(store, tuple(kind for kind in KINDS if kind != SCALED_OBJECTS))
    await scaler(client).down("team", EVERYTHING, ONE)
    assert state(store) == REST | {"worker": {"paused": "7"}}
    withdrawn = Mortal(shop(), KINDS)
    gone = ApiError(Status(404, "NotFound", "no such kind"))
    withdrawn.refusals["GET", SCALED_OBJECTS.path("team")] = [gone]
    with pytest.raises(ApiError, match="no such kind"):
        await scaler(withdrawn).down("team", EVERYTHING, ONE)
    assert SCALED_OBJECTS not in withdrawn.kinds
    await scaler(withdrawn).down("team", EVERYTHING, ONE)


async def test_many_workloads_are_read_in_pages() -> None:
    store = Store()
    for number in range(2 * int(PAGE) + 1):
        put(store, DEPLOYMENTS, f"web-{number}", {"replicas": 1})
    client = Mortal(store, KINDS)
    done = await scaler(client).down("team", [Selector("Deployment")], ONE)
    assert len(done.done) == 2 * int(PAGE) + 1
    assert len(client.sent("GET")) == 3


def conflict() -> ApiError:
    return ApiError(Status(409, "Conflict", "the object has been modified"))


async def test_a_workload_that_changes_meanwhile_is_read_again() -> None:
    store = shop()
    client = Mortal(store, KINDS)
    client.refusals["PATCH", DEPLOYMENTS.path("team", "web")] = [conflict()]
    await scaler(client).down("team", EVERYTHING, ONE)
    assert state(store) == REST


@pytest.mark.parametrize(
    ("errors", "code"),
    [
        pytest.param([conflict() for _ in range(5)], 409, id="it never rests"),
        pytest.param([ApiError(Status(403, "Forbidden", "no"))], 403, id="it is forbidden"),
    ],
)
async def test_a_refusal_keeps_nobody_else_up_and_is_raised_at_the_end(
    errors: list[ApiError], code: int
) -> None:
    store = shop()
    client = Mortal(store, KINDS)
    client.refusals["PATCH", DEPLOYMENTS.path("team", "web")] = errors
    with pytest.raises(ApiError) as raised:
        await scaler(client).down("team", EVERYTHING, ONE)
    assert raised.value.code == code
    assert state(store) == REST | {"web": {"replicas": 3, "paused": None}}


async def test_a_kind_that_may_not_be_listed_keeps_nobody_else_up() -> None:
    store = shop()
    client = Mortal(store, KINDS)
    forbidden = ApiError(Status(403, "Forbidden", "may not list"))
    client.refusals["GET", DEPLOYMENTS.path("team")] = [forbidden]
    with pytest.raises(ApiError, match="may not list"):
        await scaler(client).down("team", EVERYTHING, ONE)
    assert state(store) == REST | {"web": {"replicas": 3, "paused": None}}


async def test_what_is_gone_meanwhile_is_no_failure() -> None:
    store = shop()
    client = Mortal(store, KINDS)
    gone = ApiError(Status(404, "NotFound", "gone"))
    client.refusals["PATCH", DEPLOYMENTS.path("team", "web")] = [gone]
    done = await scaler(client).down("team", EVERYTHING, ONE)
    assert "web" not in [key.name for key in done.done]


async def test_it_stops_when_it_is_no_longer_wanted() -> None:
    store = shop()
    answers = iter([True, False])
    with pytest.raises(Outdated):
        await scaler(Mortal(store, KINDS)).down("team", EVERYTHING, ONE, lambda: next(answers))
    assert state(store)["web"] == {"replicas": 0, "paused": None}
    assert state(store)["db"] == {"replicas": 2, "paused": None}


async def test_only_what_one_occurrence_has_is_given_back() -> None:
    store = shop()
    client = Mortal(store, KINDS)
    await scaler(client).down("team", [Selector("Deployment")], ONE)
    await scaler(client).down("team", [Selector("StatefulSet")], TWO)
    await scaler(client).up("team", TWO)
    assert state(store)["web"] == {"replicas": 0, "paused": None}
    assert state(store)["db"] == {"replicas": 2, "paused": None}
