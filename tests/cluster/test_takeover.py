"""Clusters as Ephemerate and k8s-namespace-manager leave them, with Dayfly installed over it.

The objects were stored by the originals' own definitions, which knew fewer rules and no
subresource; each is what years of use may have made of it.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import pytest

from dayfly_core import instant, names
from playground import ControlPlane, System
from playground.process import eventually
from support import base
from support.examples import documents, namespace
from support.original_definitions import EPHEMERATORS, MANAGERS

pytestmark = pytest.mark.cluster

Json = dict[str, Any]

FINALIZER: Final = "kopf.zalando.org/KopfFinalizerMarker"
TOO_EARLY: Final = {"expiresAtSeconds": 1637990400.25, "expiresAt": "11/26/2021, 22:20:00"}
"""As Ephemerate writes an end: a float, and a local time that does not say where."""
NOTES: Final = {
    names.ENABLED: "true",
    "kopf.zalando.org/last-handled-configuration": '{"spec":{}}\n',
}
FAR: Final = {"until": {"date": "2099-12-31", "time": "12:00:00", "timezone": "America/Phoenix"}}
HOUR: Final = {"duration": {"hours": 1}}
FIRST: Final = "namespacemanagers.k8s.consol.de/firstCheckTimestamp"
LAST: Final = "namespacemanagers.k8s.consol.de/lastCheckTimestamp"
HOME: Final = "managers"
SOON: Final = 90.0
"""Seconds within which what is due has happened: what is refused in passing, a minute later."""


def left(name: str, lifetime: Json, status: Json | None = None, **spec: Any) -> Json:
    """An Ephemerator with all that kopf adds to it."""
    return {
        "apiVersion": "tessellate.io/v1alpha1",
        "kind": "Ephemerator",
        "metadata": {"name": name, "annotations": NOTES, "finalizers": [FINALIZER]},
        "spec": {"resourceToWatch": {"namespace": name}, "lifetime": lifetime, **spec},
        "status": {"kopf": {"progress": {}}, **(status or {})},
    }


def switched_off(found: Json) -> Json:
    found["metadata"]["annotations"] = {**NOTES, names.ENABLED: "false"}
    return found


BOTH: Final = {"on_create": TOO_EARLY, "on_update": TOO_EARLY}
EPHEMERATOR_CASES: Final = {
    "sound": (left("sound", HOUR, BOTH), "Active"),
    "handled-late": (left("handled-late", FAR, {"on_create": TOO_EARLY}), "Active"),
    "relabelled": (left("relabelled", FAR, {"on_update": TOO_EARLY}), "Active"),
    "declared-shape": (
        left("declared-shape", FAR, {**TOO_EARLY, "expiresAtSeconds": 1637990400}),
        "Active",
    ),
    "half-written": (left("half-written", FAR, {"on_create": None, "on_update": {}}), "Active"),
    "nothing": (switched_off(left("nothing", {"duration": {"hours": 0}}, BOTH)), "Disabled"),
    "dormant": (switched_off(left("dormant", HOUR, BOTH)), "Disabled"),
    "zone": (left("zone", {"until": {**FAR["until"], "timezone": "Phoenix"}}), "InvalidLifetime"),
    "day": (left("day", {"until": {**FAR["until"], "date": "31.12.2099"}}), "InvalidLifetime"),
    "negative": (left("negative", {"duration": {"hours": -1}}, BOTH), "InvalidSpec"),
    "nameless": (left("nameless", HOUR, BOTH, resourceToWatch={}), "InvalidSpec"),
}
"""Nothing of these may end."""

ORIGINAL: Final = frozenset({"kopf", *BOTH})
"""What Ephemerate and its framework wrote into a status."""
WITHOUT_AN_END: Final = frozenset({"nothing", "negative", "nameless"})
"""Their spec says none that makes sense: what Ephemerate wrote stays."""


def manager(name: str, spec: Json, **annotations: str) -> Json:
    return {
        "apiVersion": "k8s.consol.de/v1beta1",
        "kind": "NamespaceManager",
        "metadata": {"name": name, "namespace": HOME, "annotations": annotations},
        "spec": {"namespace": name, **spec},
    }


def policies(*written: Json, **spec: Any) -> Json:
    return {"policies": list(written), **spec}


def policy(condition: str, action: str = "DELETE", **params: Any) -> Json:
    condition_ = {"type": condition, "params": params}
    return {"name": "end it", "condition": condition_, "action": {"type": action}}


AT_ONCE: Final = policy("TTL", ttlSeconds=0)
LATER: Final = policy("TTL", ttlSeconds=3600)
ODD: Final = policy("PODS_SUCCEED", podLabels={"build": 17})
"""Its labels are no labels now: the original made text of them."""
OLD: Final = {FIRST: "2020-05-28T20:31:41.798Z", LAST: "2020-05-29T07:26:24.261Z"}

MANAGER_CASES: Final = {
    "deactivated": (
        manager("deactivated", policies(AT_ONCE, deactivated=True), **OLD),
        "Deactivated",
    ),
    "checked": (manager("checked", policies(LATER), **OLD), "Active"),
    "malformed": (
        manager("malformed", policies(LATER), **{FIRST: "yesterday", LAST: "9999-99-99T99"}),
        "Active",
    ),
    "to-come": (manager("to-come", policies(LATER), **{LAST: "2099-01-01T00:00:00Z"}), "Active"),
    "twins": (manager("twins", policies(LATER, LATER)), "Active"),
    "numbers": (manager("numbers", policies(ODD, LATER)), "InvalidRule"),
    "minus": (manager("minus", policies(policy("TTL", ttlSeconds=-1))), "InvalidRule"),
    "restless": (
        manager("restless", policies(policy("PODS_SUCCEED", periodSeconds=0))),
        "InvalidRule",
    ),
    "unsent": (manager("unsent", policies(policy("TTL", "WEBHOOK", ttlSeconds=0))), "InvalidRule"),
}
"""Nothing of these may end either."""

DUE: Final = manager("due", policies(ODD, AT_ONCE))


@dataclass(frozen=True)
class Cluster:
    """Dayfly, over what the originals left."""

    system: System
    before: Json

    @property
    def plane(self) -> ControlPlane:
        return self.system.plane

    def ephemerators(self) -> dict[str, Json]:
        return by_name(self.plane.read("ephemerators"))

    def managers(self) -> dict[str, Json]:
        return by_name(self.plane.read("nsman", "-n", HOME))

    def active(self, name: str) -> bool:
        args = ("get", "namespace", name, "-o=jsonpath={.status.phase}")
        return self.plane.try_kubectl(*args).stdout == "Active"


def by_name(listed: Json) -> dict[str, Json]:
    return {each["metadata"]["name"]: each for each in listed["items"]}


def ready(found: Json) -> str:
    conditions = found.get("status", {}).get("conditions", [])
    return next((each["reason"] for each in conditions if each["type"] == "Ready"), "")


def stored(plane: ControlPlane) -> None:
    """Store everything as it was stored before there was Dayfly."""
    plane.kubectl("create", "-f", "-", stdin=documents(EPHEMERATORS, MANAGERS))
    for plural in ("ephemerators.tessellate.io", "namespacemanagers.k8s.consol.de"):
        plane.kubectl("wait", "--for=condition=Established", "--timeout=30s", f"crd/{plural}")
    spaces = [HOME, "leaving", "over", "due", *EPHEMERATOR_CASES, *MANAGER_CASES]
    plane.apply(documents(*map(namespace, spaces)))
    cases = (*EPHEMERATOR_CASES.values(), *MANAGER_CASES.values())
    past = {"until": {"date": "2021-11-25", "time": "12:00:00", "timezone": "America/Phoenix"}}
    items = [left("leaving", HOUR, BOTH), left("over", past), DUE, *(found for found, _ in cases)]
    # Not applied: Helm and kopf leave no note of what they wrote last.
    plane.kubectl(
        "create", "-f", "-", stdin=json.dumps({"kind": "List", "apiVersion": "v1", "items": items})
    )
    plane.kubectl("delete", "ephemerator", "leaving", "--wait=false")


@pytest.fixture(scope="module")
def cluster(binaries: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with ControlPlane.start(tmp_path_factory.mktemp("takeover")) as plane:
        stored(plane)
        before = plane.read("ephemerators")
        with System.install(
            plane, admissions=1, operators=1, manifests=base.MANIFESTS / "everything"
        ) as system:
            yield Cluster(system, before)


def test_what_the_originals_stored_is_as_they_stored_it(cluster: Cluster) -> None:
    before = by_name(cluster.before)
    assert before["sound"]["status"]["on_update"] == TOO_EARLY
    assert before["leaving"]["metadata"]["deletionTimestamp"]
    assert all(FINALIZER in each["metadata"]["finalizers"] for each in before.values())


def test_what_is_past_ends_as_it_would_have(cluster: Cluster) -> None:
    assert eventually(lambda: "over" not in cluster.ephemerators(), SOON)
    assert not cluster.active("over")  # it goes after its namespace


def test_p13_what_was_being_deleted_is_let_go_and_its_namespace_stays(cluster: Cluster) -> None:
    assert eventually(lambda: "leaving" not in cluster.ephemerators(), SOON)
    assert cluster.active("leaving")


def test_n10_a_policy_that_cannot_be_read_stops_no_other(cluster: Cluster) -> None:
    # The last that it writes: the namespace goes, what came of it is told, and then it is this.
    assert eventually(lambda: cluster.managers()["due"]["spec"].get("deactivated"), SOON)
    assert not cluster.active("due")
    status = cluster.managers()["due"]["status"]
    assert [each["result"] for each in status["policies"]] == ["Waiting", "Done"]


@pytest.mark.parametrize("name", EPHEMERATOR_CASES)
def test_ephemerators_are_taken_over_without_a_wrong_end(cluster: Cluster, name: str) -> None:
    # The last that is written: the status is first, then the marks go, and then it is seen.
    assert eventually(lambda: "observedGeneration" in cluster.ephemerators()[name]["status"], SOON)
    assert cluster.active(name)
    found = cluster.ephemerators()[name]
    assert ready(found) == EPHEMERATOR_CASES[name][1]
    assert "finalizers" not in found["metadata"]
    assert [key for key in found["metadata"]["annotations"] if "kopf" in key] == []
    said = {key for key, value in found["status"].items() if value} & ORIGINAL
    assert said == (BOTH.keys() if name in WITHOUT_AN_END else set())


@pytest.mark.parametrize("name", MANAGER_CASES)
def test_managers_are_taken_over_without_a_wrong_act(cluster: Cluster, name: str) -> None:
    found, wanted = MANAGER_CASES[name]
    assert eventually(lambda: ready(cluster.managers()[name]) == wanted, SOON)
    assert cluster.active(name)
    assert cluster.managers()[name]["spec"] == found["spec"]


def test_p7_the_end_is_told_in_one_shape(cluster: Cluster) -> None:
    found = cluster.ephemerators()["sound"]
    end = created(found) + timedelta(hours=1)
    assert found["status"]["expiresAt"] == instant.render(end)
    assert found["status"]["expiresAtSeconds"] == end.timestamp()
    assert cluster.ephemerators()["declared-shape"]["status"]["expiresAt"] == "2099-12-31T19:00:00Z"


def created(found: Json) -> datetime:
    return instant.parse(found["metadata"]["creationTimestamp"])


OFF: Final = '{"spec":{"deactivated":true}}'


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(
            ("annotate", "ephemerator", "negative", f"{names.ENABLED}=false", "--overwrite"),
            id="an Ephemerator",
        ),
        pytest.param(
            ("patch", "nsman", "numbers", "-n", HOME, "--type=merge", "-p", OFF),
            id="a NamespaceManager",
        ),
    ],
)
def test_what_would_be_refused_now_can_be_switched_off(
    cluster: Cluster, change: tuple[str, ...]
) -> None:
    cluster.plane.kubectl(*change)


@pytest.mark.parametrize(
    "target",
    [
        pytest.param(("ephemerator", "negative"), id="an Ephemerator with a negative number"),
        pytest.param(("ephemerator", "zone"), id="an Ephemerator with an unknown zone"),
        pytest.param(("ephemerator", "nameless"), id="an Ephemerator without a namespace"),
        pytest.param(("nsman", "minus", "-n", HOME), id="a NamespaceManager with a negative ttl"),
        pytest.param(("nsman", "numbers", "-n", HOME), id="a NamespaceManager with odd labels"),
    ],
)
def test_what_would_be_refused_now_can_be_labelled_and_deleted(
    cluster: Cluster, target: tuple[str, ...]
) -> None:
    cluster.plane.kubectl("label", *target, "team=a")
    cluster.plane.kubectl("delete", *target, "--timeout=20s")


def test_the_short_name_that_ephemeron_has_is_given_back(cluster: Cluster) -> None:
    definition = cluster.plane.read("crd", "ephemerators.tessellate.io")
    assert "shortNames" not in definition["spec"]["names"]
