"""The end of a release, whatever happens between its steps: kills, extensions, upgrades."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from msgspec.structs import replace

from dayfly_core import names
from dayfly_core.api import Unit
from dayfly_core.objects import SECRETS, Key
from dayfly_kube.errors import ApiError, Status
from dayfly_operator.helm.releases import RESUME_EVERY
from dayfly_operator.writing import NotLeading, Outdated
from support.build import NOW, in_
from support.fake_store import place_of
from support.helm_world import (
    MEMBERS,
    PREVIEWS,
    ROLE,
    SERVICE,
    SETTINGS,
    STRANGER,
    WEB,
    Cluster,
    Served,
    path,
    shop,
)
from support.interrupting import Interrupting
from support.mortal import Killed

LEFT = {"configmaps/kept"}
HALF_WAY = 24
"""Moment of a leader's life at which the intent is recorded and the first object is gone."""

SECRET = Key(SECRETS, "team-a", "sh.helm.release.v1.shop.v1")


async def a_leader_dies(cluster: Cluster, moment: int) -> bool:
    """Have a leader end the release and be killed; whether it lived."""
    try:
        await cluster.leader(cluster.client(moment)).end(cluster.order())
    except Killed:
        return False
    return True


async def the_next_leader(cluster: Cluster, client: Served) -> None:
    """Do what a new leader does: go on with what was begun, and look at what is stamped."""
    leader = cluster.leader(client)
    await leader.resume()
    if "deployments/web" in cluster.there():
        await leader.end(cluster.order())


async def test_whenever_the_leader_is_killed_the_next_one_finishes() -> None:
    moment, alive = 0, False
    while not alive:
        moment += 1
        cluster = shop()
        uids = {key: cluster.meta(key).uid for key in MEMBERS}
        alive = await a_leader_dies(cluster, moment)
        client = cluster.client()
        await the_next_leader(cluster, client)
        assert cluster.there() == LEFT, f"killed at moment {moment}"
        # Nobody hears of some DELETEs that were sent; those objects are gone, and not sent again.
        assert len(client.sent("DELETE")) == len({r.path for r in client.sent("DELETE")})
        assert uids[WEB] not in {item["metadata"]["uid"] for item in cluster.store.objects.values()}
    assert moment > 30


async def test_a_release_that_is_installed_anew_after_a_kill_is_not_touched() -> None:
    """Killed before the Secrets, uninstalled by hand, installed again: the intent is gone."""
    moment, alive = 0, False
    while not alive:
        moment += 1
        cluster = shop()
        alive = await a_leader_dies(cluster, moment)
        for found in list(cluster.store.objects):
            del cluster.store.objects[found]
        for key in MEMBERS:
            cluster.put(key)
        cluster.install(*MEMBERS)
        before = cluster.there()
        await cluster.leader().resume()
        assert cluster.there() == before, f"killed at moment {moment}"


def extended(cluster: Cluster) -> None:
    cluster.put(STRANGER, at=in_("3h"))


def let_go(cluster: Cluster) -> None:
    cluster.policies.clear()


def single(cluster: Cluster) -> None:
    cluster.policies[:] = [replace(PREVIEWS, unit=Unit.OBJECT)]


@pytest.mark.parametrize("change", [extended, let_go, single])
@pytest.mark.parametrize("at", [1, 2, 3, 4])
async def test_who_changes_his_mind_in_between_is_obeyed_at_once(
    change: Callable[[Cluster], None], at: int
) -> None:
    cluster = shop()
    leader = cluster.leader(turns=Interrupting(at, lambda: change(cluster)))
    with pytest.raises(Outdated):
        await leader.end(cluster.order())
    left = cluster.there()
    order = [WEB, SERVICE, ROLE, SETTINGS]
    gone = {f"{key.resource.plural}/{key.name}" for key in order[: at - 1]}
    assert not gone & left
    assert f"{order[at - 1].resource.plural}/{order[at - 1].name}" in left
    # What has ended has ended; the rest stays, and the intent is taken back.
    await cluster.leader().resume()
    assert cluster.there() == left
    assert names.RELEASE_ENDING not in cluster.meta(SECRET).label_map
    assert names.ENDED_BY not in cluster.meta(SECRET).annotation_map


async def test_what_is_changed_while_it_is_judged_is_judged_again() -> None:
    cluster = shop()

    def touch() -> None:
        item = cluster.store.objects[place_of(path(SERVICE)).key]
        item["metadata"]["resourceVersion"] = "99999"

    with pytest.raises(Outdated):
        await cluster.leader(turns=Interrupting(2, touch)).end(cluster.order())
    await cluster.leader().resume()
    assert cluster.there() == LEFT


@pytest.mark.parametrize(
    ("method", "key"),
    [
        pytest.param("PATCH", SECRET, id="the intent"),
        pytest.param("DELETE", SECRET, id="the end of the Secret"),
        pytest.param("PATCH", WEB, id="the mark"),
        pytest.param("DELETE", WEB, id="the end of an object"),
    ],
)
async def test_a_conflict_is_judged_again_and_other_errors_are_tried_again(
    method: str, key: Key
) -> None:
    cluster = shop()
    client = cluster.client()
    conflict, failure = ApiError(Status(409, "Conflict", "")), ApiError(Status(500, "Oops", "etcd"))
    client.refusals[method, path(key)] = [conflict, failure]
    with pytest.raises(Outdated):
        await cluster.leader(client).end(cluster.order())
    if key == WEB or method == "PATCH":
        with pytest.raises(ApiError, match="etcd"):
            await cluster.leader(client).end(cluster.order())
    else:
        await cluster.leader(client).resume()
        assert f"secrets/{SECRET.name}" in cluster.there()
    await the_next_leader(cluster, cluster.client())
    assert cluster.there() == LEFT


@pytest.mark.parametrize("gone", [SECRET, WEB, SERVICE])
async def test_what_is_gone_when_its_turn_comes_is_success(gone: Key) -> None:
    cluster = shop()
    there = place_of(path(gone)).key

    def vanish() -> None:
        cluster.store.objects.pop(there)

    at = 2 if gone == SERVICE else 4 if gone == SECRET else 1
    await cluster.leader(turns=Interrupting(at, vanish)).end(cluster.order())
    assert cluster.there() == LEFT


async def test_while_something_is_begun_it_is_looked_for_again_and_else_never() -> None:
    cluster = shop()
    assert await cluster.leader().resume() is None
    await a_leader_dies(cluster, HALF_WAY)
    assert cluster.begun == 1
    leader = cluster.leader()
    assert await leader.resume() == RESUME_EVERY
    assert await leader.resume() is None


async def test_a_new_leader_goes_on_at_once_though_its_clock_does_not_stand_still() -> None:
    cluster = shop()
    await a_leader_dies(cluster, HALF_WAY)
    cluster.tick = timedelta(microseconds=1)
    await cluster.leader().resume()
    assert cluster.there() == LEFT


async def test_one_that_is_blocked_is_gone_on_with_a_minute_later() -> None:
    cluster = shop()
    await a_leader_dies(cluster, HALF_WAY)
    place = place_of(path(SETTINGS)).key
    cluster.store.objects[place]["metadata"]["labels"] = {names.PROTECTED: "true"}
    leader = cluster.leader()
    await leader.resume()
    assert cluster.said.events[-1][0] == "previews"
    cluster.store.objects[place]["metadata"]["labels"].pop(names.PROTECTED)
    cluster.store.objects[place]["metadata"]["labels"]["app.kubernetes.io/managed-by"] = "Helm"
    await leader.resume()
    assert "configmaps/settings" in cluster.there()
    cluster.now = NOW + timedelta(minutes=2)
    await leader.resume()
    assert cluster.there() == LEFT


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        pytest.param(names.RELEASE_DUE, "yesterday", id="no instant"),
        pytest.param(names.ENDED_BY, "NamespaceManager/a/b", id="by somebody else"),
    ],
)
async def test_an_intent_that_cannot_be_read_leads_to_nothing(annotation: str, text: str) -> None:
    cluster = shop()
    await a_leader_dies(cluster, HALF_WAY)
    secret = cluster.store.objects[place_of(path(SECRET)).key]
    secret["metadata"]["annotations"][annotation] = text
    before = cluster.there()
    assert await cluster.leader().resume() is None
    assert cluster.there() == before


async def test_an_intent_on_another_secret_than_it_was_written_on_leads_to_nothing() -> None:
    """Whoever may create Secrets may write there what they like: only Dayfly knew this one's uid.

    A backup that is restored says so of a release that was ended, too.
    """
    cluster = shop()
    await a_leader_dies(cluster, HALF_WAY)
    place = place_of(path(SECRET))
    restored = cluster.store.objects.pop(place.key)
    assert restored["metadata"].pop("uid")
    cluster.store.create(place_of(SECRETS.path("team-a")), restored)
    before = cluster.there()
    assert await cluster.leader().resume() is None
    assert cluster.there() == before


async def test_without_the_right_to_look_secrets_are_not_even_asked_for() -> None:
    cluster = shop()
    client = cluster.client()
    client.denied = frozenset({("list", SECRETS.plural)})
    client.refusals["GET", SECRETS.path()] = [ApiError(Status(403, "Forbidden", ""))]
    assert await cluster.leader(client).resume() is None


async def test_releases_that_cannot_be_found_are_looked_for_again() -> None:
    cluster = shop()
    client = cluster.client()
    client.refusals["GET", SECRETS.path()] = [ApiError(Status(500, "Oops", "etcd"))]
    with pytest.raises(ApiError, match="etcd"):
        await cluster.leader(client).resume()


async def test_who_does_not_lead_any_more_stops() -> None:
    cluster = shop()
    await a_leader_dies(cluster, HALF_WAY)

    def deposed() -> None:
        raise NotLeading

    with pytest.raises(NotLeading):
        await cluster.leader(turns=Interrupting(1, deposed)).resume()
