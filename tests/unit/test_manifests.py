import subprocess
import sys
from pathlib import Path

import pytest

from dayfly_core import names

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
    assert "expirypolicies.yaml is out of date: run `python manifests/generate.py`" in done.stderr
    assert not list(tmp_path.iterdir())


def test_writing_heals_it_and_twice_gives_the_same(tmp_path: Path) -> None:
    assert generate("--root", str(tmp_path)).returncode == 0
    again = generate("--root", str(tmp_path))
    assert (again.returncode, again.stdout) == (0, "")
    assert generate("--check", "--root", str(tmp_path)).returncode == 0


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_has_its_row(reason: str) -> None:
    page = (REPOSITORY / "docs" / "reference" / "reasons.md").read_text()
    assert f"| `{reason}` |" in page
