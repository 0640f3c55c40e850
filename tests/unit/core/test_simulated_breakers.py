"""The breakers of a simulation: what they hold back, and what they say of it."""

from datetime import datetime, timedelta

import msgspec
import pytest

from dayfly_core import instant, names
from dayfly_core.breaker import Standing
from dayfly_core.objects import CONFIG_MAPS, DEPLOYMENTS, NAMESPACES, Key, ObjectMeta
from dayfly_core.policies import Policies, Policy
from dayfly_core.simulated_breakers import Brakes, Held
from dayfly_core.simulation import World, simulate
from support.build import DAY, HOUR, NOW, SECOND, a_policy
from support.subjects import GUARD
from support.timelines import on_timeline

MINUTE = timedelta(minutes=1)
DEPLOYED = frozenset({("apps", "deployments")})
PREVIEWS = a_policy(resources=DEPLOYED, default=None)
SPACES = a_policy("spaces", resources=frozenset({("", "namespaces")}), default=None)
ASLEEP = on_timeline("SCALE_DOWN@0s", resources=DEPLOYED)
Objects = dict[Key, ObjectMeta]


def team(name: str = "team", end: timedelta | None = None) -> Objects:
    meta = ObjectMeta(name=name, uid=name, resource_version="1", creation_timestamp=NOW - DAY)
    if end is not None:
        meta = msgspec.structs.replace(
            meta,
            labels={names.POLICY: "spaces"},
            annotations={names.EXPIRES_AT: instant.render(NOW + end)},
        )
    return {Key(NAMESPACES, "", name): meta}


def caught_up(size: int, end: timedelta, namespace: str = "team", **labels: str) -> Objects:
    """So many deployments that were given their end by the operator."""
    at = instant.render(NOW + end)
    return {
        Key(DEPLOYMENTS, namespace, f"web-{size}-{number}"): ObjectMeta(
            name=f"web-{size}-{number}",
            namespace=namespace,
            uid=f"{namespace}-{size}-{number}",
            resource_version="1",
            creation_timestamp=NOW - DAY,
            labels={names.POLICY: "previews", **labels},
            annotations={names.EXPIRES_AT: at, names.CAUGHT_UP: at},
        )
        for number in range(size)
    }


def held(
    objects: Objects,
    *policies: Policy,
    standing: Standing | None = None,
    until: datetime = NOW + DAY,
) -> tuple[int, list[Held]]:
    """Return how many acts happen, and what is held back at last."""
    rules = Policies(policies or [PREVIEWS, SPACES])
    brakes = Brakes(rules, GUARD, {"previews": standing} if standing else {}, NOW)
    events = list(simulate(World(NOW, objects, rules, GUARD, brakes=brakes), until))
    return sum(1 for event in events if not event.held), list(brakes.held())


def test_it_says_how_many_of_how_many_it_holds_back_and_which_are_first() -> None:
    happened, [found] = held({**team(), **caught_up(12, HOUR), **caught_up(2, 8 * HOUR)})
    assert (happened, found.policy, found.objects) == (0, "previews", 14)
    assert found.since == NOW + HOUR - MINUTE
    assert len(found.acts) == 14, "and what comes later too"
    assert found.sentence == (
        "14 of 14 objects would end within a minute, and their authors do not expect it; "
        "left alone: deployments.apps/team/web-12-0, deployments.apps/team/web-12-1, "
        "deployments.apps/team/web-12-10 and 11 more; correct the policy, or confirm with: "
        "dayfly breaker reset previews"
    )


def test_what_is_held_back_is_told_once() -> None:
    rules = Policies([PREVIEWS])
    world = World(NOW, {**team(), **caught_up(10, HOUR)}, rules, GUARD)
    world.brakes = Brakes(rules, GUARD, {}, NOW)
    events = list(simulate(world, NOW + DAY))
    assert len(events) == 10
    assert {event.held for event in events} == {"the breaker of ExpiryPolicy previews is open"}


@pytest.mark.parametrize(
    ("objects", "happens", "stays"),
    [
        pytest.param(caught_up(9, HOUR), 9, 0, id="few pass"),
        pytest.param(
            {**caught_up(9, HOUR), **caught_up(8, HOUR + 2 * MINUTE + SECOND)}, 17, 0,
            id="few and, more than a minute after those, some that come near",
        ),
        pytest.param(
            {**caught_up(9, HOUR), **caught_up(8, HOUR + MINUTE)}, 0, 17,
            id="few, and so few a minute later that they are seen coming",
        ),
        pytest.param(
            {**caught_up(9, HOUR), **caught_up(8, HOUR + 2 * MINUTE)}, 9, 8,
            id="few, and some that come near not more than a minute after those",
        ),
        pytest.param(
            {**team("gone", 2 * HOUR), **caught_up(10, HOUR, "gone")}, 1, 0,
            id="what is held back goes with its namespace",
        ),
        pytest.param(
            {**team("gone", 2 * HOUR), **caught_up(10, HOUR, "gone"), **caught_up(3, 4 * HOUR)},
            4, 0, id="and after ten quiet minutes few pass again",
        ),
        pytest.param(
            {
                **team("gone", 2 * HOUR), **caught_up(10, HOUR, "gone"),
                **caught_up(3, 2 * HOUR + 5 * MINUTE),
            },
            1, 3, id="but not before",
        ),
        pytest.param(
            {**caught_up(10, HOUR, **{names.PROTECTED: "true"}), **caught_up(3, HOUR)}, 3, 0,
            id="what is protected does not count",
        ),
    ],
)  # fmt: skip
def test_what_passes(objects: Objects, happens: int, stays: int) -> None:
    happened, found = held({**team(), **objects})
    assert (happened, sum(len(each.acts) for each in found)) == (happens, stays)


OPENED = NOW - HOUR


@pytest.mark.parametrize(
    ("standing", "end", "stays"),
    [
        pytest.param(Standing(OPENED), 5 * MINUTE, 3, id="open already, it holds back even few"),
        pytest.param(Standing(OPENED), HOUR, 0, id="but closes when it has nothing to hold"),
        pytest.param(Standing(OPENED, NOW), 5 * MINUTE, 0, id="a person has reset it"),
        pytest.param(
            Standing(OPENED, NOW + 6 * MINUTE), 5 * MINUTE, 0, id="a person has confirmed them"
        ),
    ],
)
def test_what_was_decided_before_counts(standing: Standing, end: timedelta, stays: int) -> None:
    _, found = held({**team(), **caught_up(3, end)}, standing=standing)
    assert sum(len(each.acts) for each in found) == stays


@pytest.mark.parametrize(
    ("key", "policy"),
    [
        pytest.param(
            Key(DEPLOYMENTS, "team", "web-1-0"), a_policy(suspended=True, resources=DEPLOYED),
            id="whose policy is suspended",
        ),
        pytest.param(
            Key(CONFIG_MAPS, "team", "x"), PREVIEWS, id="that its policy does not fit any more"
        ),
        pytest.param(Key(DEPLOYMENTS, "kube-system", "x"), PREVIEWS, id="that is guarded"),
    ],
)  # fmt: skip
def test_an_object_does_not_count(key: Key, policy: Policy) -> None:
    [(_, meta)] = caught_up(1, HOUR).items()
    spared = {
        Key(key.resource, key.namespace, f"x-{number}"): msgspec.structs.replace(
            meta, name=f"x-{number}", namespace=key.namespace, uid=f"x-{number}"
        )
        for number in range(40)
    }
    objects = {**team(), **team("kube-system"), **spared}
    assert held(objects, policy) == (0, [])


def test_a_scale_down_is_held_back_as_well() -> None:
    happened, [found] = held({**team(), **caught_up(10, HOUR)}, ASLEEP)
    assert (happened, len(found.acts)) == (0, 10)


def test_what_was_announced_happens_beside_it() -> None:
    told = {
        key: msgspec.structs.replace(
            meta, annotations={names.EXPIRES_AT: meta.annotation_map[names.EXPIRES_AT]}
        )
        for key, meta in caught_up(11, HOUR).items()
    }
    happened, [found] = held({**team(), **caught_up(10, HOUR), **told})
    assert (happened, len(found.acts)) == (11, 10)
