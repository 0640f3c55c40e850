"""Acts of several writes, cut after each: by somebody else's write, or by the leader's death."""

from typing import Any

import pytest

from dayfly_core import names, timeline
from dayfly_core.objects import CRON_JOBS, DEPLOYMENTS, NAMESPACES, STATEFUL_SETS, Key
from dayfly_core.policies import Policies
from support.build import in_
from support.fake_store import Json, Place, Store, place_of
from support.mortal import Mortal
from support.succession import Leader, Realm, reign
from support.timelines import on_timeline
from support.virtual_loop import run

TEAM = Key(NAMESPACES, "", "team")
WORKLOADS: dict[Key, Json] = {
    Key(DEPLOYMENTS, "team", "web"): {"replicas": 3},
    Key(STATEFUL_SETS, "team", "db"): {"replicas": 2},
    Key(CRON_JOBS, "team", "nightly"): {"suspend": False},
}
WRITES = len(WORKLOADS) + 1
"""Of a scale-down: each workload, and the record."""

MERGE = "application/merge-patch+json"
LATER = in_("5h")
HOUR = 3600.0


class Meddled(Store):
    """Somebody extends the namespace after so many writes, before the next one."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.left = after

    def patch(self, place: Place, kind: str, patch: Any, *, dry_run: bool = False) -> Json:
        answer = super().patch(place, kind, patch, dry_run=dry_run)
        self.left -= 1
        if self.left == 0:
            moved: Json = {"metadata": {"annotations": {names.EXPIRES_AT: LATER}}}
            super().patch(place_of(NAMESPACES.path(name="team")), MERGE, moved)
        return answer


def a_realm(store: Store) -> Realm:
    """A stamped namespace with workloads, which come to rest at its end."""
    ours = {
        "labels": {names.POLICY: "previews"},
        "annotations": {names.EXPIRES_AT: in_("15m")},
    }
    store.create(place_of(NAMESPACES.path()), {"metadata": {"name": "team", **ours}, "spec": {}})
    for key, spec in WORKLOADS.items():
        item: Json = {"metadata": {"name": key.name}, "spec": dict(spec)}
        store.create(place_of(key.resource.path("team")), item)
    return Realm(store, Policies([on_timeline("SCALE_DOWN@0s")]))


def specs(realm: Realm) -> list[Json]:
    found = (realm.store.get(place_of(key.resource.path("team", key.name))) for key in WORKLOADS)
    return [item["spec"] for item in found]


AWAKE = list(WORKLOADS.values())
ASLEEP = [{"replicas": 0}, {"replicas": 0}, {"suspend": True}]


@pytest.mark.parametrize("after", range(1, WRITES))
def test_an_extension_after_any_write_of_a_sweep_gives_back_what_was_taken(after: int) -> None:
    realm = a_realm(Meddled(after))
    run(reign(realm, (TEAM,), HOUR, None))
    assert specs(realm) == AWAKE
    assert realm.history == []
    meta = realm.meta(TEAM)
    assert meta
    assert names.STEPS not in meta.annotation_map


def test_an_extension_after_the_record_wakes_nothing() -> None:
    realm = a_realm(Meddled(WRITES))
    run(reign(realm, (TEAM,), HOUR, None))
    assert specs(realm) == ASLEEP
    assert [entry.action for entry in realm.history] == ["SCALE_DOWN"]


KINDS = (NAMESPACES, *(key.resource for key in WORKLOADS))


def annotate(store: Store, **annotations: str) -> None:
    ours = {f"dayfly.dev/{key.replace('_', '-')}": text for key, text in annotations.items()}
    body: Json = {"metadata": {"annotations": ours}}
    store.patch(place_of(NAMESPACES.path(name="team")), MERGE, body)


async def extended_after_a_death(realm: Realm, moment: int, **asked: str) -> bool:
    """Let one lead and die at a moment, and another after an extension; whether one has died."""
    first = Leader(realm, Mortal(realm.store, KINDS, moment))
    await first.lead((TEAM,), HOUR)
    annotate(realm.store, expires_at=LATER, **asked)
    await Leader(realm, Mortal(realm.store, KINDS)).lead((TEAM,), HOUR)
    return first.client.died.is_set()


def test_whenever_the_leader_dies_what_is_extended_and_woken_is_back() -> None:
    moment, died = 0, True
    while died:
        moment += 1
        realm = a_realm(Store())
        died = run(extended_after_a_death(realm, moment, wake_requested="now"))
        assert specs(realm) == AWAKE
        for key in WORKLOADS:
            meta = realm.meta(key)
            assert meta
            assert not meta.annotation_map, "nothing of the sleep is left"
    assert moment > 2 * WRITES


class Insisting(Store):
    """Somebody asks once more to wake, after so many workloads are back."""

    left = 0

    def patch(self, place: Place, kind: str, patch: Any, *, dry_run: bool = False) -> Json:
        answer = super().patch(place, kind, patch, dry_run=dry_run)
        self.left -= 1
        if self.left == 0:
            annotate(self, wake_requested="again")
        return answer


async def woken(realm: Realm, store: Insisting, after: int) -> None:
    await Leader(realm, Mortal(store, KINDS)).lead((TEAM,), HOUR)
    assert specs(realm) == ASLEEP
    annotate(store, wake_requested="now")
    store.left = after
    await Leader(realm, Mortal(store, KINDS)).lead((TEAM,), HOUR)


@pytest.mark.parametrize("after", range(1, WRITES + 1))
def test_a_second_request_amid_a_wake_is_served_as_well(after: int) -> None:
    store = Insisting()
    realm = a_realm(store)
    run(woken(realm, store, after))
    assert specs(realm) == AWAKE
    meta = realm.meta(TEAM)
    assert meta
    assert timeline.of(meta).woken == "again"
