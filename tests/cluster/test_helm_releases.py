"""Releases that a real Helm installed end as one, and can be installed again."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from dayfly_core import names
from dayfly_core.reasons import Condition, Reason
from playground import System
from playground.audit import AuditEvent
from playground.process import eventually
from playground.tenure import by_nobody, written
from support.helm_chart import PATIENCE, Place, enforceable, permitted, prepared
from support.replicas import back
from support.stalls import Stalls

pytestmark = pytest.mark.cluster

LEFT = {"ConfigMap/kept", "Job/migrate"}
"""What the chart keeps, and what a hook has made: Helm leaves both as well."""

ALL = {
    *LEFT,
    "Deployment/web",
    "Service/web",
    "ConfigMap/settings",
    "Secret/password",
    "ServiceAccount/web",
    "Secret/sh.helm.release.v1.shop.v1",
}
MORE = 150
"""ConfigMaps of a release that takes long enough to end for its leader to be killed at it."""


def test_without_the_component_the_policy_says_what_is_missing(
    rough: System, tmp_path: Path
) -> None:
    with prepared(rough, tmp_path / "chart") as place:
        assert place.install("8h").ok
        place.expire()
        assert eventually(lambda: lacking(place), PATIENCE)
        assert eventually(lambda: is_said(place, "Deployment", "does not end"), PATIENCE)
        assert place.there() >= ALL


def lacking(place: Place) -> bool:
    condition = place.condition(Condition.ENFORCEABLE)
    told = condition.get("reason"), "apply manifests/components/helm" in condition["message"]
    return condition.get("status") == "False" and told == (Reason.MISSING_RIGHTS, True)


@pytest.fixture(scope="module")
def allowed(rough: System) -> Iterator[System]:
    """Dayfly with the component, from here on."""
    with permitted(rough) as system:
        yield system


@pytest.fixture
def place(allowed: System, tmp_path: Path) -> Iterator[Place]:
    with enforceable(allowed, tmp_path / "chart") as place:
        yield place


@pytest.mark.parametrize("kind", ["clusterrole", "secret"])
def test_with_the_component_nothing_ends_that_is_of_no_release(place: Place, kind: str) -> None:
    made = {
        "clusterrole": ("create", "clusterrole", place.name, "--verb=list", "--resource=nodes"),
        "secret": ("create", "secret", "generic", place.name),
    }
    place.kubectl(*made[kind]).checked()
    operator = f"system:serviceaccount:{names.SYSTEM_NAMESPACE}:{names.OPERATOR_ACCOUNT}"
    refused = place.kubectl("delete", kind, place.name, f"--as={operator}")
    assert "the operator ends only what carries both the label" in refused.stderr
    place.kubectl("delete", kind, place.name).checked()


def ended(place: Place) -> bool:
    return place.there() == LEFT


def test_it_ends_as_one_and_can_be_installed_again(place: Place) -> None:
    for _ in range(2):
        made = place.install("8h")
        assert made.ok, made.stderr
        receipt = f"Helm release {place.name}/shop ends as one, with its last object"
        assert receipt in made.stderr
        place.expire()
        assert eventually(lambda: ended(place), PATIENCE), place.there()
        assert place.name not in place.system.plane.helm("list", "-A")
    assert eventually(lambda: bool(told(place, Reason.RELEASE_ENDED)), PATIENCE)
    said = told(place, Reason.RELEASE_ENDED)
    assert f"kept, as the chart says: configmaps/{place.name}/kept" in said[0]
    assert "hooks that were not run: Job/farewell" in said[0].replace("Job/migrate, ", "")


def told(place: Place, why: str) -> list[str]:
    return [note for reason, note in place.events("ExpiryPolicy") if reason == why]


def test_the_last_of_its_members_is_waited_for(place: Place) -> None:
    assert place.install("8h").ok
    later = (*("create", "deployment", "later", "--image=nginx"), "--dry-run=client", "-o", "yaml")
    extra = place.chart / "templates" / "later.yaml"
    extra.write_text(place.kubectl(*later).checked().stdout)
    assert place.helm("upgrade", "shop", str(place.chart), "--set", "ttl=8h").ok
    place.expire()
    assert eventually(lambda: waits(place), PATIENCE)
    assert place.there() >= ALL
    place.expire("later")
    assert eventually(lambda: ended(place), PATIENCE), place.there()


def waits(place: Place) -> bool:
    said = place.events("Deployment")
    return any(r == Reason.RELEASE_WAITS and "/later has" in note for r, note in said)


@pytest.mark.parametrize(
    ("change", "back_again", "says"),
    [
        pytest.param(
            ("label", "service", "web", f"{names.PROTECTED}=true"),
            ("label", "service", "web", f"{names.PROTECTED}-"),
            "carries the label dayfly.dev/protected",
            id="a protected one",
        ),
        pytest.param(
            ("label", "service", "web", "app.kubernetes.io/managed-by-"),
            ("label", "service", "web", "app.kubernetes.io/managed-by=Helm"),
            "is not marked as made by the Helm release",
            id="a foreign one",
        ),
    ],
)
def test_an_object_in_the_way_keeps_all_and_is_named(
    place: Place, change: tuple[str, ...], back_again: tuple[str, ...], says: str
) -> None:
    assert place.install("8h").ok
    place.kubectl(*change).checked()
    place.expire()
    named = f"services/{place.name}/web {says}"
    assert eventually(lambda: named in blocked(place), PATIENCE), place.there()
    assert place.there() >= ALL
    assert eventually(lambda: is_said(place, "ExpiryPolicy", named), PATIENCE)
    assert eventually(lambda: is_said(place, "Service", says), PATIENCE)
    place.kubectl(*back_again).checked()
    assert eventually(lambda: ended(place), PATIENCE), place.there()
    assert eventually(lambda: not blocked(place), PATIENCE)


def is_said(place: Place, kind: str, words: str) -> bool:
    return any(words in note for _, note in place.events(kind))


def blocked(place: Place) -> str:
    condition = place.condition(Condition.RELEASE_BLOCKED)
    return condition["message"] if condition.get("status") == "True" else ""


def test_another_leader_goes_on_with_what_a_killed_one_began(place: Place, stalls: Stalls) -> None:
    assert place.install("8h", MORE).ok
    since = place.system.plane.audit_log.position()
    place.expire()
    assert eventually(lambda: begun(place), PATIENCE)
    leader = place.system.leader()
    leader.kill(signal.SIGKILL)
    assert eventually(lambda: ended(place), PATIENCE), place.there()
    leader.stop()
    back(leader)
    events = list(place.system.plane.audit(since))
    assert by_nobody(events, still=stalls.spans) == []
    deleted = [uri(event) for event in written(events) if done(event, place)]
    assert len(deleted) == len(set(deleted))
    assert len(deleted) >= MORE
    assert place.name not in place.system.plane.helm("list", "-A")


def begun(place: Place) -> bool:
    return "Deployment/web" not in place.there()


def done(event: AuditEvent, place: Place) -> bool:
    return event.verb == "delete" and event.accepted and place.name in uri(event)


def uri(event: AuditEvent) -> str:
    return event.request_uri
