"""Ephemerate's own samples and test files on a real API server, and what they should bring about.

Lengths of time are shortened from minutes and hours to seconds, where a test waits for their end.
"""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from dayfly_core import instant, names
from playground import ControlPlane, System
from playground.commands import Result
from playground.process import eventually
from support import base
from support.original_manifests import (
    ALL_BUT_ALL,
    DELETED,
    DISABLED,
    EPHEMERATOR_SAMPLE_1,
    EPHEMERATOR_SAMPLE_2,
    IGNORED,
    NAMESPACE,
    PHOENIX,
    UNTIL,
    ephemerator,
    seconds,
)
from support.replicas import away
from support.unguarded import unguarded

pytestmark = pytest.mark.cluster

SOON = 15.0
"""Seconds within which what is due has happened, on a machine that has other things to do."""
MOMENT = 3.0
"""Seconds in which what must not happen would have happened."""


@pytest.fixture(scope="module")
def system(binaries: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Dayfly with the component, started as Ephemerate was, months of 28 days included."""
    with pytest.MonkeyPatch.context() as environ:
        environ.setenv("EPHEMERATOR_IGNORE_NAMESPACES", f"other, {IGNORED[1]}")
        environ.setenv("EPHEMERATE_INTERVAL", "60")
        with (
            ControlPlane.start(tmp_path_factory.mktemp("ephemerators")) as plane,
            System.install(
                plane,
                admissions=1,
                operators=2,
                operator_flags=("--ephemerator-months", "compat"),
                manifests=base.MANIFESTS / "everything",
            ) as installed,
        ):
            yield installed


def found(system: System, name: str) -> dict[str, Any] | None:
    listed = system.plane.read("ephemerators")["items"]
    return next((each for each in listed if each["metadata"]["name"] == name), None)


def status(system: System, name: str) -> dict[str, Any]:
    told: dict[str, Any] = (found(system, name) or {}).get("status", {})
    return told


def expires_at(system: System, name: str) -> datetime:
    assert eventually(lambda: "expiresAt" in status(system, name), SOON)
    told = status(system, name)
    end = instant.parse(told["expiresAt"])
    assert told["expiresAtSeconds"] == end.timestamp()
    return end


def created(system: System, name: str) -> datetime:
    item = found(system, name)
    assert item is not None
    return instant.parse(item["metadata"]["creationTimestamp"])


def alive(system: System, namespace: str) -> bool:
    read = system.plane.try_kubectl("get", "namespace", namespace, "-o=jsonpath={.status.phase}")
    return read.ok and read.stdout == "Active"


def over(system: System, name: str, namespace: str) -> bool:
    gone = not system.plane.try_kubectl("get", "namespace", namespace).ok
    return gone and found(system, name) is None


def tried(system: System, text: str) -> Result:
    return system.plane.try_kubectl("apply", "-f", "-", stdin=text)


def ready(system: System, name: str) -> str:
    conditions = status(system, name).get("conditions", [])
    return next((each["reason"] for each in conditions if each["type"] == "Ready"), "")


def test_ap1_the_first_sample_ends_63_weeks_4_days_5_h_6_min_after_its_creation(
    system: System,
) -> None:
    system.plane.apply(NAMESPACE.format(name="my-namespace"))
    system.plane.apply(EPHEMERATOR_SAMPLE_1)
    length = timedelta(weeks=63, days=4, hours=5, minutes=6)
    assert expires_at(system, "my-ephemerator") == created(system, "my-ephemerator") + length
    assert alive(system, "my-namespace")
    system.plane.kubectl("delete", "ephemerator", "my-ephemerator")


def test_ap2_the_second_sample_is_past_and_both_go_at_once(system: System) -> None:
    system.plane.apply(NAMESPACE.format(name="thanksgiving"))
    system.plane.apply(EPHEMERATOR_SAMPLE_2)
    assert eventually(lambda: over(system, "my-ephemerator", "thanksgiving"), SOON)


def test_ap3_a_namespace_ends_so_long_after_the_creation_of_its_ephemerator(
    system: System,
) -> None:
    name, namespace = DELETED
    system.plane.apply(ephemerator(name, namespace, seconds(5)))
    end = expires_at(system, name)
    assert end == created(system, name) + timedelta(seconds=5)
    mark = system.plane.audit_log.position()
    assert eventually(lambda: over(system, name, namespace), SOON)
    [deleted] = [
        event
        for event in system.plane.audit(mark)
        if event.verb == "delete" and event.target == f"namespaces/{namespace}" and event.accepted
    ]
    assert timedelta() <= deleted.stage_timestamp - end < timedelta(seconds=2)


def test_ap4_one_that_is_not_enabled_ends_nothing_and_says_when_it_would(system: System) -> None:
    name, namespace = DISABLED
    system.plane.apply(ephemerator(name, namespace, seconds(1), enabled="false"))
    assert expires_at(system, name) == created(system, name) + timedelta(seconds=1)
    assert not eventually(lambda: not alive(system, namespace), MOMENT)
    assert ready(system, name) == "Disabled"
    # Ephemerate: enabled later, and past already.
    system.plane.kubectl(*("annotate", "ephemerator", name, f"{names.ENABLED}=true", "--overwrite"))
    assert eventually(lambda: over(system, name, namespace), SOON)


def test_ap5_an_ignored_namespace_does_not_end(system: System) -> None:
    name, namespace = IGNORED
    system.plane.apply(ephemerator(name, namespace, seconds(1)))
    expires_at(system, name)
    assert not eventually(lambda: not alive(system, namespace), MOMENT)
    assert ready(system, name) == "Ignored"


def test_ap6_a_date_without_quotes_is_a_date(system: System) -> None:
    name, namespace = UNTIL
    system.plane.apply(ephemerator(name, namespace, PHOENIX))
    assert eventually(lambda: over(system, name, namespace), SOON)


def test_ap7_of_two_for_one_namespace_the_first_ends_it_and_the_second_goes_too(
    system: System,
) -> None:
    namespace = "namespace-ephemerator-test6"
    system.plane.apply(ephemerator("ephemerator-hour", namespace, seconds(4)))
    system.plane.apply(ephemerator("ephemerator-hour-minute", namespace, seconds(6)))
    for lifetime in ("duration:", "{}"):
        refused = tried(system, ephemerator("ephemerator-empty", namespace, lifetime))
        assert not refused.ok
        assert "lifetime" in refused.stderr
    assert eventually(lambda: over(system, "ephemerator-hour", namespace), SOON)
    mark = system.plane.audit_log.position()
    assert eventually(lambda: over(system, "ephemerator-hour-minute", namespace), SOON)
    assert not eventually(lambda: asked(system, mark, namespace) > 4, MOMENT), "it loops"


def asked(system: System, mark: int, namespace: str) -> int:
    """Count what the operators asked about a namespace."""
    account = f"system:serviceaccount:{names.SYSTEM_NAMESPACE}:{names.OPERATOR_ACCOUNT}"
    return sum(
        event.user.username == account and event.request_uri.endswith(f"/namespaces/{namespace}")
        for event in system.plane.audit(mark)
    )


@pytest.mark.parametrize("until", ALL_BUT_ALL)
def test_ap8_an_instant_takes_date_time_and_zone(system: System, until: str) -> None:
    refused = tried(system, ephemerator("ephemerator-half", "nothing", f"until: {until}"))
    assert not refused.ok
    assert "until" in refused.stderr


@pytest.mark.parametrize("namespace", ["default", "kube-system"])
def test_ap9_a_guarded_namespace_never_ends(system: System, namespace: str) -> None:
    """Even one that admission has not refused, because it was away."""
    name = f"ephemerator-{namespace}"
    _, text = ephemerator(name, namespace, seconds(1)).split("---\n")
    with unguarded(system, names.KINDS_WEBHOOK):
        system.plane.apply(text)
        assert eventually(lambda: ready(system, name) == "Guarded", SOON)
        assert not eventually(lambda: not alive(system, namespace), MOMENT)
        system.plane.kubectl("delete", "ephemerator", name)


def test_ap10_a_label_moves_no_instant(system: System) -> None:
    later = (datetime.now(UTC) + timedelta(days=9)).strftime("%Y-%m-%d")  # noqa: TID251  a control plane's clock is the real one
    lifetime = f"until: {{date: '{later}', time: '12:00:00', timezone: America/Phoenix}}"
    system.plane.apply(ephemerator("ephemerator-label", "labelled", lifetime))
    end = expires_at(system, "ephemerator-label")
    assert instant.render(end) == f"{later}T19:00:00Z"
    for change in ("label", "annotate"):
        system.plane.kubectl(change, "ephemerator", "ephemerator-label", "days=later")
    system.plane.kubectl(
        *("annotate", "ephemerator", "ephemerator-label", f"{names.ENABLED}=false", "--overwrite")
    )
    assert eventually(lambda: ready(system, "ephemerator-label") == "Disabled", SOON)
    assert expires_at(system, "ephemerator-label") == end


def test_ap11_all_test_files_at_once(system: System) -> None:
    rows = (
        (*DELETED, seconds(2), "true"),
        (*DISABLED, seconds(2), "false"),
        (*IGNORED, seconds(2), "true"),
        (*UNTIL, PHOENIX, "true"),
    )
    texts = [ephemerator(*row[:3], enabled=row[3]) for row in rows]
    system.plane.apply("---\n".join(texts))
    assert eventually(lambda: over(system, *DELETED) and over(system, *UNTIL), SOON)
    assert alive(system, DISABLED[1])
    assert alive(system, IGNORED[1])
    for name, _ in (DISABLED, IGNORED):
        system.plane.kubectl("delete", "ephemerator", name)


LEFT_BY_KOPF = "kopf.zalando.org/KopfFinalizerMarker"


def test_what_ephemerate_left_behind_is_taken_over(system: System) -> None:
    text = ephemerator("ephemerator-old", "taken-over", seconds(3600))
    kopf = f"  finalizers: [{LEFT_BY_KOPF}]\n"
    text = text.replace(
        "    ephemerators",
        "    kopf.zalando.org/last-handled-configuration: '{}'\n    ephemerators",
    ).replace("spec:\n", f"{kopf}spec:\n")
    with away(*system.operators):
        system.plane.apply(text)
        past = {"expiresAtSeconds": 1.5, "expiresAt": "11/26/2021, 22:20:00"}
        write_status(system, "ephemerator-old", {"on_create": past, "on_update": past})
    end = created(system, "ephemerator-old") + timedelta(hours=1)
    assert eventually(lambda: "observedGeneration" in status(system, "ephemerator-old"), SOON)
    assert expires_at(system, "ephemerator-old") == end
    assert alive(system, "taken-over")
    item = found(system, "ephemerator-old")
    assert item is not None
    assert "finalizers" not in item["metadata"]
    assert not any("kopf" in key for key in item["metadata"]["annotations"])
    since = time.monotonic()
    system.plane.kubectl("delete", "ephemerator", "ephemerator-old", "--timeout=10s")
    assert time.monotonic() - since < 10


def write_status(system: System, name: str, written: dict[str, Any]) -> None:
    patch = msgspec.json.encode({"status": written}).decode()
    system.plane.kubectl(
        *("patch", "ephemerator", name, "--subresource=status", "--type=merge", "-p", patch)
    )
