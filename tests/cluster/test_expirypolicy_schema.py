"""The CRD on a real API server: it accepts and refuses what the code accepts and refuses."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from playground import ControlPlane
from support import host_manifests, timeline_manifests
from support.definitions import define
from support.policy_manifests import ACCEPTED, ODD, manifest
from support.refused_policies import REFUSED

pytestmark = pytest.mark.cluster

CRD = Path(__file__).resolve().parents[2] / "manifests" / "crds" / "expirypolicies.yaml"
DRY_RUN = ("create", "--dry-run=server", "--validate=false", "-f", "-")


@pytest.fixture(scope="module")
def plane(bare: ControlPlane) -> ControlPlane:
    """Where the schema alone decides, and nobody else writes a status."""
    return bare


@pytest.fixture(scope="module", autouse=True)
def _schema(plane: ControlPlane) -> None:
    define(plane, CRD, "expirypolicies.dayfly.dev")


@pytest.fixture
def previews(plane: ControlPlane) -> Iterator[str]:
    """A stored policy, gone afterwards."""
    written = manifest("schema-test", ttl={"default": "8h", "max": "7d"}, suspend=True)
    plane.kubectl("create", "-f", "-", stdin=json.dumps(written))
    yield "schema-test"
    plane.kubectl("delete", "expirypolicy", "schema-test")


@pytest.mark.parametrize(
    "written", [*ACCEPTED, *ODD, *host_manifests.ACCEPTED, *timeline_manifests.ACCEPTED]
)
def test_sound_policies_are_accepted(plane: ControlPlane, written: dict[str, Any]) -> None:
    plane.kubectl(*DRY_RUN, stdin=json.dumps(written))


@pytest.mark.parametrize(
    ("written", "field", "words"), [*REFUSED, *host_manifests.REFUSED, *timeline_manifests.REFUSED]
)
def test_malformed_policies_are_refused(
    plane: ControlPlane, written: dict[str, Any], field: str, words: str
) -> None:
    answer = plane.try_kubectl(*DRY_RUN, stdin=json.dumps(written))
    assert answer.code != 0
    assert plain(field) in plain(answer.stderr)
    assert words in answer.stderr
    assert "CEL" not in answer.stderr
    assert "evaluat" not in answer.stderr


def plain(path: str) -> str:
    """Write ``labels[team]`` as ``labels.team``: the API server spells a key in both ways."""
    return re.sub(r"\[([a-z]\w*)\]", r".\1", path)


def test_explain_is_documentation(plane: ControlPlane) -> None:
    overview = plane.kubectl("explain", "expirypolicies.spec", "--recursive")
    assert "maxTotal\t<string>" in overview
    assert "resources\t<[]Object> -required-" in overview
    page = plane.kubectl("explain", "expirypolicies.spec.ttl.default")
    assert "The life of objects that ask for none." in " ".join(page.split())


def test_get_shows_the_columns(plane: ControlPlane, previews: str) -> None:
    head, row = plane.kubectl("get", "expol", previews).splitlines()
    titles = re.split(r"\s{2,}", head.strip())
    assert titles == [
        "NAME", "PRIORITY", "DEFAULT", "MAX", "OBJECTS", "NEXT END", "READY", "ENFORCEABLE", "AGE",
    ]  # fmt: skip
    assert row.split()[:4] == [previews, "0", "8h", "7d"]


def test_the_category_lists_it(plane: ControlPlane, previews: str) -> None:
    assert f"expirypolicy.dayfly.dev/{previews}" in plane.kubectl("get", "dayfly", "-o", "name")


def test_defaults_are_filled_in(plane: ControlPlane, previews: str) -> None:
    spec = plane.read("expirypolicy", previews)["spec"]
    assert (spec["priority"], spec["enforcement"], spec["grace"]) == (0, "Enforce", "1h")
    assert spec["ttl"]["renewOn"] == "Creation"


def test_a_status_is_stored_beside_the_spec(plane: ControlPlane, previews: str) -> None:
    condition = {
        "type": "Ready",
        "status": "True",
        "reason": "Active",
        "lastTransitionTime": "2026-11-22T10:00:00Z",
    }
    patch = {"status": {"matched": 3, "conditions": [condition]}, "spec": {"priority": 7}}
    plane.kubectl(
        "patch",
        "expirypolicy",
        previews,
        "--subresource=status",
        "--type=merge",
        "-p",
        json.dumps(patch),
    )
    stored = plane.read("expirypolicy", previews)
    assert stored["status"] == {"matched": 3, "conditions": [condition]}
    assert stored["spec"]["priority"] == 0
