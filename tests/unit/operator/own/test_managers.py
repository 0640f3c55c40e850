"""NamespaceManagers in virtual time: turns, pods, workloads, notices and receivers that fail."""

from collections.abc import Callable
from typing import Any

import pytest

from dayfly_core import instant, names
from dayfly_core.outgoing.outbox import Failed, Refused
from dayfly_core.reasons import Reason
from support.own_desks import (
    CI,
    DELETE,
    DEPLOYMENT,
    NOTIFY,
    PODS,
    SCALE_DOWN,
    SPACE,
    WEBHOOK,
    deactivated,
    manager,
    pods,
    put_pod,
    results,
    ttl,
)
from support.own_world import OwnWorld

pytestmark = pytest.mark.looptime(start=0)


async def test_the_first_policy_that_is_true_acts_and_no_other(world: OwnWorld) -> None:
    world.put(CI, manager(ttl(20, DELETE), ttl(10, WEBHOOK, "second one"), ttl(10, WEBHOOK, "xyz")))
    await world.run(60)
    assert [parcel.attempt for parcel in world.receiver.calls] == [1]
    assert deactivated(world)
    assert [result for result, _ in results(world)] == ["Waiting", "Done", "Waiting"]
    assert world.done("DELETE") == []


async def test_an_end_costs_few_requests_beside_the_search_for_what_is_protected(
    world: OwnWorld,
) -> None:
    world.put(CI, manager(ttl(10, DELETE)))
    await world.run(9)
    reads, writes = world.reads, len(world.writes)
    await world.run(500)
    # It and its namespace; it in its turn; and both once more, when it is deactivated.
    assert world.reads - reads == 5
    # What begins; the mark, and the DELETE; what came of it, in status and spec; that it rests.
    assert len(world.writes) - writes == 6


async def test_a_manager_made_before_its_namespace_acts_in_time_and_costs_nothing_before(
    world: OwnWorld,
) -> None:
    world.remove(SPACE)
    world.put(CI, manager(ttl(10, DELETE)))
    await world.run(1)
    reads = world.reads
    await world.run(500)
    assert world.reads == reads
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
    world.put(f"{PODS}/other", {"status": {"phase": "Running"}})
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
    world.store.objects[f"{PODS}/late"]["status"] = {"phase": "Succeeded"}
    await world.run(3)
    assert world.done("DELETE") == ["DELETE namespaces/team"]


PATIENT: dict[str, Any] = {"initialDelaySeconds": 0, "periodSeconds": 10, "minChecks": 4}


def its_namespace(world: OwnWorld) -> None:
    del world.store.objects[SPACE]
    world.put(SPACE)


def itself(world: OwnWorld) -> None:
    del world.store.objects[CI]
    world.put(CI, manager(pods(DELETE, **PATIENT)))


def its_pods(world: OwnWorld) -> None:
    put_pod(world, "other", "Succeeded", "other")
    rule = pods(DELETE, **PATIENT, podLabels={"type": "other"})
    world.edit(CI, manager(rule))


@pytest.mark.parametrize("renew", [its_namespace, itself, its_pods])
async def test_checks_of_what_was_there_before_under_the_same_name_do_not_count(
    world: OwnWorld, renew: Callable[[OwnWorld], None]
) -> None:
    put_pod(world, "done", "Succeeded")
    world.put(CI, manager(pods(DELETE, **PATIENT)))
    await world.run(25)
    renew(world)
    await world.run(25)
    assert world.done("DELETE") == [], "by now it would be six checks of four"
    await world.run(25)
    assert world.done("DELETE") == ["DELETE namespaces/team"]


async def test_pods_that_cannot_be_read_keep_no_other_policy_from_acting(world: OwnWorld) -> None:
    world.unreadable = PODS
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
    told = [(about, why) for about, why, _ in world.recorder.events]
    assert ("Deployment/web", Reason.SCALED) in told, "as by the timeline of a policy"
    assert ("Namespace/team", Reason.SCALED_DOWN) in told
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


async def test_malformed_times_of_checks_are_ignored(world: OwnWorld) -> None:
    item = manager(ttl(10, DELETE))
    item["metadata"] = {"annotations": {names.FIRST_CHECK: "soon", names.LAST_CHECK: "never"}}
    world.put(CI, item)
    await world.run(11)
    assert world.get_now(SPACE) is None
    assert instant.parse((world.get_now(CI) or {})["metadata"]["annotations"][names.LAST_CHECK])
