"""What managers do at no instant that is known, from what is stored of them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from dayfly_cli import managed
from dayfly_cli.awaiting import awaited
from dayfly_core import names
from dayfly_core.guard import Guard
from dayfly_core.objects import (
    EPHEMERATORS,
    NAMESPACE_MANAGERS,
    NAMESPACES,
    Key,
    ObjectMeta,
    OwnMeta,
)
from dayfly_core.policies import Policies
from dayfly_core.simulation import World
from dayfly_operator.own.kinds import OwnObject

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
GUARD = Guard("dayfly-system")
SHOP = Key(NAMESPACES, "", "shop")
MANAGER = Key(NAMESPACE_MANAGERS, "ops", "m")
EPHEMERATOR = Key(EPHEMERATORS, "", "e")
ALL_PODS = {"type": "PODS_SUCCEED"}


def manager(
    condition: dict[str, Any], action: str = "DELETE", status: Any = None, **spec: Any
) -> OwnObject:
    policies = [{"name": "p", "condition": condition, "action": {"type": action}}]
    whole = {"namespace": "shop", "policies": policies, **spec}
    return OwnObject(
        OwnMeta(name="m", namespace="ops", uid="u", creation_timestamp=NOW), whole, status
    )


def ephemerator(namespace: str = "shop", *, enabled: bool = True, **spec: Any) -> OwnObject:
    annotations = {names.ENABLED: "true"} if enabled else {}
    whole = {"namespaceToWatch": namespace, "lifetime": {"duration": {"hours": 1}}, **spec}
    meta = OwnMeta(name="e", uid="u", creation_timestamp=NOW, annotations=annotations)
    return OwnObject(meta, whole)


def said(key: Key, stored: OwnObject, **namespace: Any) -> dict[str, tuple[str, str, str, str]]:
    around = ObjectMeta(name="shop", uid="uid", creation_timestamp=NOW, **namespace)
    found = managed.gathered({key: stored}, GUARD, {})
    answers = awaited(found, World(NOW, {SHOP: around}, Policies(), GUARD))
    return {
        str(about): (each.when, each.what, each.reason, each.by) for about, each in answers.items()
    }


OWN, BY = str(MANAGER), "NamespaceManager/ops/m"
PODS, RUNNING = "when its pods succeed", "PodsNotSucceeded"
DONE = {"policies": [{"name": "p", "result": "Done", "id": "x", "targetUid": "u"}]}


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        pytest.param(
            manager(ALL_PODS),
            {
                OWN: (PODS, "delete namespaces/shop", RUNNING, BY),
                "namespaces/shop": (PODS, "delete namespaces/shop", RUNNING, BY),
            },
            id="a deletion when pods succeed is its namespace's end too",
        ),
        pytest.param(
            manager(ALL_PODS, "SCALE_DOWN"),
            {OWN: (PODS, "scale down namespaces/shop", RUNNING, BY)},
            id="a scale-down when pods succeed",
        ),
        pytest.param(
            manager(ALL_PODS, "NOTIFY"),
            {OWN: (PODS, "warn of namespaces/shop", RUNNING, BY)},
            id="a warning when pods succeed",
        ),
        pytest.param(
            manager({"type": "TTL", "params": {"ttlSeconds": 60}}), {}, id="a known instant"
        ),
        pytest.param(
            manager(ALL_PODS, deactivated=True),
            {OWN: ("deactivated", "spec.deactivated is true; set it", "Deactivated", "")},
            id="one that was switched off",
        ),
        pytest.param(manager(ALL_PODS, status=DONE, deactivated=True), {}, id="one that has acted"),
        pytest.param(
            manager({"type": "MOON_RISES"}),
            {OWN: ("invalid", "its policy p cannot be carried out: ", "InvalidRule", "")},
            id="a condition that nobody knows",
        ),
        pytest.param(
            manager(ALL_PODS, policies="none"),
            {OWN: ("invalid", "", "InvalidSpec", "")},
            id="a spec that cannot be read",
        ),
        pytest.param(
            manager(ALL_PODS, namespace="gone"),
            {OWN: ("no namespace", "namespace gone does not exist, or", "TargetMissing", "")},
            id="a namespace that is not there",
        ),
    ],
)  # fmt: skip
def test_a_namespace_manager(
    stored: OwnObject, expected: dict[str, tuple[str, str, str, str]]
) -> None:
    found = said(MANAGER, stored)
    assert found.keys() == expected.keys()
    for about, (when, what, reason, by) in expected.items():
        assert found[about][0] == when
        assert found[about][1].startswith(what)
        assert found[about][2:] == (reason, by)


@pytest.mark.parametrize(
    ("stored", "when", "reason"),
    [
        pytest.param(ephemerator(enabled=False), "disabled", "Disabled", id="without annotation"),
        pytest.param(ephemerator("kube-system"), "guarded", "Guarded", id="a guarded namespace"),
        pytest.param(ephemerator(lifetime={}), "invalid", "InvalidLifetime", id="no lifetime"),
        pytest.param(ephemerator(""), "invalid", "InvalidSpec", id="no namespace named"),
    ],
)
def test_an_ephemerator_that_does_nothing(stored: OwnObject, when: str, reason: str) -> None:
    found = said(EPHEMERATOR, stored)[str(EPHEMERATOR)]
    assert (found[0], found[2], found[3]) == (when, reason, "")
    assert found[1]


def test_of_one_that_is_in_force_nothing_is_to_be_said() -> None:
    assert said(EPHEMERATOR, ephemerator()) == {}


def test_a_namespace_that_is_going_is_waited_for() -> None:
    found = said(MANAGER, manager(ALL_PODS), deletion_timestamp=NOW)
    assert found[OWN][0] == "going"
