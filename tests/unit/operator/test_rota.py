"""Nobody waits behind another's crowd, and nobody for ever."""

import asyncio
from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly_core import instant, names
from dayfly_core.objects import DEPLOYMENTS, NAMESPACES, Key, ObjectMeta
from dayfly_core.policies import Policies
from dayfly_operator.rota import Lane, Rota
from support.build import NOW, SECOND
from support.leader import PACE, Leader, Written
from support.stage import Cluster
from support.subjects import GUARD
from support.timelines import on_timeline

MINUTE = 60 * SECOND
CROWD = 2000
DEPLOYED = frozenset({("apps", "deployments")})


def rota(*keys: str) -> Rota[str]:
    """Keys are ``party/place/number``."""

    def lane(key: str) -> Lane:
        party, place, _ = key.split("/")
        return Lane(party, place)

    found = Rota[str](lane)
    for key in keys:
        found.add(key)
    return found


def taken(from_: Rota[str]) -> list[str]:
    return [from_.take() for _ in range(len(from_))]


@pytest.mark.parametrize(
    ("waiting", "order"),
    [
        pytest.param(
            ["a/x/1", "a/x/2", "a/x/1"], ["a/x/1", "a/x/2"], id="in one lane as they came, once"
        ),
        pytest.param(
            ["a/x/1", "a/x/2", "a/x/3", "b/x/1"],
            ["a/x/1", "b/x/1", "a/x/2", "a/x/3"],
            id="parties take turns",
        ),
        pytest.param(
            ["a/x/1", "a/x/2", "a/y/1", "b/z/1", "b/z/2"],
            ["a/x/1", "b/z/1", "a/y/1", "b/z/2", "a/x/2"],
            id="and within a party its places, so that many places are no bigger share",
        ),
    ],
)
def test_turns(waiting: list[str], order: list[str]) -> None:
    assert taken(rota(*waiting)) == order


def test_what_is_discarded_has_no_turn() -> None:
    waiting = rota("a/x/1", "a/x/2", "b/x/1")
    waiting.discard("a/x/1")
    waiting.discard("b/x/1")
    waiting.discard("nobody/x/1")
    assert ("a/x/2" in waiting, "b/x/1" in waiting) == (True, False)
    assert list(waiting) == ["a/x/2"]
    assert taken(waiting) == ["a/x/2"]


KEYS = st.builds(
    "{}/{}/{}".format, st.sampled_from("abc"), st.sampled_from("xy"), st.integers(0, 9)
)


@given(waiting=st.lists(KEYS))
def test_all_are_taken_once_in_their_lanes_order_and_nobody_is_overtaken_twice(
    waiting: list[str],
) -> None:
    order = taken(rota(*waiting))
    assert Counter(order) == Counter(set(waiting))
    for lane in {key[:3] for key in order}:
        mine = [key for key in order if key.startswith(lane)]
        assert mine == [key for key in dict.fromkeys(waiting) if key.startswith(lane)]
    for place, (one, next_) in enumerate(pairwise(order)):
        if one[0] == next_[0]:
            assert {key[0] for key in order[place:]} == {one[0]}, "somebody else was to be next"


def team(name: str) -> tuple[Key, ObjectMeta]:
    return Key(NAMESPACES, "", name), ObjectMeta(name=name, uid=name, resource_version="1")


def due(number: int, end: timedelta, where: str, policy: str) -> tuple[Key, ObjectMeta]:
    name = f"web-{number}"
    meta = ObjectMeta(
        name=name,
        namespace=where,
        uid=f"uid-{number}",
        resource_version="1",
        labels={names.POLICY: policy},
        annotations={names.EXPIRES_AT: instant.render(NOW + end)},
    )
    return Key(DEPLOYMENTS, where, name), meta


@pytest.mark.looptime(start=0)
@pytest.mark.parametrize(
    ("where", "policy"),
    [
        pytest.param("team", "others", id="of another policy"),
        pytest.param("other-team", "previews", id="in another namespace"),
    ],
)
async def test_a_new_end_does_not_wait_behind_two_thousand(where: str, policy: str) -> None:
    policies = Policies(
        [on_timeline("DELETE@0s", name=name, resources=DEPLOYED) for name in ("previews", "others")]
    )
    crowd = [due(number, MINUTE, "team", "previews") for number in range(CROWD)]
    objects = dict([team("team"), team("other-team"), *crowd])
    stage = Cluster(NOW, objects, policies, GUARD)
    leader = Leader(stage, Written())
    async with leader.leading():
        await asyncio.sleep(MINUTE.total_seconds())
        late = [due(5000 + n, MINUTE + n * SECOND, where, policy) for n in range(1, 11)]
        for key, meta in late:
            leader.put(key, meta)
        await asyncio.sleep(CROWD / PACE.rate + 1)
    at = {event.key: (event.at - NOW).total_seconds() for event in stage.events}
    assert len(at) == CROWD + len(late)
    for n, (key, _) in enumerate(late, start=1):
        assert at[key] - 60 - n <= 1, "as many as there are workers were before it"
    order = [event.key.name for event in stage.events if event.key.namespace == "team"]
    mine = [name for name in order if int(name[4:]) < CROWD]
    assert mine == [key.name for key, _ in crowd], "and the crowd keeps its order"
