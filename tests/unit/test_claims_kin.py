"""The most ordinary preview: a Deployment with a host, and the Ingress that routes it."""

import pytest

from dayfly_core.claim_repair import Bind, Remove
from dayfly_core.claim_steps import Act, Granted, Outcome, Reserved, Taken
from support.claim_cluster import Cluster, mend_all
from support.claim_values import host

WEB = host("web")
DEPLOYMENT, SECOND, INGRESS = "x/web", "x/second", "x/ingress"
ELSEWHERE = "y/ingress"


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


def act(name: str) -> Act:
    return Act.INSIDE if name.endswith("ingress") else Act.CREATE


def ask(cluster: Cluster, name: str) -> Outcome:
    return cluster.claim(name, WEB, act=act(name))


def deploy(cluster: Cluster, *names: str) -> None:
    for name in names:
        cluster.admit(name, WEB, act=act(name))


@pytest.mark.parametrize(
    "order",
    [
        pytest.param((DEPLOYMENT, INGRESS), id="the Deployment first"),
        pytest.param((INGRESS, DEPLOYMENT), id="the Ingress first"),
    ],
)
@pytest.mark.parametrize("settled", [True, False])
def test_both_are_admitted_and_nobody_else(
    cluster: Cluster, order: tuple[str, str], *, settled: bool
) -> None:
    for name in order:
        deploy(cluster, name)
        if settled:
            cluster.wait_out()
    assert [type(ask(cluster, name)) for name in (SECOND, ELSEWHERE, "y/web")] == [Taken] * 3
    cluster.wait_out()
    assert cluster.holder_of(WEB) == "web Bound"
    assert cluster.world.unclaimed() == []
    assert cluster.conflicts() == ()


@pytest.mark.parametrize("mended", [True, False])
def test_without_the_deployment_its_host_stays_with_the_namespace(
    cluster: Cluster, *, mended: bool
) -> None:
    deploy(cluster, DEPLOYMENT, INGRESS)
    cluster.wait_out()
    cluster.delete(DEPLOYMENT)
    if mended:
        assert [type(step) for step in cluster.mend()] == [Bind]
        assert cluster.holder_of(WEB) == "x Bound"
    assert isinstance(ask(cluster, ELSEWHERE), Taken)
    deploy(cluster, SECOND)


def test_without_the_ingress_it_stays_with_the_deployment(cluster: Cluster) -> None:
    deploy(cluster, DEPLOYMENT, INGRESS)
    cluster.wait_out()
    cluster.delete(INGRESS)
    assert cluster.wait_out() == []
    assert cluster.holder_of(WEB) == "web Bound"


def test_without_both_it_is_free(cluster: Cluster) -> None:
    deploy(cluster, DEPLOYMENT, INGRESS)
    cluster.wait_out()
    cluster.delete(DEPLOYMENT)
    cluster.delete(INGRESS)
    assert isinstance(ask(cluster, ELSEWHERE), Granted)


def test_a_claim_that_a_watch_would_give_up_is_kept_for_the_namespace(cluster: Cluster) -> None:
    deploy(cluster, DEPLOYMENT, INGRESS)
    cluster.wait_out()
    cluster.delete(DEPLOYMENT)
    cluster.watch()
    del cluster.view.seen_things[INGRESS]
    cluster.run(mend_all(cluster.leader))
    cluster.schedule.run(cluster.schedule.time + 100)
    done = cluster.run(mend_all(cluster.leader))
    assert [each.doubtful for each in done] == [True]
    assert cluster.holder_of(WEB) == "web Bound"


def test_while_the_deployment_is_under_way_the_ingress_keeps_no_place_for_another(
    cluster: Cluster,
) -> None:
    assert isinstance(ask(cluster, DEPLOYMENT), Granted)
    deploy(cluster, INGRESS)
    assert isinstance(ask(cluster, SECOND), Reserved)
    cluster.store(DEPLOYMENT, WEB)
    assert isinstance(ask(cluster, SECOND), Taken)


def test_a_deployment_that_was_never_stored_leaves_the_host_to_the_namespace(
    cluster: Cluster,
) -> None:
    assert isinstance(ask(cluster, DEPLOYMENT), Granted)
    deploy(cluster, INGRESS)
    assert [type(step) for step in cluster.wait_out()] == [Bind]
    assert cluster.holder_of(WEB) == "x Bound"


def test_nothing_that_was_admitted_and_stored_leaves_nothing(cluster: Cluster) -> None:
    for name in (DEPLOYMENT, INGRESS):
        assert isinstance(ask(cluster, name), Granted)
    assert isinstance(ask(cluster, ELSEWHERE), Reserved)
    assert [type(step) for step in cluster.wait_out()] == [Remove]
    assert isinstance(ask(cluster, ELSEWHERE), Granted)


def test_a_namespace_never_gets_the_claim_of_a_deployment_that_is_there(cluster: Cluster) -> None:
    deploy(cluster, DEPLOYMENT, INGRESS)
    cluster.wait_out()
    cluster.watch()
    del cluster.view.seen_things[DEPLOYMENT]
    cluster.run(mend_all(cluster.leader))
    assert cluster.holder_of(WEB) == "web Bound"
    assert isinstance(ask(cluster, SECOND), Taken)
