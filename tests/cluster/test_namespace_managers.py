"""The examples of k8s-namespace-manager on a real API server, and what they should bring about."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.request import urlopen

import pytest

from dayfly_core import instant, names
from playground import ControlPlane, System
from playground.audit import AuditEvent
from playground.process import eventually
from support import base, examples
from support.examples import documents, job, namespace
from support.originals import CAPTURED, CAPTURED_LENGTH
from support.receiving import Receiver, receiving

pytestmark = pytest.mark.cluster

MANAGER = """\
apiVersion: k8s.consol.de/v1beta1
kind: NamespaceManager
metadata: {{name: {name}, namespace: {home}}}
spec:
  namespace: {target}
  policies:
{policies}
"""

TTL = """\
  - name: delete it after some time
    condition: {{type: TTL, params: {{ttlSeconds: {}}}}}
    action: {{type: DELETE}}
"""

PODS = """\
  - name: {name}
    condition:
      type: PODS_SUCCEED
      params: {{podLabels: {{component: main}}, initialDelaySeconds: 3, periodSeconds: 1}}
    action: {action}
"""


def manager(name: str, target: str, *policies: str, home: str = examples.HOME) -> str:
    text = "".join(policies)
    return MANAGER.format(name=name, home=home, target=target, policies=text)


SOON = 60.0
"""Seconds within which what is due has happened, on a machine that has other things to do."""
LATER = 90.0
"""The same, of what was left waiting for a minute."""
APPLIED = ("example-01", "example-02", "example-03", "example-04")
MOMENT = 3.0
"""Seconds in which what must not happen would have happened."""


@dataclass(frozen=True)
class Stage:
    """Dayfly with the component, all examples applied, and a receiver of webhooks."""

    system: System
    receiver: Receiver

    def read(self, *target: str) -> dict[str, Any]:
        found: dict[str, Any] = self.system.plane.read(*target)
        return found

    def deactivated(self, name: str, home: str = examples.HOME) -> bool:
        return self.read("nsman", name, "-n", home)["spec"].get("deactivated", False) is True

    def results(self, name: str, home: str = examples.HOME) -> list[str]:
        status = self.read("nsman", name, "-n", home).get("status", {})
        return [each["result"] for each in status.get("policies", [])]

    def phase(self, namespace: str) -> str:
        found = self.system.plane.try_kubectl(
            "get", "namespace", namespace, "-o=jsonpath={.status.phase}"
        )
        return found.stdout if found.ok else "gone"

    def replicas(self, namespace: str) -> dict[str, int]:
        listed = self.read("deployments,statefulsets", "-n", namespace)["items"]
        return {each["metadata"]["name"]: each["spec"]["replicas"] for each in listed}

    def acts(self, verb: str, namespace: str) -> list[AuditEvent]:
        """Return who created or deleted a namespace, and when, by the API server's clock."""
        target = f"namespaces/{namespace}"
        events = self.system.plane.audit()
        return [e for e in events if (e.verb, e.target) == (verb, target) and e.accepted]

    def due(self, namespace: str) -> list[datetime]:
        """Return when it was to end, as is told of its end."""
        about = f"regarding.kind=Namespace,regarding.name={namespace}"
        told = self.read("events.events.k8s.io", "-A", f"--field-selector={about}")
        notes = [each["note"] for each in told["items"] if each["reason"] == "Deleted"]
        return [instant.parse(each.rpartition("due at ")[2]) for each in notes]

    def pods(self, namespace: str) -> list[str]:
        listed = self.read("pods", "-n", namespace, "-l", "component=main")["items"]
        return sorted(each["status"]["phase"] for each in listed)


@pytest.fixture(scope="module")
def stage(binaries: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with (
        receiving() as receiver,
        ControlPlane.start(tmp_path_factory.mktemp("managers")) as plane,
        System.install(
            plane,
            admissions=1,
            operators=2,
            operator_flags=(
                *("--webhook-host", f"{examples.HOST}=127.0.0.1:{receiver.port}"),
                *("--webhook-allow", "127.0.0.1/32"),
            ),
            manifests=base.MANIFESTS / "everything",
        ) as installed,
    ):
        plane.apply(namespace(examples.HOME))
        for text in (*examples.ALL, *examples.FAILED):
            plane.apply(text)
        yield Stage(installed, receiver)


def test_an1_the_kind_is_served_and_the_operator_is_healthy_to_spring(stage: Stage) -> None:
    assert "przyklad-trzeci" in stage.system.plane.kubectl("get", "nsman", "-A")
    for process in stage.system.operators:
        url = process.spec.health.replace("/readyz", "/actuator/health")
        with urlopen(url, timeout=10) as answer:
            assert answer.read() == b'{"status":"UP"}'


def test_an3_a_namespace_ends_when_its_pods_have_succeeded(stage: Stage) -> None:
    assert eventually(lambda: stage.phase("example-02") in ("Terminating", "gone"), SOON)
    assert eventually(lambda: stage.deactivated("ejemplo-dos"), SOON)
    assert eventually(lambda: stage.phase("example-02") == "gone", SOON)
    assert stage.results("ejemplo-dos") == ["Done"]


def test_an5_workloads_come_to_rest_when_pods_have_succeeded(stage: Stage) -> None:
    assert eventually(lambda: stage.deactivated("przyklad-trzeci", "example-03"), SOON)
    resting = dict.fromkeys((examples.MARKED, *examples.STATEFUL), 0)
    assert stage.replicas("example-03") == {examples.UNMARKED: 3, **resting}
    marked = stage.read("deployment", examples.MARKED, "-n", "example-03")
    assert marked["metadata"]["annotations"][names.REPLICAS] == "5"


def test_an9_the_first_policy_that_is_true_acts_and_no_other(stage: Stage) -> None:
    later = "{type: WEBHOOK, params: {url: 'http://never.example.com/'}}"
    text = manager(
        "example-09",
        "example-09",
        TTL.format(3600),
        PODS.format(name="scale it down", action="{type: SCALE_DOWN}"),
        PODS.format(name="call somebody", action=later),
        home="example-09",
    )
    tests = job("tests", "example-09", "component: main")
    stage.system.plane.apply(documents(namespace("example-09"), text, tests))
    assert eventually(lambda: stage.deactivated("example-09", "example-09"), SOON)
    assert stage.results("example-09", "example-09") == ["Waiting", "Done", "Waiting"]
    assert stage.phase("example-09") == "Active"


def test_an10_two_policies_may_have_the_same_condition(stage: Stage) -> None:
    text = manager("twice", "example-10", TTL.format(2), TTL.format(2))
    stage.system.plane.apply(documents(namespace("example-10"), text))
    assert eventually(lambda: stage.phase("example-10") == "gone", SOON)
    assert eventually(lambda: stage.deactivated("twice"), SOON)
    assert stage.results("twice") == ["Done", "Waiting"]


def test_an11_a_manager_that_is_deactivated_waits_until_it_is_not(stage: Stage) -> None:
    text = manager("dormant", "example-11", TTL.format(1))
    text = text.replace("spec:", "spec:\n  deactivated: true")
    stage.system.plane.apply(documents(namespace("example-11"), text))
    assert not eventually(lambda: stage.phase("example-11") != "Active", MOMENT)
    stage.system.plane.kubectl(
        *("patch", "nsman", "dormant", "-n", examples.HOME, "--type=merge"),
        *("-p", '{"spec":{"deactivated":false}}'),
    )
    assert eventually(lambda: stage.phase("example-11") == "gone", SOON)
    assert eventually(lambda: stage.deactivated("dormant"), SOON)


def test_a_namespace_that_is_created_after_its_manager_is_managed_at_once(stage: Stage) -> None:
    stage.system.plane.apply(manager("early", "example-20", TTL.format(2)))
    assert eventually(lambda: stage.results("early") == ["Waiting"], SOON)
    stage.system.plane.apply(namespace("example-20"))
    assert eventually(lambda: stage.phase("example-20") == "gone", SOON)
    # Made anew it is another one, and the manager has done its work.
    assert eventually(lambda: stage.deactivated("early"), SOON)
    stage.system.plane.apply(namespace("example-20"))
    assert not eventually(lambda: stage.phase("example-20") != "Active", MOMENT)


def is_active(stage: Stage) -> bool:
    return stage.phase("example-12") == "Active"


def is_running(stage: Stage) -> bool:
    return 0 not in stage.replicas("example-13").values()


def is_uncalled(stage: Stage) -> bool:
    return stage.receiver.to(f"{examples.PATH}-that-fails") == []


@pytest.mark.parametrize(
    ("name", "home", "target", "unchanged"),
    [
        pytest.param(
            "ejemplo-malo",
            examples.HOME,
            "example-12",
            is_active,
            id="an4: the namespace does not end",
        ),
        pytest.param(
            "przyklad-trzeci",
            "example-13",
            "example-13",
            is_running,
            id="an6: nothing is scaled down",
        ),
        pytest.param(
            "example-14",
            "example-14",
            "example-14",
            is_uncalled,
            id="an8: nobody is called",
        ),
    ],
)
def test_an4_an6_an8_pods_that_failed_have_not_succeeded(
    stage: Stage, name: str, home: str, target: str, unchanged: Callable[[Stage], bool]
) -> None:
    assert eventually(lambda: "Failed" in stage.pods(target), SOON)
    assert eventually(lambda: checked(stage, name, home), SOON)
    assert not eventually(lambda: not unchanged(stage), MOMENT)
    assert not stage.deactivated(name, home)
    assert stage.results(name, home) == ["Waiting"]


def checked(stage: Stage, name: str, home: str) -> bool:
    written = stage.read("nsman", name, "-n", home)["metadata"].get("annotations", {})
    return names.FIRST_CHECK in written and names.LAST_CHECK in written


def test_an2_a_namespace_ends_40_s_after_its_creation(stage: Stage) -> None:
    assert eventually(lambda: stage.phase("example-01") in ("Terminating", "gone"), LATER)
    assert eventually(lambda: stage.due("example-01") != [], SOON)
    [created], [deleted] = stage.acts("create", "example-01"), stage.acts("delete", "example-01")
    [due] = stage.due("example-01")
    stored = due - timedelta(seconds=40)
    # creationTimestamp has whole seconds.
    earliest = created.request_received_timestamp.replace(microsecond=0)
    assert earliest <= stored <= created.stage_timestamp
    assert due <= deleted.request_received_timestamp


def test_an7_a_webhook_is_called_once_with_the_body_of_the_original(stage: Stage) -> None:
    assert eventually(lambda: stage.deactivated("example-04", "example-04"), LATER)
    [posted] = stage.receiver.to(examples.PATH)
    assert posted.body.encode() == CAPTURED
    assert posted.headers["host"] == examples.HOST
    assert posted.headers["content-length"] == str(CAPTURED_LENGTH)
    assert posted.headers["content-type"] == "application/json"
    assert posted.headers["accept"] == "*/*"
    assert "authorization" not in posted.headers
    found = stage.read("nsman", "example-04", "-n", "example-04")
    [result] = found["status"]["policies"]
    assert posted.headers["idempotency-key"] == result["id"]
    namespace = stage.read("namespace", "example-04")["metadata"]["creationTimestamp"]
    since = instant.parse(result["time"]) - instant.parse(namespace)
    assert timedelta(seconds=60) <= since < timedelta(seconds=90)


def test_an12_examples_are_deleted_without_a_trace(stage: Stage) -> None:
    plane = stage.system.plane
    for text in examples.ALL:
        deleted = plane.try_kubectl("delete", "-f", "-", "--ignore-not-found", stdin=text)
        assert deleted.ok, deleted.stderr
    for name in APPLIED:
        assert stage.phase(name) == "gone"
    left = [each["metadata"] for each in stage.read("nsman", "-A")["items"]]
    assert not [each for each in left if each["namespace"] in APPLIED]
    assert not [each for each in left if each["name"] == "ejemplo-dos"]
