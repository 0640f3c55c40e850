import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from dayfly_core import api, names
from dayfly_core.policies import read_policy

REPOSITORY = Path(__file__).resolve().parents[2]
GENERATOR = REPOSITORY / "manifests" / "generate.py"

REASONS = [
    value for name, value in vars(names.Reason).items() if name.isupper() and isinstance(value, str)
]


def generate(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(GENERATOR), *arguments], capture_output=True, text=True, check=False
    )


def test_generated_files_are_up_to_date() -> None:
    done = generate("--check")
    assert done.returncode == 0, done.stderr


def test_a_difference_names_the_command_that_heals_it(tmp_path: Path) -> None:
    done = generate("--check", "--root", str(tmp_path))
    assert done.returncode == 1
    assert "expirypolicies.yaml is out of date: run `make manifests`" in done.stderr
    assert not list(tmp_path.iterdir())


def test_writing_heals_it_and_twice_gives_the_same(tmp_path: Path) -> None:
    assert generate("--root", str(tmp_path)).returncode == 0
    again = generate("--root", str(tmp_path))
    assert (again.returncode, again.stdout) == (0, "")
    assert generate("--check", "--root", str(tmp_path)).returncode == 0


SAMPLES = [
    pytest.param(document, id=f"{path.name} {document['metadata']['name']}")
    for path in sorted((REPOSITORY / "manifests" / "policies").glob("*.yaml"))
    for document in yaml.safe_load_all(path.read_text())
    if document and document["kind"] == "ExpiryPolicy"
]


@pytest.mark.parametrize("document", SAMPLES)
def test_every_sample_is_a_sound_policy(document: dict[str, Any]) -> None:
    stored = msgspec.json.decode(msgspec.json.encode(document), type=api.StoredPolicy)
    assert read_policy(stored).name == document["metadata"]["name"]


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_has_its_row(reason: str) -> None:
    page = (REPOSITORY / "docs" / "reference" / "reasons.md").read_text()
    assert f"| `{reason}` |" in page
