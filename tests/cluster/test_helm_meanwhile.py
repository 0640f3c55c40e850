"""A real Helm at work on a release while its end comes, and what Helm itself cannot read."""

import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from dayfly_core import names
from dayfly_core.reasons import Condition
from playground import System
from playground.process import eventually
from support.helm_chart import PATIENCE, Place, enforceable, permitted

pytestmark = pytest.mark.cluster

LEFT = {"ConfigMap/kept", "Job/migrate"}
MORE = 200
"""ConfigMaps of a release that takes long enough to end for something to happen meanwhile."""

WIDGETS = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.dayfly-test.example}
spec:
  group: dayfly-test.example
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}
"""
WIDGET = "{apiVersion: dayfly-test.example/v1, kind: Widget, metadata: {name: one}}\n"
GRANT = f"""
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {{name: dayfly-test-widgets, labels: {{{names.AGGREGATE_LABEL}: "true"}}}}
rules: [{{apiGroups: [dayfly-test.example], resources: [widgets], verbs: [get, patch, delete]}}]
"""


@pytest.fixture(scope="module")
def allowed(rough: System) -> Iterator[System]:
    with permitted(rough) as system:
        yield system


@pytest.fixture
def place(allowed: System, tmp_path: Path) -> Iterator[Place]:
    with enforceable(allowed, tmp_path / "chart") as place:
        yield place


def ended(place: Place) -> bool:
    return place.there() == LEFT


def begun(place: Place) -> bool:
    return "Deployment/web" not in place.there()


def blocked(place: Place) -> str:
    condition = place.condition(Condition.RELEASE_BLOCKED)
    return condition["message"] if condition.get("status") == "True" else ""


# Hundreds of objects come, go and come again; and it may be the one that waits for Dayfly's start.
@pytest.mark.timeout(240)
def test_what_is_upgraded_while_it_ends_is_whole_and_stays(place: Place) -> None:
    assert place.install("8h", MORE).ok
    place.expire()
    assert eventually(lambda: begun(place), PATIENCE)
    upgrade = ("upgrade", "shop", str(place.chart), "--set", f"ttl=8h,more={MORE}")
    assert eventually(lambda: place.helm(*upgrade).ok, PATIENCE)
    whole = {"Deployment/web", "Service/web", *(f"ConfigMap/part-{n}" for n in range(MORE))}
    assert whole <= place.there()
    # Longer than what was begun is left alone.
    assert not eventually(lambda: not whole <= place.there(), 15)
    assert "shop" in place.helm("list", "-q", "--deployed").checked().stdout


def test_an_uninstall_while_it_ends_leaves_nothing_of_it(place: Place) -> None:
    assert place.install("8h", MORE).ok
    place.expire()
    assert eventually(lambda: begun(place), PATIENCE)
    place.helm("uninstall", "shop", "--no-hooks")
    assert eventually(lambda: ended(place), PATIENCE), place.there()
    assert "shop" not in place.helm("list", "-a", "-q").checked().stdout
    assert place.install("8h").ok


def test_what_helm_cannot_read_does_not_end_and_is_told(place: Place) -> None:
    assert place.install("8h").ok
    odd = {"data": {"release": b64encode(b"nothing that Helm has written").decode()}}
    secret = "sh.helm.release.v1.shop.v1"
    place.kubectl("patch", "secret", secret, "-p", json.dumps(odd)).checked()
    place.expire()
    assert eventually(lambda: "is not what Helm stores" in blocked(place), PATIENCE)
    assert "Deployment/web" in place.there()
    # What is in the way goes by hand, and with it the member whose end has come.
    place.kubectl("delete", "secret", secret).checked()
    place.kubectl("delete", "deployment", "web").checked()
    assert eventually(lambda: not blocked(place), PATIENCE)


def test_custom_resources_end_and_the_definition_from_crds_stays(place: Place) -> None:
    (place.chart / "crds").mkdir()
    (place.chart / "crds" / "widgets.yaml").write_text(WIDGETS)
    (place.chart / "templates" / "widget.yaml").write_text(WIDGET)
    try:
        assert place.install("8h").ok
        place.expire()
        in_the_way = 'widgets.dayfly-test.example "one" is forbidden'
        assert eventually(lambda: in_the_way in blocked(place), PATIENCE), blocked(place)
        place.system.plane.apply(GRANT)
        assert eventually(lambda: ended(place), PATIENCE), place.there()
        assert "No resources found" in place.kubectl("get", "widgets").checked().stderr
    finally:
        place.kubectl("delete", "clusterrole", "dayfly-test-widgets", "--ignore-not-found")
        place.kubectl("delete", "crd", "widgets.dayfly-test.example", "--ignore-not-found")
