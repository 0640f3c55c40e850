"""What keeps a release from its end is told as long as it lasts, and no longer."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from dayfly_core import names
from dayfly_core.objects import Key
from dayfly_core.recheck import SOONEST
from dayfly_operator.crew import ReleaseOutcome
from dayfly_operator.helm.releases import HelmReleases
from support.build import NOW, in_
from support.fake_store import place_of
from support.helm_world import PREVIEWS, SETTINGS, STRANGER, WEB, Cluster, path, shop
from support.mortal import Killed


def remove(cluster: Cluster, key: Key) -> None:
    del cluster.store.objects[place_of(path(key)).key]


def labelled(cluster: Cluster, key: Key) -> dict[str, str]:
    labels: dict[str, str] = cluster.store.objects[place_of(path(key)).key]["metadata"]["labels"]
    return labels


def protected(cluster: Cluster) -> None:
    labelled(cluster, SETTINGS)[names.PROTECTED] = "true"


def stopped(leader: HelmReleases) -> list[str]:
    return [text for _, text in leader.stopped()]


HALF_WAY = 24
"""Moment of a leader's life at which the intent is recorded."""

IN_THE_WAY = "Helm release team-a/shop does not end: configmaps/team-a/settings carries the label "


def gone(cluster: Cluster) -> None:
    remove(cluster, WEB)


def extended(cluster: Cluster) -> None:
    notes = cluster.store.objects[place_of(path(WEB)).key]["metadata"]["annotations"]
    notes[names.EXPIRES_AT] = in_("8h")


def released(cluster: Cluster) -> None:
    del labelled(cluster, WEB)[names.POLICY]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(gone, id="it is gone"),
        pytest.param(extended, id="it was extended"),
        pytest.param(released, id="it has lost its stamp"),
    ],
)
async def test_it_is_over_with_the_last_member_whose_end_has_come(
    change: Callable[[Cluster], None],
) -> None:
    cluster = shop()
    protected(cluster)
    leader = cluster.leader()
    await leader.end(cluster.order())
    (said,) = stopped(leader)
    assert said.startswith(IN_THE_WAY)
    assert stopped(leader) == [said], "as long as it lasts"
    change(cluster)
    assert stopped(leader) == []


async def test_what_was_in_the_way_itself_is_not_told_of_when_it_is_gone() -> None:
    cluster = Cluster()
    cluster.put(WEB, at=in_("-1m"))
    leader = cluster.leader()
    assert (await leader.end(cluster.order())).blocked
    assert len(stopped(leader)) == 1
    remove(cluster, WEB)
    assert stopped(leader) == []


async def test_of_what_was_begun_it_is_told_although_no_member_is_left() -> None:
    cluster = shop()
    with pytest.raises(Killed):
        await cluster.leader(cluster.client(dies_at=HALF_WAY)).end(cluster.order())
    cluster.store.objects.pop(place_of(path(WEB)).key, None)
    protected(cluster)
    leader = cluster.leader()
    await leader.resume()
    assert len(stopped(leader)) == 1
    cluster.store.objects.clear()
    await leader.resume()
    assert stopped(leader) == []


async def test_a_member_whose_policy_was_deleted_is_told_of_as_long_as_it_holds_the_release() -> (
    None
):
    cluster = shop()
    cluster.policies[0] = replace(PREVIEWS, resources=frozenset({("apps", "deployments")}))
    cluster.put(STRANGER, at=in_("-1m"), labels={names.POLICY: "deleted"})
    leader = cluster.leader()
    for _ in range(2):
        assert await leader.end(cluster.order()) == ReleaseOutcome(again=NOW + SOONEST)
        assert stopped(leader) == [
            "Helm release team-a/shop does not end: configmaps/team-a/stranger has an end, but "
            "no policy covers it any more"
        ]
    assert len(cluster.said.events) == 1
    remove(cluster, STRANGER)
    assert await leader.end(cluster.order()) == ReleaseOutcome()
    assert stopped(leader) == []
