"""The same manifest again changes nothing: no version, no owner of a field, no difference."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dayfly_core import names
from playground import System
from playground.process import eventually
from support.neighbours import (
    PATIENCE,
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


@pytest.fixture(scope="module")
def neighbours(system: System) -> Iterator[Neighbours]:
    with settled(system) as moved_in:
        yield moved_in


@dataclass(frozen=True, slots=True)
class Environment:
    """A Namespace that is an environment, and a Deployment with a host in it, as one manifest."""

    neighbours: Neighbours
    name: str
    directory: Path

    @property
    def items(self) -> tuple[Json, Json]:
        namespace = a_namespace(self.name, {names.ENVIRONMENT: self.name}, {names.TTL: "1d"})
        # Its controller writes that: every replace would take it away, and it would come back.
        revision = {"deployment.kubernetes.io/revision": "1"}
        return namespace, a_deployment(f"{self.name}-web", self.name, revision)

    def deploy(self, command: str) -> None:
        """Give the manifest to a command of kubectl or Helm."""
        tool, verb, *flags = command.split()
        if verb == "patch":
            self._patch(flags)
            return
        manifest = write_manifest(self.directory / "manifest.yaml", self.neighbours, *self.items)
        if tool == "kubectl":
            self.neighbours.kubectl(verb, *flags, "-f", str(manifest)).checked()
            return
        chart = self.directory / "chart"
        if not chart.exists():
            write_chart(chart)
        given = ("-n", f"{TEAM}-beside", "--set-file", f"manifest={manifest}")
        self.neighbours.helm(verb, *flags, "again", str(chart), *given).checked()

    def _patch(self, flags: list[str]) -> None:
        for item in self.items:
            meta = item["metadata"]
            about = (item["kind"], meta["name"], "-n", meta.get("namespace", "default"))
            whole = ("-p", json.dumps(item))
            self.neighbours.kubectl("patch", *flags, *about, *whole).checked()

    def stored(self) -> tuple[Json, Json]:
        """Read both, once nobody has anything left to do with them."""
        assert eventually(self._quiet, PATIENCE)
        whole = "--show-managed-fields"
        namespace = self.neighbours.read("namespace", self.name, whole)
        web = ("deployment", f"{self.name}-web", "-n", self.name)
        return namespace, self.neighbours.read(*web, whole)

    def _quiet(self) -> bool:
        """Whether the Deployment's controller has said its last word, and all names are bound."""
        found = self.neighbours.read("deployment", f"{self.name}-web", "-n", self.name)
        reasons = {condition["reason"] for condition in found["status"].get("conditions", ())}
        status, generation = found["status"], found["metadata"]["generation"]
        if "NewReplicaSetAvailable" not in reasons or status["observedGeneration"] != generation:
            return False
        wanted = {self.neighbours.of_team(self.name), self.host}
        claims = self.neighbours.read("nameclaims")["items"]
        bound = {c["spec"]["key"]["value"] for c in claims if c["spec"]["state"] == "Bound"}
        return wanted <= bound

    @property
    def host(self) -> str:
        return self.neighbours.of_team(f"{self.name}-web.{TEAM}.example")


@pytest.mark.parametrize(
    ("first", "again"),
    [
        pytest.param(first, again, id=again)
        for first, again in (
            ("kubectl apply", "kubectl apply"),
            ("kubectl apply --server-side", "kubectl apply --server-side"),
            ("kubectl create", "kubectl replace"),
            ("kubectl create", "kubectl patch"),
            ("kubectl create", "kubectl patch --type=merge"),
            ("helm install", "helm upgrade"),
            ("helm upgrade --install --atomic", "helm upgrade --install --atomic"),
        )
    ],
)
def test_the_same_again_changes_nothing(
    neighbours: Neighbours, tmp_path: Path, first: str, again: str
) -> None:
    environment = Environment(neighbours, f"{TEAM}-again", tmp_path)
    environment.deploy(first)
    try:
        environment.stored()
        environment.deploy(again)  # a tool that did not create it takes its fields over, once
        before = environment.stored()
        namespace, deployment = before
        assert namespace["metadata"]["labels"][names.POLICY] == f"{neighbours.name}-namespaces"
        assert deployment["metadata"]["annotations"][names.HOST] == environment.host
        assert deployment["metadata"]["managedFields"]
        environment.deploy(again)
        assert environment.stored() == before
        assert dry_run(environment, "argocd") == ""
        assert environment.stored() == before
    finally:
        forget(environment)


def dry_run(environment: Environment, manager: str) -> str:
    """Return what server-side apply by a GitOps tool would change, as it compares."""
    manifest = environment.directory / "manifest.yaml"
    how = ("--server-side", "--force-conflicts", f"--field-manager={manager}")
    return environment.neighbours.kubectl("diff", *how, "-f", str(manifest)).checked().stdout


def forget(environment: Environment) -> None:
    environment.neighbours.helm("uninstall", "again", "-n", f"{TEAM}-beside", "--ignore-not-found")
    gone = ("--ignore-not-found", "--timeout=60s")
    environment.neighbours.kubectl("delete", "namespace", environment.name, *gone).checked()
