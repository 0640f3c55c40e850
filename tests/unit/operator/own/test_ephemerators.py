"""Ephemerators in virtual time, with slow namespaces and people who change their minds."""

from datetime import timedelta
from typing import Any

import pytest

from dayfly_core import names
from dayfly_core.guard import Guard
from support.fake_store import Json, Place, Refused
from support.own_desks import EPHEMERATOR, SPACE, ephemerator, status
from support.own_replica import Fault
from support.own_world import BEGINNING, OwnWorld

pytestmark = pytest.mark.looptime(start=0)

LAST_HANDLED = f"{names.KOPF_PREFIX}last-handled-configuration"
MARS = {"date": "2026-11-22", "time": "12:00:00", "timezone": "Mars/Olympus"}


async def test_a_namespace_ends_on_the_second_and_then_its_ephemerator(world: OwnWorld) -> None:
    world.put(EPHEMERATOR, ephemerator(10))
    await world.run(9.9)
    assert status(world)["expiresAt"] == "2026-11-22T10:00:10Z"
    assert world.get_now(SPACE) is not None
    assert world.done("DELETE") == []
    await world.run(1)
    assert world.done("DELETE") == ["DELETE namespaces/team", "DELETE ephemerators/eve"]
    [entry] = world.history
    assert (entry.action, entry.by, entry.due) == (
        "DELETE",
        "Ephemerator/eve",
        BEGINNING + timedelta(seconds=10),
    )


async def test_the_ephemerator_stays_until_its_namespace_is_gone(world: OwnWorld) -> None:
    world.edit(SPACE, {"metadata": {"finalizers": ["example.com/slow"]}})
    world.put(EPHEMERATOR, ephemerator(10))
    await world.run(60)
    assert world.done("DELETE") == ["DELETE namespaces/team"]
    assert world.get_now(EPHEMERATOR) is not None
    world.edit(SPACE, {"metadata": {"finalizers": []}})
    await world.run(1)
    assert world.get_now(EPHEMERATOR) is None


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        pytest.param(ephemerator(1, enabled="false"), "Disabled", id="not enabled"),
        pytest.param(ephemerator(1, "spared-one"), "Ignored", id="ignored"),
        pytest.param(ephemerator(1, "kube-system"), "Guarded", id="guarded"),
        pytest.param(
            {"spec": {"namespaceToWatch": "team", "lifetime": {"until": MARS}}},
            "InvalidLifetime",
            id="in a zone that nobody knows",
        ),
        pytest.param({"spec": {"lifetime": {}}}, "InvalidSpec", id="without a target"),
        pytest.param({"spec": {"lifetime": 3}}, "InvalidSpec", id="not as the schema has it"),
        pytest.param({"spec": "team"}, "InvalidSpec", id="no object"),
        pytest.param({"spec": [], "status": "odd"}, "InvalidSpec", id="nor is its status"),
    ],
)
async def test_what_does_not_end_says_why_and_costs_nothing(
    world: OwnWorld, item: dict[str, Any], reason: str
) -> None:
    for name in ("spared-one", "kube-system"):
        world.put(f"/api/v1/namespaces/{name}")
    world.put(EPHEMERATOR, item)
    await world.run(5)
    told = [each["reason"] for each in status(world)["conditions"] if each["type"] == "Ready"]
    assert reason in told
    reads, writes = world.reads, len(world.writes)
    await world.run(500)
    assert (world.reads, len(world.writes)) == (reads, writes)


async def test_a_guard_that_is_lifted_lets_it_end(world: OwnWorld) -> None:
    world.guard = Guard("dayfly-system", ("te*",))
    world.put(EPHEMERATOR, ephemerator(1))
    await world.run(100)
    assert world.done("DELETE") == []
    world.guard = Guard("dayfly-system")
    world.replica.parts.lead()
    await world.run(1)
    assert world.get_now(SPACE) is None


def left_behind() -> Json:
    item = ephemerator(3600)
    item["metadata"]["finalizers"] = [names.KOPF_FINALIZER, "example.com/other"]
    item["metadata"]["annotations"][LAST_HANDLED] = "{}"
    item["status"] = {"on_create": {"expiresAtSeconds": 1.5, "expiresAt": "11/26/2021, 22:20:00"}}
    return item


def taken_over(world: OwnWorld) -> None:
    left = world.get_now(EPHEMERATOR) or {}
    assert left["metadata"]["finalizers"] == ["example.com/other"]
    assert LAST_HANDLED not in left["metadata"]["annotations"]
    assert left["status"]["observedGeneration"] == 1
    assert world.get_now(SPACE) is not None


async def test_what_kopf_left_behind_goes_and_the_ephemerator_can(world: OwnWorld) -> None:
    world.put(EPHEMERATOR, left_behind())
    await world.run(1)
    taken_over(world)
    assert len(world.writes) == 3


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("fault", ["before", "after", "unreachable", "lost"])
async def test_what_kopf_left_behind_goes_whatever_happens_to_a_write(
    world: OwnWorld, number: int, fault: Fault
) -> None:
    world.faults = {number: fault}
    world.put(EPHEMERATOR, left_behind())
    await world.run(10)
    taken_over(world)


async def test_what_kopf_left_behind_goes_a_minute_after_it_may(world: OwnWorld) -> None:
    patch = world.store.patch

    def refused(place: Place, kind: str, body: Any, *, dry_run: bool = False) -> Json:
        if "finalizers" in body["metadata"]:
            raise Refused(403, "Forbidden", "not yet")
        return patch(place, kind, body, dry_run=dry_run)

    world.store.patch = refused  # type: ignore[method-assign,assignment]
    world.put(EPHEMERATOR, left_behind())
    await world.run(600)
    assert status(world)["expiresAt"] == "2026-11-22T11:00:00Z"
    assert [reason for _, reason, _ in world.recorder.events] == ["NotRecorded"]
    assert world.reads < 50, "not again and again"
    world.store.patch = patch  # type: ignore[method-assign]
    await world.run(61)
    taken_over(world)


async def test_an_end_that_is_put_off_while_its_turn_comes_is_not_carried_out(
    world: OwnWorld,
) -> None:
    world.put(EPHEMERATOR, ephemerator(10))

    async def later() -> float:
        world.edit(EPHEMERATOR, {"spec": {"lifetime": {"duration": {"seconds": 100}}}})
        return 0.0

    world.waiting = later
    await world.run(90)
    assert world.done("DELETE") == []
    await world.run(11)
    assert world.done("DELETE")[0] == "DELETE namespaces/team"
