"""NamespaceManagers as people handle them: the original's own file beside Dayfly, edits, re-arming,
a receiver that fails, and everything deleted again.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.request import urlopen

import pytest

from playground import ControlPlane, System
from playground.process import eventually
from support import base, examples
from support.examples import documents, namespace
from support.original_definitions import OPERATOR
from support.receiving import Posted, Receiver, receiving

pytestmark = pytest.mark.cluster

SOON = 60.0
"""Seconds within which what is due has happened, on a machine that has other things to do."""
MOMENT = 3.0
"""Seconds in which what must not happen would have happened."""


@dataclass(frozen=True)
class Stage:
    """Dayfly with the component, over ``examples/operator.yml``, and a receiver of webhooks."""

    system: System
    receiver: Receiver

    @property
    def plane(self) -> ControlPlane:
        return self.system.plane

    def spec(self, name: str) -> dict[str, Any]:
        spec: dict[str, Any] = self.plane.read("nsman", name, "-n", examples.HOME)["spec"]
        return spec

    def policy(self, name: str) -> dict[str, Any]:
        found = self.plane.read("nsman", name, "-n", examples.HOME)
        [policy] = found.get("status", {}).get("policies", [{}])
        return dict(policy)

    def is_done(self, name: str) -> bool:
        return self.spec(name).get("deactivated") is True

    def change(self, name: str, **spec: Any) -> None:
        patch = json.dumps({"spec": spec})
        self.plane.kubectl("patch", "nsman", name, "-n", examples.HOME, "--type=merge", "-p", patch)

    def alive(self, name: str) -> bool:
        args = ("get", "namespace", name, "-o=jsonpath={.status.phase}")
        return self.plane.try_kubectl(*args).stdout == "Active"

    def posted(self, name: str) -> list[Posted]:
        return self.receiver.to(f"/{name}")

    def calls(self, name: str) -> dict[str, str]:
        """Return the key of each call and what it said: one may come more than once."""
        return {each.headers["idempotency-key"]: each.body for each in self.posted(name)}


@pytest.fixture(scope="module")
def stage(binaries: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with (
        receiving() as receiver,
        ControlPlane.start(tmp_path_factory.mktemp("habits")) as plane,
    ):
        plane.apply(OPERATOR)
        with System.install(
            plane,
            admissions=1,
            operators=1,
            operator_flags=(
                *("--webhook-host", f"hooks.example.com=127.0.0.1:{receiver.port}"),
                *("--webhook-allow", "127.0.0.1/32"),
            ),
            manifests=base.MANIFESTS / "everything",
        ) as installed:
            yield Stage(installed, receiver)


SHORT = 10
"""Seconds of a life that is made longer before it is over."""


def policy(seconds: int, action: str = "DELETE", url: str = "") -> dict[str, Any]:
    condition = {"type": "TTL", "params": {"ttlSeconds": seconds}}
    params = {"params": {"url": url}} if url else {}
    return {"name": "the only one", "condition": condition, "action": {"type": action, **params}}


def put(stage: Stage, name: str, *policies: dict[str, Any]) -> None:
    """Create the manager of a new namespace."""
    stage.plane.apply(namespace(name))
    spec = {"namespace": name, "policies": list(policies)}
    meta = {"name": name, "namespace": examples.HOME}
    head = {"apiVersion": "k8s.consol.de/v1beta1", "kind": "NamespaceManager"}
    stage.plane.apply(json.dumps({**head, "metadata": meta, "spec": spec}))


def calling(name: str) -> dict[str, Any]:
    """A call that is due at once."""
    return policy(0, "WEBHOOK", f"http://hooks.example.com/{name}")


def test_an1_the_original_s_own_file_stands_beside_dayfly(stage: Stage) -> None:
    for kind, name in (
        ("clusterrole", "namespace-manager-role"),
        ("clusterrolebinding", "grant-namespace-manager-role-to-namespace-manager-sa"),
        ("clusterrole", "dayfly-namespace-manager"),
        ("clusterrolebinding", "dayfly-namespace-manager"),
    ):
        stage.plane.kubectl("get", kind, name)
    stage.plane.kubectl("get", "serviceaccount", "namespace-manager-sa", "-n", examples.HOME)
    assert "NAME" not in stage.plane.kubectl("get", "nsman", "-A", "--no-headers")
    [operator] = stage.system.operators
    health = operator.spec.health.replace("/readyz", "/actuator/health")
    with urlopen(health, timeout=10) as answer:
        assert json.load(answer) == {"status": "UP"}


def test_a_webhook_whose_manager_is_set_to_false_again_is_called_once_more(stage: Stage) -> None:
    put(stage, "again", calling("again"))
    assert eventually(lambda: stage.is_done("again"), SOON)
    assert len(stage.calls("again")) == 1
    stage.change("again", deactivated=False)
    assert eventually(lambda: len(stage.calls("again")) == 2, SOON)
    assert eventually(lambda: stage.is_done("again"), SOON)
    came = len(stage.posted("again"))
    assert not eventually(lambda: len(stage.posted("again")) > came, MOMENT), "it loops"
    first, second = stage.calls("again").values()
    assert first == second


def test_n7_a_receiver_that_fails_is_not_flooded_and_gets_its_call_in_the_end(
    stage: Stage,
) -> None:
    stage.receiver.status = 500
    put(stage, "failing", calling("failing"))
    assert eventually(lambda: stage.policy("failing").get("reason") == "Retrying", SOON)
    assert not eventually(lambda: len(stage.posted("failing")) > 3, MOMENT), "it floods"
    assert not stage.is_done("failing")
    stage.receiver.status = 200
    assert eventually(lambda: stage.is_done("failing"), SOON)
    assert len(stage.calls("failing")) == 1
    assert len(stage.posted("failing")) <= 5


def test_a_ttl_that_is_made_longer_and_shorter_counts_as_it_is_written(stage: Stage) -> None:
    put(stage, "edited", policy(SHORT))
    stage.change("edited", policies=[policy(3600)])
    assert not eventually(lambda: not stage.alive("edited"), SHORT + MOMENT)
    stage.change("edited", policies=[policy(1)])
    assert eventually(lambda: not stage.alive("edited"), SOON)
    assert eventually(lambda: stage.is_done("edited"), SOON)


def test_what_has_come_of_it_is_told_where_people_look(stage: Stage) -> None:
    put(stage, "told", policy(0))
    assert eventually(lambda: stage.is_done("told"), SOON)
    assert stage.policy("told")["message"] == "namespace told was deleted"
    args = ("describe", "nsman", "told", "-n", examples.HOME)
    words = (
        "deleted namespace told",
        "policy the only one has acted; set it to false to begin anew",
    )
    said = eventually(lambda: all(text in stage.plane.kubectl(*args) for text in words), SOON)
    assert said, stage.plane.kubectl(*args)


def test_an12_all_of_the_original_s_files_are_deleted_without_a_trace(stage: Stage) -> None:
    plane = stage.plane
    plane.apply(documents(*examples.ALL))
    for text in (*examples.ALL, OPERATOR):
        deleted = plane.try_kubectl("delete", "-f", "-", "--ignore-not-found", stdin=text)
        assert deleted.ok, deleted.stderr
    assert eventually(lambda: not plane.try_kubectl("get", "nsman", "-A").ok, SOON)
    assert not stage.alive(examples.HOME)
    # Dayfly goes on, and works again once the kind is back.
    stage.system.apply()
    plane.apply(namespace(examples.HOME))
    assert eventually(lambda: plane.try_kubectl("get", "nsman", "-A").ok, SOON)
    put(stage, "afterwards", policy(1))
    assert eventually(lambda: not stage.alive("afterwards"), SOON)
