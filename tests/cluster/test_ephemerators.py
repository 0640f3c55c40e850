"""Ephemerate's own samples and test files on a real API server, and what they should bring about.

Lengths of time are shortened from minutes and hours to seconds, where a test waits for their end.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from dayfly_core import instant, names
from playground import ControlPlane, System
from playground.audit import AuditEvent
from playground.commands import Result
from playground.process import eventually
from support import base
from support.examples import documents, namespace
from support.originals import (
    DELETED,
    DISABLED,
    IGNORED,
    README_DURATION,
    README_UNTIL,
    UNTIL,
    VALIDATION_DURATION,
    VALIDATION_UNTIL,
    loaded,
)
from support.replicas import away
from support.unguarded import unguarded

pytestmark = pytest.mark.cluster

LEFT_BY_KOPF = "kopf.zalando.org/KopfFinalizerMarker"
SOON = 60.0
"""Seconds within which what is due has happened, on a machine that has other things to do."""
SOONER = timedelta(seconds=30)
"""In which it has happened if the end was waited for, and not looked at now and then."""
MOMENT = 3.0
"""Seconds in which what must not happen would have happened."""


@pytest.fixture(scope="module")
def system(binaries: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Dayfly with the component, started as Ephemerate was, months of 28 days included."""
    with pytest.MonkeyPatch.context() as environ:
        environ.setenv("EPHEMERATOR_IGNORE_NAMESPACES", f" spared-*, {names_of(IGNORED)[1]}")
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


def names_of(text: str) -> tuple[str, str]:
    """Return the names of an Ephemerator and of its namespace."""
    item = loaded(text)
    spec = item["spec"]
    aim = spec.get("namespaceToWatch") or spec["resourceToWatch"]["namespace"]
    return item["metadata"]["name"], aim


def apply(system: System, *texts: str) -> None:
    """Apply each with its namespace."""
    spaces = {names_of(text)[1] for text in texts}
    system.plane.apply(documents(*map(namespace, sorted(spaces)), *texts))


def lasting(text: str, seconds: int) -> str:
    """Have it last so many seconds: the unit that only the original's code knew."""
    head, _, _ = text.partition("    duration:")
    return f"{head}    duration:\n      seconds: {seconds}\n"


def test_ap1_the_first_sample_ends_63_weeks_4_days_5_h_6_min_after_its_creation(
    system: System,
) -> None:
    apply(system, README_DURATION)
    length = timedelta(weeks=63, days=4, hours=5, minutes=6)
    assert expires_at(system, "my-ephemerator") == created(system, "my-ephemerator") + length
    assert alive(system, "my-namespace")
    system.plane.kubectl("delete", "ephemerator", "my-ephemerator")


def test_ap2_the_second_sample_is_past_and_both_go_at_once(system: System) -> None:
    apply(system, README_UNTIL)
    assert eventually(lambda: over(system, *names_of(README_UNTIL)), SOON)


def test_ap3_a_namespace_ends_so_long_after_the_creation_of_its_ephemerator(
    system: System,
) -> None:
    name, target = names_of(DELETED)
    mark = system.plane.audit_log.position()
    system.plane.apply(namespace(target))
    stored = msgspec.json.decode(system.plane.apply(lasting(DELETED, 5), "-o", "json"))
    end = instant.parse(stored["metadata"]["creationTimestamp"]) + timedelta(seconds=5)
    assert eventually(lambda: over(system, name, target), SOON)
    assert eventually(lambda: bool(deletions(system, mark, target)), SOON)
    [deleted] = deletions(system, mark, target)
    assert timedelta() <= deleted.stage_timestamp - end < SOONER
    # Nobody is sure to read it in time, but what is written is in the log as well.
    assert ends_written(system, mark, name) == {instant.render(end)}


def deletions(system: System, mark: int, namespace: str) -> list[AuditEvent]:
    return [
        event
        for event in system.plane.audit(mark)
        if event.verb == "delete" and event.target == f"namespaces/{namespace}" and event.accepted
    ]


def ends_written(system: System, mark: int, name: str) -> set[str]:
    """Return every end that was written into the status of an Ephemerator."""
    written = [
        msgspec.json.decode(event.request_object)["status"]
        for event in system.plane.audit(mark)
        if event.target == f"ephemerators/{name}"
        and event.object_ref.subresource == "status"
        and event.accepted
    ]
    return {status["expiresAt"] for status in written if "expiresAt" in status}


def test_ap4_one_that_is_not_enabled_ends_nothing_and_says_when_it_would(system: System) -> None:
    name, target = names_of(DISABLED)
    apply(system, lasting(DISABLED, 1))
    assert expires_at(system, name) == created(system, name) + timedelta(seconds=1)
    assert not eventually(lambda: not alive(system, target), MOMENT)
    assert eventually(lambda: ready(system, name) == "Disabled", SOON)
    # As with Ephemerate: enabled later, when its end is past.
    system.plane.kubectl("annotate", "ephemerator", name, f"{names.ENABLED}=true", "--overwrite")
    assert eventually(lambda: over(system, name, target), SOON)


def test_ap5_an_ignored_namespace_does_not_end(system: System) -> None:
    name, target = names_of(IGNORED)
    apply(system, lasting(IGNORED, 1))
    expires_at(system, name)
    assert not eventually(lambda: not alive(system, target), MOMENT)
    assert eventually(lambda: ready(system, name) == "Ignored", SOON)


def test_ap6_a_date_without_quotes_is_a_date(system: System) -> None:
    assert "date: 2021-11-26\n" in UNTIL
    apply(system, UNTIL)
    assert eventually(lambda: over(system, *names_of(UNTIL)), SOON)


def test_ap7_of_two_for_one_namespace_the_first_ends_it_and_the_second_goes_too(
    system: System,
) -> None:
    first, second, *unsound = VALIDATION_DURATION
    apply(system, lasting(first, 4), lasting(second, 6))
    for text in unsound:
        refused = tried(system, text)
        assert not refused.ok
        assert "lifetime" in refused.stderr
    assert eventually(lambda: over(system, *names_of(first)), SOON)
    mark = system.plane.audit_log.position()
    assert eventually(lambda: over(system, *names_of(second)), SOON)
    target = names_of(second)[1]
    assert not eventually(lambda: asked(system, mark, target) > 4, MOMENT), "it loops"


def asked(system: System, mark: int, namespace: str) -> int:
    """Count what the operators asked about a namespace."""
    account = f"system:serviceaccount:{names.SYSTEM_NAMESPACE}:{names.OPERATOR_ACCOUNT}"
    return sum(
        event.user.username == account and event.request_uri.endswith(f"/namespaces/{namespace}")
        for event in system.plane.audit(mark)
    )


@pytest.mark.parametrize("text", VALIDATION_UNTIL)
def test_ap8_an_instant_takes_date_time_and_zone(system: System, text: str) -> None:
    refused = tried(system, text)
    assert not refused.ok
    assert "until" in refused.stderr


@pytest.mark.parametrize("target", ["default", "kube-system"])
def test_ap9_a_guarded_namespace_never_ends(system: System, target: str) -> None:
    """Even one that admission has not refused, because it was away."""
    name = f"ephemerator-{target}"
    text = lasting(DELETED, 1).replace(names_of(DELETED)[0], name)
    with unguarded(system, names.KINDS_WEBHOOK):
        aimed = text.replace(names_of(DELETED)[1], target)
        # The API server hears a moment later that it may do without admission.
        assert eventually(lambda: tried(system, aimed).ok, SOON)
        assert eventually(lambda: ready(system, name) == "Guarded", SOON)
        assert not eventually(lambda: not alive(system, target), MOMENT)
        system.plane.kubectl("delete", "ephemerator", name)


def test_ap10_a_label_moves_no_instant(system: System) -> None:
    later = (datetime.now(UTC) + timedelta(days=9)).strftime("%Y-%m-%d")  # noqa: TID251  a control plane's clock is the real one
    text = UNTIL.replace("2021-11-26", later)
    name, _ = names_of(text)
    apply(system, text)
    end = expires_at(system, name)
    for change in ("label", "annotate"):
        system.plane.kubectl(change, "ephemerator", name, "days=later")
    system.plane.kubectl("annotate", "ephemerator", name, f"{names.ENABLED}=false", "--overwrite")
    assert eventually(lambda: ready(system, name) == "Disabled", SOON)
    assert expires_at(system, name) == end
    system.plane.kubectl("delete", "ephemerator", name)


@pytest.mark.parametrize(
    ("date", "end"),
    [
        pytest.param("2037-03-29", "2037-03-29T01:00:00Z", id="once the clocks have skipped it"),
        pytest.param("2037-10-25", "2037-10-25T00:30:00Z", id="the first of two"),
    ],
)
def test_p12_a_time_that_clocks_skip_or_show_twice(system: System, date: str, end: str) -> None:
    text = UNTIL.replace("2021-11-26", date).replace("22:20:00", "02:30:00")
    text = text.replace("America/Phoenix", "Europe/Berlin").replace("ephemerator-until", date)
    apply(system, text)
    assert expires_at(system, date) == instant.parse(end)
    system.plane.kubectl("delete", "ephemerator", date)


def test_p10_a_pattern_on_the_list_spares_what_fits(system: System) -> None:
    text = lasting(DELETED, 1).replace(names_of(DELETED)[1], "spared-17")
    apply(system, text.replace(names_of(DELETED)[0], "spared"))
    assert eventually(lambda: ready(system, "spared") == "Ignored", SOON)
    assert not eventually(lambda: not alive(system, "spared-17"), MOMENT)
    system.plane.kubectl("delete", "ephemerator", "spared")


def test_p4_the_readme_s_own_spelling_puts_it_in_force(system: System) -> None:
    text = lasting(DELETED, 1).replace("ephemerators.tessellate.io/", "ephmerators.tessellate.io/")
    apply(system, text.replace(names_of(DELETED)[0], "misspelt"))
    assert eventually(lambda: over(system, "misspelt", names_of(DELETED)[1]), SOON)


def test_ap11_all_test_files_at_once(system: System) -> None:
    texts = [lasting(text, 2) for text in (DELETED, DISABLED, IGNORED)]
    apply(system, *texts, UNTIL)
    assert eventually(lambda: over(system, *names_of(DELETED)), SOON)
    assert eventually(lambda: over(system, *names_of(UNTIL)), SOON)
    for text in (DISABLED, IGNORED):
        name, target = names_of(text)
        assert alive(system, target)
        system.plane.kubectl("delete", "ephemerator", name)


def test_what_ephemerate_left_behind_is_taken_over(system: System) -> None:
    text = lasting(DELETED, 3600).replace(names_of(DELETED)[0], "ephemerator-old")
    kopf = "    kopf.zalando.org/last-handled-configuration: '{}'\n"
    text = text.replace("spec:\n", f"{kopf}  finalizers: [{LEFT_BY_KOPF}]\nspec:\n", 1)
    with away(*system.operators):
        apply(system, text)
        past = {"expiresAtSeconds": 1.5, "expiresAt": "11/26/2021, 22:20:00"}
        write_status(system, "ephemerator-old", {"on_create": past, "on_update": past})
    end = created(system, "ephemerator-old") + timedelta(hours=1)
    assert eventually(lambda: "observedGeneration" in status(system, "ephemerator-old"), SOON)
    assert expires_at(system, "ephemerator-old") == end
    assert alive(system, names_of(text)[1])
    # Not in the same write.
    assert eventually(lambda: not traces(system, "ephemerator-old"), SOON)
    # Nothing holds it.
    system.plane.kubectl("delete", "ephemerator", "ephemerator-old", f"--timeout={SOON:g}s")


def traces(system: System, name: str) -> list[str]:
    """Return what Ephemerate has left on an Ephemerator."""
    item = found(system, name)
    assert item is not None
    meta = item["metadata"]
    return [*meta.get("finalizers", ()), *(key for key in meta["annotations"] if "kopf" in key)]


def write_status(system: System, name: str, written: dict[str, Any]) -> None:
    patch = msgspec.json.encode({"status": written}).decode()
    system.plane.kubectl(
        *("patch", "ephemerator", name, "--subresource=status", "--type=merge", "-p", patch)
    )
