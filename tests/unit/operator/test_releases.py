"""A Helm release ends as one, or not at all; whatever happens in between."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from dayfly_core import api, instant, names
from dayfly_core.helm import marks as helm
from dayfly_core.helm.marks import ReleaseRef
from dayfly_core.objects import CONFIG_MAPS, NAMESPACES, SECRETS, Key
from dayfly_core.reasons import Reason
from dayfly_core.recheck import SOONEST
from dayfly_operator.crew import ReleaseOutcome
from support.build import NOW, controlled, in_
from support.fake_store import place_of
from support.helm_secrets import a_release, a_secret
from support.helm_world import (
    MEMBERS,
    PREVIEWS,
    ROLE,
    SERVICE,
    SETTINGS,
    STRANGER,
    WEB,
    Cluster,
    manifest,
    path,
    shop,
)

LEFT = {"configmaps/kept"}
IN_ORDER = [WEB, SERVICE, ROLE, SETTINGS]
SECRET = Key(SECRETS, "team-a", "sh.helm.release.v1.shop.v1")


def deleted(requests: list[Any]) -> list[str]:
    return [request.path for request in requests if request.method == "DELETE"]


async def test_a_release_ends_in_reverse_install_order_and_its_secrets_last() -> None:
    cluster = shop()
    cluster.install(*MEMBERS, number=2)
    client = cluster.client()
    outcome = await cluster.leader(client).end(cluster.order())
    assert outcome == ReleaseOutcome()
    assert cluster.there() == LEFT
    newest = Key(SECRETS, "team-a", "sh.helm.release.v1.shop.v2")
    assert deleted(client.requests) == [path(key) for key in (*IN_ORDER, SECRET, newest)]


async def test_what_is_deleted_says_by_whom_but_a_role_is_not_touched_before() -> None:
    cluster = shop()
    uid = cluster.meta(SECRET).uid
    client = cluster.client()
    await cluster.leader(client).end(cluster.order())
    marked = {r.path: r.body["metadata"]["annotations"] for r in client.sent("PATCH")}
    by = {names.ENDED_BY: "ExpiryPolicy/previews"}
    assert marked == {
        path(SECRET): {**by, names.RELEASE_DUE: f"{instant.render(NOW)} {uid}"},
        **{path(key): by for key in (WEB, SERVICE, SETTINGS)},
    }


async def test_people_are_told_and_it_is_written_down() -> None:
    cluster = shop()
    await cluster.leader().end(cluster.order())
    assert [(name, reason) for name, reason, _ in cluster.said.events] == [
        ("web", Reason.DELETED),
        ("web", Reason.DELETED),
        ("team-a:shop", Reason.DELETED),
        ("settings", Reason.DELETED),
        ("previews", Reason.RELEASE_ENDED),
    ]
    assert cluster.said.events[-1][2] == (
        "Helm release team-a/shop ended; kept, as the chart says: configmaps/team-a/kept; "
        "hooks that were not run: Job/migrate"
    )
    assert [(entry.kind, entry.name, entry.by) for entry in cluster.said.entries] == [
        (key.resource.group_resource, key.name, "ExpiryPolicy/previews") for key in IN_ORDER
    ]


async def test_a_dry_run_ends_nothing_and_does_not_say_that_it_has(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, logger="dayfly_operator.helm")
    cluster = shop()
    cluster.dry_run = True
    before = cluster.there()
    assert await cluster.leader().end(cluster.order()) == ReleaseOutcome()
    assert cluster.there() == before
    told = [record.getMessage().partition(" ")[0] for record in caplog.records]
    assert told == ["would"] * (len(IN_ORDER) + 1)


def later(cluster: Cluster) -> None:
    cluster.put(STRANGER, at=in_("3s"))


def much_later(cluster: Cluster) -> None:
    cluster.put(STRANGER, at=in_("3h"))


def never(cluster: Cluster) -> None:
    note = {names.TTL: "never"}
    cluster.put(STRANGER, labels={names.POLICY: "previews"}, annotations=note)


def suspended(cluster: Cluster) -> None:
    cluster.policies.append(replace(PREVIEWS, name="paused", uid="p", suspended=True))
    cluster.put(STRANGER, at=in_("-1m"), labels={names.POLICY: "paused"})


def braked(cluster: Cluster) -> None:
    cluster.brakes.why = "the breaker is open"


def upgrading(cluster: Cluster) -> None:
    cluster.install(*MEMBERS, number=2, status="pending-upgrade")


@pytest.mark.parametrize(
    ("arrange", "again", "says"),
    [
        pytest.param(
            later,
            NOW + timedelta(seconds=3),
            "configmaps/team-a/stranger has its next step at 2026-11-22T10:00:03Z",
            id="another member ends in a moment",
        ),
        pytest.param(
            much_later,
            NOW + SOONEST,
            "configmaps/team-a/stranger has its next step at 2026-11-22T13:00:00Z",
            id="another member ends in hours: by then it may have been shortened",
        ),
        pytest.param(
            never, NOW + SOONEST, "configmaps/team-a/stranger never ends", id="one never ends"
        ),
        pytest.param(
            suspended,
            NOW + SOONEST,
            "configmaps/team-a/stranger ExpiryPolicy paused is suspended",
            id="the policy of one is suspended",
        ),
        pytest.param(
            braked,
            NOW + SOONEST,
            "deployments.apps/team-a/web is held back: the breaker is open",
            id="the breaker holds one back",
        ),
        pytest.param(
            upgrading,
            NOW + SOONEST,
            "Helm is at work on the release team-a/shop (pending-upgrade)",
            id="Helm is at work",
        ),
    ],
)
async def test_a_release_waits(arrange: Callable[[Cluster], None], again: Any, says: str) -> None:
    cluster = shop()
    arrange(cluster)
    before = cluster.there()
    client = cluster.client()
    assert await cluster.leader(client).end(cluster.order()) == ReleaseOutcome(again=again)
    assert cluster.there() == before
    assert client.sent("PATCH") == client.sent("DELETE") == []
    note = f"its Helm release team-a/shop ends as one, and not yet: {says}"
    assert cluster.said.events == [("web", Reason.RELEASE_WAITS, note)]


async def test_a_helm_that_was_killed_keeps_its_release_no_longer_than_an_hour() -> None:
    cluster = shop()
    upgrading(cluster)
    over = NOW + timedelta(hours=1)
    cluster.now = over - timedelta(seconds=3)
    assert await cluster.leader().end(cluster.order()) == ReleaseOutcome(again=over)
    cluster.now = over
    assert await cluster.leader().end(cluster.order()) == ReleaseOutcome()
    assert cluster.there() == LEFT


async def test_what_only_says_that_it_is_of_the_release_elsewhere_keeps_nothing() -> None:
    cluster = shop()
    cluster.put(Key(CONFIG_MAPS, "team-b", "stranger"), at=in_("3h"))
    await cluster.leader().end(cluster.order())
    assert cluster.there() == {*LEFT, "configmaps/stranger"}


def foreign(cluster: Cluster) -> None:
    cluster.store.objects[place_of(path(SERVICE)).key]["metadata"]["labels"] = {}


def of_another(cluster: Cluster) -> None:
    notes = cluster.store.objects[place_of(path(ROLE)).key]["metadata"]["annotations"]
    notes[helm.RELEASE_NAMESPACE] = "team-b"


def shared(cluster: Cluster) -> None:
    release = a_release(manifest(ROLE, stays=()), ReleaseRef("team-b", "other"))
    cluster.store.create(place_of(SECRETS.path("team-b")), a_secret(release))


def protected(cluster: Cluster) -> None:
    cluster.store.objects[place_of(path(SETTINGS)).key]["metadata"]["labels"] |= {
        names.PROTECTED: "true"
    }


def owned(cluster: Cluster) -> None:
    item = cluster.store.objects[place_of(path(SERVICE)).key]
    item["metadata"]["ownerReferences"] = [
        {"kind": o.kind, "name": o.name, "uid": o.uid, "controller": True} for o in controlled()
    ]


BLOCKED = [
    pytest.param(
        foreign,
        "services/team-a/web is not marked as made by the Helm release team-a/shop",
        id="what Helm did not make",
    ),
    pytest.param(
        of_another,
        "clusterroles.rbac.authorization.k8s.io/team-a:shop belongs to the Helm release "
        "team-b/shop",
        id="what another release has taken over",
    ),
    pytest.param(
        shared,
        "clusterroles.rbac.authorization.k8s.io/team-a:shop is listed by the Helm release "
        "team-b/other too",
        id="what another release lists too",
    ),
    pytest.param(
        protected,
        "configmaps/team-a/settings carries the label dayfly.dev/protected",
        id="what is protected",
    ),
    pytest.param(owned, "services/team-a/web is controlled by another object", id="controlled"),
]


@pytest.mark.parametrize(("arrange", "says"), BLOCKED)
async def test_one_object_in_the_way_keeps_all_and_is_named(
    arrange: Callable[[Cluster], None], says: str
) -> None:
    cluster = shop()
    arrange(cluster)
    before = cluster.there()
    client = cluster.client()
    text = f"Helm release team-a/shop does not end: {says}"
    outcome = await cluster.leader(client).end(cluster.order())
    assert outcome == ReleaseOutcome(again=NOW + SOONEST, blocked=text)
    assert cluster.there() == before
    assert client.sent("PATCH") == client.sent("DELETE") == []
    ((_, _, told),) = cluster.said.events
    assert told.startswith("keeps Helm release team-a/shop from its end: it ")


async def test_for_what_only_the_manifest_claims_no_other_namespace_is_searched() -> None:
    cluster = shop()
    of_another(cluster)
    client = cluster.client()
    await cluster.leader(client).end(cluster.order())
    assert SECRETS.path() not in {request.path for request in client.requests}


async def test_what_stands_in_the_way_is_told_once_and_many_are_counted() -> None:
    cluster = shop()
    for arrange in (foreign, of_another, protected):
        arrange(cluster)
    notes = cluster.store.objects[place_of(path(WEB)).key]["metadata"]
    notes["ownerReferences"] = [{"kind": "App", "name": "a", "uid": "o", "controller": True}]
    leader = cluster.leader()
    first = await leader.end(cluster.order())
    assert await leader.end(cluster.order()) == first
    assert first.blocked.endswith("; and 1 more")
    assert len(cluster.said.events) == 3


async def test_a_release_is_not_ended_by_a_policy_that_does_not_reach_its_namespace() -> None:
    """Else whoever may give one object in a namespace an end would take a release elsewhere."""
    reaching = api.LabelSelector(match_labels={"team": "web"})
    cluster = Cluster(policies=[replace(PREVIEWS, namespace_selector=reaching)])
    cluster.put(Key(NAMESPACES, "", "team-a"), None)
    cluster.put(Key(NAMESPACES, "", "team-b"), None, labels={"team": "web"})
    outpost = Key(CONFIG_MAPS, "team-b", "outpost")
    cluster.put(outpost, at=in_("-1m"))
    cluster.put(SETTINGS)
    cluster.install(SETTINGS, outpost)
    client = cluster.client()
    outcome = await cluster.leader(client).end(cluster.order(outpost))
    assert outcome.blocked == (
        "Helm release team-a/shop does not end: it is stored in namespace team-a, which "
        "ExpiryPolicy previews does not reach"
    )
    assert client.sent("PATCH") == client.sent("DELETE") == []
