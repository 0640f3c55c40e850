"""The component that lets only the API servers reach the webhooks, as somebody would include it."""

import os
import re
from pathlib import Path

import pytest
import yaml

from playground import ControlPlane
from playground.commands import Result
from support import base

pytestmark = pytest.mark.cluster

HEAD = (base.MANIFESTS / "components" / "network-policy" / "kustomization.yaml").read_text()


def example() -> str:
    """Return the kustomization that the component's own head shows."""
    return "\n".join(re.findall(r"^#   (.*)$", HEAD, re.MULTILINE))


def policy_by(plane: ControlPlane, folder: Path, kustomization: str) -> Result:
    """Let the API server judge the policy that a kustomization in a folder gives."""
    beside = os.path.relpath(base.MANIFESTS, folder)
    text = kustomization.replace("../dayfly/manifests", beside)
    (folder / "kustomization.yaml").write_text(text)
    built = list(yaml.safe_load_all(plane.kubectl("kustomize", str(folder))))
    (policy,) = [document for document in built if document["kind"] == "NetworkPolicy"]
    create = ("create", "--dry-run=server", "-f", "-")
    return plane.try_kubectl(*create, stdin=yaml.safe_dump(policy))


def test_the_example_in_its_head_is_what_it_takes(bare: ControlPlane, tmp_path: Path) -> None:
    base.apply(bare)
    assert "networkpolicy.networking.k8s.io/dayfly-admission created" in (
        policy_by(bare, tmp_path, example()).stdout
    )


def test_without_addresses_it_is_refused_and_locks_nobody_out(
    bare: ControlPlane, tmp_path: Path
) -> None:
    base.apply(bare)
    plain = example().partition("patches:")[0]
    refused = policy_by(bare, tmp_path, plain)
    assert not refused.ok
    assert "ADDRESSES-OF-THE-API-SERVERS" in refused.stderr
