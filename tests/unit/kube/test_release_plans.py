"""What is read of a release, and what its end would do, for whoever only looks."""

from collections.abc import Callable

import pytest

from dayfly_core.guard import Guard
from dayfly_core.helm import marks as helm
from dayfly_core.helm.marks import ReleaseRef
from dayfly_core.objects import CONFIG_MAPS, SECRETS, Key
from dayfly_core.reasons import Reason
from dayfly_kube.errors import ApiError, Status
from dayfly_kube.release_plans import planned
from dayfly_kube.releases import PAGE, ReleaseReader
from support.build import NOW, in_
from support.fake_store import place_of
from support.helm_secrets import SHOP, a_release, a_secret
from support.helm_world import (
    MEMBERS,
    ROLE,
    SERVICE,
    SETTINGS,
    WEB,
    Cluster,
    Served,
    manifest,
    path,
    shop,
)

GUARD = Guard("dayfly-system")
ELSEWHERE = Key(CONFIG_MAPS, "team-b", "settings")


def reader(client: Served) -> ReleaseReader:
    return ReleaseReader(client, client)


async def test_a_plan_names_all_objects_with_uid_in_their_order_and_writes_nothing() -> None:
    cluster = shop(at=in_("3h"))
    client = cluster.client()
    plan = await planned(reader(client), SHOP, GUARD, NOW)
    order = (WEB, SERVICE, ROLE, SETTINGS)
    assert [(step.key, step.uid) for step in plan.steps] == [
        (key, cluster.meta(key).uid) for key in order
    ]
    assert (plan.kept, plan.hooks) == (("configmaps/team-a/kept",), ("Job/migrate",))
    assert plan.blockers == ()
    assert {request.method for request in client.requests} == {"GET"}


def nothing(cluster: Cluster) -> None:
    cluster.store.objects.clear()


def history(cluster: Cluster) -> None:
    cluster.install(*MEMBERS, number=2, status="uninstalled")


def at_work(cluster: Cluster) -> None:
    cluster.install(*MEMBERS, number=2, status="pending-rollback")


def garbled(cluster: Cluster) -> None:
    secret = Key(SECRETS, "team-a", "sh.helm.release.v1.shop.v1")
    cluster.store.objects[place_of(path(secret)).key]["data"] = {}


def shared(cluster: Cluster) -> None:
    _also(cluster, ReleaseRef("team-a", "other"), SETTINGS)


def _also(cluster: Cluster, ref: ReleaseRef, *keys: Key, status: str = "deployed") -> None:
    secret = a_secret(a_release(manifest(*keys, stays=()), ref, status=status))
    cluster.store.create(place_of(SECRETS.path(ref.namespace)), secret)


@pytest.mark.parametrize(
    ("arrange", "reason", "says"),
    [
        pytest.param(nothing, Reason.RELEASE_NOT_STORED, "no Secret holds", id="not there"),
        pytest.param(history, Reason.RELEASE_NOT_STORED, "no Secret holds", id="only history"),
        pytest.param(at_work, Reason.RELEASE_WAITS, "(pending-rollback)", id="Helm is at work"),
        pytest.param(garbled, Reason.RELEASE_UNREADABLE, "not what Helm stores", id="unreadable"),
        pytest.param(shared, Reason.RELEASE_FOREIGN, "team-a/other too", id="shared"),
    ],
)
async def test_what_is_in_the_way_is_shown(
    arrange: Callable[[Cluster], None], reason: str, says: str
) -> None:
    cluster = shop()
    arrange(cluster)
    (blocker,) = (await planned(reader(cluster.client()), SHOP, GUARD, NOW)).blockers
    assert blocker.reason == reason
    assert says in blocker.text


@pytest.mark.parametrize(
    ("ref", "status", "want"),
    [
        pytest.param(ReleaseRef("team-b", "other"), "deployed", True, id="of another namespace"),
        pytest.param(ReleaseRef("team-b", "shop"), "failed", True, id="a namesake, that failed"),
        pytest.param(ReleaseRef("team-b", "x"), "superseded", False, id="an old revision"),
        pytest.param(ReleaseRef("team-b", "x"), "uninstalled", False, id="one that is no more"),
        pytest.param(SHOP._replace(name="shop2"), "deployed", True, id="of the same namespace"),
    ],
)
async def test_who_else_lists_a_cluster_scoped_object(
    ref: ReleaseRef, status: str, want: bool
) -> None:
    cluster = shop()
    _also(cluster, ref, ROLE, status=status)
    found = await reader(cluster.client()).others(SHOP, [WEB, ROLE])
    assert found == ({ROLE: ref} if want else {})


async def test_the_same_name_elsewhere_or_of_another_kind_is_another_object() -> None:
    cluster = shop()
    other = ReleaseRef("team-b", "other")
    _also(cluster, other, ELSEWHERE, Key(SERVICE.resource, "team-a", "settings"))
    assert await reader(cluster.client()).others(SHOP, [SETTINGS, ROLE]) == {}
    assert await reader(cluster.client()).others(SHOP, [ELSEWHERE]) == {ELSEWHERE: other}


async def test_one_that_cannot_be_read_hides_no_other() -> None:
    cluster = shop()
    _also(cluster, ReleaseRef("team-b", "a"), ROLE)
    _also(cluster, ReleaseRef("team-b", "b"), ROLE)
    first = Key(SECRETS, "team-b", "sh.helm.release.v1.a.v1")
    cluster.store.objects[place_of(path(first)).key]["data"] = {}
    found = await reader(cluster.client()).others(SHOP, [ROLE])
    assert found == {ROLE: ReleaseRef("team-b", "b")}


async def test_many_are_read_in_pages() -> None:
    cluster = shop()
    for number in range(PAGE + 5):
        _also(cluster, ReleaseRef("team-b", f"r-{number}"), ROLE)
    client = cluster.client()
    assert await reader(client).others(SHOP, [ROLE])
    assert len([r for r in client.requests if r.path == SECRETS.path()]) == 2


async def test_without_the_right_to_all_namespaces_its_own_is_searched() -> None:
    cluster = shop()
    _also(cluster, ReleaseRef("team-a", "other"), ROLE)
    client = cluster.client()
    client.refusals["GET", SECRETS.path()] = [ApiError(Status(403, "Forbidden", ""))]
    found = await reader(client).others(SHOP, [ROLE])
    assert found == {ROLE: ReleaseRef("team-a", "other")}


@pytest.mark.parametrize(
    ("path_of", "code"), [("team-a", 403), ("", 500)], ids=["nor to its own", "or another error"]
)
async def test_what_cannot_be_searched_is_an_error(path_of: str, code: int) -> None:
    cluster = shop()
    client = cluster.client()
    client.refusals["GET", SECRETS.path(path_of)] = [ApiError(Status(code, "No", ""))]
    with pytest.raises(ApiError):
        await reader(client).others(SHOP, [ROLE if not path_of else SETTINGS])


async def test_a_version_that_is_no_longer_served_says_nothing_about_an_object() -> None:
    cluster = shop()
    client = cluster.client()
    client.refusals["GET", path(WEB)] = [ApiError(Status(404, "NotFound", "page not found"))]
    with pytest.raises(ApiError, match="page not found"):
        await planned(reader(client), SHOP, GUARD, NOW)
    # It is asked for again which kinds there are; of one that is gone for good nothing is there.
    plan = await planned(reader(client), SHOP, GUARD, NOW)
    assert WEB not in {step.key for step in plan.steps}


async def test_for_what_only_the_manifest_claims_no_other_namespace_is_searched() -> None:
    """Or who may write a release could have all releases of the cluster read, each minute."""
    cluster = shop()
    notes = cluster.store.objects[place_of(path(ROLE)).key]["metadata"]["annotations"]
    del notes[helm.RELEASE_NAME]
    client = cluster.client()
    (blocker,) = (await planned(reader(client), SHOP, GUARD, NOW)).blockers
    assert blocker.reason == Reason.RELEASE_FOREIGN
    assert SECRETS.path() not in {request.path for request in client.requests}
