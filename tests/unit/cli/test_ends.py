from datetime import timedelta

import pytest
from msgspec.structs import replace

from dayfly_cli import ends
from dayfly_cli.ends import Awaited, Entry
from dayfly_core.objects import NAMESPACES, ObjectMeta
from support.entries import NOW, at, entry, meta

NOON, EVENING = "2026-11-22T12:00:00Z", "2026-11-22T18:00:00Z"


@pytest.mark.parametrize(
    ("seen", "end", "note"),
    [
        pytest.param(entry(meta(NOON)), NOON, "", id="its own end"),
        pytest.param(entry(meta(EVENING), NOON), NOON, "with its namespace", id="its namespace's"),
        pytest.param(entry(meta(NOON), EVENING), NOON, "", id="a namespace that ends later"),
        pytest.param(entry(meta(), NOON), NOON, "with its namespace", id="none of its own"),
        pytest.param(entry(meta(ttl="never")), None, "never", id="never, as it asked"),
        pytest.param(
            entry(meta(policy="p")),
            None,
            "without an end",
            id="`ttl: never` taken away",
        ),
        pytest.param(entry(meta(ttl="5")), None, "ttl unreadable: 5", id="a wish nobody can read"),
        pytest.param(
            entry(meta("soon")), None, "end unreadable: soon", id="an end nobody can read"
        ),
        pytest.param(
            replace(entry(meta(NOON)), kept="held by configmaps/shop/keep"),
            NOON,
            "held by configmaps/shop/keep",
            id="what keeps it",
        ),
        pytest.param(entry(meta(NOON, protected=True)), NOON, "protected", id="protected"),
    ],
)
def test_when_an_object_ends(seen: Entry, end: str | None, note: str) -> None:
    assert (seen.end, seen.note) == (at(end) if end else None, note)


def test_control_characters_of_an_annotation_do_not_reach_a_terminal() -> None:
    assert entry(meta("\x1b[2J")).note.isprintable()


def test_what_ends_first_comes_first_and_what_never_ends_last() -> None:
    first, second, third = entry(meta(NOON)), entry(meta(EVENING)), entry(meta(ttl="never"))
    assert ends.in_order([third, second, first]) == [first, second, third]


@pytest.mark.parametrize(
    ("left", "said"),
    [
        pytest.param(
            timedelta(days=12, hours=3, minutes=59), "12d3h59m", id="days, hours, minutes"
        ),
        pytest.param(timedelta(hours=3, minutes=20, seconds=5), "3h20m", id="hours and minutes"),
        pytest.param(timedelta(minutes=4, seconds=10), "4m10s", id="minutes and seconds"),
        pytest.param(timedelta(hours=5) - timedelta(milliseconds=3), "5h", id="rounded"),
        pytest.param(timedelta(days=2, minutes=119, seconds=58), "2d2h", id="as the receipt says"),
        pytest.param(timedelta(milliseconds=1), "1s", id="the last second"),
        pytest.param(timedelta(), "overdue", id="now"),
        pytest.param(timedelta(days=-3), "overdue", id="past"),
    ],
)
def test_time_left(left: timedelta, said: str) -> None:
    assert ends.remaining(NOW + left, NOW) == said


@pytest.mark.parametrize(
    ("left", "said"),
    [
        pytest.param(timedelta(hours=5), "in 5h", id="to come"),
        pytest.param(timedelta(), "overdue", id="now"),
        pytest.param(timedelta(seconds=-1), "overdue", id="past"),
    ],
)
def test_time_left_in_a_sentence(left: timedelta, said: str) -> None:
    assert ends.countdown(NOW + left, NOW) == said


def test_an_annotation_that_no_policy_decides_about_is_no_end() -> None:
    assert ends.stamped_end(meta(NOON)) is None
    assert ends.stamped_end(meta(NOON, policy="p")) == at(NOON)


def test_titles_are_kubectls() -> None:
    assert entry(meta()).title == "deployment.apps/web"
    assert Entry(NAMESPACES, ObjectMeta(name="shop")).title == "namespace/shop"


@pytest.mark.parametrize(
    ("seen", "host"),
    [
        pytest.param(meta(policy="p"), "", id="none"),
        pytest.param(meta(policy="p", host="web.example"), "web.example", id="one"),
        pytest.param(meta(host="web.example"), "", id="one that nobody gave it"),
        pytest.param(meta(policy="p", host="web.example", owned=True), "", id="a copy"),
        pytest.param(meta(policy="p", host="\x1b[2J"), "", id="one that is none"),
    ],
)
def test_the_host_that_it_was_given(seen: ObjectMeta, host: str) -> None:
    assert entry(seen).host == host
    assert ends.as_data(entry(seen), NOW)["host"] == (host or None)


def test_data_for_programs() -> None:
    data = ends.as_data(entry(meta(EVENING, "8h", "p"), NOON), NOW)
    assert data == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "namespace": "shop",
        "name": "web",
        "uid": "u1",
        "policy": "p",
        "endedBy": "p",
        "next": None,
        "endsAt": NOON,
        "awaits": None,
        "secondsLeft": 7200.0,
        "expiresAt": EVENING,
        "namespaceEndsAt": NOON,
        "ttl": "8h",
        "host": None,
        "createdBy": None,
        "protected": False,
    }


PODS = Awaited("when its pods succeed", "delete namespaces/shop", "PodsNotSucceeded", "…", "M/m")
OFF = Awaited("disabled", "it does not carry the annotation", "Disabled", "it does nothing: …")


@pytest.mark.parametrize(
    ("seen", "when", "by", "note"),
    [
        pytest.param(
            replace(entry(meta()), awaited=PODS), "when its pods succeed", "M/m",
            "delete namespaces/shop", id="what waits for pods",
        ),
        pytest.param(
            replace(entry(meta(NOON, policy="p")), awaited=PODS), NOON, "p",
            "sooner when its pods succeed", id="at an instant at the latest",
        ),
        pytest.param(
            replace(entry(meta(NOON, policy="p")), kept="guarded", awaited=PODS), NOON, "p",
            "guarded; sooner when its pods succeed", id="and what else is to be known",
        ),
        pytest.param(
            replace(entry(meta()), awaited=OFF), "disabled", "",
            "it does not carry the annotation", id="what does nothing",
        ),
        pytest.param(
            replace(entry(meta(NOON)), awaited=OFF), NOON, "", "",
            id="what nothing comes of brings no end nearer",
        ),
    ],
)  # fmt: skip
def test_what_has_no_instant(seen: Entry, when: str, by: str, note: str) -> None:
    assert (seen.when, seen.ended_by, seen.note) == (when, by, note)


def test_what_is_waited_for_is_said_to_programs() -> None:
    data = ends.as_data(replace(entry(meta()), awaited=PODS), NOW)
    assert (data["endsAt"], data["awaits"]) == (
        None,
        {"reason": "PodsNotSucceeded", "message": "…"},
    )
