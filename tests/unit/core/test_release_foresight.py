"""Helm releases in a simulation: they end whole, with the last of their stamped members."""

from datetime import timedelta

import msgspec
import pytest

from dayfly_core import instant, names
from dayfly_core.api import Unit
from dayfly_core.helm.marks import (
    MANAGED_BY,
    MANAGER,
    RELEASE_NAME,
    RELEASE_NAMESPACE,
    RESOURCE_POLICY,
    ReleaseRef,
)
from dayfly_core.helm.release import Blocker, ReleasePlan, Step
from dayfly_core.objects import CONFIG_MAPS, DEPLOYMENTS, NAMESPACES, SECRETS, Key, ObjectMeta
from dayfly_core.policies import Policies
from dayfly_core.simulated_breakers import Brakes
from dayfly_core.simulation import World, simulate
from support.build import DAY, HOUR, NOW, a_policy
from support.subjects import GUARD

STORE = ReleaseRef("team", "store")
TEAM, ELSEWHERE = Key(NAMESPACES, "", "team"), Key(NAMESPACES, "", "elsewhere")
WEB, DB = Key(DEPLOYMENTS, "team", "web"), Key(DEPLOYMENTS, "team", "db")
SETTINGS = Key(CONFIG_MAPS, "team", "settings")
FAR = Key(DEPLOYMENTS, "elsewhere", "web")
WHOLE = a_policy(
    resources=frozenset({("apps", "deployments"), ("", "namespaces")}),
    default=None,
    unit=Unit.RELEASE,
)
LISTED = tuple(Step(key, f"uid-{key.name}", "1") for key in (WEB, DB, SETTINGS))
Objects = dict[Key, ObjectMeta]


def member(key: Key, hours: int | None, **annotations: str) -> Objects:
    """Return an object of the release, with an end so many hours from now."""
    marks = {RELEASE_NAME: "store", RELEASE_NAMESPACE: "team", **annotations}
    end = {} if hours is None else {names.EXPIRES_AT: instant.render(NOW + hours * HOUR)}
    meta = ObjectMeta(
        name=key.name,
        namespace=key.namespace,
        uid=f"uid-{key.namespace}-{key.name}",
        resource_version="1",
        creation_timestamp=NOW - DAY,
        labels={MANAGED_BY: MANAGER} | ({} if hours is None else {names.POLICY: "previews"}),
        annotations={**marks, **end},
    )
    return {key: meta}


def around() -> Objects:
    return {key: ObjectMeta(name=key.name, uid=key.name) for key in (TEAM, ELSEWHERE)}


def story(
    objects: Objects, plan: ReleasePlan | None, *, hours: int = 99
) -> list[tuple[timedelta, str, str, str]]:
    world = World(NOW, {**around(), **objects}, Policies([WHOLE]), GUARD)
    world.releases = {STORE: plan} if plan else {}
    events = simulate(world, NOW + hours * HOUR)
    return [(each.at - NOW, str(each.key), each.release, each.held) for each in events]


ALL = [
    (5 * HOUR, "deployments.apps/team/web", "team/store", ""),
    (5 * HOUR, "deployments.apps/team/db", "team/store", ""),
    (5 * HOUR, "configmaps/team/settings", "team/store", ""),
]
TWO = {**member(WEB, 2), **member(DB, 5)}
KEPT = {RESOURCE_POLICY: "keep"}
FIRST = "deployments.apps/team/db"
"""Which asks first for what comes at one instant."""
OTHER = Blocker("ReleaseForeign", "belongs to the Helm release team/other", SETTINGS, "u")


@pytest.mark.parametrize(
    ("objects", "plan", "expected"),
    [
        pytest.param(TWO, ReleasePlan(STORE, LISTED), ALL, id="with the last of its members"),
        pytest.param(
            {**member(WEB, 5), **member(DB, 5)}, ReleasePlan(STORE, LISTED), ALL,
            id="with all at one instant",
        ),
        pytest.param(
            {**TWO, **member(FAR, 8)}, ReleasePlan(STORE, LISTED),
            [*ALL, (8 * HOUR, "deployments.apps/elsewhere/web", "", "")],
            id="and what it does not list goes by itself, and is not waited for",
        ),
        pytest.param(
            {**TWO, **member(SETTINGS, 9, **KEPT)},
            ReleasePlan(STORE, LISTED[:2], (str(SETTINGS),)), ALL[:2],
            id="and what its chart keeps is not waited for, and stays",
        ),
        pytest.param(
            {**member(WEB, 5), **member(SETTINGS, None)}, ReleasePlan(STORE, LISTED), ALL,
            id="and what has no stamp is not waited for",
        ),
        pytest.param(
            TWO, ReleasePlan(STORE, LISTED, blockers=(OTHER,)),
            [(5 * HOUR, FIRST, "",
              "configmaps/team/settings belongs to the Helm release team/other")],
            id="not while something is in the way",
        ),
        pytest.param(
            TWO, ReleasePlan(STORE, blockers=(Blocker("ReleaseNotStored", "no Secret holds it"),)),
            [(5 * HOUR, FIRST, "", "no Secret holds it")],
            id="not if nobody knows what it made",
        ),
        pytest.param(
            {**member(WEB, 2), **member(DB, 99 * 24)}, ReleasePlan(STORE, LISTED), [],
            id="not before the last",
        ),
        pytest.param(
            TWO, None,
            [(2 * HOUR, "deployments.apps/team/web", "", ""),
             (5 * HOUR, "deployments.apps/team/db", "", "")],
            id="what was not read ends one by one",
        ),
    ],
)  # fmt: skip
def test_a_release_ends(
    objects: Objects, plan: ReleasePlan | None, expected: list[tuple[timedelta, str, str, str]]
) -> None:
    assert story(objects, plan) == expected


def test_a_member_that_never_ends_keeps_it() -> None:
    endless = member(DB, 5)
    annotations = {**endless[DB].annotation_map, names.TTL: "never"}
    del annotations[names.EXPIRES_AT]
    endless[DB] = msgspec.structs.replace(endless[DB], annotations=annotations)
    assert story({**member(WEB, 2), **endless}, ReleasePlan(STORE, LISTED)) == []


def test_a_member_that_its_namespace_took_along_is_not_waited_for() -> None:
    far = msgspec.structs.replace(
        around()[ELSEWHERE],
        labels={names.POLICY: "previews"},
        annotations={names.EXPIRES_AT: instant.render(NOW + HOUR)},
    )
    steps = (*LISTED, Step(FAR, "uid-far", "1"))
    objects = {**member(WEB, 5), **member(FAR, 50), ELSEWHERE: far}
    told = story(objects, ReleasePlan(STORE, steps))
    assert told[0][:2] == (HOUR, "namespaces/elsewhere")
    assert {at for at, *_ in told[1:]} == {5 * HOUR}


def test_a_member_of_which_the_namespace_is_not_known_is_not_waited_for() -> None:
    far = Key(SECRETS, "unknown", "x")
    steps = (*LISTED, Step(far, "uid-x", "1"))
    told = story({**member(WEB, 5), **member(far, 50)}, ReleasePlan(STORE, steps))
    assert told == []


def test_a_member_that_a_breaker_holds_back_keeps_it() -> None:
    caught = {names.CAUGHT_UP: "x"}
    others = [Key(DEPLOYMENTS, "team", f"other-{number}") for number in range(30)]
    marks = {RELEASE_NAME: "", RELEASE_NAMESPACE: ""}
    objects = {**around(), **member(WEB, 2), **member(DB, 5, **caught)}
    for key in others:
        objects |= member(key, 5, **caught, **marks)
    rules = Policies([WHOLE])
    world = World(NOW, objects, rules, GUARD, brakes=Brakes(rules, GUARD, {}, NOW))
    world.releases = {STORE: ReleasePlan(STORE, LISTED)}
    events = list(simulate(world, NOW + 9 * HOUR))
    assert {event.key for event in events} == {DB, *others}
    assert all(event.held for event in events)
