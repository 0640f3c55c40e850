"""What Ephemerate left on its objects: taken away, and believed only where nothing else is said."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from dayfly_core import names
from dayfly_core.errand import DeleteItself, EndNamespace, as_map
from dayfly_core.reasons import Reason
from support.ephemerators import END, HERE, decided, manifest
from support.own_kinds import (
    HOUR,
    NOW,
    SECOND,
    Kept,
    condition,
    kept,
    written,
)

LEFT: dict[str, Any] = {
    "finalizers": ["kopf.zalando.org/KopfFinalizerMarker", "example.com/keep"],
    "annotations": {
        names.ENABLED: "true",
        "kopf.zalando.org/last-handled-configuration": "{}",
        "kopf.zalando.org/ephemerate": "{}",
        "team": "a",
    },
}


def left(**status: Any) -> Kept:
    return replace(kept(manifest(**LEFT)), status=status)


def test_p13_its_finalizer_and_notes_are_taken_away_when_it_is_first_seen() -> None:
    stored = left(on_create={"expiresAtSeconds": 1.5, "expiresAt": "01/01/1970, 00:00:01"})
    after = written(stored, decided(stored))
    assert after.metadata.finalizers == ("example.com/keep",)
    assert after.metadata.annotation_map == {names.ENABLED: "true", "team": "a"}


def test_beside_an_ephemerate_that_still_runs_it_is_not_done_twice() -> None:
    stored = left()
    after = written(stored, decided(stored))
    put_back = replace(after, metadata=stored.metadata)
    assert decided(put_back).metadata == {}


def test_p13_what_is_being_deleted_is_let_go() -> None:
    meta = msgspec.structs.replace(left().metadata, deletion_timestamp=NOW)
    plan = decided(replace(left(observedGeneration=1), metadata=meta))
    assert plan.metadata["finalizers"] == ["example.com/keep"]


def test_p13_it_is_let_go_before_it_deletes_itself() -> None:
    stored = left(observedGeneration=1)
    first = decided(stored, None, END)
    assert (first.act, first.again) == (None, END)
    after = written(stored, first)
    assert isinstance(decided(after, None, END).act, DeleteItself)


PROMISED = 1795363200.75  # 2026-11-22T16:00:00.75Z


@pytest.mark.parametrize(
    ("status", "end"),
    [
        pytest.param({"on_create": {"expiresAtSeconds": PROMISED}}, "16:00:00", id="on_create"),
        pytest.param(
            {
                "on_create": {"expiresAtSeconds": 0.0},
                "on_update": {"expiresAtSeconds": PROMISED, "expiresAt": "11/22/2026, 17:00:00"},
            },
            "16:00:00",
            id="on_update goes before on_create",
        ),
        pytest.param({"on_update": {"expiresAtSeconds": 1e300}}, None, id="beyond the calendar"),
        pytest.param({"on_update": {}}, None, id="nothing in it"),
        pytest.param({"on_update": "soon"}, None, id="another shape"),
        pytest.param({}, None, id="nothing at all"),
    ],
)
def test_only_where_the_spec_says_nothing_the_old_status_counts(
    status: dict[str, Any], end: str | None
) -> None:
    zone = {"date": "2026-11-26", "time": "12:00:00", "timezone": "Phonix"}
    stored = replace(kept(manifest({"until": zone})), status=status)
    plan = decided(stored, HERE, NOW)
    after = written(stored, plan)
    assert as_map(after.status).get("expiresAt") == (f"2026-11-22T{end}Z" if end else None)
    ready = condition(after, "Ready")
    assert ready is not None
    assert ready[:2] == ("False", Reason.INVALID_LIFETIME)
    assert "write for example America/Phoenix" in ready[2]
    late = decided(after, HERE, NOW + 24 * HOUR)
    assert isinstance(late.act, EndNamespace) is (end is not None)


def test_p1_a_status_that_is_too_early_does_not_count_beside_a_sound_spec() -> None:
    stored = replace(kept(manifest()), status={"on_update": {"expiresAtSeconds": 1.0}})
    assert decided(stored, HERE, END - SECOND).act is None


LEFT_ENDS = {"on_create": {"expiresAtSeconds": 1.0}, "on_update": {"expiresAtSeconds": PROMISED}}
ZONE = {"until": {"date": "2026-11-26", "time": "12:00:00", "timezone": "Phonix"}}


@pytest.mark.parametrize(
    ("of", "stays"),
    [
        pytest.param(manifest(), False, id="the spec says when it ends"),
        pytest.param(manifest(enabled=None), False, id="it is not in force"),
        pytest.param(manifest(ZONE), True, id="the spec has no end that makes sense"),
        pytest.param(manifest(target={}), True, id="the spec names no namespace"),
    ],
)
def test_p7_ends_in_the_shape_of_ephemerate_go_when_the_spec_says_one(
    of: dict[str, Any], stays: bool
) -> None:
    stored = replace(kept(of), status=LEFT_ENDS)
    assert ends_left_in(written(stored, decided(stored))) == (LEFT_ENDS if stays else {})


def test_p7_they_go_when_the_spec_is_corrected() -> None:
    stored = replace(kept(manifest(ZONE)), status=LEFT_ENDS)
    corrected = replace(written(stored, decided(stored)), spec=kept(manifest()).spec)
    assert ends_left_in(corrected) == LEFT_ENDS
    assert ends_left_in(written(corrected, decided(corrected))) == {}


def ends_left_in(stored: Kept) -> dict[str, Any]:
    status: dict[str, Any] = stored.status or {}
    return {name: end for name, end in status.items() if name in LEFT_ENDS}


def test_p8_an_end_that_somebody_writes_into_the_status_does_not_count() -> None:
    early = {"expiresAt": "2026-11-22T10:00:00Z", "expiresAtSeconds": 1, "observedGeneration": 1}
    plan = decided(replace(kept(manifest()), status=early), HERE, NOW + HOUR)
    assert plan.act is None
    assert plan.status["expiresAt"] == "2026-11-22T18:00:00Z"
