"""An object that takes no note of its steps: they go on, each once, and its end comes."""

import asyncio
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from dayfly_core import names
from dayfly_core.actions import Delete
from dayfly_core.api import Unit
from dayfly_core.helm import marks
from dayfly_core.lifecycle import Result
from dayfly_core.objects import CONFIG_MAPS, DEPLOYMENTS, NAMESPACES, Key
from dayfly_core.outgoing.outbox import Failed
from dayfly_core.policies import Policies
from dayfly_core.subject import Subject
from dayfly_kube.errors import ApiError, Status
from dayfly_operator.census import Tally
from dayfly_operator.crew import ReleaseOutcome
from dayfly_operator.stamped import Stamped
from dayfly_operator.unrecorded import Unrecorded
from support.build import an_object, in_
from support.fake_store import Json, Place, Refused, Store, place_of
from support.mortal import Mortal
from support.succession import Leader, Realm, reign
from support.timelines import on_timeline, recorded
from support.virtual_loop import run

TEAM = Key(NAMESPACES, "", "team")
WEB = Key(DEPLOYMENTS, "team", "web")
END = "15m"
HOUR = 3600.0
TIMELINE = ("NOTIFY@-10m", "SCALE_DOWN@0s", "WEBHOOK@10m", "DELETE@30m")

FULL = Refused(422, "Invalid", "metadata.annotations: Too long: may not be more than 262144 bytes")
FORBIDDEN = Refused(403, "Forbidden", "ValidatingAdmissionPolicy 'frozen' denied request")
BAD = Refused(400, "BadRequest", "admission webhook 'other.example.com' denied the request")
AWAY = Refused(500, "InternalError", "Internal error occurred: failed calling webhook 'other'")
LARGE = Refused(500, "", "etcdserver: request is too large")


class Stubborn(Store):
    """Takes no change of one object, so many times."""

    def __init__(self, key: Key, refusal: Refused, times: int = 999) -> None:
        super().__init__()
        self.place = place_of(key.resource.path(key.namespace, key.name))
        self.refusal = refusal
        self.times = times
        self.refused = 0

    def patch(self, place: Place, kind: str, patch: Any, *, dry_run: bool = False) -> Json:
        if place == self.place and self.refused < self.times:
            self.refused += 1
            raise self.refusal
        return super().patch(place, kind, patch, dry_run=dry_run)


def put(store: Store, key: Key, spec: Json | None = None, **meta: Any) -> None:
    place = place_of(key.resource.path(key.namespace))
    store.create(place, {"metadata": {"name": key.name, **meta}, "spec": spec or {}})


def stamps() -> Json:
    return {"labels": {names.POLICY: "previews"}, "annotations": {names.EXPIRES_AT: in_(END)}}


def a_realm(store: Store, key: Key, timeline: tuple[str, ...] = TIMELINE) -> Realm:
    """A namespace with a workload; one of them is stamped."""
    put(store, TEAM, **(stamps() if key == TEAM else {}))
    put(store, WEB, {"replicas": 3}, **(stamps() if key == WEB else {}))
    return Realm(store, Policies([on_timeline(*timeline)]))


@pytest.mark.parametrize(
    "refusal",
    [
        pytest.param(FULL, id="its annotations are full"),
        pytest.param(FORBIDDEN, id="a policy of the cluster forbids it"),
        pytest.param(BAD, id="another webhook refuses it in its own way"),
        pytest.param(AWAY, id="another webhook would have to be asked and is away"),
        pytest.param(LARGE, id="it is as large as an object can be"),
    ],
)
def test_what_takes_no_note_is_warned_scaled_called_about_and_ended(refusal: Refused) -> None:
    store = Stubborn(TEAM, refusal)
    realm = a_realm(store, TEAM)
    client, _ = run(reign(realm, (TEAM,), HOUR, None))
    assert len(realm.received) == 1
    assert [(entry.action, entry.result) for entry in realm.history] == [
        ("SCALE_DOWN", "Done"),
        ("WEBHOOK", "Done"),
        ("DELETE", "Done"),
    ]
    assert (realm.history[2].at - realm.history[1].at).total_seconds() == pytest.approx(1200, abs=1)
    assert realm.meta(TEAM) is None
    assert realm.events.count("NotRecorded") == 4, "on the object and on its policy, not each time"
    assert "Warned" in realm.events
    assert store.refused == 4, "one attempt for each record"
    assert len(client.requests) < 20


def test_a_leader_that_dies_leaves_the_next_to_do_it_again_under_the_same_ids() -> None:
    moment, alive = 0, False
    while not alive:
        moment += 1
        realm = a_realm(Stubborn(TEAM, FULL), TEAM)
        first, second = run(reign(realm, (TEAM,), HOUR, moment))
        alive = not first.died.is_set()
        sent = first.requests + second.requests
        assert len(set(realm.received)) == 1
        assert len(realm.received) <= 2
        assert [r.path for r in sent if r.method == "DELETE"] == [NAMESPACES.path(name="team")]
        down = [r for r in sent if r.method == "PATCH" and r.body.get("spec") == {"replicas": 0}]
        assert len(down) == 1
        assert realm.meta(TEAM) is None


def test_a_receiver_that_is_away_is_given_up_and_the_end_comes() -> None:
    realm = a_realm(Stubborn(TEAM, FULL), TEAM, ("WEBHOOK@0s", "DELETE@1m"))
    realm.answers = [Failed("the receiver answered 500", status=500) for _ in range(9)]
    run(reign(realm, (TEAM,), HOUR, None))
    assert len(realm.received) == 6
    assert len(set(realm.received)) == 1
    assert [(entry.action, entry.result) for entry in realm.history] == [
        ("WEBHOOK", "Failed"),
        ("DELETE", "Done"),
    ]


def test_a_workload_that_cannot_be_scaled_down_is_given_up_and_ends() -> None:
    store = Stubborn(WEB, FULL)
    realm = a_realm(store, WEB)
    run(reign(realm, (WEB,), 3 * HOUR, None))
    assert [(entry.action, entry.result) for entry in realm.history] == [
        ("SCALE_DOWN", "Failed"),
        ("WEBHOOK", "Done"),
        ("DELETE", "Done"),
    ]
    assert store.refused < 25


def test_what_is_to_be_deleted_is_not_scaled_down_first_if_that_cannot_be() -> None:
    realm = a_realm(Stubborn(WEB, FULL), WEB, ("NOTIFY@-10m", "SCALE_DOWN@0s", "DELETE@1m"))
    run(reign(realm, (WEB,), 20 * 60, None))
    assert [entry.action for entry in realm.history] == ["DELETE"]


def test_when_there_is_room_again_all_is_noted() -> None:
    store = Stubborn(TEAM, FULL, times=2)
    realm = a_realm(store, TEAM)
    run(reign(realm, (TEAM,), 30 * 60, None))
    meta = realm.meta(TEAM)
    assert meta
    done = msgspec.json.decode(meta.annotation_map[names.STEPS])["done"]
    assert [(each["step"], each["result"]) for each in done] == [
        ("NOTIFY@-10m", "Done"),
        ("SCALE_DOWN@0s", "Done"),
        ("WEBHOOK@10m", "Done"),
    ]


async def found_without_a_stamp(realm: Realm) -> int:
    """Have a leader find the namespace; returns how much it has asked for in four hours."""
    leader = Leader(realm, Mortal(realm.store, (NAMESPACES,)))
    engine = leader.engine()
    work = asyncio.create_task(engine.queue.run())
    engine.unstamped(TEAM)
    await asyncio.sleep(4 * HOUR)
    engine.queue.stop()
    await work
    return len(leader.client.requests)


def test_what_takes_no_stamp_does_not_end_and_is_told_of() -> None:
    store = Stubborn(TEAM, FULL)
    put(store, TEAM)
    realm = Realm(store, Policies([on_timeline("DELETE@0s")]))
    assert run(found_without_a_stamp(realm)) < 200
    assert realm.events == ["NotStamped", "NotStamped"], "on the object and its policy"
    assert 20 < store.refused < 100
    assert realm.meta(TEAM)


@dataclass
class Refusing:
    """The records of a Helm release take no note of its end."""

    asked: int = 0

    async def end(self, action: Delete) -> ReleaseOutcome:
        self.asked += 1
        raise ApiError(Status(FULL.code, FULL.reason, FULL.message))


def test_a_release_whose_end_cannot_be_noted_is_told_of_and_tried_ever_more_slowly() -> None:
    store, releases = Store(), Refusing()
    put(store, TEAM)
    meta = stamps()
    meta["labels"] |= {marks.MANAGED_BY: "Helm"}
    meta["annotations"] |= {marks.RELEASE_NAME: "shop", marks.RELEASE_NAMESPACE: "team"}
    put(store, WEB, **meta)
    policies = Policies([on_timeline("DELETE@0s", unit=Unit.RELEASE)])
    realm = Realm(store, policies, releases=releases)
    run(reign(realm, (WEB,), 4 * HOUR, None))
    assert realm.events == ["DeletionFailed", "DeletionFailed"], "on the object and its policy"
    assert 20 < releases.asked < 120


A = Key(CONFIG_MAPS, "team", "settings")
NOTED = recorded(in_(END), ("NOTIFY@-10m", Result.DONE))
GIVEN_UP = recorded(in_(END), ("SCALE_DOWN@0s", Result.FAILED))


def seen(uid: str = "u-1", **annotations: str) -> Subject:
    meta = an_object(at=in_(END), policy="previews", uid=uid)
    ours = {f"dayfly.dev/{name}": text for name, text in annotations.items()}
    meta = msgspec.structs.replace(meta, annotations={**meta.annotation_map, **ours})
    return Subject(A, meta, None)


def kept() -> Unrecorded:
    unrecorded = Unrecorded()
    unrecorded.keep(seen(warning="soon"), {names.STEPS: NOTED, names.WARNING: None})
    return unrecorded


@pytest.mark.parametrize(
    ("then", "remembered"),
    [
        pytest.param(seen(warning="soon"), True, id="the object is as it was"),
        pytest.param(seen("u-2", warning="soon"), False, id="it is another one of that name"),
        pytest.param(seen(warning="soon", steps="{}"), False, id="somebody has written it"),
        pytest.param(seen(warning="other"), False, id="it is warned of something else by now"),
    ],
)
def test_a_note_counts_as_long_as_the_object_says_the_same(
    then: Subject, *, remembered: bool
) -> None:
    unrecorded = kept()
    found = unrecorded.noted(then).meta.annotation_map
    assert (found.get(names.STEPS) == NOTED) is remembered
    assert (names.WARNING in found) is not remembered
    again = unrecorded.noted(seen(warning="soon")).meta.annotation_map
    assert (names.STEPS in again) is remembered, "and what is forgotten stays so"


def test_later_notes_add_to_earlier_ones() -> None:
    unrecorded = kept()
    unrecorded.keep(unrecorded.noted(seen(warning="soon")), {names.STEPS: GIVEN_UP})
    found = unrecorded.noted(seen(warning="soon")).meta.annotation_map
    assert found.get(names.STEPS) == GIVEN_UP
    assert names.WARNING not in found
    unrecorded.over(A)
    assert unrecorded.noted(seen(warning="soon")) == seen(warning="soon")


def test_the_status_of_the_policy_counts_what_was_given_up_and_not_noted() -> None:
    unrecorded = Unrecorded()
    unrecorded.keep(seen(), {names.STEPS: GIVEN_UP})
    tally = Tally()
    tally.add(A, unrecorded.stamped(A, Stamped(seen().meta, None)))
    assert tally.given_up == 1
