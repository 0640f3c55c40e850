"""Pages say what the code says: links lead somewhere, what is named exists."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest

from dayfly_core import names, scaling
from dayfly_core.helm import marks

REPOSITORY = Path(__file__).resolve().parents[2]
DOCS = REPOSITORY / "docs"
HANDBOOK = sorted(DOCS.rglob("*.md"))
PAGES = [*HANDBOOK, REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md"]

LINK = re.compile(r"\]\(([^)\s]+)\)")
HOP = re.compile(r"`([\w/.-]+\.py):([\w.]+)`")
TEST = re.compile(r"`(test_\w+)`")
FILE = re.compile(
    r"`((?:core|kube|certs|admission|operator|cli|manifests|tests|docs)/[\w/.-]+\.\w+)"
)
KEY = re.compile(r"`(dayfly\.dev/[a-z-]+)`")


def pages_with(pattern: re.Pattern[str], pages: list[Path]) -> list[object]:
    """Make a parameter of each (page, match), named as people would look it up."""
    return [
        pytest.param(page, *found.groups(), id=f"{page.relative_to(REPOSITORY)} {found[0]}")
        for page in pages
        for found in {match[0]: match for match in pattern.finditer(page.read_text())}.values()
    ]


@pytest.mark.parametrize(("page", "target"), pages_with(LINK, PAGES))
def test_links_lead_somewhere(page: Path, target: str) -> None:
    if target.startswith(("http://", "https://")):
        return
    path, _, anchor = unquote(target).partition("#")
    aim = page.parent / path if path else page
    assert aim.exists(), f"{page.name} links to {target}, which is not there"
    assert not anchor or anchor in anchors(aim), f"{aim.name} has no heading #{anchor}"


def anchors(page: Path) -> set[str]:
    """Return the anchors that renderers make of the page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-") for text in headings}


@pytest.mark.parametrize(("page", "file", "name"), pages_with(HOP, HANDBOOK))
def test_hops_are_in_the_code(page: Path, file: str, name: str) -> None:
    source = REPOSITORY / file
    assert source.exists(), f"{page.name} names {file}, which is not there"
    assert name in set(defined(source)), f"{page.name}: {file} does not define {name}"


def defined(source: Path) -> Iterator[str]:
    """Yield what a module defines, methods as ``Class.method``."""
    for node in ast.parse(source.read_text()).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        if isinstance(node, ast.ClassDef):
            inside = (ast.FunctionDef, ast.AsyncFunctionDef)
            yield from (
                f"{node.name}.{part.name}" for part in node.body if isinstance(part, inside)
            )


@pytest.mark.parametrize(("page", "file"), pages_with(FILE, HANDBOOK))
def test_files_are_there(page: Path, file: str) -> None:
    assert (REPOSITORY / file).exists(), f"{page.name} names {file}, which is not there"


@pytest.mark.parametrize(("page", "test"), pages_with(TEST, HANDBOOK))
def test_tests_that_are_called_as_witnesses_exist(page: Path, test: str) -> None:
    assert test in all_tests(), f"{page.name} names {test}, which no test file defines"


@cache
def all_tests() -> frozenset[str]:
    """Return the names of all test functions."""
    files = (REPOSITORY / "tests").rglob("test_*.py")
    return frozenset(
        name for file in files for name in re.findall(r"def (test_\w+)\(", file.read_text())
    )


def test_the_page_of_keys_has_all_of_them_and_no_other() -> None:
    texts = {value for value in vars(names).values() if isinstance(value, str)}
    ours = {text for text in texts if text.startswith(f"{names.GROUP}/")}
    page = (DOCS / "reference" / "keys.md").read_text()
    assert set(KEY.findall(page)) == ours
    others = (
        names.ENVIRONMENT_OF_ORIGINAL,
        names.ENABLED,
        names.ENABLED_MISSPELT,
        names.KOPF_PREFIX,
        names.FIRST_CHECK,
        scaling.PAUSED_REPLICAS,
        *marks.ANNOTATIONS,
        marks.MANAGED_BY,
    )
    assert [key for key in others if f"`{key}" not in page] == []


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, id=str(page.relative_to(DOCS)))
        for page in HANDBOOK
        if page.parent.name != "design" and page.name != "index.md"
    ],
)
def test_every_page_is_linked_from_the_first_one_or_from_another(page: Path) -> None:
    links = {
        (other.parent / link.partition("#")[0]).resolve()
        for other in PAGES
        if other != page
        for link in LINK.findall(other.read_text())
    }
    assert page.resolve() in links


DECISIONS = sorted((DOCS / "design").glob("[0-9]*.md"))


def test_decisions_are_numbered_without_gap() -> None:
    numbers = [int(page.name[:3]) for page in DECISIONS]
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_list_of_decisions_has_each_by_its_title() -> None:
    listed = re.findall(r"^- \[(.+)\]\((.+)\)$", (DOCS / "design/README.md").read_text(), re.M)
    titles = [
        (page.read_text().partition("\n")[0].removeprefix("# "), page.name) for page in DECISIONS
    ]
    assert sorted(listed) == titles, "docs/design/README.md has one line for each decision"


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_a_decision_says_problem_decision_and_how_it_is_tested(page: Path) -> None:
    text = page.read_text()
    assert text.startswith(f"# {page.name[:3]}: ")
    assert all(f"**{part}.**" in text for part in ("Problem", "Decision", "Tested"))
