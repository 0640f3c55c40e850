from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from dayfly_core import api, names, reasons
from dayfly_core.policies import read_policy
from generate import main
from support.rights import ENDING

REPOSITORY = Path(__file__).resolve().parents[2]

REASONS = [
    value
    for section in reasons.Reason.__bases__
    for name, value in vars(section).items()
    if name.isupper() and isinstance(value, str)
]


def test_no_reason_is_written_twice() -> None:
    constants = [name for base in reasons.Reason.__bases__ for name in vars(base) if name.isupper()]
    assert len(constants) == len(set(constants)) == len(set(REASONS)) == len(REASONS)


def test_generated_files_are_up_to_date() -> None:
    assert main(["--check"]) == 0


def test_a_difference_names_the_command_that_heals_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--check", "--root", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert "expirypolicies.yaml is out of date: run `make manifests`" in said
    assert not list(tmp_path.iterdir())


def test_writing_heals_it_and_twice_gives_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = ("--root", str(tmp_path))
    assert main([*root]) == 0
    assert "wrote" in capsys.readouterr().out
    assert main([*root]) == 0
    assert capsys.readouterr().out == ""
    assert main(["--check", *root]) == 0


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
