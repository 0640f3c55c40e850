"""Ephemerators around the days when clocks are set: foreseen to the instant at which it happens."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from dayfly_core import instant, names
from dayfly_core.ephemerator import Settings
from dayfly_core.guard import Guard
from dayfly_core.objects import EPHEMERATORS, NAMESPACES, Key, ObjectMeta
from dayfly_core.players import EphemeratorPlayer
from dayfly_core.policies import Policies
from dayfly_core.simulation import World, simulate
from dayfly_operator.own.kinds import OwnObject
from support.fake_store import Store
from support.own_stage import Stage, put
from support.virtual_loop import run

SPAN = timedelta(days=5)
"""A day of New York ends in the next one of UTC: what ends at its end needs a moment more."""
LATENESS = timedelta(milliseconds=50)

CHANGES = [
    ("Europe/Berlin", "2027-03-28"),  # forward in the night
    ("Europe/Berlin", "2027-10-31"),  # back in the night
    ("America/New_York", "2027-03-14"),  # forward in another month
    ("Australia/Lord_Howe", "2027-04-04"),  # back by half an hour
    ("America/Santiago", "2027-09-05"),  # forward at midnight
]
"""Zones, and days on which their clocks are set."""


def manifest(name: str, lifetime: dict[str, Any], created: datetime) -> dict[str, Any]:
    return {
        "metadata": {
            "name": name,
            "uid": f"uid-{name}",
            "resourceVersion": "1",
            "generation": 1,
            "creationTimestamp": instant.render(created),
            "annotations": {names.ENABLED: "true"},
        },
        "spec": {"namespaceToWatch": f"ns-{name}", "lifetime": lifetime},
    }


def executed(manifests: list[dict[str, Any]], start: datetime) -> list[tuple[datetime, str]]:
    store = Store()
    for written in manifests:
        name = written["spec"]["namespaceToWatch"]
        put(store, NAMESPACES.path(), {"metadata": {"name": name, "uid": f"uid-{name}"}})
        put(store, EPHEMERATORS.path(), written)
    return run(Stage(store, start).deleted(SPAN))


def foreseen(manifests: list[dict[str, Any]], start: datetime) -> list[tuple[datetime, str]]:
    objects: dict[Key, ObjectMeta] = {}
    for written in manifests:
        name = written["spec"]["namespaceToWatch"]
        objects[Key(NAMESPACES, "", name)] = ObjectMeta(name=name, uid=f"uid-{name}")
    guard = Guard("dayfly-system")
    players = [
        EphemeratorPlayer(msgspec.convert(written, OwnObject), guard, Settings())
        for written in manifests
    ]
    events = simulate(World(start, objects, Policies(), guard, players), start + SPAN)
    return [(event.at, event.key.name) for event in events if event.what == "delete"]


@given(
    change=st.sampled_from(CHANGES),
    clocks=st.lists(
        st.tuples(st.integers(-1, 1), st.integers(0, 23), st.integers(0, 59)),
        min_size=1,
        max_size=4,
    ),
    hours=st.integers(1, 60),
)
def test_what_a_clock_says_is_foreseen_and_done(
    change: tuple[str, str], clocks: list[tuple[int, int, int]], hours: int
) -> None:
    zone, day = change
    middle = datetime.fromisoformat(day).replace(tzinfo=UTC)
    start = middle - timedelta(days=2)
    manifests = [manifest("lasting", {"duration": {"hours": hours}}, start)]
    for number, (days, hour, minute) in enumerate(clocks):
        date = (middle + timedelta(days=days)).date().isoformat()
        until = {"date": date, "time": f"{hour:02}:{minute:02}:00", "timezone": zone}
        manifests.append(manifest(f"until-{number}", {"until": until}, start))
    done, expected = sorted(executed(manifests, start)), sorted(foreseen(manifests, start))
    assert len(done) == 2 * len(manifests)
    of = {name: at for at, name in done}
    assert of.keys() == {name for _, name in expected}
    for at, name in expected:
        assert timedelta() <= of[name] - at <= LATENESS
