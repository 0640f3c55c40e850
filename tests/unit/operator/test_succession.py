"""A leader may die at any moment of a timeline: the next one finishes, and does nothing twice."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from dayfly_core import names
from dayfly_core.objects import DEPLOYMENTS, NAMESPACES, Key
from dayfly_core.outgoing.outbox import Failed
from dayfly_kube.errors import ApiError, Status
from support.build import in_
from support.fake_store import Json, Place, Store, place_of
from support.mortal import Mortal, Request
from support.realms import TEAM, WEB, namespace, workload
from support.succession import BEGINNING, Realm, reign
from support.virtual_loop import run

HOUR = 3600.0


Reign = tuple[Mortal, Mortal]


def every_death(make: Callable[[], Realm], key: Key) -> list[tuple[Realm, list[Request]]]:
    """Return what has come of it for each moment at which the first leader may die."""
    outcomes: list[tuple[Realm, list[Request]]] = []
    moment, alive = 0, False
    while not alive:
        moment += 1
        realm = make()
        first, second = run(reign(realm, (key,), HOUR, moment))
        alive = not first.died.is_set()
        outcomes.append((realm, first.requests + second.requests))
    return outcomes


def scaled(requests: list[Request]) -> list[str]:
    """Return the paths of what was scaled down or suspended, in order."""
    patches = (request for request in requests if request.method == "PATCH")
    return [
        request.path.rsplit("/", 1)[1]
        for request in patches
        if request.body.get("spec", {}) in ({"replicas": 0}, {"suspend": True})
    ]


def test_a_namespace_is_warned_scaled_down_called_about_and_deleted_once_each() -> None:
    outcomes = every_death(namespace, TEAM)
    assert len(outcomes) > 25, "moments at which a leader may die"
    for realm, requests in outcomes:
        assert scaled(requests) == ["web", "db", "nightly"]
        assert [r.path for r in requests if r.method == "DELETE"] == [NAMESPACES.path(name="team")]
        assert len(set(realm.received)) == 1, "one key, however often it is sent"
        assert len(realm.received) <= 2
        assert realm.meta(TEAM) is None


def test_a_workload_is_warned_scaled_down_called_about_and_deleted_once_each() -> None:
    outcomes = every_death(workload, WEB)
    for realm, requests in outcomes:
        assert scaled(requests) == ["web"]
        assert [r.path for r in requests if r.method == "DELETE"] == [
            DEPLOYMENTS.path("team", "web")
        ]
        assert len(set(realm.received)) == 1
        assert realm.meta(WEB) is None
        assert realm.meta(TEAM) is not None


def steps(realm: Realm, key: Key) -> Json:
    meta = realm.meta(key)
    assert meta is not None
    found: Json = msgspec.json.decode(meta.annotation_map[names.STEPS])
    return found


def asleep(make: Callable[..., Realm], key: Key) -> Callable[[], Realm]:
    """Return what makes it as its timeline leaves it, and somebody asks for it."""
    realm = make(("SCALE_DOWN@0s",))
    run(reign(realm, (key,), HOUR, None))

    def again() -> Realm:
        woken = Realm(Store(), realm.policies)
        woken.store.objects = msgspec.json.decode(msgspec.json.encode(realm.store.objects))
        woken.store.version = realm.store.version
        path = place_of(key.resource.path(key.namespace, key.name))
        asked: Json = {"metadata": {"annotations": {names.WAKE_REQUESTED: "now, by Ada"}}}
        woken.store.patch(path, "application/merge-patch+json", asked)
        return woken

    return again


def test_a_namespace_is_woken_once_and_lives_anew() -> None:
    for realm, requests in every_death(asleep(namespace, TEAM), TEAM):
        woken = [
            request.path.rsplit("/", 1)[1]
            for request in requests
            if request.method == "PATCH" and request.body.get("spec")
        ]
        assert woken == ["nightly", "db", "web"]
        assert steps(realm, TEAM)["woken"] == "now, by Ada"
        meta = realm.meta(TEAM)
        assert meta
        assert meta.annotation_map[names.EXPIRES_AT] == in_("24h")
        web = realm.store.get(place_of(DEPLOYMENTS.path("team", "web")))
        assert web["spec"]["replicas"] == 3
        assert web["metadata"]["annotations"] == {}


def test_a_workload_is_woken_in_one_patch() -> None:
    for realm, requests in every_death(asleep(workload, WEB), WEB):
        patches = [request for request in requests if request.method == "PATCH"]
        assert len(patches) == 1
        web = realm.store.get(place_of(DEPLOYMENTS.path("team", "web")))
        assert web["spec"]["replicas"] == 3
        assert names.SCALED_BY not in web["metadata"]["annotations"]
        assert steps(realm, WEB)["woken"] == "now, by Ada"


@pytest.mark.parametrize(
    ("failures", "times", "result"),
    [
        pytest.param(2, 3, "Done", id="delivered at last"),
        pytest.param(9, 6, "Failed", id="given up, and later steps go on"),
    ],
)
def test_a_webhook_is_tried_again_and_holds_back_what_comes_after_it(
    failures: int, times: int, result: str
) -> None:
    realm = workload(("WEBHOOK@0s", "SCALE_DOWN@1s"))
    realm.answers = [Failed("the receiver answered 500", status=500) for _ in range(failures)]
    run(reign(realm, (WEB,), HOUR, None))
    assert len(realm.received) == times
    assert len(set(realm.received)) == 1
    done = {each["step"]: each["result"] for each in steps(realm, WEB)["done"]}
    assert done == {"WEBHOOK@0s": result, "SCALE_DOWN@1s": "Done"}
    entries = [(entry.action, entry.result) for entry in realm.history]
    assert entries == [("WEBHOOK", result), ("SCALE_DOWN", "Done")]


def forbidden() -> ApiError:
    return ApiError(Status(403, "Forbidden", "no"))


@pytest.mark.parametrize(
    ("times", "result"),
    [
        pytest.param(3, "Done", id="granted in time"),
        pytest.param(99, "Failed", id="given up, and the webhook and the DELETE have their turn"),
    ],
)
def test_a_scale_down_that_is_forbidden_is_tried_again_for_a_while(times: int, result: str) -> None:
    realm = namespace(("SCALE_DOWN@0s", "WEBHOOK@1s", "DELETE@2h"))
    web = DEPLOYMENTS.path("team", "web")
    refusals = {("PATCH", web): [forbidden() for _ in range(times)]}
    run(reign(realm, (TEAM,), 2 * HOUR, None, refusals))
    done = {each["step"]: each["result"] for each in steps(realm, TEAM)["done"]}
    assert done == {"SCALE_DOWN@0s": result, "WEBHOOK@1s": "Done"}
    others = [item["spec"] for item in realm.store.objects.values()][2:]
    assert others == [{"replicas": 0}, {"suspend": True}], "what is allowed is done at once"
    assert realm.events.count("ScalingFailed") == (2 if result == "Done" else 4)
    assert [entry.result for entry in realm.history] == [result, "Done"]
    run(reign(realm, (TEAM,), 3 * HOUR, None))
    assert realm.meta(TEAM) is None


def test_a_404_that_does_not_name_the_object_is_no_deletion() -> None:
    realm = namespace()
    nowhere = ApiError(Status(404, "", "404 page not found"))
    refusals = {("DELETE", NAMESPACES.path(name=TEAM.name)): [nowhere, nowhere]}
    run(reign(realm, (TEAM,), HOUR, None, refusals))
    assert realm.meta(TEAM) is None
    assert [entry.action for entry in realm.history].count("DELETE") == 1


def test_what_was_done_is_told_in_events_metrics_and_the_history() -> None:
    realm = namespace()
    run(reign(realm, (TEAM,), HOUR, None))
    assert [(entry.action, entry.by, entry.result) for entry in realm.history] == [
        ("SCALE_DOWN", "ExpiryPolicy/previews", "Done"),
        ("WEBHOOK", "ExpiryPolicy/previews", "Done"),
        ("DELETE", "ExpiryPolicy/previews", "Done"),
    ]
    assert realm.history[0].message == "3 workloads"
    assert list(dict.fromkeys(realm.events)) == [
        "Warned",
        "Scaled",
        "ScaledDown",
        "CallDelivered",
        "Expired",
        "Deleted",
    ]
    labels = {"policy": "previews", "action": "SCALE_DOWN", "result": "Done"}
    assert realm.metrics.registry.get_sample_value("dayfly_steps_total", labels) == 1


class Meddled(Store):
    """Somebody extends the namespace when the first workload is down."""

    def patch(self, place: Place, kind: str, patch: Any, *, dry_run: bool = False) -> Json:
        after = super().patch(place, kind, patch, dry_run=dry_run)
        if place.name == "web" and patch["spec"]["replicas"] == 0:
            moved: Json = {"metadata": {"annotations": {names.EXPIRES_AT: in_("5h")}}}
            super().patch(place_of(NAMESPACES.path(name="team")), kind, moved)
        return after


def test_an_extension_amid_a_sweep_gives_back_what_was_taken() -> None:
    realm = namespace(("SCALE_DOWN@0s",), Meddled())
    _, client = run(reign(realm, (TEAM,), HOUR, 1))
    specs = [item["spec"] for item in realm.store.objects.values()]
    assert specs == [{}, {"replicas": 3}, {"replicas": 2}, {}]
    assert scaled(client.requests) == ["web"]
    meta = realm.meta(TEAM)
    assert meta
    assert names.STEPS not in meta.annotation_map


class Hasty(Store):
    """Somebody wants the end earlier, just when a webhook has been recorded."""

    meddled = False

    def patch(self, place: Place, kind: str, patch: Any, *, dry_run: bool = False) -> Json:
        after = super().patch(place, kind, patch, dry_run=dry_run)
        if not self.meddled and "Done" in patch["metadata"]["annotations"][names.STEPS]:
            self.meddled = True
            sooner: Json = {"metadata": {"annotations": {names.EXPIRES_AT: in_("12m")}}}
            super().patch(place, kind, sooner)
        return after


def test_what_the_watch_tells_while_an_act_is_answered_is_not_forgotten() -> None:
    realm = namespace(("WEBHOOK@-10m", "SCALE_DOWN@0s"), Hasty())
    run(reign(realm, (TEAM,), HOUR, None))
    *calls, scale_down = realm.history
    assert [entry.action for entry in calls] == ["WEBHOOK", "WEBHOOK"], "one for each end"
    assert (scale_down.at - BEGINNING).total_seconds() == pytest.approx(720, abs=1)
