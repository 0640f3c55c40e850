"""What a simulation says that breakers hold back, the engine's own breakers hold back."""

import asyncio
from datetime import timedelta

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dayfly_core import instant, names
from dayfly_core.objects import DEPLOYMENTS, NAMESPACES, Key, ObjectMeta
from dayfly_core.policies import Policies
from dayfly_core.simulated_breakers import Brakes
from dayfly_core.simulation import World, simulate
from support.build import DAY, NOW, SECOND, a_policy
from support.leader import Leader, Written
from support.stage import Cluster
from support.subjects import GUARD
from support.virtual_loop import run

SPAN = timedelta(minutes=30)
GRAIN = 31 * SECOND
"""Between two ends. The operator looks every five seconds, a simulation at each that comes near: of
all sums of these, the minute and the ten minutes of a breaker, none differ by less than five."""

PREVIEWS = a_policy(resources=frozenset({("apps", "deployments")}), default=None)
SPACES = a_policy("spaces", resources=frozenset({("", "namespaces")}), default=None)
RULES = Policies([PREVIEWS, SPACES])
Objects = dict[Key, ObjectMeta]


def a_group(number: int, size: int, due: int, gone: int | None, *, announced: bool) -> Objects:
    """So many deployments of one namespace, which may end first."""
    team = f"team-{number}"
    end = instant.render(NOW + due * GRAIN + announced * 20 * SECOND)
    annotations = {names.EXPIRES_AT: end} | ({} if announced else {names.CAUGHT_UP: end})
    found = {Key(NAMESPACES, "", team): a_namespace(team, gone)}
    for each in range(size):
        key = Key(DEPLOYMENTS, team, f"web-{each}")
        found[key] = ObjectMeta(
            name=key.name,
            namespace=team,
            uid=f"{team}-{each}",
            resource_version="1",
            creation_timestamp=NOW - DAY,
            labels={names.POLICY: "previews"},
            annotations=annotations,
        )
    return found


def a_namespace(name: str, gone: int | None) -> ObjectMeta:
    meta = ObjectMeta(name=name, uid=name, resource_version="1", creation_timestamp=NOW - DAY)
    if gone is None:
        return meta
    end = instant.render(NOW + gone * GRAIN + 10 * SECOND)
    return msgspec.structs.replace(
        meta, labels={names.POLICY: "spaces"}, annotations={names.EXPIRES_AT: end}
    )


GROUPS = st.lists(
    st.tuples(
        st.sampled_from([1, 5, 9, 10, 12, 20, 30]),
        st.integers(1, 45),
        st.none() | st.integers(1, 50),
        st.sampled_from([False, False, True]),
    ),
    min_size=1,
    max_size=5,
)


def simulated(objects: Objects) -> tuple[set[Key], set[Key]]:
    """Return what is deleted, and what is held back at last."""
    brakes = Brakes(RULES, GUARD, {}, NOW)
    world = World(NOW, dict(objects), RULES, GUARD, brakes=brakes)
    events = list(simulate(world, NOW + SPAN))
    held = {key for each in brakes.held() for _, key in each.acts}
    return {event.key for event in events if not event.held}, held


async def executed(objects: Objects) -> tuple[set[Key], set[Key]]:
    cluster = Cluster(NOW, dict(objects), RULES, GUARD)
    leader = Leader(cluster, Written())
    async with leader.leading():
        await asyncio.sleep(SPAN.total_seconds() + 1)
    held = leader.others.held.keys() & cluster.objects.keys()
    return {event.key for event in cluster.events}, held


@given(groups=GROUPS)
@example(groups=[(12, 20, 21, False), (12, 21, None, False), (9, 40, None, False)])
def test_what_is_held_back_in_a_simulation_is_held_back(
    groups: list[tuple[int, int, int | None, bool]],
) -> None:
    objects: Objects = {}
    for number, (size, due, gone, announced) in enumerate(groups):
        objects |= a_group(number, size, due, gone, announced=announced)
    assert simulated(objects) == run(executed(objects))


@pytest.mark.parametrize(("size", "held"), [(9, 0), (10, 10), (500, 500)])
def test_a_mass_mistake_is_seen_beforehand(size: int, held: int) -> None:
    mistake = a_policy(default=60 * SECOND, grace=SECOND, resources=PREVIEWS.resources)
    rules = Policies([mistake])
    objects = a_group(0, size, 1, None, announced=False)
    bare = {
        key: msgspec.structs.replace(meta, labels=None, annotations=None)
        for key, meta in objects.items()
    }
    brakes = Brakes(rules, GUARD, {}, NOW)
    list(simulate(World(NOW, bare, rules, GUARD, brakes=brakes), NOW + DAY))
    assert sum(len(each.acts) for each in brakes.held()) == held
    assert len(bare) == 1 + held
