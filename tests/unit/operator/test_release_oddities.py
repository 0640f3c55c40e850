"""Releases that cannot be read, are not there, or are not what an object says."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from dayfly_core import names
from dayfly_core.helm import marks as helm
from dayfly_core.objects import NAMESPACES, SECRETS, Key
from dayfly_core.recheck import SOONEST
from dayfly_kube.errors import ApiError, Status
from dayfly_operator.crew import ReleaseOutcome
from dayfly_operator.helm.releases import MOST_AT_ONCE, UNDER_WAY_AGAIN
from support.build import NOW, in_
from support.fake_store import place_of
from support.helm_secrets import SHOP, a_release, a_secret
from support.helm_world import KEPT, KINDS, MEMBERS, STRANGER, WEB, Cluster, Served, path, shop

LEFT = {"configmaps/kept"}
SECRET = Key(SECRETS, "team-a", "sh.helm.release.v1.shop.v1")


async def test_a_missing_right_stops_it_before_anything_is_deleted() -> None:
    cluster = shop()
    client = cluster.client()
    client.denied = frozenset({("delete", "services"), ("patch", "clusterroles")})
    outcome = await cluster.leader(client).end(cluster.order())
    assert outcome.blocked == (
        "Helm release team-a/shop does not end: services/team-a/web cannot end: Dayfly may not "
        "delete services; apply manifests/components/helm, or a ClusterRole like the one in it"
    )
    assert client.sent("PATCH") == client.sent("DELETE") == []


async def test_without_the_right_to_end_the_secrets_nothing_ends() -> None:
    cluster = shop()
    client = cluster.client()
    client.denied = frozenset({("delete", "secrets"), ("patch", "secrets")})
    outcome = await cluster.leader(client).end(cluster.order())
    assert "it cannot end: Dayfly may not patch, delete secrets; apply" in outcome.blocked
    assert client.sent("PATCH") == client.sent("DELETE") == []


async def test_without_the_right_to_read_releases_the_component_is_named() -> None:
    cluster = shop()
    client = cluster.client()
    forbidden = ApiError(Status(403, "Forbidden", "no secrets"))
    client.refusals["GET", SECRETS.path("team-a")] = [forbidden]
    outcome = await cluster.leader(client).end(cluster.order())
    assert "403 Forbidden: no secrets; apply manifests/components/helm" in outcome.blocked


async def test_other_errors_are_the_engines() -> None:
    cluster = shop()
    client = cluster.client()
    client.refusals["GET", SECRETS.path("team-a")] = [ApiError(Status(500, "Oops", "etcd"))]
    with pytest.raises(ApiError, match="etcd"):
        await cluster.leader(client).end(cluster.order())


async def test_a_namespace_of_the_release_that_holds_something_protected_stops_it() -> None:
    space = Key(NAMESPACES, "", "team-a-extra")
    cluster = Cluster()
    cluster.put(WEB, at=in_("-1m"))
    cluster.put(space)
    cluster.install(WEB, space)
    cluster.full.protected["team-a-extra"] = "configmaps/team-a-extra/precious"
    outcome = await cluster.leader().end(cluster.order())
    assert outcome.blocked == (
        "Helm release team-a/shop does not end: namespaces/team-a-extra stays: "
        "configmaps/team-a-extra/precious is protected"
    )
    cluster.full.protected.clear()
    assert await cluster.leader().end(cluster.order()) == ReleaseOutcome()


@pytest.mark.parametrize(
    "status", ["", "uninstalled"], ids=["by another driver", "and only its history is left"]
)
async def test_a_release_that_no_secret_holds_is_reported_and_its_objects_stay(
    status: str,
) -> None:
    cluster = Cluster()
    cluster.put(WEB, at=in_("-1m"))
    if status:
        cluster.install(WEB, status=status)
    before = cluster.there()
    outcome = await cluster.leader().end(cluster.order())
    assert outcome.again == NOW + SOONEST
    assert outcome.blocked == (
        "Helm release team-a/shop does not end: deployments.apps/team-a/web is of the Helm release "
        "team-a/shop, which no Secret holds: it is stored by another driver, or has been "
        "uninstalled"
    )
    assert cluster.there() == before


async def test_what_has_outlived_its_release_by_the_charts_wish_is_left_in_peace() -> None:
    cluster = Cluster()
    cluster.put(KEPT, at=in_("-1m"), annotations={helm.RESOURCE_POLICY: "keep"})
    assert await cluster.leader().end(cluster.order(KEPT)) == ReleaseOutcome()
    assert cluster.there() == LEFT
    assert cluster.said.events == []


async def test_what_the_manifest_does_not_list_ends_by_itself() -> None:
    cluster = shop(at=in_("3h"))
    cluster.put(STRANGER, at=in_("-1m"))
    before = cluster.there()
    # Before the manifest is read it counts as a member, and waits for the others.
    assert (await cluster.leader().end(cluster.order(STRANGER))).again == NOW + SOONEST
    cluster.store.objects[place_of(path(WEB)).key]["metadata"]["labels"].pop(names.POLICY)
    assert await cluster.leader().end(cluster.order(STRANGER)) == ReleaseOutcome()
    assert cluster.there() == before - {"configmaps/stranger"}
    assert cluster.said.entries[-1].message == (
        "by itself: Helm release team-a/shop does not list it"
    )


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        pytest.param("bm9uZQ==", "is not what Helm stores", id="no release"),
        pytest.param(
            a_secret(a_release("", SHOP._replace(name="cart")))["data"]["release"],
            "is stored as team-a/cart in sh.helm.release.v1.shop.v1",
            id="another release in this one's Secret",
        ),
        pytest.param(
            a_secret(a_release("kind: ["))["data"]["release"], "not read as YAML", id="no YAML"
        ),
    ],
)
async def test_a_release_that_cannot_be_read_is_reported(payload: str, says: str) -> None:
    cluster = shop()
    cluster.store.objects[place_of(path(SECRET)).key]["data"]["release"] = payload
    before = cluster.there()
    outcome = await cluster.leader().end(cluster.order())
    assert says in outcome.blocked
    assert cluster.there() == before


async def test_after_an_upgrade_that_failed_the_objects_of_both_revisions_end() -> None:
    cluster = shop()
    cluster.put(STRANGER)
    cluster.install(*MEMBERS, STRANGER, number=2, status="failed")
    await cluster.leader().end(cluster.order())
    assert cluster.there() == LEFT


async def test_another_member_whose_end_comes_meanwhile_waits_a_moment() -> None:
    cluster = shop()
    cluster.put(STRANGER, at=in_("-1m"))
    others: list[ReleaseOutcome] = []

    class Asking:
        async def turn(self) -> float:
            others.append(await leader.end(cluster.order(STRANGER)))
            return 0.0

    leader = cluster.leader(turns=Asking())
    await leader.end(cluster.order())
    assert others[0] == ReleaseOutcome(again=NOW + UNDER_WAY_AGAIN)


async def test_releases_never_take_all_that_the_operator_works_with() -> None:
    """One may list thousands of objects, each of which is read: the rest of the ends go on."""
    cluster, read = shop(), asyncio.Event()

    class Slow(Served):
        async def get_list(self, path: str, **how: Any) -> bytes:
            await read.wait()
            return await super().get_list(path, **how)

    leader = cluster.leader(Slow(cluster.store, KINDS))
    orders = [
        replace(cluster.order(), release=SHOP._replace(name=f"shop-{n}"))
        for n in range(MOST_AT_ONCE + 1)
    ]
    looks = [asyncio.ensure_future(leader.end(order)) for order in orders[:-1]]
    await asyncio.sleep(0)
    assert await leader.end(orders[-1]) == ReleaseOutcome(again=NOW + UNDER_WAY_AGAIN)
    read.set()
    blocked = {outcome.blocked for outcome in await asyncio.gather(*looks)}
    assert len(blocked) == MOST_AT_ONCE
    assert "shop-8" in (await leader.end(orders[-1])).blocked
