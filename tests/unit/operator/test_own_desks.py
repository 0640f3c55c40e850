"""Ephemerators and NamespaceManagers in virtual time, with kills, outages and other people."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from dayfly_core import instant, names
from dayfly_core.guard import Guard
from dayfly_core.outgoing.outbox import Failed, Refused
from support.own_world import BEGINNING, Fault, OwnWorld

pytestmark = pytest.mark.looptime(start=0)

SPACE = "/api/v1/namespaces/team"
EPHEMERATOR = "/apis/tessellate.io/v1alpha1/ephemerators/eve"
MANAGER = "/apis/k8s.consol.de/v1beta1/namespacemanagers"
CI = "/apis/k8s.consol.de/v1beta1/namespaces/home/namespacemanagers/ci"
MAPS = "/api/v1/namespaces/team/pods"
DEPLOYMENT = "/apis/apps/v1/namespaces/team/deployments/web"

LAST_HANDLED = f"{names.KOPF_PREFIX}last-handled-configuration"
MARS = {"date": "2026-11-22", "time": "12:00:00", "timezone": "Mars/Olympus"}
DELETE = {"type": "DELETE"}
SCALE_DOWN = {"type": "SCALE_DOWN"}
WEBHOOK = {"type": "WEBHOOK", "params": {"url": "http://hooks.example.com/"}}
NOTIFY = {"type": "NOTIFY"}


@pytest.fixture
async def world() -> AsyncIterator[OwnWorld]:
    world = OwnWorld(environ={"EPHEMERATOR_IGNORE_NAMESPACES": "spared*"})
    world.put(SPACE, {"metadata": {"creationTimestamp": instant.render(BEGINNING)}})
    yield world
    await world.stop()


def ephemerator(seconds: int = 10, target: str = "team", enabled: str = "true") -> dict[str, Any]:
    lifetime = {"duration": {"seconds": seconds}}
    spec = {"resourceToWatch": {"namespace": target}, "lifetime": lifetime}
    return {"metadata": {"annotations": {names.ENABLED: enabled}}, "spec": spec}


def ttl(seconds: int, action: dict[str, Any], name: str = "first one") -> dict[str, Any]:
    condition = {"type": "TTL", "params": {"ttlSeconds": seconds}}
    return {"name": name, "condition": condition, "action": action}


def pods(action: dict[str, Any], name: str = "when tests succeed", **more: Any) -> dict[str, Any]:
    params = {"initialDelaySeconds": 5, "periodSeconds": 2, "podLabels": {"type": "test"}, **more}
    condition = {"type": "PODS_SUCCEED", "params": params}
    return {"name": name, "condition": condition, "action": action}


def manager(*policies: dict[str, Any]) -> dict[str, Any]:
    return {"spec": {"namespace": "team", "policies": list(policies)}}


def put_pod(world: OwnWorld, name: str, phase: str) -> None:
    world.put(f"{MAPS}/{name}", {"metadata": {"labels": {"type": "test"}}})
    world.store.objects[f"{MAPS}/{name}"]["status"] = {"phase": phase}


def results(world: OwnWorld) -> list[tuple[str, str]]:
    item = world.get_now(CI) or {}
    policies = item.get("status", {}).get("policies", [])
    return [(each["result"], each.get("reason", "")) for each in policies]


def deactivated(world: OwnWorld) -> bool:
    item = world.get_now(CI)
    return item is not None and item["spec"].get("deactivated") is True


def status(world: OwnWorld) -> dict[str, Any]:
    told: dict[str, Any] = (world.get_now(EPHEMERATOR) or {}).get("status", {})
    return told


# Ephemerators.


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


async def test_what_kopf_left_behind_goes_and_the_ephemerator_can(world: OwnWorld) -> None:
    item = ephemerator(3600)
    item["metadata"]["finalizers"] = [names.KOPF_FINALIZER, "example.com/other"]
    item["metadata"]["annotations"][LAST_HANDLED] = "{}"
    item["status"] = {"on_create": {"expiresAtSeconds": 1.5, "expiresAt": "11/26/2021, 22:20:00"}}
    world.put(EPHEMERATOR, item)
    await world.run(1)
    left = world.get_now(EPHEMERATOR) or {}
    assert left["metadata"]["finalizers"] == ["example.com/other"]
    assert LAST_HANDLED not in left["metadata"]["annotations"]
    assert world.get_now(SPACE) is not None


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


# NamespaceManagers.


async def test_the_first_policy_that_is_true_acts_and_no_other(world: OwnWorld) -> None:
    world.put(CI, manager(ttl(20, DELETE), ttl(10, WEBHOOK, "second one"), ttl(10, WEBHOOK, "xyz")))
    await world.run(60)
    assert [parcel.attempt for parcel in world.receiver.calls] == [1]
    assert deactivated(world)
    assert [result for result, _ in results(world)] == ["Waiting", "Done", "Waiting"]
    assert world.done("DELETE") == []


async def test_a_manager_made_before_its_namespace_acts_in_time(world: OwnWorld) -> None:
    world.remove(SPACE)
    world.put(CI, manager(ttl(10, DELETE)))
    await world.run(100)
    world.put(SPACE)
    await world.run(9)
    assert world.done("DELETE") == []
    await world.run(2)
    assert world.done("DELETE") == ["DELETE namespaces/team"]
    world.put(SPACE)
    await world.run(700)
    assert world.get_now(SPACE) is not None, "what has acted does not act again"


async def test_set_to_false_again_it_begins_anew(world: OwnWorld) -> None:
    world.put(CI, manager(ttl(10, WEBHOOK)))
    await world.run(20)
    world.edit(CI, {"spec": {"deactivated": False}})
    await world.run(20)
    first, second = world.receiver.calls
    assert first.id != second.id
    assert deactivated(world)


@pytest.mark.parametrize(
    ("phases", "acts"),
    [
        pytest.param(["Succeeded", "Succeeded"], True, id="all have succeeded"),
        pytest.param(["Succeeded", "Running"], False, id="one runs"),
        pytest.param(["Failed"], False, id="one has failed"),
        pytest.param(["Pending"], False, id="one waits"),
    ],
)
async def test_pods(world: OwnWorld, phases: list[str], acts: bool) -> None:
    for number, phase in enumerate(phases):
        put_pod(world, f"test-{number}", phase)
    world.put(f"{MAPS}/other", {"status": {"phase": "Running"}})
    world.put(CI, manager(pods(DELETE)))
    await world.run(4.9)
    assert world.done("DELETE") == []
    await world.run(10)
    assert (world.done("DELETE") == ["DELETE namespaces/team"]) is acts


async def test_no_pods_at_all_takes_two_looks(world: OwnWorld) -> None:
    world.put(CI, manager(pods(DELETE)))
    await world.run(6.9)
    assert world.done("DELETE") == []
    await world.run(1)
    assert world.done("DELETE") == ["DELETE namespaces/team"]


async def test_pods_that_are_there_at_the_second_look_count(world: OwnWorld) -> None:
    world.put(CI, manager(pods(DELETE)))
    await world.run(6)
    put_pod(world, "late", "Running")
    await world.run(100)
    assert world.done("DELETE") == []
    world.store.objects[f"{MAPS}/late"]["status"] = {"phase": "Succeeded"}
    await world.run(3)
    assert world.done("DELETE") == ["DELETE namespaces/team"]


async def test_pods_that_cannot_be_read_keep_no_other_policy_from_acting(world: OwnWorld) -> None:
    world.unreadable = MAPS
    world.put(CI, manager(pods(DELETE), ttl(30, SCALE_DOWN)))
    await world.run(29)
    assert not deactivated(world)
    await world.run(3)
    assert deactivated(world)
    assert [result for result, _ in results(world)] == ["Waiting", "Done"]


async def test_checks_write_next_to_nothing(world: OwnWorld) -> None:
    put_pod(world, "test", "Running")
    world.put(CI, manager(pods(DELETE)))
    await world.run(30)
    before = len(world.writes)
    await world.run(290)
    assert len(world.writes) - before <= 2, "about 145 checks"


async def test_workloads_are_scaled_down_and_what_is_no_workload_is_said(world: OwnWorld) -> None:
    world.put(DEPLOYMENT, {"spec": {"replicas": 3}})
    selectors = [{"kind": "DEPLOYMENT"}, {"kind": "CronJob"}]
    action = {"type": "SCALE_DOWN", "params": {"selectors": selectors}}
    world.put(CI, manager(ttl(10, action)))
    await world.run(11)
    scaled = world.get_now(DEPLOYMENT) or {}
    assert scaled["spec"]["replicas"] == 0
    assert scaled["metadata"]["annotations"][names.REPLICAS] == "3"
    [entry] = (world.get_now(CI) or {})["status"]["policies"]
    assert "'CronJob'" in entry["message"]
    assert deactivated(world)
    # Whatever somebody scales up again afterwards stays.
    world.edit(DEPLOYMENT, {"spec": {"replicas": 2}})
    await world.run(700)
    assert (world.get_now(DEPLOYMENT) or {})["spec"]["replicas"] == 2


async def test_a_notice_leaves_the_warning_of_a_policy_alone(world: OwnWorld) -> None:
    """Whoever stamped the namespace warns of its own end, and takes any other warning away."""
    world.edit(SPACE, {"metadata": {"labels": {names.POLICY: "previews"}}})
    world.put(CI, manager(ttl(10, NOTIFY)))
    await world.run(15)
    assert names.WARNING not in (world.get_now(SPACE) or {})["metadata"].get("annotations", {})
    assert ("Namespace/team", "Warned") in [(about, why) for about, why, _ in world.recorder.events]


async def test_a_notice_is_an_event_and_an_annotation(world: OwnWorld) -> None:
    world.put(CI, manager(ttl(10, NOTIFY), ttl(20, DELETE, "second one")))
    await world.run(15)
    annotations = (world.get_now(SPACE) or {})["metadata"]["annotations"]
    assert "first one" in annotations[names.WARNING]
    assert ("Namespace/team", "Warned") in [(about, why) for about, why, _ in world.recorder.events]
    await world.run(10)
    assert world.get_now(SPACE) is None


async def test_a_receiver_that_fails_is_called_ever_more_slowly_and_given_up(
    world: OwnWorld,
) -> None:
    world.receiver.answers = [Failed("the receiver answered 500", status=500)] * 99
    world.put(CI, manager(ttl(10, WEBHOOK), ttl(3600, DELETE, "second one")))
    await world.run(3000)
    assert [parcel.attempt for parcel in world.receiver.calls] == [1, 2, 3, 4, 5, 6]
    assert len({parcel.id for parcel in world.receiver.calls}) == 1
    assert results(world)[0] == ("Failed", "GivenUp")
    assert not deactivated(world)
    await world.run(700)
    assert world.get_now(SPACE) is None, "the next policy gets its turn"


async def test_a_url_that_is_forbidden_is_not_tried_again(world: OwnWorld) -> None:
    world.receiver.answers = [Refused("127.0.0.1 is a loopback address")]
    world.put(CI, manager(ttl(10, WEBHOOK)))
    await world.run(3000)
    assert len(world.receiver.calls) == 1
    assert results(world) == [("Failed", "GivenUp")]


async def test_a_protected_namespace_stays_and_the_manager_says_so(world: OwnWorld) -> None:
    world.edit(SPACE, {"metadata": {"labels": {names.PROTECTED: "true"}}})
    world.put(CI, manager(ttl(10, DELETE)))
    await world.run(1000)
    assert world.done("DELETE") == []
    conditions = (world.get_now(CI) or {})["status"]["conditions"]
    assert [c["reason"] for c in conditions if c["type"] == "Withheld"] == ["Protected"]
    told = [reason for about, reason, _ in world.recorder.events if "ci" in about]
    assert told == ["Protected"], "said once"
    world.edit(SPACE, {"metadata": {"labels": {names.PROTECTED: None}}})
    await world.run(1)
    assert world.get_now(SPACE) is None


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


async def test_malformed_times_of_checks_are_ignored(world: OwnWorld) -> None:
    item = manager(ttl(10, DELETE))
    item["metadata"] = {"annotations": {names.FIRST_CHECK: "soon", names.LAST_CHECK: "never"}}
    world.put(CI, item)
    await world.run(11)
    assert world.get_now(SPACE) is None
    assert instant.parse((world.get_now(CI) or {})["metadata"]["annotations"][names.LAST_CHECK])


# Kills, lost answers, outages.

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
