"""What people read when Helm is refused a name or a host, and what Helm leaves behind."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest

from dayfly_core import names
from playground import System
from playground.commands import Result
from support.neighbours import (
    TEAM,
    Json,
    Neighbours,
    a_deployment,
    a_namespace,
    settled,
    write_chart,
    write_manifest,
)

pytestmark = pytest.mark.cluster

BESIDE = f"{TEAM}-beside"
INNOCENT: Json = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "innocent"}}
HOST_TAKEN = (
    'admission webhook "judge.dayfly.dev" denied the request: Deployment.apps "web" is invalid: '
    f'metadata.annotations[dayfly.dev/host]: Invalid value: "web.{TEAM}.example": already used by '
    f"Deployment {TEAM}/web; ExpiryPolicy {TEAM} gives this host: choose another metadata.name, "
    "have spec.host.template changed, or delete that Deployment first"
)
BOTH_WRONG = (
    'admission webhook "environments.dayfly.dev" denied the request: '
    f'Namespace "{TEAM}-new" is invalid: metadata.annotations[dayfly.dev/ttl]: Invalid value: "5": '
    "has no unit; write for example 90s, 8h, 1d12h, 2w or P1DT12H; "
    f'metadata.labels[dayfly.dev/environment]: Invalid value: "{TEAM}": already used by Namespace '
    f"{TEAM}; choose another name, or delete that Namespace first"
)


class Wrong(NamedTuple):
    """A manifest, and what the API server says of it."""

    item: Json
    says: str


TAKEN_NAME = a_namespace(f"{TEAM}-new", {names.ENVIRONMENT: TEAM}, {names.TTL: "5"})
WRONG = [
    pytest.param(Wrong(a_deployment("web", BESIDE), HOST_TAKEN), id="a taken host"),
    pytest.param(Wrong(TAKEN_NAME, BOTH_WRONG), id="a bad ttl and a taken name, in one answer"),
]


@dataclass(frozen=True, slots=True)
class Release:
    """A Helm release beside, of a chart that installs what it is given."""

    neighbours: Neighbours
    name: str
    directory: Path

    def helm(self, command: str, item: Json) -> Result:
        """Run ``helm COMMAND`` with a manifest; the command may have flags."""
        manifest = write_manifest(self.directory / "manifest.yaml", self.neighbours, item)
        given = ("-n", BESIDE, "--set-file", f"manifest={manifest}")
        chart = str(self.directory / "chart")
        return self.neighbours.helm(*command.split(), self.name, chart, *given)

    @property
    def status(self) -> str:
        """As ``helm status`` has it; empty if Helm knows no such release."""
        told = self.neighbours.helm("status", self.name, "-n", BESIDE).stdout
        found = (line for line in told.splitlines() if line.startswith("STATUS: "))
        return next(found, "").removeprefix("STATUS: ")


@pytest.fixture(scope="module")
def neighbours(system: System) -> Iterator[Neighbours]:
    with settled(system) as moved_in:
        yield moved_in


@pytest.fixture
def release(neighbours: Neighbours, tmp_path: Path) -> Iterator[Release]:
    write_chart(tmp_path / "chart")
    release = Release(neighbours, "shop", tmp_path)
    yield release
    neighbours.helm("uninstall", release.name, "-n", BESIDE, "--ignore-not-found")


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize(
    ("command", "begins", "left"),
    [
        pytest.param(
            "install", "Error: INSTALLATION FAILED: 1 error occurred:", "failed", id="install"
        ),
        pytest.param(
            "upgrade --install --atomic",
            "Error: release shop failed, and has been uninstalled due to atomic being set: "
            "1 error occurred:",
            "",
            id="upgrade --install --atomic, which leaves nothing",
        ),
    ],
)
def test_a_first_release(
    release: Release, wrong: Wrong, command: str, begins: str, left: str
) -> None:
    refused = release.helm(command, wrong.item)
    assert refused.code == 1
    assert told(refused) == release.neighbours.of_team(f"{begins}\n\t* {wrong.says}")
    assert release.status == left


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize(
    ("command", "begins", "left"),
    [
        pytest.param(
            "upgrade", "Error: UPGRADE FAILED: failed to create resource: ", "failed", id="upgrade"
        ),
        pytest.param(
            "upgrade --install --atomic",
            "Error: UPGRADE FAILED: release shop failed, and has been rolled back due to atomic "
            "being set: failed to create resource: ",
            "deployed",
            id="upgrade --install --atomic, which goes back",
        ),
    ],
)
def test_a_further_release(
    release: Release, wrong: Wrong, command: str, begins: str, left: str
) -> None:
    assert release.helm("install", INNOCENT).ok
    refused = release.helm(command, wrong.item)
    assert refused.code == 1
    assert told(refused) == release.neighbours.of_team(f"{begins}{wrong.says}")
    assert release.status == left


def told(refused: Result) -> str:
    """Return what Helm says of it all in the end, without its lines about what it does."""
    return refused.stderr[refused.stderr.index("Error: ") :].strip()


@pytest.mark.parametrize("wrong", WRONG)
def test_a_dry_run_of_helm_asks_nobody_and_claims_nothing(release: Release, wrong: Wrong) -> None:
    """Helm only renders: what is in the way is seen by ``kubectl apply --dry-run=server``."""
    rendered = release.helm("install --dry-run=server", wrong.item)
    assert rendered.ok
    assert rendered.stderr == ""
    name = release.neighbours.name
    assert release.neighbours.holder(f"web.{name}.example") == f"Deployment {name}/web"
    assert release.neighbours.holder(name) == f"Namespace /{name}"
