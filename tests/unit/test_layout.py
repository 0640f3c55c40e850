import ast
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCE_ROOTS = ("core", "kube", "certs", "admission", "operator", "cli", "playground")
TEST_FOLDERS = sorted(
    str(folder.relative_to(REPOSITORY))
    for folder in [REPOSITORY / "tests", *(REPOSITORY / "tests").rglob("*")]
    if folder.is_dir() and folder.name != "__pycache__"
)


@pytest.mark.parametrize("folder", [*SOURCE_ROOTS, *TEST_FOLDERS])
def test_folders_that_must_not_be_packages(folder: str) -> None:
    assert not (REPOSITORY / folder / "__init__.py").exists()


@pytest.mark.parametrize("root", SOURCE_ROOTS)
def test_a_source_root_holds_one_package(root: str) -> None:
    packages = [path.parent.name for path in (REPOSITORY / root).glob("*/__init__.py")]
    assert len(packages) == 1


@pytest.mark.parametrize("package", [f"dayfly_{root}" for root in SOURCE_ROOTS[:-1]])
def test_a_package_says_what_may_live_in_it(package: str) -> None:
    root = package.removeprefix("dayfly_")
    text = (REPOSITORY / root / package / "__init__.py").read_text()
    assert text.startswith('"""')


def test_the_standard_library_operator_wins_in_the_repository_root() -> None:
    # `python -m` puts the current folder first on the path: this is how the folder would shadow it.
    done = subprocess.run(
        [sys.executable, "-m", "json.tool", "--help"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = subprocess.run(
        [sys.executable, "-c", "import operator; print(operator.__file__)"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    assert not found.stdout.startswith(str(REPOSITORY / "operator"))


DATACLASSES = frozenset({"Connection", "Credential", "World", "_Run"})
"""See docs/design/025: each more costs every start 0.3 ms."""


def test_what_is_only_data_is_a_struct() -> None:
    programs = [REPOSITORY / root for root in SOURCE_ROOTS[:-1]]
    modules = [ast.parse(path.read_text()) for root in programs for path in root.rglob("*.py")]
    classes = (
        node for tree in modules for node in ast.walk(tree) if isinstance(node, ast.ClassDef)
    )
    found = {
        each.name
        for each in classes
        if any("dataclass" in ast.unparse(decorator) for decorator in each.decorator_list)
    }
    assert found == DATACLASSES


def test_what_failed_is_remembered_for_the_second_look(pytestconfig: pytest.Config) -> None:
    """Without its cache pytest takes --last-failed, says nothing, and runs everything again."""
    assert pytestconfig.pluginmanager.has_plugin("lfplugin")
