"""Names on a real API server: claims follow what is stored, and who lost a name is told."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from dayfly_core import names
from dayfly_core.claim_key import ClaimKey, KeyKind
from playground import ControlPlane, System
from playground.process import eventually
from support import base
from support.replicas import metric
from support.unguarded import a_second_after, amend, unguarded

pytestmark = pytest.mark.cluster

GRACE = 4.0
FLAGS = ("--claim-ingress-hosts", "*")
RIGHTS = base.MANIFESTS / "components" / "ingress-hosts" / "rights.yaml"
SOON = 60.0
"""Seconds until waiting for what takes a moment is given up."""


@pytest.fixture(scope="module")
def named(binaries: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Dayfly that claims hosts of Ingresses, on a control plane that it has to itself."""
    flags = (*FLAGS, "--claim-grace", f"{GRACE:g}s")
    with ControlPlane.start(tmp_path_factory.mktemp("named")) as plane:
        plane.apply(RIGHTS.read_text())
        with System.install(
            plane, operators=2, operator_flags=flags, admission_flags=FLAGS
        ) as installed:
            assert eventually(
                lambda: asks(installed, names.ENVIRONMENTS_WEBHOOK, "namespaces"), SOON
            )
            assert eventually(lambda: asks(installed, names.JUDGE_WEBHOOK, "ingresses"), SOON)
            yield installed


def entry(system: System, name: str) -> dict[str, Any]:
    return next(found for found in system.webhooks() if found["name"] == name)


def asks(system: System, name: str, resource: str) -> bool:
    return any(resource in rule["resources"] for rule in entry(system, name).get("rules", ()))


def environment(name: str) -> ClaimKey:
    return ClaimKey(KeyKind.ENVIRONMENT, name)


def host(name: str) -> ClaimKey:
    return ClaimKey(KeyKind.HOST, name)


def make_namespace(system: System, name: str, label: str = "") -> None:
    labels = {names.ENVIRONMENT: label} if label else {}
    meta = {"name": name, "labels": labels}
    put(system, {"apiVersion": "v1", "kind": "Namespace", "metadata": meta})


def make_ingress(system: System, namespace: str, *hosts: str) -> None:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    paths = [{"path": "/", "pathType": "Prefix", "backend": backend}]
    ingress = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {"rules": [{"host": each, "http": {"paths": paths}} for each in hosts]},
    }
    put(system, ingress)


def put(system: System, item: dict[str, Any]) -> None:
    system.plane.kubectl("create", "-f", "-", stdin=msgspec.json.encode(item).decode())


def held(system: System, key: ClaimKey) -> tuple[str, str] | None:
    """Who has a key, and how certainly; None: there is no claim."""
    found = system.plane.try_kubectl("get", "nclaim", key.claim_name, "-o", "json")
    if not found.ok:
        return None
    spec = msgspec.json.decode(found.stdout)["spec"]
    return spec["holder"]["name"], spec["state"]


def note(system: System, *target: str) -> str:
    meta = system.plane.read(*target)["metadata"]
    return str(meta.get("annotations", {}).get(names.NAME_CONFLICT, ""))


def events(system: System, name: str) -> list[str]:
    path = "jsonpath={.items[*].reason}"
    selected = f"--field-selector=regarding.name={name}"
    told = system.plane.kubectl("get", "events.events.k8s.io", "-A", "-o", path, selected)
    return told.split()


def test_a_stored_environment_has_a_bound_claim(named: System) -> None:
    make_namespace(named, "team-one", "one")
    assert eventually(lambda: held(named, environment("one")) == ("team-one", "Bound"), SOON)
    table = named.plane.kubectl("get", "nameclaims")
    assert "team-one" in table
    assert events(named, "team-one") == []


def test_a_claim_deleted_by_hand_comes_back(named: System) -> None:
    make_namespace(named, "team-two", "two")
    key = environment("two")
    assert eventually(lambda: held(named, key) == ("team-two", "Bound"), SOON)
    uid = named.plane.read("nclaim", key.claim_name)["metadata"]["uid"]
    named.plane.kubectl("delete", "nclaim", key.claim_name)
    assert eventually(lambda: held(named, key) == ("team-two", "Bound"), SOON)
    assert named.plane.read("nclaim", key.claim_name)["metadata"]["uid"] != uid


def test_a_name_is_free_after_the_grace_and_at_once_for_who_asks(named: System) -> None:
    make_namespace(named, "team-three", "three")
    make_namespace(named, "team-four", "four")
    assert eventually(lambda: held(named, environment("three")) == ("team-three", "Bound"), SOON)
    assert eventually(lambda: held(named, environment("four")) == ("team-four", "Bound"), SOON)
    named.plane.kubectl("label", "namespace", "team-three", f"{names.ENVIRONMENT}-")
    named.plane.kubectl("label", "namespace", "team-four", f"{names.ENVIRONMENT}-")
    make_namespace(named, "team-five", "four")
    assert eventually(lambda: held(named, environment("four")) == ("team-five", "Bound"), SOON)
    assert eventually(lambda: held(named, environment("three")) is None, GRACE + SOON)


def test_what_was_admitted_and_not_stored_goes_after_the_grace(named: System) -> None:
    """A quota, another webhook, a client that went away: here, one who only has a name left."""
    make_namespace(named, "team-six")
    key = environment("six")
    meta = {"name": "team-six", "labels": {names.ENVIRONMENT: "six"}}
    item = {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}
    text = msgspec.json.encode(item).decode()
    assert not named.plane.try_kubectl("create", "-f", "-", stdin=text).ok
    assert eventually(lambda: held(named, key) is None, GRACE + SOON)
    make_namespace(named, "team-seven", "six")
    assert eventually(lambda: held(named, key) == ("team-seven", "Bound"), SOON)


def store(system: System, name: str, label: str) -> None:
    """Create an environment as soon as the API server has heard that it may."""
    meta = {"name": name, "labels": {names.ENVIRONMENT: label}}
    text = msgspec.json.encode({"apiVersion": "v1", "kind": "Namespace", "metadata": meta}).decode()
    assert eventually(lambda: system.plane.try_kubectl("create", "-f", "-", stdin=text).ok, SOON), (
        "the API server still waits for admission"
    )


def test_of_two_stored_without_admission_one_wins_and_the_other_is_told(named: System) -> None:
    with unguarded(named):
        store(named, "zebra", "shared")
        a_second_after(named.plane, "namespace", "zebra")
        store(named, "aardvark", "shared")
        make_namespace(named, "hosts-b")
        make_namespace(named, "hosts-a")
        make_ingress(named, "hosts-b", "shop.example.com", "b.example.com")
        a_second_after(named.plane, "ingress", "web", "-n", "hosts-b")
        make_ingress(named, "hosts-a", "shop.example.com")
    # The kinds have their watches, and their objects their turns: neither waits for the other.
    assert eventually(lambda: bool(note(named, "namespace", "aardvark")), SOON)
    assert eventually(lambda: bool(note(named, "ingress", "web", "-n", "hosts-a")), SOON)
    told = note(named, "namespace", "aardvark")
    assert told.startswith("environment shared is held by namespace zebra since 20")
    assert note(named, "namespace", "zebra") == ""
    assert "held by namespace hosts-b" in note(named, "ingress", "web", "-n", "hosts-a")
    assert note(named, "ingress", "web", "-n", "hosts-b") == ""
    assert eventually(lambda: held(named, environment("shared")) == ("zebra", "Bound"), SOON)
    assert eventually(lambda: held(named, host("shop.example.com")) == ("hosts-b", "Bound"), SOON)
    assert eventually(lambda: events(named, "aardvark") == ["NameConflict"], SOON)
    assert events(named, "zebra") == []
    assert eventually(lambda: metric(named.leader(), "dayfly_name_conflicts") == 2, SOON)
    # The younger one may change what it likes, but not take the name anew.
    named.plane.kubectl(
        "label", "namespace", "aardvark", f"{names.ENVIRONMENT}=other", "--overwrite"
    )
    assert eventually(lambda: note(named, "namespace", "aardvark") == "", SOON)
    # If there is no time to find out who has it, that is what is said; but never yes.
    assert eventually(lambda: "zebra" in refusal(named, "aardvark", "shared"), SOON)


def refusal(system: System, name: str, label: str) -> str:
    labels = f"{names.ENVIRONMENT}={label}"
    again = system.plane.try_kubectl("label", "namespace", name, labels, "--overwrite")
    assert not again.ok
    return again.stderr


def test_a_wiped_rule_for_environments_is_repaired(named: System) -> None:
    before = entry(named, names.ENVIRONMENTS_WEBHOOK)
    amend(named, {"op": "remove", "path": "/rules"})
    assert eventually(lambda: entry(named, names.ENVIRONMENTS_WEBHOOK) == before, SOON)


def test_claims_at_rest_cost_no_request(named: System) -> None:
    make_namespace(named, "team-eight", "eight")
    assert eventually(lambda: held(named, environment("eight")) == ("team-eight", "Bound"), SOON)
    assert eventually(lambda: pending(named) == [], GRACE + SOON)
    account = f"system:serviceaccount:{names.SYSTEM_NAMESPACE}:{names.OPERATOR_ACCOUNT}"

    def asked(since: int) -> list[str]:
        return [
            event.request_uri
            for event in named.plane.audit(since)
            if event.user.username == account and event.object_ref.resource == "nameclaims"
        ]

    def rested() -> bool:
        mark = named.plane.audit_log.position()
        return not eventually(lambda: asked(mark) != [], GRACE)

    # On a machine that stands still for a moment another may begin to lead, and look at all.
    assert eventually(rested, SOON), "there is always something"


def pending(system: System) -> list[str]:
    claims = system.plane.read("nameclaims")["items"]
    return [each["metadata"]["name"] for each in claims if each["spec"]["state"] == "Pending"]
