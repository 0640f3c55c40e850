"""Kinds that are installed while Dayfly runs: nothing is asked before, and nothing restarted."""

from collections.abc import Iterator

import pytest

from dayfly_core import names
from playground import ControlPlane, System
from playground.process import eventually
from support import base
from support.examples import documents, namespace
from support.originals import README_UNTIL
from support.replicas import said

pytestmark = pytest.mark.cluster

SOON = 60.0
GROUPS = (names.EPHEMERATE_GROUP, names.NSMAN_GROUP)


@pytest.fixture(scope="module")
def system(binaries: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Dayfly without any component."""
    with (
        ControlPlane.start(tmp_path_factory.mktemp("late")) as plane,
        System.install(plane, admissions=1, operators=1) as installed,
    ):
        yield installed


def asked(system: System) -> list[str]:
    """Return what the operator asked about objects of these kinds."""
    return [
        event.request_uri
        for event in system.plane.audit()
        if event.sender.startswith("dayfly-operator") and event.object_ref.api_group in GROUPS
    ]


def complains(line: str) -> bool:
    """Whether an error is logged about these kinds; the API server has just started, too."""
    return " error " in line and any(group in line for group in GROUPS)


def test_kinds_cost_nothing_until_they_are_installed_and_then_work(system: System) -> None:
    [operator] = system.operators
    assert operator.identity is not None
    before = operator.identity.pid
    # A policy that comes and goes: kopf has been watching for a while by then.
    system.plane.apply((base.MANIFESTS / "policies" / "previews.yaml").read_text())
    assert eventually(lambda: "policies changed" in said(operator), SOON)
    assert asked(system) == []
    assert not [line for line in said(operator).splitlines() if complains(line)]
    system.manifests = base.MANIFESTS / "everything"
    system.apply()
    sample = documents(namespace("thanksgiving"), README_UNTIL)
    # The kind is served a moment after it is there.
    tried = ("apply", "-f", "-")
    assert eventually(lambda: system.plane.try_kubectl(*tried, stdin=sample).ok, SOON)
    assert eventually(lambda: "my-ephemerator" not in listed(system), SOON)
    assert operator.identity.pid == before


def listed(system: System) -> str:
    return system.plane.kubectl("get", "ephemerators", "-o", "name")
