"""The samples of Ephemerate's README and tests: the acceptance rows AP1 to AP10."""

from datetime import datetime, timedelta

import msgspec
import pytest
from msgspec.structs import replace

from dayfly_core.ephemerator import Months, Settings, aimed_at
from dayfly_core.errand import DeleteItself, EndNamespace, Plan
from dayfly_core.reasons import Reason
from support.ephemerators import END, HERE, SETTINGS, decided, manifest
from support.originals import (
    DELETED,
    DISABLED,
    IGNORED,
    README_DURATION,
    README_UNTIL,
    UNTIL,
    VALIDATION_DURATION,
    loaded,
)
from support.own_kinds import (
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    a_namespace,
    kept,
)


def through(text: str, *, now: datetime, settings: Settings = SETTINGS) -> Plan:
    """Decide about a manifest that was applied NOW."""
    stored = kept(loaded(text))
    return decided(stored, a_namespace(aimed_at(stored)), now, settings)


def test_ap1_the_first_sample_of_the_readme_ends_its_namespace() -> None:
    compat = Settings(Months.COMPAT)
    end = NOW + timedelta(weeks=63, days=4, hours=5, minutes=6)
    assert through(README_DURATION, now=end - SECOND, settings=compat).act is None
    act = through(README_DURATION, now=end, settings=compat).act
    assert isinstance(act, EndNamespace)
    assert act.name == "my-namespace"


def test_ap2_the_second_sample_is_long_past_and_ends_at_once() -> None:
    act = through(README_UNTIL, now=NOW).act
    assert isinstance(act, EndNamespace)
    assert (act.name, act.due.isoformat()) == ("thanksgiving", "2021-11-25T19:00:00+00:00")


def test_ap3_seven_minutes_after_its_creation() -> None:
    assert through(DELETED, now=NOW + 7 * MINUTE - SECOND).act is None
    assert isinstance(through(DELETED, now=NOW + 7 * MINUTE).act, EndNamespace)


def test_ap4_a_disabled_one_ends_nothing_and_says_when_it_would() -> None:
    plan = through(DISABLED, now=NOW + 24 * HOUR)
    assert plan.act is None
    assert plan.status["expiresAt"] == "2026-11-22T11:00:00Z"


def test_ap5_an_ignored_namespace_ends_never() -> None:
    settings = Settings(ignore=("namespace-ignored",))
    assert through(IGNORED, now=NOW + 24 * HOUR, settings=settings).reason == Reason.IGNORED
    assert isinstance(through(IGNORED, now=NOW + 24 * HOUR).act, EndNamespace)


def test_ap6_a_date_without_quotes_ends_its_namespace() -> None:
    act = through(UNTIL, now=NOW).act
    assert isinstance(act, EndNamespace)
    assert act.name == "namespace-ephemerator-test4"


def test_ap7_of_two_for_one_namespace_the_second_does_not_loop() -> None:
    first, second, *_ = (kept(loaded(text)) for text in VALIDATION_DURATION)
    there = a_namespace("namespace-ephemerator-test6")
    assert isinstance(decided(first, there, NOW + HOUR).act, EndNamespace)
    assert decided(second, None, NOW + HOUR).again == NOW + HOUR + MINUTE
    assert isinstance(decided(second, None, NOW + HOUR + MINUTE).act, DeleteItself)


@pytest.mark.parametrize("name", ["default", "kube-system", "kube-public", "dayfly-system"])
def test_ap9_such_a_namespace_is_never_ended(name: str) -> None:
    stored = kept(manifest(target={"resourceToWatch": {"namespace": name}}))
    assert decided(stored, a_namespace(name), END + HOUR).act is None


def test_ap10_relabelling_it_days_later_changes_nothing() -> None:
    until = {"until": {"date": "2026-12-24", "time": "12:00:00", "timezone": "UTC"}}
    stored = kept(manifest(until))
    ends = decided(stored).status["expiresAt"]
    meta = msgspec.structs.replace(stored.metadata, labels={"team": "b"}, resource_version="9")
    later = decided(replace(stored, metadata=meta), HERE, NOW + 72 * HOUR)
    assert later.status["expiresAt"] == ends == "2026-12-24T12:00:00Z"
