"""What never waits for Dayfly: a cluster in which every program of it is dead, its webhooks filled.

The policy in force names every kind that the operator may end, everywhere.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from dayfly_core import names
from playground import ControlPlane, System
from playground.commands import Result
from playground.process import Process, Rank, eventually
from playground.system import Shape
from support.neighbours import Json
from support.ordinary import ORDINARY, TOKEN_REVIEW, manifest, signing_request
from support.replicas import metric

pytestmark = pytest.mark.cluster

MANIFESTS = Path(__file__).resolve().parents[2] / "manifests"
SOON = 60.0

KINDS = {
    "": ["configmaps", "namespaces", "persistentvolumeclaims", "pods", "services"],
    "apps": ["daemonsets", "deployments", "statefulsets"],
    "batch": ["cronjobs", "jobs"],
    "networking.k8s.io": ["ingresses"],
}
EVERYTHING = {
    "apiVersion": "dayfly.dev/v1alpha1",
    "kind": "ExpiryPolicy",
    "metadata": {"name": "everything"},
    "spec": {
        "match": {"resources": [{"apiGroups": [g], "resources": r} for g, r in KINDS.items()]},
        "ttl": {},
    },
}
CLAIM_HOSTS = ("--claim-ingress-hosts", "*")


@pytest.fixture(scope="module")
def deserted(binaries: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Everything is asked about, and nobody is left to answer; two environments are there."""
    with ControlPlane.start(tmp_path_factory.mktemp("deserted")) as plane:
        plane.apply((MANIFESTS / "components" / "ingress-hosts" / "rights.yaml").read_text())
        shape = Shape(1, 1, CLAIM_HOSTS, CLAIM_HOSTS)
        system = System.install_shape(plane, shape)
        plane.apply(json.dumps(EVERYTHING))
        system.wait_enforced([kind for kinds in KINDS.values() for kind in kinds])
        for name in ("kept", "doomed"):
            assert create(system, environment(name)).ok
            plane.kubectl("create", "deployment", "inside", "--image=nginx", "-n", name)
            plane.kubectl("create", "configmap", "inside", "-n", name)
        for process in programs(system):
            process.kill()
        yield system


def programs(system: System) -> list[Process]:
    """Return all processes of Dayfly, and the forwarder in front of its webhooks."""
    return [p for p in system.plane.roster.processes if p.spec.rank >= Rank.FORWARDER]


def environment(name: str, **labels: str) -> Json:
    return manifest("v1", "Namespace", {}, name=name, labels={names.ENVIRONMENT: name, **labels})


def create(system: System, item: Json, *arguments: str) -> Result:
    """Run ``kubectl create``."""
    words = ("create", "-f", "-", *arguments)
    return system.plane.try_kubectl(*words, stdin=json.dumps(item))


# What is asked, of whatever it is.


def test_everything_that_could_be_asked_about_is(deserted: System) -> None:
    """Else the rest of these tests would show nothing."""
    judge = entry(deserted, names.JUDGE_WEBHOOK)
    asked = {rule["apiGroups"][0]: rule["resources"] for rule in judge["rules"]}
    assert {group: asked[group] for group in KINDS} == KINDS
    assert all(each["clientConfig"]["caBundle"] for each in deserted.webhooks())
    assert [process.name for process in programs(deserted) if process.alive] == []


def entry(system: System, name: str) -> Json:
    return next(each for each in system.webhooks() if each["name"] == name)


def test_who_waits_for_dayfly(deserted: System) -> None:
    waiting = {each["name"]: each["rules"] for each in deserted.webhooks() if fails_closed(each)}
    asked = {
        name: [(rule["apiGroups"], rule["resources"], rule["operations"]) for rule in rules]
        for name, rules in waiting.items()
    }
    assert asked == {
        names.ENVIRONMENTS_WEBHOOK: [([""], ["namespaces"], ["CREATE", "UPDATE"])],
        names.KINDS_WEBHOOK: [
            ([group], plurals, ["CREATE", "UPDATE"])
            for group, plurals in (
                ("dayfly.dev", ["expirypolicies", "stays"]),
                ("k8s.consol.de", ["namespacemanagers"]),
                ("tessellate.io", ["ephemerators"]),
            )
        ],
    }


def fails_closed(each: Json) -> bool:
    return bool(each["failurePolicy"] != "Ignore")


NEVER = {
    *("leases", "events", "nodes", "certificatesigningrequests", "nameclaims"),
    *("tokenreviews", "subjectaccessreviews", "selfsubjectaccessreviews", "bindings"),
    *("mutatingwebhookconfigurations", "validatingwebhookconfigurations"),
}


@pytest.mark.parametrize(
    "name",
    [
        names.STAMP_WEBHOOK,
        names.JUDGE_WEBHOOK,
        names.ENVIRONMENTS_WEBHOOK,
        names.KINDS_WEBHOOK,
    ],
)
def test_each_entry_names_what_it_asks_about_and_nothing_else(deserted: System, name: str) -> None:
    each = entry(deserted, name)
    rules = each["rules"]
    operations = {operation for rule in rules for operation in rule["operations"]}
    resources = {resource for rule in rules for resource in rule["resources"]}
    assert operations == {"CREATE", "UPDATE"}, "never DELETE, never CONNECT"
    assert not resources & NEVER
    assert not any("/" in resource or "*" in resource for resource in resources)
    assert not any("*" in group for rule in rules for group in rule["apiGroups"])
    assert each["matchPolicy"] == "Equivalent"
    assert each["timeoutSeconds"] <= 5
    assert each["sideEffects"] in ("None", "NoneOnDryRun")
    if name == names.KINDS_WEBHOOK:
        assert each["namespaceSelector"] == {}, "from nowhere may one aim elsewhere unasked"
        return
    (beyond,) = each["namespaceSelector"]["matchExpressions"]
    assert (beyond["key"], beyond["operator"]) == ("kubernetes.io/metadata.name", "NotIn")
    assert {*beyond["values"]} == {"kube-system", "kube-public", "kube-node-lease", "dayfly-system"}


# What goes on.


@pytest.mark.parametrize("item", [pytest.param(item, id=item["kind"]) for item in ORDINARY])
def test_what_is_created_changed_and_deleted_as_ever(deserted: System, item: Json) -> None:
    made = create(deserted, item, "-n", "kept")
    assert made.ok, made.stderr
    named = (item["kind"], "fresh", "-n", "kept")
    deserted.plane.kubectl("annotate", *named, f"{names.TTL}=8h")
    deserted.plane.kubectl("delete", *named, "--timeout=60s")


def test_who_knocks_is_let_in(deserted: System) -> None:
    """Certificates are signed, tokens made, rights told: else nobody could repair a thing."""
    made = create(deserted, signing_request())
    assert made.ok, made.stderr
    deserted.plane.kubectl("certificate", "approve", "fresh")
    certificate = "-o=jsonpath={.status.certificate}"
    assert eventually(
        lambda: deserted.plane.kubectl("get", "csr", "fresh", certificate) != "", SOON
    )
    token = deserted.plane.kubectl("create", "token", "default", "-n", "kept")
    review = {"spec": {"token": token.strip()}}
    assert create(deserted, {**TOKEN_REVIEW, **review}).ok
    assert deserted.plane.kubectl("auth", "can-i", "create", "nodes").strip() == "yes"


def test_dayflys_own_things_can_be_put_right(deserted: System) -> None:
    own = ("-n", names.SYSTEM_NAMESPACE)
    for kind, name in (
        ("deployment", "dayfly-admission"),
        ("service", names.ADMISSION_SERVICE),
        ("secret", names.TLS_SECRET),
        ("lease", names.LEASE),
        ("configmap", names.GUARD_CONFIG_MAP),
        ("namespace", names.SYSTEM_NAMESPACE),
    ):
        deserted.plane.kubectl("annotate", kind, name, "test.example/repaired=true", *own)
    deserted.plane.kubectl("rollout", "restart", "deployment/dayfly-admission", *own)


def test_an_environment_goes_with_all_in_it(deserted: System) -> None:
    deserted.plane.kubectl("delete", "namespace", "doomed", "--timeout=60s")
    assert not deserted.plane.try_kubectl("get", "namespace", "doomed").ok


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(f"annotate namespace kept --overwrite {names.TTL}=9h", id="an annotation"),
        pytest.param("label namespace kept --overwrite team=other", id="another label"),
        pytest.param(f"label namespace kept --overwrite {names.ENVIRONMENT}=kept", id="the same"),
        pytest.param(
            f"label namespace kept --dry-run=server {names.ENVIRONMENT}-", id="giving the name back"
        ),
    ],
)
def test_an_environment_that_keeps_its_name_can_be_changed(deserted: System, change: str) -> None:
    deserted.plane.kubectl(*change.split())


# What does not.


def unanswered(system: System, webhook: str, path: str, seconds: int) -> str:
    """Write what the API server says of a webhook that fails closed and cannot be reached."""
    _, _, address = system.webhook_url.partition("//")
    return (
        f'Internal error occurred: failed calling webhook "{webhook}": failed to call webhook: '
        f'Post "{system.webhook_url}{path}?timeout={seconds}s": '
        f"dial tcp {address}: connect: connection refused\n"
    )


def test_nobody_becomes_an_environment(deserted: System) -> None:
    why = unanswered(deserted, names.ENVIRONMENTS_WEBHOOK, names.ENVIRONMENTS_PATH, 5)
    refused = create(deserted, environment("second"))
    assert refused.stderr == (
        f'Error from server (InternalError): error when creating "STDIN": {why}'
    )
    label = ("label", "namespace", "kept", "--overwrite")
    for key in names.ENVIRONMENT_LABELS:
        changed = deserted.plane.try_kubectl(*label, f"{key}=other")
        assert changed.stderr == f"Error from server (InternalError): {why}"


def test_no_policy_is_made_unchecked(deserted: System) -> None:
    why = unanswered(deserted, names.KINDS_WEBHOOK, names.KINDS_PATH, 5)
    refused = create(deserted, {**EVERYTHING, "metadata": {"name": "second"}})
    assert refused.stderr == (
        f'Error from server (InternalError): error when creating "STDIN": {why}'
    )


# From cold.


def test_a_cluster_starts_from_cold(deserted: System) -> None:
    """One of the control plane's own namespaces is gone, too: it makes that again by itself."""
    plane = deserted.plane
    plane.kubectl("delete", "namespace", "kube-node-lease", "--timeout=60s")
    own = sorted(
        (p for p in plane.roster.processes if p.spec.rank < Rank.FORWARDER),
        key=lambda process: process.spec.rank,
    )
    for process in reversed(own):
        process.stop()
    for process in own:
        process.start()
        process.wait_ready(SOON)
    assert eventually(lambda: plane.try_kubectl("get", "namespace", "kube-node-lease").ok, SOON)
    assert eventually(lambda: plane.try_kubectl(*LEASE_OF_NODE).ok, SOON)
    assert create(deserted, manifest("v1", "Namespace", {}, name="after")).ok
    plane.kubectl("wait", "--for=create", "serviceaccount/default", "-n", "after", "--timeout=60s")
    plane.kubectl("create", "deployment", "web", "--image=nginx", "-n", "after")
    plane.kubectl("rollout", "status", "deployment/web", "-n", "after", "--timeout=60s")
    assert not create(deserted, environment("second")).ok, "the webhooks are in force all the time"


LEASE_OF_NODE = ("get", "lease", "pond", "-n", "kube-node-lease")


def test_deleting_the_configuration_is_the_way_out_and_stays_so(deserted: System) -> None:
    plane = deserted.plane
    plane.kubectl("delete", "validatingwebhookconfiguration", names.VALIDATING_CONFIGURATION)
    since = plane.audit_log.position()
    assert eventually(lambda: create(deserted, environment("second")).ok, SOON)
    assert create(deserted, {**EVERYTHING, "metadata": {"name": "second"}}).ok
    for process in programs(deserted):
        process.start()
    leader = deserted.leader(limit=SOON)
    assert eventually(lambda: metric(leader, "dayfly_webhook_configurations_missing") == 1, SOON)
    configurations = ("get", "validatingwebhookconfigurations", "-o", "name")
    assert names.VALIDATING_CONFIGURATION not in plane.kubectl(*configurations)
    tried = [
        event.verb
        for event in plane.audit(since)
        if "validatingwebhookconfigurations" in event.target
        and event.user.username.startswith("system:serviceaccount:dayfly-system:")
    ]
    assert {*tried} <= {"list", "watch"}
