"""One real control plane for the session, one Dayfly on it, and a fresh namespace for each test."""

import os
import secrets
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from _pytest.capture import CaptureManager

from playground import ControlPlane, System, build
from playground.progress import to_stderr
from playground.toolchain import NoToolchainError
from support.plots import Plot, administrator, planted
from support.stalls import Stalls, watched
from support.throng import Throng, installed_late

MISSING = pytest.StashKey[str]()
"""Why there is no control plane to be had; absent if there is one."""


def pytest_collection_finish(session: pytest.Session) -> None:
    """Build before the first test: minutes of compiling are no test's time-out."""
    wanted = any(item.get_closest_marker("cluster") for item in session.items)
    if not wanted or session.config.option.collectonly:
        return
    capture = session.config.pluginmanager.getplugin("capturemanager")
    assert isinstance(capture, CaptureManager)
    with capture.global_and_fixture_disabled():
        try:
            build.ensure(os.environ, to_stderr)
        except (NoToolchainError, build.BuildFailedError) as error:
            session.config.stash[MISSING] = str(error)


@pytest.fixture(scope="session")
def binaries(pytestconfig: pytest.Config) -> None:
    missing = pytestconfig.stash.get(MISSING, "")
    if missing and os.environ.get("CI") == "true":
        pytest.fail(f"CI has to have a control plane: {missing}")
    if missing:
        pytest.skip(missing)


@pytest.fixture(scope="session")
def bare(binaries: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A second one, on which no program of Dayfly ever runs."""
    with ControlPlane.start(tmp_path_factory.mktemp("bare")) as started:
        yield started


@pytest.fixture(scope="session")
def plane(binaries: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with ControlPlane.start(tmp_path_factory.mktemp("plane")) as started:
        yield started


@pytest.fixture(scope="session")
def system(plane: ControlPlane) -> Iterator[System]:
    with System.install(plane) as installed:
        yield installed


KEEPER = """
apiVersion: dayfly.dev/v1alpha1
kind: ExpiryPolicy
metadata: {name: keeper}
spec:
  match:
    namespaceSelector: {matchLabels: {nobody: has-this}}
    resources: [{apiGroups: [""], resources: [configmaps, namespaces]}]
"""
"""Fits nothing: it keeps the webhooks' rules in place while the tests' policies come and go."""


@pytest.fixture(scope="session")
def rough(binaries: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Dayfly on a third one, for tests that stop, kill and cut off; each restores what it broke."""
    flags = ("--max-deletes-per-second", "0", "--stuck-after", "3s")
    with (
        ControlPlane.start(tmp_path_factory.mktemp("rough")) as started,
        System.install(started, operator_flags=flags) as installed,
    ):
        started.apply(KEEPER)
        installed.wait_enforced(["configmaps", "namespaces"])
        yield installed


@pytest.fixture(scope="session")
def throng(binaries: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Throng]:
    """Dayfly with three replicas of admission on a fourth, for tests of names that many want."""
    with (
        ControlPlane.start(tmp_path_factory.mktemp("throng")) as started,
        installed_late(started) as throng,
    ):
        yield throng


@pytest.fixture(scope="session")
def stalls() -> Iterator[Stalls]:
    """What of the time since then nobody had, as far as it was noticed."""
    with watched() as found:
        yield found


@pytest.fixture
def figure(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Print what was measured, on a line of its own."""

    def print_line(text: str) -> None:
        with capsys.disabled():
            print(f"\n  {text}", end="")

    return print_line


@pytest.fixture
async def plot(rough: System) -> AsyncIterator[Plot]:
    """A namespace on it, with a policy in force for the ConfigMaps in it."""
    async with administrator(rough.plane) as client, planted(client) as planted_plot:
        yield planted_plot


@pytest.fixture
def namespace(plane: ControlPlane) -> Iterator[str]:
    name = f"test-{secrets.token_hex(4)}"
    plane.kubectl("create", "namespace", name)
    yield name
    plane.kubectl("delete", "namespace", name, "--wait=false", "--ignore-not-found")
