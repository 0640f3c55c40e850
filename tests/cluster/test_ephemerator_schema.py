"""The CRD of Ephemerators on a real API server: what Ephemerate's own files come to."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dayfly_core import grammar
from playground import ControlPlane
from support.definitions import define
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

pytestmark = pytest.mark.cluster

CRD = Path(__file__).resolve().parents[2] / "manifests" / "components" / "ephemerator" / "crd.yaml"


def manifest(spec: dict[str, Any], name: str = "schema-test") -> str:
    head = {"apiVersion": "tessellate.io/v1alpha1", "kind": "Ephemerator"}
    return json.dumps({**head, "metadata": {"name": name}, "spec": spec})


def lifetime(**fields: Any) -> str:
    return manifest({"namespaceToWatch": "team-a", "lifetime": fields})


@pytest.fixture(scope="module")
def plane(bare: ControlPlane) -> ControlPlane:
    """Where the schema alone decides: no webhook of Dayfly says a word."""
    return bare


@pytest.fixture(scope="module")
def served(plane: ControlPlane) -> None:
    define(plane, CRD, "ephemerators.tessellate.io")


@pytest.fixture(scope="module")
def stored(plane: ControlPlane, served: None) -> Iterator[str]:
    plane.kubectl("create", "-f", "-", stdin=UNTIL)
    yield loaded(UNTIL)["metadata"]["name"]
    plane.kubectl("delete", "ephemerator", loaded(UNTIL)["metadata"]["name"])


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(README_DURATION, id="AP1: the README's first sample"),
        pytest.param(README_UNTIL, id="AP2: the README's second sample"),
        pytest.param(DELETED, id="AP3: ephemerator-deleted"),
        pytest.param(DISABLED, id="AP4: ephemerator-disabled"),
        pytest.param(IGNORED, id="AP5: ephemerator-ignored"),
        pytest.param(UNTIL, id="AP6: ephemerator-until"),
        pytest.param(VALIDATION_DURATION[0], id="AP7: one hour"),
        pytest.param(VALIDATION_DURATION[1], id="AP7: one hour and a minute"),
        pytest.param(lifetime(duration={"seconds": 90}), id="seconds"),
        pytest.param(lifetime(duration={"hours": 0, "days": 1}), id="a unit that is nothing"),
        pytest.param(
            manifest({
                "namespaceToWatch": "a",
                "resourceToWatch": {"namespace": "a"},
                "lifetime": {"duration": {"hours": 1}},
            }),
            id="both spellings of one namespace",
        ),
        pytest.param(
            manifest({
                "namespaceToWatch": "a", "note": "x", "lifetime": {"duration": {"hours": 1}},
            }),
            id="a field beside, as the original's definition keeps it",
        ),
    ],
)  # fmt: skip
def test_what_worked_is_taken(plane: ControlPlane, served: None, text: str) -> None:
    plane.kubectl("create", "--dry-run=server", "-f", "-", stdin=text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(
            VALIDATION_DURATION[2], grammar.ONE_LIFETIME_HINT, id="AP7: duration: nothing"
        ),
        pytest.param(VALIDATION_DURATION[3], "spec.lifetime", id="AP7: lifetime: nothing"),
        *(
            pytest.param(text, "spec.lifetime.until", id=f"AP8: document {place}")
            for place, text in enumerate(VALIDATION_UNTIL[1:], start=2)
        ),
        pytest.param(VALIDATION_UNTIL[0], grammar.ONE_LIFETIME_HINT, id="AP8: until: nothing"),
        pytest.param(lifetime(duration={}), grammar.SOME_DURATION_HINT, id="P11: no unit"),
        pytest.param(
            lifetime(duration={"hours": 0}), grammar.SOME_DURATION_HINT, id="P11: no time at all"
        ),
        pytest.param(
            lifetime(duration={"hours": -1}), "spec.lifetime.duration.hours", id="P11: negative"
        ),
        pytest.param(
            lifetime(duration={"years": 1000}), "spec.lifetime.duration.years", id="an age"
        ),
        pytest.param(lifetime(), grammar.ONE_LIFETIME_HINT, id="P11: neither"),
        pytest.param(
            lifetime(
                duration={"hours": 1},
                until={"date": "2026-11-26", "time": "12:00:00", "timezone": "UTC"},
            ),
            grammar.ONE_LIFETIME_HINT,
            id="P11: both",
        ),
        pytest.param(
            lifetime(until={"date": "tomorrow", "time": "12:00:00", "timezone": "UTC"}),
            grammar.CALENDAR_DATE_HINT,
            id="P11: a malformed date",
        ),
        pytest.param(
            lifetime(until={"date": "2026-11-26", "time": "noon", "timezone": "UTC"}),
            grammar.TIME_OF_DAY_HINT,
            id="P11: a malformed time",
        ),
        pytest.param(
            manifest({"lifetime": {"duration": {"hours": 1}}}),
            grammar.ONE_TARGET_HINT,
            id="P5: no namespace",
        ),
        pytest.param(
            manifest({"resourceToWatch": {}, "lifetime": {"duration": {"hours": 1}}}),
            grammar.ONE_TARGET_HINT,
            id="P5: no name in it",
        ),
        pytest.param(
            manifest({
                "namespaceToWatch": "a",
                "resourceToWatch": {"namespace": "b"},
                "lifetime": {"duration": {"hours": 1}},
            }),
            grammar.SAME_TARGET_HINT,
            id="two namespaces",
        ),
        pytest.param(
            manifest({"namespaceToWatch": "Team A", "lifetime": {"duration": {"hours": 1}}}),
            grammar.NAMESPACE_NAME_HINT,
            id="no name of a namespace",
        ),
    ],
)  # fmt: skip
def test_what_cannot_end_is_refused_and_says_what_to_write(
    plane: ControlPlane, served: None, text: str, words: str
) -> None:
    answer = plane.try_kubectl("create", "--dry-run=server", "-f", "-", stdin=text)
    assert answer.code != 0
    assert words in answer.stderr


def test_ap6_a_date_without_quotes_is_stored_as_it_is_written(
    plane: ControlPlane, stored: str
) -> None:
    until = plane.read("ephemerator", stored)["spec"]["lifetime"]["until"]
    assert until == {"date": "2021-11-26", "time": "22:20:00", "timezone": "America/Phoenix"}


def test_p8_who_may_change_the_object_may_not_change_its_status(
    plane: ControlPlane, stored: str
) -> None:
    patch = json.dumps({"status": {"expiresAt": "2020-01-01T00:00:00Z"}})
    plane.kubectl("patch", "ephemerator", stored, "--type=merge", "-p", patch)
    assert "status" not in plane.read("ephemerator", stored)
    old = {"on_update": {"expiresAtSeconds": 1637990400.25, "expiresAt": "11/26/2021, 22:20:00"}}
    plane.kubectl(
        "patch", "ephemerator", stored, "--type=merge", "--subresource=status",
        "-p", json.dumps({"status": old}),
    )  # fmt: skip
    assert plane.read("ephemerator", stored)["status"] == old


def test_get_answers_when_it_ends_and_whether_it_is_well(plane: ControlPlane, stored: str) -> None:
    head, _ = plane.kubectl("get", "ephemerators", stored).splitlines()
    assert re.split(r"\s{2,}", head.strip()) == [
        "NAME", "NAMESPACE", "ENDS", "READY", "REASON", "AGE",
    ]  # fmt: skip


def test_the_category_lists_it_and_no_short_name_is_taken(plane: ControlPlane, stored: str) -> None:
    assert f"ephemerator.tessellate.io/{stored}" in plane.kubectl("get", "dayfly", "-o", "name")
    definition = plane.read("customresourcedefinition", "ephemerators.tessellate.io")
    assert "shortNames" not in definition["status"]["acceptedNames"]


def test_explain_is_documentation(plane: ControlPlane, served: None) -> None:
    page = " ".join(plane.kubectl("explain", "ephemerator.spec.lifetime.until").split())
    assert "The time zone by its IANA name, for example America/Phoenix." in page
