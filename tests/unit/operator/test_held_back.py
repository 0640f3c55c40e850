"""What keeps an act from happening although its time has come, and when it is looked at again."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from dayfly_core import names
from dayfly_core.actions import Action, Delete, ScaleDown
from dayfly_core.api import Unit
from dayfly_core.helm import marks as helm
from dayfly_core.objects import DEPLOYMENTS, NAMESPACES, Key
from dayfly_core.policies import Policies
from dayfly_operator.crew import ReleaseOutcome
from support.build import in_
from support.fake_store import Json, Store, place_of
from support.succession import BEGINNING, Realm, reign
from support.timelines import on_timeline
from support.virtual_loop import run

WEB = Key(DEPLOYMENTS, "team", "web")
MINUTE = 60.0


def realm(*timeline: str, unit: Unit = Unit.OBJECT) -> Realm:
    store = Store()
    store.create(place_of(NAMESPACES.path()), {"metadata": {"name": "team"}})
    mark: Json = {helm.RELEASE_NAME: "shop", helm.RELEASE_NAMESPACE: "team"}
    meta: Json = {
        "name": "web",
        "labels": {names.POLICY: "previews", "app.kubernetes.io/managed-by": "Helm"},
        "annotations": {names.EXPIRES_AT: in_("1m"), **(mark if unit is Unit.RELEASE else {})},
    }
    store.create(place_of(DEPLOYMENTS.path("team")), {"metadata": meta, "spec": {"replicas": 3}})
    return Realm(store, Policies([on_timeline(*timeline, unit=unit)]))


@dataclass
class Brakes:
    """Holds back until an instant; counts how often it is asked."""

    until: float
    asked: list[tuple[str, float]] = field(default_factory=list[tuple[str, float]])

    def holds_back(self, action: Action) -> str | None:
        now = asyncio.get_running_loop().time()
        self.asked.append((type(action).__name__, round(now)))
        return "the breaker is open" if now < self.until else None


def test_what_is_held_back_is_looked_at_each_minute_and_complained_of_once() -> None:
    held = realm("SCALE_DOWN@0s")
    brakes = held.brakes = Brakes(until=2.5 * MINUTE)
    client, _ = run(reign(held, (WEB,), 5 * MINUTE, None))
    assert [request.path for request in client.sent("PATCH")] == [DEPLOYMENTS.path("team", "web")]
    assert held.events == ["BreakerOpen", "BreakerOpen", "Scaled", "ScaledDown"]
    asked = [at for kind, at in brakes.asked if kind == ScaleDown.__name__]
    assert asked == [60, 120, 180, 180]
    labels = {"policy": "previews", "reason": "BreakerOpen"}
    assert held.metrics.registry.get_sample_value("dayfly_withheld_total", labels) == 1


@dataclass
class Later(Brakes):
    """Lets it pass at first, and holds it back when it has waited for its turn."""

    def holds_back(self, action: Action) -> str | None:
        self.asked.append((type(action).__name__, 0.0))
        return "the breaker has opened" if len(self.asked) == 2 else None


def test_what_is_held_back_while_it_waits_for_its_turn_does_not_happen() -> None:
    held = realm("DELETE@0s")
    held.brakes = Later(until=0)
    client, _ = run(reign(held, (WEB,), 1.5 * MINUTE, None))
    assert client.sent("DELETE") == []
    client, _ = run(reign(held, (WEB,), 3 * MINUTE, None))
    assert len(client.sent("DELETE")) == 1


@dataclass
class Releases:
    """Answers as it is told, then that nothing is left."""

    outcomes: list[ReleaseOutcome]
    asked: list[tuple[Delete, float]] = field(default_factory=list[tuple[Delete, float]])

    async def end(self, action: Delete) -> ReleaseOutcome:
        self.asked.append((action, asyncio.get_running_loop().time()))
        return self.outcomes.pop(0) if self.outcomes else ReleaseOutcome()


def at(minutes: float) -> datetime:
    return BEGINNING + timedelta(minutes=minutes)


def test_a_member_of_a_release_ends_with_the_release_and_not_by_itself() -> None:
    ending = realm("DELETE@0s", unit=Unit.RELEASE)
    outcomes = [ReleaseOutcome(again=at(3)), ReleaseOutcome(blocked="release team/shop stays")]
    releases = ending.releases = Releases(outcomes)
    client, _ = run(reign(ending, (WEB,), 10 * MINUTE, None))
    assert client.sent("DELETE") == []
    assert [round(when) for _, when in releases.asked] == [60, 180, 240]
    order = releases.asked[0][0]
    assert order.release is not None
    assert (order.release.namespace, order.release.name) == ("team", "shop")
    assert ending.events == ["ReleaseBlocked", "ReleaseBlocked"]
