"""What a policy does to which objects, and since when."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from dayfly_core.api import Enforcement, LabelSelector, Receipts, RenewOn, Unit
from dayfly_core.policies import Policy
from dayfly_core.reach import Reach, Sightings, digest, reach
from support.build import DAY, HOUR, NOW, SECOND, a_policy
from support.timelines import a_step, on_timeline

PLAIN = a_policy()
SUSPENDED = a_policy(suspended=True)
DOES, NOTHING = digest(PLAIN), ""
WEB = LabelSelector(match_labels={"team": "web"})


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"unit": Unit.RELEASE}, id="other units end"),
        pytest.param({"namespace_selector": WEB}, id="other namespaces"),
        pytest.param({"object_selector": WEB}, id="other objects"),
        pytest.param({"resources": frozenset({("", "configmaps")})}, id="other kinds"),
        pytest.param({"timeline": (a_step("DELETE@1d"),)}, id="a later step"),
        pytest.param({"timeline": (a_step("WEBHOOK@0s"), a_step("DELETE@0s"))}, id="one more step"),
        pytest.param({"suspended": True}, id="suspended"),
        pytest.param({"enforcement": Enforcement.AUDIT}, id="only reports"),
    ],
)
def test_what_makes_a_policy_do_something_else(changes: dict[str, Any]) -> None:
    assert digest(replace(PLAIN, **changes)) != DOES


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"enforcement": Enforcement.WARN}, id="more lenient"),
        pytest.param({"default": HOUR, "maximum": DAY, "max_total": DAY}, id="other ends to come"),
        pytest.param({"renew_on": RenewOn.GENERATION_CHANGE}, id="other renewals"),
        pytest.param({"receipts": Receipts.NEVER}, id="no receipts"),
        pytest.param({"priority": 7}, id="another priority"),
        pytest.param({"grace": DAY}, id="another grace"),
        pytest.param({"generation": 9}, id="another generation"),
        pytest.param({"timeline": (a_step("DELETE@0s"),)}, id="its only step written down"),
        pytest.param({"known": {"DELETE@0s": NOW}, "since": NOW}, id="what was noted of it"),
    ],
)
def test_what_does_not(changes: dict[str, Any]) -> None:
    assert digest(replace(PLAIN, **changes)) == DOES


@pytest.mark.parametrize(
    "policy",
    [
        pytest.param(None, id="it cannot be read"),
        pytest.param(SUSPENDED, id="it is suspended"),
        pytest.param(a_policy(enforcement=Enforcement.AUDIT), id="it only reports"),
    ],
)
def test_a_policy_that_does_nothing_has_no_digest(policy: Policy | None) -> None:
    assert digest(policy) == NOTHING


def test_labels_may_be_written_in_any_order() -> None:
    one = LabelSelector(match_labels={"team": "web", "tier": "preview"})
    other = LabelSelector(match_labels={"tier": "preview", "team": "web"})
    assert digest(a_policy(object_selector=one)) == digest(a_policy(object_selector=other))


def test_what_statuses_say_already_is_understood_for_ever() -> None:
    selector = LabelSelector(match_labels={"team": "web"})
    steps = on_timeline("NOTIFY@-1h", "WEBHOOK@0s", "DELETE@1d", namespace_selector=selector)
    assert (digest(steps), DOES) == ("4ed9ac8f1d8217e5", "ceb154cf41dc52e6")


EARLIER = NOW - DAY
BORN = NOW - 30 * DAY
SINCE = Reach(DOES, EARLIER)
RESTED = Reach(NOTHING, EARLIER)


def sightings(
    written: Reach | None = None, remembered: Reach | None = None, *, unedited: bool = True
) -> Sightings:
    return Sightings(BORN, unedited, written, remembered)


@pytest.mark.parametrize(
    ("policy", "seen", "since"),
    [
        pytest.param(PLAIN, sightings(), BORN, id="a new one: from its beginning"),
        pytest.param(PLAIN, sightings(unedited=False), NOW, id="edited, and nobody saw it before"),
        pytest.param(PLAIN, sightings(SINCE), EARLIER, id="a new leader reads what is written"),
        pytest.param(
            PLAIN, sightings(SINCE, unedited=False), EARLIER, id="an edit that changes nothing here"
        ),
        pytest.param(PLAIN, sightings(RESTED, RESTED), NOW, id="resumed"),
        pytest.param(PLAIN, sightings(RESTED), NOW, id="resumed while no operator ran"),
        pytest.param(
            PLAIN, sightings(RESTED, Reach(DOES, NOW - SECOND)), NOW - SECOND,
            id="resumed a moment ago, and not written yet",
        ),
        pytest.param(SUSPENDED, sightings(SINCE, SINCE), NOW, id="suspended"),
        pytest.param(
            PLAIN, sightings(SINCE, Reach(NOTHING, NOW - SECOND)), NOW,
            id="suspended and resumed before anything of it was written",
        ),
        pytest.param(
            PLAIN, sightings(Reach(DOES, NOW - HOUR), SINCE), NOW - HOUR,
            id="suspended and resumed while this replica heard nothing",
        ),
        pytest.param(
            PLAIN, sightings(Reach("another", EARLIER), Reach("another", EARLIER)), NOW,
            id="it matched other objects before",
        ),
    ],
)  # fmt: skip
def test_since_when(policy: Policy, seen: Sightings, since: datetime) -> None:
    assert reach(policy, seen, NOW) == Reach(digest(policy), since)


def test_without_a_creation_it_begins_when_it_is_seen() -> None:
    assert reach(PLAIN, replace(sightings(), created=None), NOW).since == NOW


def test_what_was_found_stays_found() -> None:
    first = reach(PLAIN, sightings(RESTED), NOW)
    assert reach(PLAIN, sightings(RESTED, first), NOW + timedelta(hours=5)) == first
    assert reach(PLAIN, sightings(first), NOW + timedelta(hours=9)) == first
