"""What scales a workload down and brings it back, and what is left alone."""

from typing import Any

import msgspec
import pytest

from dayfly_core import names, scaling
from dayfly_core.objects import (
    CRON_JOBS,
    DEPLOYMENTS,
    JOBS,
    SCALED_OBJECTS,
    STATEFUL_SETS,
    Resource,
)
from dayfly_core.scaling import PAUSED_REPLICAS, WAYS, Workload

NOW, BEFORE = "occurrence-2", "occurrence-1"


def workload(
    spec: dict[str, Any] | None = None,
    annotations: dict[str, str] | None = None,
    status: dict[str, Any] | None = None,
) -> Workload:
    head = {"name": "web", "uid": "u", "resourceVersion": "7", "annotations": annotations}
    whole = {"metadata": head, "spec": spec or {}, "status": status or {}}
    return msgspec.convert(whole, Workload)


def pair(kind: Resource) -> tuple[str, str]:
    return kind.group, kind.plural


FINISHED = {"conditions": [{"type": "Complete", "status": "True"}]}
FAILED = {"conditions": [{"type": "Failed", "status": "True"}]}
STARTED = {
    "conditions": [
        {"type": "SuccessCriteriaMet", "status": "True"},
        {"type": "Complete", "status": "False"},
    ]
}


@pytest.mark.parametrize(
    ("kind", "found", "spec", "annotations"),
    [
        pytest.param(
            DEPLOYMENTS,
            workload({"replicas": 3}),
            {"replicas": 0},
            {names.REPLICAS: "3", names.SCALED_BY: f"{NOW} u"},
            id="a Deployment's count is remembered",
        ),
        pytest.param(
            STATEFUL_SETS,
            workload({}),
            {"replicas": 0},
            {names.REPLICAS: "1", names.SCALED_BY: f"{NOW} u"},
            id="no count means one",
        ),
        pytest.param(
            DEPLOYMENTS,
            workload({"replicas": 5}, {names.REPLICAS: "2", names.SCALED_BY: f"{BEFORE} u"}),
            {"replicas": 0},
            {names.REPLICAS: "5", names.SCALED_BY: f"{NOW} u"},
            id="scaled up by hand since the last time: the new count is remembered",
        ),
        pytest.param(
            CRON_JOBS,
            workload({}),
            {"suspend": True},
            {names.SCALED_BY: f"{NOW} u"},
            id="a CronJob is suspended",
        ),
        pytest.param(
            JOBS,
            workload({"suspend": False}, status=STARTED),
            {"suspend": True},
            {names.SCALED_BY: f"{NOW} u"},
            id="a Job that runs is suspended",
        ),
        pytest.param(
            SCALED_OBJECTS,
            workload({}),
            {},
            {PAUSED_REPLICAS: "0", names.REPLICAS: None, names.SCALED_BY: f"{NOW} u"},
            id="KEDA is paused at nothing",
        ),
        pytest.param(
            SCALED_OBJECTS,
            workload({}, {PAUSED_REPLICAS: "4"}),
            {},
            {PAUSED_REPLICAS: "0", names.REPLICAS: "4", names.SCALED_BY: f"{NOW} u"},
            id="a pause that somebody else has set is remembered",
        ),
    ],
)
def test_down(kind: Resource, found: Workload, spec: object, annotations: object) -> None:
    change = scaling.down(pair(kind), found, NOW)
    assert change is not None
    assert (change.spec, change.annotations) == (spec, annotations)


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        pytest.param(DEPLOYMENTS, workload({"replicas": 0}), id="has no replicas"),
        pytest.param(
            DEPLOYMENTS,
            workload({"replicas": 0}, {names.REPLICAS: "3", names.SCALED_BY: f"{BEFORE} u"}),
            id="down since the last time: what it had is not overwritten",
        ),
        pytest.param(
            DEPLOYMENTS,
            workload({"replicas": 3}, {names.REPLICAS: "3", names.SCALED_BY: f"{NOW} u"}),
            id="done already, and scaled up by somebody",
        ),
        pytest.param(CRON_JOBS, workload({"suspend": True}), id="suspended by somebody"),
        pytest.param(JOBS, workload({}, status=FINISHED), id="a Job that has finished"),
        pytest.param(JOBS, workload({}, status=FAILED), id="a Job that has failed"),
        pytest.param(SCALED_OBJECTS, workload({}, {PAUSED_REPLICAS: "0"}), id="paused at nothing"),
    ],
)
def test_what_rests_or_is_done_is_left_alone(kind: Resource, found: Workload) -> None:
    assert scaling.down(pair(kind), found, NOW) is None


@pytest.mark.parametrize(
    ("kind", "found", "spec", "annotations"),
    [
        pytest.param(
            DEPLOYMENTS,
            workload({"replicas": 0}, {names.REPLICAS: "3", names.SCALED_BY: f"{BEFORE} u"}),
            {"replicas": 3},
            {},
            id="the count comes back",
        ),
        pytest.param(
            DEPLOYMENTS,
            workload({"replicas": 2}, {names.REPLICAS: "3", names.SCALED_BY: f"{BEFORE} u"}),
            {},
            {},
            id="scaled up by somebody already: that count stays",
        ),
        pytest.param(
            DEPLOYMENTS,
            workload({"replicas": 0}, {names.SCALED_BY: f"{BEFORE} u"}),
            {"replicas": 1},
            {},
            id="the count was taken away",
        ),
        pytest.param(
            DEPLOYMENTS,
            workload({"replicas": 0}, {names.REPLICAS: "0", names.SCALED_BY: f"{BEFORE} u"}),
            {"replicas": 1},
            {},
            id="the count is nothing",
        ),
        pytest.param(
            DEPLOYMENTS,
            workload({"replicas": 0}, {names.REPLICAS: "9" * 10, names.SCALED_BY: f"{BEFORE} u"}),
            {"replicas": 1},
            {},
            id="the count is no int32",
        ),
        pytest.param(
            DEPLOYMENTS,
            workload({"replicas": 0}, {names.REPLICAS: "9" * 9, names.SCALED_BY: f"{BEFORE} u"}),
            {"replicas": 999_999_999},
            {},
            id="the largest count that is believed",
        ),
        pytest.param(
            DEPLOYMENTS,
            workload({"replicas": 0}, {names.REPLICAS: "٣", names.SCALED_BY: f"{BEFORE} u"}),
            {"replicas": 1},
            {},
            id="the count is in digits that Dayfly does not write",
        ),
        pytest.param(
            DEPLOYMENTS,
            workload({"replicas": 0}, {names.REPLICAS: "three", names.SCALED_BY: f"{BEFORE} u"}),
            {"replicas": 1},
            {},
            id="the count is no number",
        ),
        pytest.param(
            CRON_JOBS,
            workload({"suspend": True}, {names.SCALED_BY: f"{BEFORE} u"}),
            {"suspend": False},
            {},
            id="a CronJob goes on",
        ),
        pytest.param(
            JOBS,
            workload({"suspend": False}, {names.SCALED_BY: f"{BEFORE} u"}),
            {},
            {},
            id="a Job that somebody has resumed",
        ),
        pytest.param(
            SCALED_OBJECTS,
            workload({}, {PAUSED_REPLICAS: "0", names.SCALED_BY: f"{BEFORE} u"}),
            {},
            {PAUSED_REPLICAS: None},
            id="KEDA goes on",
        ),
        pytest.param(
            SCALED_OBJECTS,
            workload(
                {}, {PAUSED_REPLICAS: "0", names.REPLICAS: "4", names.SCALED_BY: f"{BEFORE} u"}
            ),
            {},
            {PAUSED_REPLICAS: "4"},
            id="the pause of before comes back",
        ),
        pytest.param(
            SCALED_OBJECTS,
            workload({}, {PAUSED_REPLICAS: "2", names.SCALED_BY: f"{BEFORE} u"}),
            {},
            {},
            id="a pause that somebody has changed stays",
        ),
    ],
)
def test_up(
    kind: Resource, found: Workload, spec: object, annotations: dict[str, str | None]
) -> None:
    change = scaling.up(pair(kind), found)
    assert change is not None
    forgotten = {names.REPLICAS: None, names.SCALED_BY: None}
    assert (change.spec, change.annotations) == (spec, annotations | forgotten)


@pytest.mark.parametrize("planted", [NOW, f"{NOW} ", f"{NOW} other", " u", "", " "])
def test_a_mark_that_was_planted_on_a_new_workload_keeps_nothing_running(planted: str) -> None:
    found = workload({"replicas": 3}, {names.REPLICAS: "999999999", names.SCALED_BY: planted})
    change = scaling.down(pair(DEPLOYMENTS), found, NOW)
    assert change is not None
    assert change.annotations == {names.REPLICAS: "3", names.SCALED_BY: f"{NOW} u"}
    woken = scaling.up(pair(DEPLOYMENTS), found)
    assert (woken.spec if woken else {}) == {}, "nor does it scale up what runs"


@pytest.mark.parametrize(
    "mark",
    [
        pytest.param(f"{BEFORE} other", id="restored from a backup: the original's"),
        pytest.param(BEFORE, id="scaled down by a version that did not write the uid"),
    ],
)
def test_what_rests_with_a_mark_that_is_not_its_own_can_be_woken(mark: str) -> None:
    found = workload({"replicas": 0}, {names.REPLICAS: "3", names.SCALED_BY: mark})
    change = scaling.up(pair(DEPLOYMENTS), found)
    assert change is not None
    assert change.spec == {"replicas": 3}


@pytest.mark.parametrize("kind", WAYS, ids=lambda kind: kind.kind)
def test_what_dayfly_has_not_scaled_down_is_not_woken(kind: Resource) -> None:
    found = workload({"replicas": 0, "suspend": True}, {PAUSED_REPLICAS: "0"})
    assert scaling.up(pair(kind), found) is None


def test_the_patch_is_over_the_version_that_was_read_and_in_one_piece() -> None:
    found = workload({"replicas": 3})
    change = scaling.down(pair(DEPLOYMENTS), found, NOW)
    assert change is not None
    assert change.patch(found.metadata, {names.STEPS: "{}"}) == {
        "metadata": {
            "uid": "u",
            "resourceVersion": "7",
            "annotations": {names.REPLICAS: "3", names.SCALED_BY: f"{NOW} u", names.STEPS: "{}"},
        },
        "spec": {"replicas": 0},
    }


def test_a_patch_without_a_spec_names_none() -> None:
    found = workload({"replicas": 0})
    patch = scaling.Change("").patch(found.metadata, {names.STEPS: "{}"})
    assert "spec" not in patch


def test_keda_comes_last_because_it_takes_replicas_away_before_they_are_counted() -> None:
    assert tuple(WAYS)[-1] == SCALED_OBJECTS
    assert tuple(WAYS).index(CRON_JOBS) < tuple(WAYS).index(JOBS)
