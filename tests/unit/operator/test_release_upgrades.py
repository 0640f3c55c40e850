"""A Helm that upgrades or uninstalls a release while it ends: what is upgraded stays."""

import pytest

from dayfly_core import names
from dayfly_core.objects import SECRETS, Key
from dayfly_kube.errors import ApiError, Status
from dayfly_operator.writing import Outdated
from support.fake_store import place_of
from support.helm_world import MEMBERS, ROLE, SERVICE, SETTINGS, WEB, Cluster, path, shop
from support.interrupting import Interrupting
from support.mortal import Killed

FIRST, SECOND = (Key(SECRETS, "team-a", f"sh.helm.release.v1.shop.v{n}") for n in (1, 2))
HALF_WAY = 24
"""Moment of a leader's life at which the intent is recorded and the first object is gone."""


async def killed_half_way() -> Cluster:
    cluster = shop()
    with pytest.raises(Killed):
        await cluster.leader(cluster.client(HALF_WAY)).end(cluster.order())
    assert names.RELEASE_ENDING in cluster.meta(FIRST).label_map
    return cluster


@pytest.mark.parametrize("at", [1, 2, 3, 4])
@pytest.mark.parametrize("status", ["pending-upgrade", "deployed"])
async def test_from_the_moment_of_an_upgrade_nothing_more_is_deleted(at: int, status: str) -> None:
    cluster = shop()

    def upgrade() -> None:
        cluster.install(*MEMBERS, number=2, status=status)

    with pytest.raises(Outdated):
        await cluster.leader(turns=Interrupting(at, upgrade)).end(cluster.order())
    order = [WEB, SERVICE, ROLE, SETTINGS]
    left = {f"{key.resource.plural}/{key.name}" for key in order[at - 1 :]}
    assert left <= cluster.there()
    assert {f"secrets/{key.name}" for key in (FIRST, SECOND)} <= cluster.there()


async def test_what_was_upgraded_after_its_end_had_begun_does_not_end_by_what_was_begun() -> None:
    cluster = await killed_half_way()
    cluster.install(*MEMBERS, number=2)
    cluster.store.objects.pop(place_of(path(WEB)).key, None)
    cluster.put(WEB)  # without an end: nobody asks for that of the release any more
    before = cluster.there()
    leader = cluster.leader()
    await leader.resume()
    assert cluster.there() == before
    assert names.RELEASE_ENDING not in cluster.meta(FIRST).label_map
    assert names.RELEASE_ENDING not in cluster.meta(SECOND).label_map
    assert await leader.resume() is None


async def test_without_knowing_whether_it_is_upgraded_nothing_is_deleted() -> None:
    cluster = shop()
    client = cluster.client()
    client.refusals["GET", path(SECOND)] = [ApiError(Status(404, "", "a proxy's page"))]
    with pytest.raises(ApiError):
        await cluster.leader(client).end(cluster.order())
    assert "deployments/web" in cluster.there()
