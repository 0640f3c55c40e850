"""Very many ends at once: the announced are executed, in their order and at the pace; a mistake is
stopped before the first."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import timedelta

import pytest
from msgspec.structs import replace

from dayfly_core import instant, names
from dayfly_core.objects import DEPLOYMENTS, NAMESPACES, Key, ObjectMeta
from dayfly_core.policies import Policies, Policy
from dayfly_core.simulation import Event
from support.build import DAY, NOW, SECOND, a_policy
from support.leader import PACE, Leader, Written
from support.stage import Cluster
from support.subjects import GUARD
from support.timelines import on_timeline

pytestmark = pytest.mark.looptime(start=0)

MINUTE = 60 * SECOND
TEAM = (
    Key(NAMESPACES, "", "team"),
    ObjectMeta(name="team", uid="team", resource_version="1"),
)
DEPLOYED = frozenset({("apps", "deployments")})
MISTAKE = a_policy(default=MINUTE, grace=5 * SECOND, resources=frozenset({("", "namespaces")}))


def at(moment: timedelta) -> float:
    return moment.total_seconds()


def deployment(number: int, end: timedelta | None = None) -> tuple[Key, ObjectMeta]:
    name = f"web-{number}"
    meta = ObjectMeta(
        name=name, namespace="team", uid=f"uid-{number}", resource_version="1", generation=1
    )
    if end is not None:
        meta = ObjectMeta(
            name=name,
            namespace="team",
            uid=f"uid-{number}",
            resource_version="1",
            labels={names.POLICY: "previews"},
            annotations={names.EXPIRES_AT: instant.render(NOW + end)},
        )
    return Key(DEPLOYMENTS, "team", name), meta


def namespace(number: int) -> tuple[Key, ObjectMeta]:
    name = f"preview-{number}"
    meta = ObjectMeta(
        name=name, uid=f"uid-{number}", resource_version="1", creation_timestamp=NOW - 30 * DAY
    )
    return Key(NAMESPACES, "", name), meta


def cluster(policy: Policy, objects: Iterable[tuple[Key, ObjectMeta]]) -> Cluster:
    return Cluster(NOW, dict(objects), Policies([policy]), GUARD)


def busiest(events: Iterable[Event], what: str) -> int:
    """Count what was done in the busiest second."""
    times = [event.at for event in events if event.what == what]
    return max(sum(1 for t in times if 0 <= at(t - begin) < 1) for begin in set(times))


async def test_a_thousand_announced_ends_of_one_evening_are_executed_paced_and_in_order() -> None:
    stage = cluster(
        on_timeline("NOTIFY@-1m", "SCALE_DOWN@0s", "DELETE@10m", resources=DEPLOYED),
        [TEAM, *(deployment(number, 10 * MINUTE) for number in range(1000))],
    )
    leader = Leader(stage, Written())
    async with leader.leading():
        await asyncio.sleep(at(21 * MINUTE))
    rules = defaultdict[Key, list[str]](list)
    for event in stage.events:
        rules[event.key].append(event.rule)
    assert len(rules) == 1000
    assert Counter(map(tuple, rules.values())) == {
        ("NOTIFY@-1m", "SCALE_DOWN@0s", "DELETE@10m"): 1000
    }
    for what in ("scale down", "delete"):
        assert busiest(stage.events, what) <= 2 * PACE.rate, "a second's worth is let go at once"
    last = max(event.at for event in stage.events) - NOW
    assert 20 * MINUTE + 18 * SECOND <= last <= 20 * MINUTE + 20 * SECOND
    assert (leader.told, leader.others.held) == ([], {})


async def test_what_is_new_is_looked_at_while_a_thousand_ends_wait_for_their_turn() -> None:
    stage = cluster(
        on_timeline(default=DAY, resources=DEPLOYED),
        [TEAM, *(deployment(number, MINUTE) for number in range(1000))],
    )
    leader = Leader(stage, Written())
    async with leader.leading():
        await asyncio.sleep(at(MINUTE + SECOND))
        key, meta = deployment(5000)
        leader.put(key, meta)
        await asyncio.sleep(0.1)
        assert [event.what for event in stage.events if event.key == key] == ["stamp"]
        leader.put(*deployment(6000, MINUTE + 2 * SECOND))
        await asyncio.sleep(at(20 * SECOND))
    assert Counter(event.what for event in stage.events) == {"stamp": 1, "delete": 1001}


async def test_a_mass_mistake_deletes_nothing_until_a_person_says_so() -> None:
    stage = cluster(MISTAKE, map(namespace, range(500)))
    written = Written()
    leader = Leader(stage, written)
    async with leader.leading():
        await asyncio.sleep(1)
        assert Counter(event.what for event in stage.events) == {"stamp": 500}
        await asyncio.sleep(at(10 * MINUTE))
        assert Counter(event.what for event in stage.events) == {"stamp": 500}
        assert len(leader.others.held) == 500
        assert leader.told == ["opened previews"]
        assert written.breakers["previews"].held == 500

        written.resets["previews"] = instant.render(stage.now())
        leader.breakers.look()
        await asyncio.sleep(15)
    assert leader.told == ["opened previews", "closed previews"]
    assert Counter(event.what for event in stage.events) == {"stamp": 500, "delete": 500}
    assert busiest(stage.events, "delete") <= 2 * PACE.rate
    assert written.breakers == {}


async def test_a_mass_mistake_that_is_corrected_deletes_nothing() -> None:
    stage = cluster(MISTAKE, map(namespace, range(500)))
    leader = Leader(stage, Written())
    async with leader.leading():
        await asyncio.sleep(at(2 * MINUTE))
        stage.policies = Policies([])
        leader.surprises.policies_changed()
        await leader.look_at_all()
        await asyncio.sleep(at(60 * MINUTE))
    assert Counter(event.what for event in stage.events) == {"stamp": 500}


def overdue(number: int) -> tuple[Key, ObjectMeta]:
    return deployment(number, -20 * DAY)


@pytest.mark.parametrize(
    ("policy", "deleted"),
    [
        pytest.param(
            on_timeline(resources=DEPLOYED, since=NOW), 0, id="resumed: nobody expects it now"
        ),
        pytest.param(
            on_timeline(resources=DEPLOYED), 60, id="no operator ran: they were announced"
        ),
    ],
)
async def test_what_is_long_overdue(policy: Policy, deleted: int) -> None:
    stage = cluster(policy, [TEAM, *map(overdue, range(60))])
    leader = Leader(stage, Written())
    async with leader.leading():
        await asyncio.sleep(at(5 * MINUTE))
    assert Counter(event.what for event in stage.events) == ({"delete": deleted} if deleted else {})
    assert len(leader.others.held) == 60 - deleted


async def test_a_policy_that_is_resumed_ends_what_was_due_when_a_person_says_so() -> None:
    resting = on_timeline(resources=DEPLOYED, suspended=True)
    stage = cluster(resting, [TEAM, *map(overdue, range(60)), deployment(99, 2 * MINUTE)])
    written = Written()
    leader = Leader(stage, written)
    async with leader.leading():
        await asyncio.sleep(at(MINUTE))
        stage.policies = Policies([replace(resting, suspended=False, since=stage.now())])
        leader.surprises.policies_changed()
        await leader.look_at_all()
        await asyncio.sleep(at(5 * MINUTE))
        assert leader.told == ["opened previews"]
        assert [event.key.name for event in stage.events] == ["web-99"], "what comes due now ends"
        written.resets["previews"] = instant.render(stage.now())
        leader.breakers.look()
        await asyncio.sleep(15)
    assert leader.told == ["opened previews", "closed previews"]
    assert Counter(event.what for event in stage.events) == {"delete": 61}


async def test_the_next_leader_holds_back_what_the_last_one_held() -> None:
    stage = cluster(MISTAKE, map(namespace, range(500)))
    written = Written()
    async with Leader(stage, written).leading():
        await asyncio.sleep(30)
    next_ = Leader(stage, written)
    async with next_.leading():
        # Most are gone by now: without what the last one wrote these would be too few to be held.
        for number in range(5, 500):
            key, _ = namespace(number)
            del stage.objects[key]
            next_.stamped(key, None)
        await asyncio.sleep(at(3 * MINUTE))
    assert Counter(event.what for event in stage.events) == {"stamp": 500}
    assert len(next_.others.held) == 5
    assert next_.told == []


async def test_announced_ends_go_on_beside_what_is_held_back() -> None:
    own = {names.EXPIRES_AT: instant.render(NOW + MINUTE)}
    announced = [
        (
            Key(NAMESPACES, "", f"own-{number}"),
            ObjectMeta(
                name=f"own-{number}",
                uid=f"own-{number}",
                resource_version="1",
                labels={names.POLICY: "previews"},
                annotations=own,
            ),
        )
        for number in range(100)
    ]
    stage = cluster(MISTAKE, [*map(namespace, range(500)), *announced])
    leader = Leader(stage, Written())
    async with leader.leading():
        await asyncio.sleep(at(3 * MINUTE))
    deleted = {event.key.name for event in stage.events if event.what == "delete"}
    assert deleted == {f"own-{number}" for number in range(100)}
