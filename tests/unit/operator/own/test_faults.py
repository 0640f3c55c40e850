"""Our own kinds through kills, lost answers, outages and foreign definitions."""

from typing import Any

import pytest

from support.fake_store import Json, Place, Refused, place_of
from support.own_desks import (
    CI,
    DELETE,
    DEPLOYMENT,
    EPHEMERATOR,
    NOTIFY,
    SCALE_DOWN,
    SPACE,
    WEBHOOK,
    deactivated,
    ephemerator,
    manager,
    pods,
    put_pod,
    results,
    status,
    ttl,
)
from support.own_replica import Fault
from support.own_world import OwnWorld

pytestmark = pytest.mark.looptime(start=0)


@pytest.mark.parametrize(
    ("served", "pruned"),
    [
        pytest.param(False, False, id="not served"),
        pytest.param(True, True, id="without the fields that it should have"),
    ],
)
@pytest.mark.parametrize(
    ("path", "item"),
    [
        pytest.param(EPHEMERATOR, ephemerator(10), id="Ephemerator"),
        pytest.param(CI, manager(ttl(10, WEBHOOK)), id="NamespaceManager"),
    ],
)
async def test_where_the_originals_definition_has_replaced_ours_it_is_said_and_nothing_is_done(
    world: OwnWorld, path: str, item: dict[str, Any], served: bool, pruned: bool
) -> None:
    world.status_served, world.status_pruned = served, pruned
    world.put(path, item)
    await world.run(900)
    assert world.receiver.calls == []
    assert world.done("DELETE") == []
    [(_, reason, note)] = world.recorder.events
    assert reason == "StatusNotKept"
    assert "manifests/components/" in note
    assert world.reads < 100, "not again and again"
    world.status_served, world.status_pruned = True, False
    await world.run(600)
    assert world.receiver.calls or world.done("DELETE"), "done as soon as that is put right"


async def test_a_definition_that_is_served_a_moment_later_costs_a_moment(world: OwnWorld) -> None:
    world.status_served = False
    world.put(EPHEMERATOR, ephemerator(3600))
    await world.run(3)
    assert "expiresAt" not in status(world)
    world.status_served = True
    await world.run(5)
    assert status(world)["expiresAt"] == "2026-11-22T11:00:00Z"


KILLS: list[tuple[int, Fault]] = [
    (number, fault)
    for number in range(1, 8)
    for fault in ("before", "after", "unreachable", "lost")
]


@pytest.mark.parametrize(("number", "fault"), KILLS)
async def test_an_ephemerator_ends_its_namespace_once_whatever_happens_to_a_write(
    world: OwnWorld, number: int, fault: Fault
) -> None:
    world.faults = {number: fault}
    world.put(EPHEMERATOR, ephemerator(10))
    await world.run(9)
    assert world.done("DELETE") == []
    await world.run(120)
    assert world.done("DELETE") == ["DELETE namespaces/team", "DELETE ephemerators/eve"]


@pytest.mark.parametrize(("number", "fault"), KILLS)
async def test_a_manager_ends_its_namespace_once_whatever_happens_to_a_write(
    world: OwnWorld, number: int, fault: Fault
) -> None:
    world.faults = {number: fault}
    world.put(CI, manager(ttl(10, DELETE)))
    await world.run(120)
    assert world.done("DELETE") == ["DELETE namespaces/team"]
    assert deactivated(world)
    assert [result for result, _ in results(world)] == ["Done"]
    world.put(SPACE)
    await world.run(700)
    assert world.get_now(SPACE) is not None


@pytest.mark.parametrize(("number", "fault"), KILLS)
async def test_workloads_are_scaled_down_once_whatever_happens_to_a_write(
    world: OwnWorld, number: int, fault: Fault
) -> None:
    world.faults = {number: fault}
    world.put(DEPLOYMENT, {"spec": {"replicas": 3}})
    world.put(CI, manager(ttl(10, SCALE_DOWN)))
    await world.run(120)
    assert world.done("PATCH deployments") == ["PATCH deployments/web"]
    assert deactivated(world)
    told = [entry.id for entry in world.history if entry.action == "SCALE_DOWN"]
    assert len(set(filter(None, told))) == 1, "who goes on with it tells of it under the same id"


@pytest.mark.parametrize(("number", "fault"), KILLS)
async def test_a_receiver_is_called_with_one_key_whatever_happens_to_a_write(
    world: OwnWorld, number: int, fault: Fault
) -> None:
    world.faults = {number: fault}
    world.put(CI, manager(ttl(10, WEBHOOK)))
    await world.run(120)
    assert 1 <= len(world.receiver.calls) <= 2
    assert len({parcel.id for parcel in world.receiver.calls}) == 1
    assert len({parcel.body for parcel in world.receiver.calls}) == 1
    assert deactivated(world)
    assert [result for result, _ in results(world)] == ["Done"]


async def test_who_does_not_lead_does_nothing(world: OwnWorld) -> None:
    world.replica.gate.open = False
    world.put(EPHEMERATOR, ephemerator(1))
    world.put(CI, manager(ttl(1, DELETE)))
    await world.run(700)
    assert world.writes == []
    assert world.reads == 4, "two lists of each kind"
    world.replica.gate.open = True
    world.replica.parts.lead()
    await world.run(5)
    assert world.get_now(SPACE) is None


async def test_an_outage_is_waited_out_without_a_storm(world: OwnWorld) -> None:
    world.put(EPHEMERATOR, ephemerator(10))
    await world.run(5)
    world.outage, before = True, world.reads
    await world.run(600)
    assert world.reads - before < 40
    world.outage = False
    await world.run(61)
    assert world.get_now(SPACE) is None


FULL = Refused(422, "Invalid", "metadata.annotations: Too long: may not be more than 262144 bytes")


@pytest.mark.parametrize("full", [CI, SPACE])
async def test_full_annotations_keep_no_manager_from_acting_and_no_namespace_from_its_end(
    world: OwnWorld, full: str
) -> None:
    patch = world.store.patch

    def patched(place: Place, kind: str, body: Any, *, dry_run: bool = False) -> Json:
        noted = {k for k, v in body.get("metadata", {}).get("annotations", {}).items() if v}
        if noted and place == place_of(full):
            raise FULL
        return patch(place, kind, body, dry_run=dry_run)

    world.store.patch = patched  # type: ignore[method-assign,assignment]
    world.put(CI, manager(pods(NOTIFY, podLabels={}), ttl(20, DELETE)))
    world.put(SPACE)
    put_pod(world, "test-1", "Running")
    await world.run(60)
    [deleted] = [write.at for write in world.writes if write.verb == "DELETE"]
    assert deleted == pytest.approx(20, abs=1)
    assert deactivated(world)
    assert world.reads < 90
