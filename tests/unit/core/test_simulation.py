"""A cluster on a clock that is not real, and the forecast of one object."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
import pytest
from msgspec.structs import replace

from dayfly_core.forecast import Foreseen, forecast
from dayfly_core.objects import CONFIG_MAPS, DEPLOYMENTS, EPHEMERATORS, NAMESPACES, Key, ObjectMeta
from dayfly_core.policies import Policies, Policy
from dayfly_core.simulation import Event, Player, Turn, World, simulate
from dayfly_core.subject import Subject
from support.build import DAY, HOUR, NOW, a_policy, an_object, in_
from support.subjects import GUARD, about, stamped
from support.timelines import ending, on_timeline

ONLY_DEPLOYMENTS = frozenset({("apps", "deployments")})
STANDARD = on_timeline(
    "NOTIFY+@-1h", "SCALE_DOWN@0s", "WEBHOOK@1h", "DELETE@24h", resources=ONLY_DEPLOYMENTS
)
SPACES = a_policy("spaces", resources=frozenset({("", "namespaces")}))
TEAM = Key(NAMESPACES, "", "team-a")
WEB = Key(DEPLOYMENTS, "team-a", "web")


def a_world(objects: dict[Key, ObjectMeta], *policies: Policy, players: list[Player]) -> World:
    return World(NOW, objects, Policies(policies), GUARD, players)


def a_namespace(at: str | None = None) -> ObjectMeta:
    meta = an_object(at=at, policy="spaces" if at else None, age=HOUR)
    return msgspec.structs.replace(meta, name="team-a", namespace="")


def story(world: World, until: datetime = NOW + 9 * DAY) -> list[tuple[timedelta, str, str, str]]:
    return [(e.at - NOW, e.key.name, e.what, e.rule) for e in simulate(world, until)]


def test_a_deployment_goes_through_its_timeline_and_its_namespace_takes_it_along() -> None:
    world = a_world(
        {TEAM: a_namespace(in_("20h")), WEB: ending(in_("8h"))}, STANDARD, SPACES, players=[]
    )
    assert story(world) == [
        (7 * HOUR, "web", "warn", "NOTIFY@-1h"),
        (7 * HOUR, "web", "call", "NOTIFY@-1h"),
        (8 * HOUR, "web", "scale down", "SCALE_DOWN@0s"),
        (9 * HOUR, "web", "note", "WEBHOOK@1h"),
        (9 * HOUR, "web", "call", "WEBHOOK@1h"),
        (20 * HOUR, "team-a", "delete", "DELETE@0s"),
    ]
    assert world.objects == {}


def test_it_goes_no_further_than_asked() -> None:
    world = a_world({TEAM: a_namespace(), WEB: ending(in_("8h"))}, STANDARD, players=[])
    assert [what for _, _, what, _ in story(world, NOW + 8 * HOUR)] == [
        "warn",
        "call",
        "scale down",
    ]


def test_what_has_no_stamp_gets_one_and_what_is_woken_comes_back() -> None:
    asleep = ending(in_("-1h"), wake_requested="now, alice")
    world = a_world(
        {TEAM: a_namespace(), WEB: asleep, Key(DEPLOYMENTS, "team-a", "new"): an_object(age=HOUR)},
        on_timeline("SCALE_DOWN@0s", resources=ONLY_DEPLOYMENTS),
        players=[],
    )
    assert story(world) == [
        (0 * HOUR, "new", "stamp", "CaughtUp"),
        (0 * HOUR, "web", "wake", "dayfly.dev/wake-requested"),
        (23 * HOUR, "new", "scale down", "SCALE_DOWN@0s"),
        (24 * HOUR, "web", "scale down", "SCALE_DOWN@0s"),
    ]


@dataclass
class Reaper:
    """Ends a namespace, and then itself."""

    at: datetime
    name: str = "reaper"
    target: str = "team-a"

    @property
    def key(self) -> Key:
        return Key(EPHEMERATORS, "", self.name)

    def play(self, objects: Mapping[Key, ObjectMeta], now: datetime) -> Turn:
        if now < self.at and TEAM in objects:
            return Turn(again=self.at)
        victim = TEAM if TEAM in objects else self.key
        event = Event(now, victim, "delete", "UNTIL", "Ephemerator/reaper")
        return Turn((event,), frozenset({victim}))


def test_others_of_our_kinds_play_along() -> None:
    world = a_world({TEAM: a_namespace(), WEB: ending(in_("8h"))}, players=[Reaper(NOW + HOUR)])
    assert story(world) == [
        (HOUR, "team-a", "delete", "UNTIL"),
        (HOUR, "reaper", "delete", "UNTIL"),
    ]


def test_they_hear_of_a_namespace_that_goes_before() -> None:
    other = Reaper(NOW + 5 * HOUR, "x", "team-b")
    world = a_world({TEAM: a_namespace(in_("1h"))}, SPACES, players=[Reaper(NOW + 9 * DAY), other])
    assert story(world) == [
        (HOUR, "team-a", "delete", "DELETE@0s"),
        (HOUR, "reaper", "delete", "UNTIL"),
        (5 * HOUR, "x", "delete", "UNTIL"),
    ]


class Restless:
    """Never has enough."""

    key = Key(EPHEMERATORS, "", "restless")
    target = "team-a"

    def play(self, objects: Mapping[Key, ObjectMeta], now: datetime) -> Turn:
        return Turn((Event(now, self.key, "dance", "TTL", "Ephemerator/restless"),))


def test_a_fault_does_not_hang_it() -> None:
    assert len(story(a_world({}, players=[Restless()]))) == 64


FORECASTS = [
    pytest.param(
        about(ending(in_("8h")), DEPLOYMENTS), [STANDARD],
        ["7h warn NOTIFY@-1h", "7h call NOTIFY@-1h", "8h scale down SCALE_DOWN@0s",
         "9h call WEBHOOK@1h", "32h delete DELETE@1d"],
        id="all steps to come",
    ),
    pytest.param(
        about(stamped(in_("8h"))), [a_policy()], ["8h delete DELETE@0s"], id="an end is a step"
    ),
    pytest.param(
        about(an_object(age=HOUR)), [a_policy()],
        ["0h stamp CaughtUp", "23h delete DELETE@0s"], id="what would be given an end",
    ),
    pytest.param(
        replace(about(stamped(in_("8h"))), namespace=a_namespace(in_("2h"))), [a_policy(), SPACES],
        ["2h end with its namespace DELETE@0s"], id="its namespace ends before",
    ),
    pytest.param(about(stamped(in_("8h"))), [], [], id="nobody's"),
    pytest.param(
        Subject(Key(CONFIG_MAPS, "team-a", "settings"), stamped(in_("8h")), None), [a_policy()], [],
        id="its namespace is not known",
    ),
    pytest.param(
        about(a_namespace(in_("2h")), NAMESPACES), [SPACES], ["2h delete DELETE@0s"],
        id="a namespace",
    ),
]  # fmt: skip


def around(subject: Subject, policies: list[Policy]) -> World:
    objects = {subject.key: subject.meta}
    if subject.namespace:
        objects[Key(NAMESPACES, "", subject.key.namespace)] = subject.namespace
    return World(NOW, objects, Policies(policies), GUARD)


@pytest.mark.parametrize(("subject", "policies", "want"), FORECASTS)
def test_a_forecast_names_the_rules(
    subject: Subject, policies: list[Policy], want: list[str]
) -> None:
    found = forecast(subject.key, around(subject, policies))
    assert [f"{(each.at - NOW) // HOUR}h {each.what} {each.rule}" for each in found] == want


def test_a_forecast_says_whose_rule_it_is() -> None:
    subject = about(stamped(in_("8h")))
    found = forecast(subject.key, around(subject, [a_policy()]))
    assert found == (Foreseen(NOW + 8 * HOUR, "delete", "DELETE@0s", "ExpiryPolicy/previews"),)


def test_a_forecast_of_one_of_ours_is_what_it_does_itself_and_to_others() -> None:
    player = Reaper(NOW + HOUR)
    world = a_world({TEAM: a_namespace()}, players=[player])
    found = forecast(player.key, world)
    assert [(each.at - NOW, each.what) for each in found] == [
        (HOUR, "delete namespaces/team-a"),
        (HOUR, "delete"),
    ]


KEPT = {"team-a": "configmaps/team-a/keep"}


def test_a_namespace_that_holds_something_protected_stays_whoever_ends_it() -> None:
    world = a_world({TEAM: a_namespace(in_("1h"))}, SPACES, players=[Reaper(NOW + 2 * HOUR)])
    world.kept = KEPT
    events = list(simulate(world, NOW + 9 * DAY))
    why = "configmaps/team-a/keep, which is protected, keeps it"
    assert [(each.at - NOW, each.held) for each in events] == [(HOUR, why), (2 * HOUR, why)]
    assert TEAM in world.objects


def test_what_is_in_such_a_namespace_ends_all_the_same() -> None:
    world = a_world({TEAM: a_namespace(), WEB: stamped(in_("1h"))}, players=[])
    world.policies = Policies([a_policy(resources=ONLY_DEPLOYMENTS)])
    world.kept = KEPT
    assert [each.held for each in simulate(world, NOW + DAY)] == [""]
