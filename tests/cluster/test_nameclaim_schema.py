"""The CRD of NameClaims on a real API server."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dayfly_core.api import ClaimedKey, ClaimState, Holder, KeyKind, NameClaim, NameClaimSpec
from dayfly_core.claim_key import ClaimKey
from playground import ControlPlane
from support.definitions import define

pytestmark = pytest.mark.cluster

CRD = Path(__file__).resolve().parents[2] / "manifests" / "crds" / "nameclaims.yaml"
KEY = ClaimKey(KeyKind.HOST, "schema-test.example.com")
SPEC = NameClaimSpec(
    key=ClaimedKey(kind=KEY.kind, value=KEY.value, written="Schema-Test.Example.com."),
    holder=Holder(
        group="apps",
        version="v1",
        resource="deployments",
        kind="Deployment",
        namespace="shop",
        name="web",
        uid="705ab4f5-6393-11e8-b7cc-42010a800002",
    ),
    state=ClaimState.BOUND,
    claimed_at="2026-11-22T10:00:00Z",
)


def manifest(spec: NameClaimSpec = SPEC, name: str = KEY.claim_name) -> dict[str, Any]:
    head = {"apiVersion": "dayfly.dev/v1alpha1", "kind": "NameClaim", "metadata": {"name": name}}
    return {**head, "spec": msgspec.to_builtins(spec)}


def changed(field: str, value: object) -> dict[str, Any]:
    """Change one field, named as ``key.value``."""
    written = manifest()
    *path, last = field.split(".")
    place = written["spec"]
    for part in path:
        place = place[part]
    place[last] = value
    return written


@pytest.fixture(scope="module")
def claim(plane: ControlPlane) -> Iterator[str]:
    """A stored claim, gone afterwards."""
    define(plane, CRD, "nameclaims")
    plane.kubectl("create", "-f", "-", stdin=json.dumps(manifest()))
    yield KEY.claim_name
    plane.kubectl("delete", "nameclaim", KEY.claim_name)


def test_what_was_stored_is_read_as_it_was_written(plane: ControlPlane, claim: str) -> None:
    stored = msgspec.convert(plane.read("nameclaim", claim), NameClaim)
    assert (stored.metadata.name, stored.spec) == (claim, SPEC)


def test_get_answers_who_has_a_host(plane: ControlPlane, claim: str) -> None:
    head, row = plane.kubectl("get", "nclaim", claim).splitlines()
    assert re.split(r"\s{2,}", head.strip()) == [
        "NAME", "KIND", "KEY", "STATE", "HOLDER", "NAMESPACE", "HOLDER NAME", "AGE",
    ]  # fmt: skip
    cells = [claim, "host", "schema-test.example.com", "Bound", "Deployment", "shop", "web"]
    assert row.split()[:7] == cells


def test_the_category_lists_it(plane: ControlPlane, claim: str) -> None:
    assert f"nameclaim.dayfly.dev/{claim}" in plane.kubectl("get", "dayfly", "-o", "name")


@pytest.mark.parametrize(
    ("written", "words"),
    [
        pytest.param(changed("key.kind", "domain"), "spec.key.kind", id="an unknown kind"),
        pytest.param(changed("key.value", ""), "spec.key.value", id="no name"),
        pytest.param(changed("holder.name", ""), "spec.holder.name", id="nobody"),
        pytest.param(changed("state", "Free"), "spec.state", id="an unknown state"),
        pytest.param(changed("claimedAt", "now"), "spec.claimedAt", id="no instant"),
        pytest.param(changed("key.value", "x.example"), "for one name for ever", id="another key"),
        pytest.param(
            changed("key.kind", "environment"), "for one name for ever", id="another kind of key"
        ),
    ],
)
def test_a_claim_that_makes_no_sense_is_refused(
    plane: ControlPlane, claim: str, written: dict[str, Any], words: str
) -> None:
    answer = plane.try_kubectl(
        "apply", "--server-side", "--force-conflicts", "--dry-run=server", "-f", "-",
        stdin=json.dumps(written),
    )  # fmt: skip
    assert answer.code != 0
    assert words in answer.stderr


def test_another_holder_may_take_it_over(plane: ControlPlane, claim: str) -> None:
    plane.kubectl(
        "replace", "--dry-run=server", "-f", "-", stdin=json.dumps(changed("holder.name", "other"))
    )


def test_explain_is_documentation(plane: ControlPlane, claim: str) -> None:
    page = " ".join(plane.kubectl("explain", "nameclaims").split())
    assert "Says who has a name: the name of an environment, or a host." in page
