"""Ephemerators and NamespaceManagers on a clock that is not real."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dayfly_core import names
from dayfly_core.ephemerator import Settings
from dayfly_core.guard import Guard
from dayfly_core.objects import NAMESPACES, Key, ObjectMeta, OwnMeta
from dayfly_core.players import Copy, EphemeratorPlayer, ManagerPlayer, merged
from dayfly_core.policies import Policies
from dayfly_core.simulation import Player, World, simulate
from dayfly_core.triggers import LAST

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
GUARD = Guard("dayfly-system")
KOPF = "kopf.zalando.org/KopfFinalizerMarker"


def namespace(name: str, created: datetime = NOW) -> dict[Key, ObjectMeta]:
    meta = ObjectMeta(
        name=name, uid=f"uid-{name}", resource_version="1", creation_timestamp=created
    )
    return {Key(NAMESPACES, "", name): meta}


def ephemerator(
    name: str,
    lifetime: Mapping[str, Any],
    status: Mapping[str, Any] | None = None,
    **meta: Any,
) -> EphemeratorPlayer:
    annotations = {names.ENABLED: "true"}
    head = OwnMeta(
        name=name,
        uid=f"uid-{name}",
        resource_version="1",
        creation_timestamp=NOW,
        annotations=annotations,
        **meta,
    )
    spec = {"namespaceToWatch": "shop", "lifetime": lifetime}
    return EphemeratorPlayer(Copy(head, spec, status), GUARD, Settings())


def manager(name: str, *policies: Mapping[str, Any], target: str = "shop") -> ManagerPlayer:
    head = OwnMeta(
        name=name, namespace="ops", uid=f"uid-{name}", resource_version="1", creation_timestamp=NOW
    )
    return ManagerPlayer(Copy(head, {"namespace": target, "policies": list(policies)}, None), GUARD)


def ttl(seconds: int, action: str, name: str = "one", **params: Any) -> dict[str, Any]:
    return {
        "name": name,
        "condition": {"type": "TTL", "params": {"ttlSeconds": seconds}},
        "action": {"type": action, "params": params},
    }


PODS = {
    "name": "pods",
    "condition": {"type": "PODS_SUCCEED"},
    "action": {"type": "DELETE"},
}


def told(*players: Player, days: int = 400) -> list[tuple[str, str, str]]:
    world = World(NOW, namespace("shop"), Policies(), GUARD, players)
    events = simulate(world, NOW + timedelta(days=days))
    return [(str(event.at - NOW), event.what, str(event.key)) for event in events]


def test_an_ephemerator_ends_its_namespace_and_then_itself() -> None:
    assert told(ephemerator("a", {"duration": {"hours": 2}})) == [
        ("2:00:00", "delete", "namespaces/shop"),
        ("2:00:00", "delete", "ephemerators.tessellate.io/a"),
    ]


def test_the_second_of_two_for_one_namespace_only_goes_itself() -> None:
    first, second = (
        ephemerator("a", {"duration": {"hours": 1}}),
        ephemerator("b", {"duration": {"hours": 1, "minutes": 1}}),
    )
    assert [each[1:] for each in told(first, second)] == [
        ("delete", "namespaces/shop"),
        ("delete", "ephemerators.tessellate.io/a"),
        ("delete", "ephemerators.tessellate.io/b"),
    ]


@pytest.mark.parametrize("odd", ["text", 5, ["a"]])
def test_what_is_no_object_does_nothing_and_keeps_no_other_from_its_end(odd: object) -> None:
    head = OwnMeta(name="odd", namespace="ops", uid="uid-odd", resource_version="1")
    strange = Copy(head, odd, odd)
    players = EphemeratorPlayer(strange, GUARD, Settings()), ManagerPlayer(strange, GUARD)
    said = told(*players, manager("m", ttl(3600, "DELETE")))
    assert said == [("1:00:00", "delete", "namespaces/shop")]


@pytest.mark.parametrize(
    "status",
    [
        pytest.param(None, id="of one that is new"),
        pytest.param({"observedGeneration": 1}, id="of one that is known, and got it again"),
    ],
)
def test_what_kopf_left_behind_is_taken_away_on_the_way(status: dict[str, Any] | None) -> None:
    player = ephemerator("a", {"duration": {"hours": 1}}, status, finalizers=(KOPF,))
    assert [what for _, what, _ in told(player)] == ["delete", "delete"]


def test_a_clock_that_skips_an_hour_ends_it_when_it_has_skipped_it() -> None:
    gap = {"date": "2027-03-28", "time": "02:30:00", "timezone": "Europe/Berlin"}
    world = World(NOW, namespace("shop"), Policies(), GUARD, [ephemerator("a", {"until": gap})])
    [first, *_] = simulate(world, NOW + timedelta(days=400))
    assert first.at == datetime(2027, 3, 28, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("policies", "expected"),
    [
        pytest.param(
            [ttl(3600, "DELETE")], [("delete", "namespaces/shop")], id="its namespace is deleted"
        ),
        pytest.param(
            [ttl(3600, "SCALE_DOWN"), ttl(7200, "DELETE", "two")],
            [("scale down", "namespaces/shop")],
            id="the first that is true acts, and no other",
        ),
        pytest.param(
            [ttl(3600, "NOTIFY"), ttl(7200, "DELETE", "two")],
            [("warn", "namespaces/shop"), ("delete", "namespaces/shop")],
            id="a warning leaves the others open",
        ),
        pytest.param(
            [ttl(60, "WEBHOOK", url="http://127.0.0.1/")],
            [("call", "namespacemanagers.k8s.consol.de/ops/m")],
            id="a webhook is called",
        ),
        pytest.param([PODS], [], id="pods are not foreseen"),
    ],
)
def test_a_manager(policies: list[dict[str, Any]], expected: list[tuple[str, str]]) -> None:
    assert [each[1:] for each in told(manager("m", *policies))] == expected


@pytest.mark.parametrize(
    "policies",
    [
        pytest.param("none", id="policies that are no list"),
        pytest.param(None, id="no policies"),
        pytest.param(["none"], id="a policy that is no map"),
        pytest.param([{"condition": None}], id="a condition that is none"),
    ],
)
def test_a_manager_that_nobody_can_read_does_nothing(policies: Any) -> None:
    head = OwnMeta(name="m", namespace="ops", uid="u", creation_timestamp=NOW)
    spec = {"namespace": "shop", "policies": policies}
    assert told(ManagerPlayer(Copy(head, spec, None), GUARD)) == []


def test_an_event_says_which_policy_of_which_manager_it_follows_from() -> None:
    world = World(
        NOW, namespace("shop"), Policies(), GUARD, [manager("m", ttl(60, "DELETE", "gone soon"))]
    )
    [event] = simulate(world, NOW + timedelta(days=1))
    assert (event.rule, event.by) == ("gone soon", "NamespaceManager/ops/m")


GOING = ObjectMeta(name="shop", uid="uid-shop", creation_timestamp=NOW, deletion_timestamp=NOW)


@pytest.mark.parametrize(
    ("target", "objects"),
    [
        pytest.param("kube-system", namespace("kube-system"), id="that is guarded"),
        pytest.param("shop", {}, id="that is not there"),
        pytest.param("shop", {Key(NAMESPACES, "", "shop"): GOING}, id="that is going already"),
    ],
)
def test_nothing_is_foreseen_for_a_namespace(target: str, objects: dict[Key, ObjectMeta]) -> None:
    own = manager("m", ttl(60, "DELETE"), target=target)
    assert list(simulate(World(NOW, objects, Policies(), GUARD, [own]), LAST)) == []


def test_an_ephemerator_of_a_namespace_that_is_going_waits_and_does_not_hold_up_the_clock() -> None:
    own = ephemerator("a", {"duration": {"hours": 1}})
    objects = {Key(NAMESPACES, "", "shop"): GOING}
    assert list(simulate(World(NOW, objects, Policies(), GUARD, [own]), LAST)) == []


@pytest.mark.parametrize(
    ("target", "patch", "expected"),
    [
        pytest.param({"a": 1}, {"a": None}, {}, id="null removes"),
        pytest.param({}, {"a": None}, {}, id="and removes nothing where nothing is"),
        pytest.param({"a": {"b": 1}}, {"a": {"c": 2}}, {"a": {"b": 1, "c": 2}}, id="maps merge"),
        pytest.param({"a": 1}, {"a": {"c": 2}}, {"a": {"c": 2}}, id="a map replaces a value"),
        pytest.param({"a": [1]}, {"a": [2]}, {"a": [2]}, id="a list is replaced whole"),
    ],
)
def test_merge_patches(
    target: dict[str, Any], patch: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert merged(target, patch) == expected
