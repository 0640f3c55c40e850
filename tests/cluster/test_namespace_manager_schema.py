"""The CRD of NamespaceManagers on a real API server: what the original's own files come to."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dayfly_core import grammar
from playground import ControlPlane
from support.definitions import define
from support.originals import EXAMPLE_01, EXAMPLE_02, EXAMPLE_03, EXAMPLE_04, loaded

pytestmark = pytest.mark.cluster

CRD = (
    Path(__file__).resolve().parents[2]
    / "manifests"
    / "components"
    / "namespace-manager"
    / "crd.yaml"
)
DELETE = {"type": "DELETE"}
TTL = {"type": "TTL"}


def manifest(spec: dict[str, Any]) -> str:
    head = {"apiVersion": "k8s.consol.de/v1beta1", "kind": "NamespaceManager"}
    return json.dumps({**head, "metadata": {"name": "schema-test"}, "spec": spec})


def policy(condition: Any = TTL, action: Any = DELETE, name: str = "end it") -> dict[str, Any]:
    return {"name": name, "condition": condition, "action": action}


def manager(*policies: dict[str, Any], **fields: Any) -> str:
    return manifest({"policies": list(policies), **fields})


def condition(kind: str, **params: Any) -> dict[str, Any]:
    return {"type": kind, "params": params}


def scale_down(*selectors: dict[str, Any]) -> dict[str, Any]:
    return {"type": "SCALE_DOWN", "params": {"selectors": list(selectors)}}


@pytest.fixture(scope="module")
def plane(bare: ControlPlane) -> ControlPlane:
    """Where the schema alone decides: no webhook of Dayfly says a word."""
    return bare


@pytest.fixture(scope="module")
def served(plane: ControlPlane) -> None:
    define(plane, CRD, "namespacemanagers")


@pytest.fixture(scope="module")
def stored(plane: ControlPlane, served: None) -> Iterator[str]:
    plane.kubectl("create", "-n", "default", "-f", "-", stdin=manager(policy()))
    yield "schema-test"
    plane.kubectl("delete", "-n", "default", "nsman", "schema-test")


def tried(plane: ControlPlane, text: str) -> tuple[int, str]:
    answer = plane.try_kubectl("create", "-n", "default", "--dry-run=server", "-f", "-", stdin=text)
    return answer.code, answer.stderr


def anywhere(text: str) -> str:
    """The same manifest, for a namespace that is there."""
    document = loaded(text)
    return json.dumps({**document, "metadata": {"name": document["metadata"]["name"]}})


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(anywhere(EXAMPLE_01), id="AN2: example-01"),
        pytest.param(anywhere(EXAMPLE_02), id="AN3: example-02"),
        pytest.param(anywhere(EXAMPLE_03), id="AN5: example-03"),
        pytest.param(anywhere(EXAMPLE_04), id="AN7: example-04"),
        pytest.param(manager(policy()), id="a condition without parameters"),
        pytest.param(manager(policy(), policy()), id="N2, AN10: two equal policies"),
        pytest.param(manager(policy(), deactivated=True), id="AN11: dormant from the beginning"),
        pytest.param(
            manager(policy(condition("PODS_SUCCEED", minChecks=3, podLabels={}))), id="minChecks"
        ),
        pytest.param(
            manager(policy(condition("TTL", ttlSeconds=0), {"type": "NOTIFY"})), id="a notice"
        ),
        pytest.param(
            manager(policy(condition("UNTIL", until="2026-11-22T10:00:00Z"))), id="an instant"
        ),
        pytest.param(
            manager(policy(TTL, scale_down({"kind": "DaemonSet"}))),
            id="N15: a kind that is not known: skipped and reported, as it was skipped before",
        ),
    ],
)
def test_what_worked_is_taken(plane: ControlPlane, served: None, text: str) -> None:
    assert tried(plane, text) == (0, "")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(manager(), "spec.policies", id="no policy"),
        pytest.param(manifest({}), "spec.policies", id="no policies"),
        pytest.param(
            manager(policy(name="end-it")), grammar.POLICY_NAME_HINT, id="a hyphen in the name"
        ),
        pytest.param(manager(policy(name="it")), grammar.POLICY_NAME_HINT, id="too short a name"),
        pytest.param(manager(policy(name="x" * 93)), "spec.policies[0].name", id="too long a name"),
        pytest.param(
            manager(policy({"type": "MOON"})), "spec.policies[0].condition.type", id="N3: a moon"
        ),
        pytest.param(
            manager(policy(TTL, {"type": "EXPLODE"})),
            "spec.policies[0].action.type",
            id="an action that is none",
        ),
        pytest.param(
            manager(policy(condition("TTL", ttlSeconds=-1))),
            "spec.policies[0].condition.params.ttlSeconds",
            id="N14: a negative ttl",
        ),
        pytest.param(
            manager(policy(condition("PODS_SUCCEED", initialDelaySeconds=-1))),
            "spec.policies[0].condition.params.initialDelaySeconds",
            id="N14: a negative delay",
        ),
        pytest.param(
            manager(policy(condition("PODS_SUCCEED", periodSeconds=0))),
            "spec.policies[0].condition.params.periodSeconds",
            id="N7: no pause between checks",
        ),
        pytest.param(
            manager(policy(condition("PODS_SUCCEED", podLabels={"build": 17}))),
            "spec.policies[0].condition.params.podLabels.build",
            id="N14: a label that is no text",
        ),
        pytest.param(
            manager(policy(condition("PODS_SUCCEED", podLabels={"a b": "c"}))),
            grammar.LABEL_KEY_HINT,
            id="N14: no key of a label",
        ),
        pytest.param(
            manager(policy({"type": "UNTIL"})), grammar.UNTIL_NEEDED_HINT, id="no instant"
        ),
        pytest.param(
            manager(policy(condition("UNTIL", until="tomorrow"))),
            grammar.INSTANT_HINT,
            id="an instant that is none",
        ),
        pytest.param(
            manager(policy(TTL, {"type": "WEBHOOK"})), grammar.URL_NEEDED_HINT, id="no URL"
        ),
        pytest.param(
            manager(policy(TTL, {"type": "WEBHOOK", "params": {"url": "file:///etc/passwd"}})),
            grammar.HTTP_URL_HINT,
            id="a URL that is no web address",
        ),
        pytest.param(
            manager(policy(), namespace="Team A"),
            grammar.NAMESPACE_NAME_HINT,
            id="no name of a namespace",
        ),
        pytest.param(
            manager(policy(TTL, scale_down({}))),
            "spec.policies[0].action.params.selectors[0].kind",
            id="a selector without a kind",
        ),
    ],
)
def test_what_cannot_be_carried_out_is_refused_and_says_what_to_write(
    plane: ControlPlane, served: None, text: str, words: str
) -> None:
    code, said = tried(plane, text)
    assert code != 0
    assert words in said


def test_an2_get_by_its_short_name_answers_what_comes_next(
    plane: ControlPlane, stored: str
) -> None:
    head, _ = plane.kubectl("get", "nsman", stored, "-n", "default").splitlines()
    assert re.split(r"\s{2,}", head.strip()) == [
        "NAME", "MANAGES", "DEACTIVATED", "NEXT CHECK", "READY", "REASON", "AGE",
    ]  # fmt: skip


def test_nothing_is_written_into_what_people_store(plane: ControlPlane, stored: str) -> None:
    found = plane.kubectl("get", "nsman", stored, "-n", "default", "-o", "json")
    assert json.loads(found)["spec"] == {"policies": [policy()]}


def test_n14_the_status_has_the_last_result_of_every_policy(
    plane: ControlPlane, stored: str
) -> None:
    entry = {"name": "end it", "result": "Waiting", "reason": "NotDue", "message": ""}
    patch = json.dumps({"status": {"policies": [entry], "armed": 1}})
    plane.kubectl(
        "patch", "nsman", stored, "-n", "default", "--type=merge", "--subresource=status",
        "-p", patch,
    )  # fmt: skip
    found = plane.kubectl("get", "nsman", stored, "-n", "default", "-o", "json")
    assert json.loads(found)["status"] == {"policies": [entry], "armed": 1}


def test_the_category_lists_it(plane: ControlPlane, stored: str) -> None:
    listed = plane.kubectl("get", "dayfly", "-n", "default", "-o", "name")
    assert f"namespacemanager.k8s.consol.de/{stored}" in listed


def test_explain_is_documentation(plane: ControlPlane, served: None) -> None:
    page = " ".join(plane.kubectl("explain", "nsman.spec.policies.condition.params").split())
    assert "1800 if left out" in page
