"""A replica that does not lead sees everything that the one that leads does."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
import pytest

from dayfly_core import ending
from dayfly_core.history import Entry
from dayfly_core.objects import CONFIG_MAPS, NAMESPACES, Key, ObjectMeta
from dayfly_core.subject import Plan, Subject
from dayfly_operator.onlooker import CAPACITY, REMEMBERED, Onlooker
from dayfly_operator.stamped import Stamped
from support.build import NOW, SECOND, in_
from support.realms import TEAM, WEB, namespace, workload
from support.subjects import PREVIEWS, do
from support.succession import Realm, reign
from support.timelines import ending as an_end
from support.virtual_loop import run

SETTINGS = Key(CONFIG_MAPS, "team-a", "settings")
DUE = Stamped(an_end(in_("-1s")), NOW)


@dataclass
class Side:
    """Where an onlooker stands."""

    leads: bool = False
    time: datetime = NOW
    places: dict[str, ObjectMeta] = field(default_factory=dict[str, ObjectMeta])
    onlooker: Onlooker = field(init=False)

    def __post_init__(self) -> None:
        self.onlooker = Onlooker(self.plan, self, self, lambda: self.time)

    def holds(self) -> bool:
        return self.leads

    def namespace(self, name: str) -> ObjectMeta | None:
        return self.places.get(name)

    def plan(self, subject: Subject) -> Plan:
        around = ObjectMeta(name="team-a")
        return do(Subject(subject.key, subject.meta, around), PREVIEWS)

    def told(self) -> list[str]:
        """Return the uids of what is told when it leads."""
        self.leads = True
        return [entry.uid for entry in self.onlooker.testify()]

    def sees(self, *uids: str) -> None:
        for uid in uids:
            gone = Stamped(msgspec.structs.replace(DUE.meta, uid=uid), NOW)
            self.onlooker.replaced(SETTINGS, gone, None)


def test_what_was_seen_is_told_once_and_by_who_leads() -> None:
    side = Side()
    side.sees("u-1", "u-2")
    assert side.onlooker.testify() == [], "the other one tells it, as long as it lives"
    assert side.told() == ["u-1", "u-2"]
    assert side.told() == []


def test_who_leads_does_not_look_at_itself() -> None:
    side = Side(leads=True)
    side.sees("u-1")
    assert side.told() == []


def test_it_forgets_what_a_leader_has_had_the_time_to_tell() -> None:
    side = Side()
    side.sees("old")
    side.time += REMEMBERED
    side.sees("newer")
    side.time += SECOND
    assert side.told() == ["newer"]


def test_it_remembers_no_more_than_that() -> None:
    side = Side()
    side.sees(*(f"u-{number}" for number in range(CAPACITY + 1)))
    told = side.told()
    assert (len(told), told[0]) == (CAPACITY, "u-1")


def test_what_goes_with_its_namespace_was_not_ended_by_itself() -> None:
    side = Side(places={"team-a": ObjectMeta(name="team-a", deletion_timestamp=NOW)})
    side.sees("u-1")
    assert side.told() == []


@pytest.mark.parametrize("surprising", [True, False])
def test_what_a_breaker_holds_was_ended_by_somebody_else(surprising: bool) -> None:
    side = Side()
    more = {"caught_up": in_("-1h")} if surprising else {}
    side.onlooker.breaker_is_open = lambda policy: policy == "previews"
    side.onlooker.replaced(SETTINGS, Stamped(an_end(in_("-1s"), **more), NOW), None)
    assert side.told() == ([] if surprising else ["u-1"])


def test_what_cannot_be_judged_ends_no_watch(caplog: pytest.LogCaptureFixture) -> None:
    def defect(subject: Subject) -> Plan:
        raise ValueError(subject.key)

    side = Side()
    onlooker = Onlooker(defect, side, side, lambda: NOW)
    onlooker.replaced(SETTINGS, DUE, None)
    side.leads = True
    assert onlooker.testify() == []
    assert f"what was seen is not understood object={SETTINGS}" in caplog.text


# Beside real leaders, of whom the first may die at any moment.


@dataclass
class Beside:
    """Notes at once what an onlooker sees in a realm."""

    realm: Realm
    leads: bool = False
    told: list[Entry] = field(default_factory=list[Entry])

    def __post_init__(self) -> None:
        self.onlooker = Onlooker(self.plan, self, self, self.realm.now)
        self.realm.replaced = self.replaced

    def holds(self) -> bool:
        return self.leads

    def namespace(self, name: str) -> ObjectMeta | None:
        return self.realm.meta(Key(NAMESPACES, "", name))

    def plan(self, subject: Subject) -> Plan:
        realm = self.realm
        return ending.plan(subject, realm.policies, realm.guard, realm.now())

    def replaced(self, key: Key, before: Stamped, after: Stamped | None) -> None:
        self.leads = False
        self.onlooker.replaced(key, before, after)
        self.leads = True
        self.told += self.onlooker.testify()


def seen(entry: Entry) -> tuple[object, ...]:
    return entry.action, entry.name, entry.by, entry.due, entry.result


@pytest.mark.parametrize(
    ("make", "key"),
    [pytest.param(namespace, TEAM, id="a namespace"), pytest.param(workload, WEB, id="a workload")],
)
def test_wherever_a_leader_dies_all_its_acts_were_seen(make: Callable[[], Realm], key: Key) -> None:
    undisturbed = make()
    run(reign(undisturbed, (key,), 3600, None))
    expected = [seen(entry) for entry in undisturbed.history]
    assert [action for action, *_ in expected] == ["SCALE_DOWN", "WEBHOOK", "DELETE"]
    moment, alive, lost = 0, False, 0
    while not alive:
        moment += 1
        realm = make()
        beside = Beside(realm)
        first, _ = run(reign(realm, (key,), 3600, moment))
        alive = not first.died.is_set()
        assert [seen(entry) for entry in beside.told] == expected
        acts = [entry.act for entry in beside.told]
        assert {entry.act for entry in realm.history} <= {*acts}, "readers take one of both"
        lost += len(realm.history) < len(expected)
    assert lost == 3, "the leaders themselves die with an act untold: one after each"
