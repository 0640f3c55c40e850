"""Stays: the namespace first, the status after it, and whoever dies in between has done no harm."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from dayfly_core import api, instant, names
from dayfly_core.objects import NAMESPACES, STAYS, Key, ObjectMeta
from dayfly_core.policies import Policies, compile_policy
from dayfly_kube.errors import ApiError, Status, Unreachable
from dayfly_kube.events import Regarding
from dayfly_operator.own.kinds import Heard, OwnKind, OwnKinds, OwnObject
from dayfly_operator.own.queue import Resting
from dayfly_operator.own.stays import StayDesk, target
from dayfly_operator.policies import Knowledge
from dayfly_operator.telling import Teller
from dayfly_operator.writing import Outdated
from support.fake_store import Json, Store, place_of
from support.mortal import Killed, Mortal

CREATED = datetime(2026, 11, 22, 10, tzinfo=UTC)
NOW = CREATED + timedelta(seconds=2)
KEY = Key(STAYS, "team", "longer")


class Book:
    """One policy for namespaces, which lets them live for a day."""

    def __init__(self) -> None:
        rule = api.ResourceRule(api_groups=[""], resources=["namespaces"])
        spec = api.ExpiryPolicySpec(
            match=api.Match(resources=[rule]), ttl=api.TTL(default="1h", max="1d")
        )
        compiled = compile_policy(api.ExpiryPolicy(metadata=ObjectMeta(name="previews"), spec=spec))
        self.known = Knowledge(policies=Policies([compiled]))
        self.error: Exception | None = None

    async def fresh(self, within: float) -> None:
        if self.error:
            raise self.error


class Events:
    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []

    def record(
        self, regarding: Regarding, *, type: str, reason: str, action: str, note: str
    ) -> None:
        self.said.append((reason, note))


def world(spec: Json, **namespace: Any) -> Store:
    store = Store()
    meta: Json = {
        "name": "team",
        "labels": {names.POLICY: "previews"},
        "annotations": {names.EXPIRES_AT: instant.render(CREATED + timedelta(hours=1))},
    } | namespace
    store.create(place_of(NAMESPACES.path()), {"metadata": meta})
    stay = {"metadata": {"name": "longer", "creationTimestamp": instant.render(CREATED)}}
    store.create(place_of(STAYS.path("team")), {**stay, "spec": spec})
    return store


def desk(client: Mortal, book: Book | None = None, events: Events | None = None) -> StayDesk:
    teller = Teller(events or Events(), lambda policy: "")
    return StayDesk(client, client, book or Book(), teller, lambda: NOW)


def annotations(store: Store) -> dict[str, str]:
    found: dict[str, str] = store.get(place_of(NAMESPACES.path(name="team")))["metadata"][
        "annotations"
    ]
    return found


def status(store: Store) -> api.StayStatus:
    found = store.get(place_of(STAYS.path("team", "longer")))
    return msgspec.convert(found.get("status", {}), api.StayStatus)


LATER = instant.render(CREATED + timedelta(hours=8))


async def test_a_stay_is_carried_out_and_says_so() -> None:
    store, events = world({"for": "8h", "wake": True}), Events()
    await desk(Mortal(store), events=events).tend(KEY)
    assert annotations(store)[names.EXPIRES_AT] == LATER
    assert "Stay/longer" in annotations(store)[names.WAKE_REQUESTED]
    assert status(store).expires_at == LATER
    (condition,) = status(store).conditions
    assert (condition.type, condition.status) == ("Granted", api.ConditionStatus.TRUE)
    assert events.said == [("Granted", condition.message)]


async def test_what_the_policy_does_not_allow_is_denied_and_the_namespace_is_left() -> None:
    store, events = world({"for": "2d"}), Events()
    before = annotations(store)
    client = Mortal(store)
    await desk(client, events=events).tend(KEY)
    assert annotations(store) == before
    (condition,) = status(store).conditions
    assert (condition.status, condition.reason) == (api.ConditionStatus.FALSE, "TTLTooLong")
    assert [reason for reason, _ in events.said] == ["TTLTooLong"]
    assert [request.path for request in client.sent("PATCH")] == [f"{KEY_PATH}/status"]


KEY_PATH = STAYS.path("team", "longer")


async def test_what_is_settled_is_never_carried_out_again() -> None:
    store = world({"for": "8h"})
    await desk(Mortal(store)).tend(KEY)
    shorter: Json = {"metadata": {"annotations": {names.EXPIRES_AT: instant.render(NOW)}}}
    path = place_of(NAMESPACES.path(name="team"))
    store.patch(path, "application/merge-patch+json", shorter)
    client = Mortal(store)
    await desk(client).tend(KEY)
    assert client.sent("PATCH") == []


async def test_whenever_the_leader_is_killed_the_next_one_finishes() -> None:
    moment, alive = 0, False
    while not alive:
        moment += 1
        store = world({"for": "8h", "wake": True})
        first, second = Mortal(store, dies_at=moment), Mortal(store)
        try:
            await desk(first).tend(KEY)
            alive = True
        except Killed:
            await desk(second).tend(KEY)
        assert annotations(store)[names.EXPIRES_AT] == LATER
        assert status(store).expires_at == LATER
        written = [r.path for r in first.sent("PATCH") + second.sent("PATCH")]
        assert written == [NAMESPACES.path(name="team"), f"{KEY_PATH}/status"]
    assert moment == 9


@pytest.mark.parametrize("kind", ["the namespace", "the Stay"])
async def test_what_changed_meanwhile_is_judged_again(kind: str) -> None:
    store = world({"for": "8h"})
    client = Mortal(store)
    path = NAMESPACES.path(name="team") if kind == "the namespace" else f"{KEY_PATH}/status"
    client.refusals["PATCH", path] = [ApiError(Status(409, "Conflict", "modified"))]
    with pytest.raises(Outdated):
        await desk(client).tend(KEY)
    await desk(client).tend(KEY)
    assert annotations(store)[names.EXPIRES_AT] == LATER
    assert status(store).expires_at == LATER


@pytest.mark.parametrize("gone", [KEY_PATH, NAMESPACES.path(name="team")])
async def test_what_is_gone_needs_nothing(gone: str) -> None:
    store = world({"for": "8h"})
    store.delete(place_of(gone), {})
    client = Mortal(store)
    await desk(client).tend(KEY)
    assert client.sent("PATCH") == []


async def test_what_goes_at_the_last_moment_is_no_failure() -> None:
    store = world({"for": "8h"})
    client = Mortal(store)
    path = NAMESPACES.path(name="team")
    client.refusals["PATCH", path] = [ApiError(Status(404, "NotFound", "gone"))]
    await desk(client).tend(KEY)
    assert status(store).conditions == []


async def test_nothing_is_granted_by_policies_that_are_not_known_as_they_are_now() -> None:
    store, book = world({"for": "8h"}), Book()
    book.error = Unreachable("away")
    client = Mortal(store)
    with pytest.raises(Unreachable):
        await desk(client, book).tend(KEY)
    assert client.sent("PATCH") == []


async def test_a_refusal_is_told_once() -> None:
    store, events = world({"for": "8h"}), Events()
    tending = desk(Mortal(store), events=events)
    for _ in range(2):
        tending.failing(KEY, ApiError(Status(403, "Forbidden", "no")))
    assert events.said == [("MissingRights", "403 Forbidden: no")]


async def test_a_stay_that_cannot_be_read_is_left_and_told_once() -> None:
    client, events = Mortal(world({"for": 8})), Events()
    tending = desk(client, events=events)
    for _ in range(2):
        await tending.tend(KEY)
    assert client.sent("PATCH") == []
    told = "it cannot be read: Expected `str`, got `int` - at `$.spec.for`"
    assert events.said == [("InvalidSpec", told)]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param({"conditions": [{"type": "Granted"}]}, Resting(None), id="settled"),
        pytest.param({"conditions": [{"type": "Other"}]}, None, id="something else is known"),
        pytest.param({"conditions": None}, None, id="nothing that can be read"),
        pytest.param(None, None, id="no status yet"),
    ],
)
def test_by_what_kopf_tells_only_what_is_settled_rests(
    written: Json | None, expected: Resting | None
) -> None:
    found = msgspec.convert(
        {"metadata": {"name": "longer", "namespace": "team"}, "status": written}, OwnObject
    )
    tending = desk(Mortal(Store()))
    assert tending.rests(KEY) is None, "not heard of yet"
    tending.known = OwnKinds([OwnKind(STAYS, target, lambda key: None)])
    tending.known.hear(Heard(STAYS, found, gone=False))
    assert tending.rests(KEY) == expected
    assert target(found) == "team"
    tending.forget(KEY)
