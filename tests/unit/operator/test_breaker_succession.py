"""What the next leader knows of a breaker."""

from msgspec.structs import replace

from dayfly_core import api, instant
from support.surprised import NOW, SECOND, Scene, found


def test_the_next_leader_goes_on_holding_back() -> None:
    scene = Scene()
    scene.surprise(60)
    scene.breakers.look()
    scene.save()
    for number in range(5, 60):
        scene.put(number, None)
    scene.now += 5 * SECOND
    new = scene.another()
    assert new.holds_back(scene.order(3))
    assert [what for what, _ in scene.told] == ["opened"], "it is not told again"
    report = new.report("previews")
    assert report
    assert report.opened_at == instant.render(NOW)


def test_the_next_leader_judges_anew_what_the_last_one_had_no_time_to_write() -> None:
    scene = Scene()
    scene.surprise(60)
    scene.breakers.look()
    assert scene.another().holds_back(scene.order(3))


def test_who_leads_again_forgets_what_it_thought_before() -> None:
    scene = Scene()
    scene.surprise(60)
    scene.breakers.look()
    scene.resets["previews"] = instant.render(NOW)
    scene.breakers.look()
    opened_later = instant.render(NOW + SECOND)
    scene.written["previews"] = api.Breaker(opened_at=opened_later, held=3)
    scene.now += 2 * SECOND
    scene.put(1, found(1, scene.now))
    assert scene.breakers.holds_back(scene.order(1)) is None
    scene.breakers.term_begins()
    assert scene.breakers.holds_back(scene.order(1))


def test_a_policy_made_anew_begins_with_a_closed_breaker() -> None:
    scene = Scene()
    scene.surprise(60)
    scene.breakers.look()
    for number in range(5, 60):
        scene.put(number, None)
    scene.policies["previews"] = replace(scene.policies["previews"], uid="another")
    scene.breakers.look()
    assert scene.breakers.holds_back(scene.order(1)) is None


def test_a_record_that_cannot_be_read_is_none() -> None:
    scene = Scene(written={"previews": api.Breaker(opened_at="yesterday")})
    scene.put(1, found(1, NOW))
    assert scene.breakers.holds_back(scene.order(1)) is None
