"""What a breaker lets pass, and what it holds back."""

from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from dayfly_core import instant, names
from dayfly_core.actions import Action, ScaleDown, Stamp
from dayfly_core.breaker import MOST, QUIET, WINDOW
from dayfly_core.stamps import Stamps
from dayfly_core.timeline import Ledger
from support.surprised import NOW, SECOND, Scene, a_policy, announced, found, key_of, known

STAMP = Stamp(key_of(1), "uid-1", "1", Stamps(), "CaughtUp", "previews")
SCALE_DOWN = ScaleDown(
    key_of(1), "uid-1", "1", NOW, "previews", "id", Ledger("", {}), surprising=True
)


def test_a_mass_mistake_is_stopped_before_the_first_of_it_ends() -> None:
    scene = Scene()
    scene.surprise(500)
    assert [scene.breakers.holds_back(scene.order(n)) for n in range(500)] == [
        "the breaker of ExpiryPolicy previews is open"
    ] * 500
    ((what, note),) = scene.told
    assert what == "opened"
    assert note.startswith("500 of 500 objects would end within a minute")


@pytest.mark.parametrize(
    ("count", "others", "held"),
    [
        pytest.param(MOST, 1000, False, id="as many as may pass in a minute"),
        pytest.param(MOST + 1, 1000, True, id="one more"),
        pytest.param(10, 0, True, id="all that there is"),
        pytest.param(9, 0, False, id="few"),
        pytest.param(10, 30, False, id="a quarter"),
    ],
)
def test_how_many_are_let_pass(count: int, others: int, held: bool) -> None:
    scene = Scene()
    for number in range(count, count + others):
        scene.put(number, announced(number, NOW + timedelta(days=1)))
    scene.surprise(count)
    answers = [scene.breakers.holds_back(scene.order(number)) for number in range(count)]
    assert {answer is not None for answer in answers} == {held}


@pytest.mark.parametrize(
    ("action", "held"),
    [
        pytest.param(SCALE_DOWN, True, id="a surprising scale-down"),
        pytest.param(replace(SCALE_DOWN, surprising=False), False, id="an announced one"),
        pytest.param(Scene().order(1), True, id="a surprising end"),
        pytest.param(Scene().order(1, surprising=False), False, id="an announced end"),
        pytest.param(STAMP, False, id="a stamp"),
    ],
)
def test_only_what_is_surprising_and_takes_something_away_is_held(
    action: Action, held: bool
) -> None:
    scene = Scene()
    scene.surprise(500)
    assert (scene.breakers.holds_back(action) is not None) is held


def test_one_after_the_other_is_many_too() -> None:
    # Each is seen only when it is due: no look ahead helps.
    scene = Scene()
    for number in range(1000, 2000):
        scene.put(number, announced(number, NOW + timedelta(days=1)))
    passed = 0
    for number in range(200):
        scene.put(number, found(number, scene.now))
        if scene.breakers.holds_back(scene.order(number, scene.now)) is None:
            passed += 1
            scene.put(number, None)
        scene.now += SECOND / 4
    assert passed == MOST


def test_a_few_a_minute_pass_for_ever() -> None:
    scene = Scene()
    for number in range(1000, 2000):
        scene.put(number, announced(number, NOW + timedelta(days=1)))
    for number in range(200):
        scene.put(number, found(number, scene.now))
        assert scene.breakers.holds_back(scene.order(number, scene.now)) is None
        scene.put(number, None)
        scene.now += 2 * SECOND


def test_to_be_asked_twice_about_one_end_counts_once() -> None:
    scene = Scene()
    scene.surprise(9)
    for _ in range(20):
        assert scene.breakers.holds_back(scene.order(3)) is None


def test_once_open_it_holds_back_few_too() -> None:
    scene = Scene()
    scene.surprise(500)
    assert scene.breakers.look()
    for number in range(1, 500):
        scene.put(number, None)  # somebody has deleted them by hand, or the list has shrunk
    assert scene.breakers.holds_back(scene.order(0))
    report = scene.breakers.report("previews")
    assert report
    assert report.held == 1


def test_it_opens_a_minute_ahead() -> None:
    scene = Scene()
    scene.surprise(60, NOW + WINDOW + SECOND)
    scene.breakers.look()
    assert scene.told == []
    scene.now += SECOND
    scene.breakers.look()
    assert [what for what, _ in scene.told] == ["opened"]


def test_without_surprises_there_is_nothing_to_look_at() -> None:
    scene = Scene()
    scene.put(1, announced(1, NOW))
    assert not scene.breakers.look()


def test_a_policy_has_its_own_breaker() -> None:
    scene = Scene({"previews": a_policy(), "others": a_policy("others")})
    scene.surprise(500)
    order = replace(scene.order(7), policy="others")
    assert scene.breakers.holds_back(order) is None
    assert scene.breakers.open() == {}
    assert scene.breakers.holds_back(scene.order(7))
    assert scene.breakers.open() == {"previews": 500}


def test_what_is_reported() -> None:
    scene = Scene()
    scene.surprise(60)
    assert scene.breakers.report("previews") is None
    scene.breakers.look()
    report = scene.breakers.report("previews")
    assert report
    assert (report.opened_at, report.held) == (instant.render(NOW), 60)
    assert len(report.first) == 10
    assert report.first[0] == "namespaces/preview-0"
    assert "and 57 more" in report.message
    assert scene.breakers.report("nobody") is None


def test_a_reset_releases_what_was_due_by_then() -> None:
    scene = Scene()
    scene.surprise(60)
    scene.breakers.look()
    scene.resets["previews"] = instant.render(NOW + SECOND)
    scene.now += 2 * SECOND
    scene.breakers.look()
    assert [what for what, _ in scene.told] == ["opened", "closed"]
    assert scene.told[1][1] == "the breaker is closed: a person has confirmed the ends"
    assert [scene.breakers.holds_back(scene.order(n)) for n in range(60)] == [None] * 60


def test_a_reset_does_not_release_what_comes_later() -> None:
    scene = Scene()
    scene.surprise(60)
    scene.breakers.look()
    scene.resets["previews"] = instant.render(NOW + SECOND)
    for number in range(60, 160):
        scene.put(number, found(number, NOW + 30 * SECOND))
    scene.now += 2 * SECOND
    scene.breakers.look()
    assert [what for what, _ in scene.told] == ["opened", "opened"]
    report = scene.breakers.report("previews")
    assert report
    assert (report.opened_at, report.held) == (instant.render(scene.now), 100)
    assert scene.breakers.holds_back(scene.order(3)) is None
    scene.now = NOW + 30 * SECOND
    assert scene.breakers.holds_back(scene.order(60))


def test_a_step_that_was_added_later_is_not_confirmed_by_an_older_reset() -> None:
    # Its due time would have been long ago, had anybody written it then.
    policy = known(a_policy(grace="1h"), **{"DELETE_at_0s": NOW - timedelta(hours=1)})
    scene = Scene({"previews": policy})
    scene.resets["previews"] = instant.render(NOW - SECOND)
    past = NOW - timedelta(days=2)
    for number in range(60):
        scene.put(number, announced(number, past))
    assert scene.breakers.holds_back(scene.order(1, past))


def test_what_a_resumed_policy_finds_due_is_not_confirmed_by_an_older_reset() -> None:
    past = NOW - timedelta(days=2)
    scene = Scene({"previews": replace(a_policy(), since=NOW)})
    scene.resets["previews"] = instant.render(NOW - SECOND)
    for number in range(60):
        scene.put(number, announced(number, past))
    assert scene.breakers.holds_back(scene.order(1, past))
    scene.resets["previews"] = instant.render(NOW)
    assert scene.breakers.holds_back(scene.order(1, past)) is None


def test_it_closes_by_itself_when_the_policy_was_corrected() -> None:
    scene = Scene()
    scene.surprise(60)
    scene.breakers.look()
    for number in range(60):
        scene.put(number, None)
    scene.breakers.look()
    report = scene.breakers.report("previews")
    assert report
    assert report.message.startswith("nothing is held back any more")
    scene.now += QUIET - SECOND
    scene.breakers.look()
    assert [what for what, _ in scene.told] == ["opened"]
    scene.now += SECOND
    scene.breakers.look()
    assert scene.told[1:] == [
        ("closed", "the breaker is closed: there was nothing left to hold back")
    ]
    assert scene.breakers.report("previews") is None


def test_a_list_that_comes_back_empty_for_a_moment_does_not_close_it() -> None:
    scene = Scene()
    scene.surprise(60)
    scene.breakers.look()
    for number in range(60):
        scene.put(number, None)
    scene.breakers.look()
    scene.now += QUIET / 2
    scene.surprise(5)
    scene.breakers.look()
    scene.now += QUIET
    assert scene.breakers.holds_back(scene.order(3))


def test_nothing_surprising_happens_while_not_all_is_known() -> None:
    scene = Scene(unknown="namespaces are not listed yet")
    scene.put(1, found(1, NOW))
    assert scene.breakers.look(), "look again soon"
    said = "it is not known yet how many end with it: namespaces are not listed yet"
    assert scene.breakers.holds_back(scene.order(1)) == said
    assert scene.breakers.holds_back(scene.order(1, surprising=False)) is None
    scene.unknown = None
    assert scene.breakers.holds_back(scene.order(1)) is None


def test_nothing_surprising_happens_under_a_policy_that_is_gone() -> None:
    scene = Scene({})
    assert scene.breakers.holds_back(scene.order(1)) == "ExpiryPolicy previews is not known"


async def test_an_edited_policy_is_followed_before_anything_surprising_happens() -> None:
    scene = Scene()
    past = NOW - timedelta(days=2)
    for number in range(600):
        scene.put(number, announced(number, past))
    assert not scene.breakers.look()
    scene.policies["previews"] = known(a_policy(grace="1s"), **{"DELETE_at_0s": NOW - SECOND})
    scene.surprises.policies_changed()
    said = "it is not known yet how many end with it: the policies have changed just now"
    assert scene.breakers.holds_back(scene.order(1, past)) == said
    await scene.surprises.follow()
    assert scene.breakers.holds_back(scene.order(1, past)) == (
        "the breaker of ExpiryPolicy previews is open"
    )
    assert scene.breakers.open() == {"previews": 600}


def test_a_step_that_is_done_is_no_surprise_any_more() -> None:
    timeline = [
        {"at": "0s", "action": {"type": "NOTIFY"}},
        {"at": "0s", "action": {"type": "SCALE_DOWN"}},
        {"at": "1d", "action": {"type": "DELETE"}},
    ]
    scene = Scene({"previews": a_policy(timeline=timeline)})
    end = instant.render(NOW)
    done = f'{{"step":"SCALE_DOWN@0s","id":"i","result":"Done","at":"{end}"}}'
    for number in range(60):
        steps = f'{{"end":"{end}","done":[{done}],"uid":"uid-{number}"}}'
        scene.put(number, found(number, NOW, **{names.STEPS: steps}))
    scene.breakers.look()
    assert scene.told == []
    scene.now += timedelta(days=1)
    scene.breakers.look()
    assert [what for what, _ in scene.told] == ["opened"]


@pytest.mark.parametrize("end", [NOW, None])
def test_what_has_no_end_or_no_policy_is_no_surprise(end: datetime | None) -> None:
    scene = Scene({})
    meta = found(1, NOW).meta
    scene.put(1, type(found(1, NOW))(meta, end))
    assert not scene.surprises.any("previews")
