import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from dayfly_core import api, names
from dayfly_core.policies import read_policy
from support.rights import ENDING

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


def documents(folder: str) -> list[dict[str, Any]]:
    return [
        document
        for path in sorted((REPOSITORY / "manifests" / folder).glob("*.yaml"))
        for document in yaml.safe_load_all(path.read_text())
    ]


@pytest.mark.parametrize("document", documents("policies"), ids=lambda d: d["metadata"]["name"])
def test_every_sample_is_a_sound_policy(document: dict[str, Any]) -> None:
    stored = msgspec.json.decode(msgspec.json.encode(document), type=api.StoredPolicy)
    assert read_policy(stored).name == document["metadata"]["name"]


def test_applying_all_samples_grants_nothing() -> None:
    kinds = {document["kind"] for document in documents("policies")}
    assert kinds == {"ExpiryPolicy"}


@pytest.mark.parametrize("document", documents("rights"), ids=lambda d: d["metadata"]["name"])
def test_a_sample_of_rights_adds_what_ending_takes(document: dict[str, Any]) -> None:
    assert document["metadata"]["labels"] == {names.AGGREGATE_LABEL: "true"}
    for rule in document["rules"]:
        assert set(rule["verbs"]) == ENDING


def test_the_right_to_read_secrets_is_granted_by_no_file_but_its_own() -> None:
    rights = sorted((REPOSITORY / "manifests" / "rights").glob("*.yaml"))
    assert [path.name for path in rights if "[secrets]" in path.read_text()] == ["secrets.yaml"]


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_has_its_row(reason: str) -> None:
    page = (REPOSITORY / "docs" / "reference" / "reasons.md").read_text()
    assert f"| `{reason}` |" in page
