"""Very many warnings and webhooks at once: they keep within a pace, and no end waits for them."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from dayfly_core import instant, names
from dayfly_core.actions import Action
from dayfly_core.objects import DEPLOYMENTS, NAMESPACES, Key, ObjectMeta
from dayfly_core.pace import Pace
from dayfly_core.policies import Policies
from dayfly_core.simulation import Event
from dayfly_operator.crew import Around, Crew
from dayfly_operator.engine import Engine
from dayfly_operator.pace import Appointments, Pacer, of_notes
from support.build import NOW, SECOND
from support.leader import PACE
from support.nobody import NoBrakes, NoReleases
from support.stage import Bystanders, Cluster, Hands, Knowledge
from support.subjects import GUARD
from support.timelines import on_timeline

pytestmark = pytest.mark.looptime(start=0)

MINUTE = 60 * SECOND
NOTES = of_notes(PACE)
MANY = 2000
FEW = 100
LATENCY = 0.01
"""Seconds that the API server takes for a write."""

DEPLOYED = frozenset({("apps", "deployments")})


class Slow(Hands):
    """An API server that takes its time."""

    async def carry_out(self, action: Action, around: Around) -> ObjectMeta | None:
        await asyncio.sleep(LATENCY)
        return await super().carry_out(action, around)


def due(number: int, end: timedelta, policy: str) -> tuple[Key, ObjectMeta]:
    name = f"web-{number}"
    meta = ObjectMeta(
        name=name,
        namespace="team",
        uid=f"uid-{number}",
        resource_version="1",
        labels={names.POLICY: policy},
        annotations={names.EXPIRES_AT: instant.render(NOW + end)},
    )
    return Key(DEPLOYMENTS, "team", name), meta


def cluster(step: str, end: timedelta) -> Cluster:
    """Many objects with a step at one minute, and a few that end then."""
    policies = Policies(
        [
            on_timeline(step, "DELETE@1h", name="noisy", resources=DEPLOYED),
            on_timeline("DELETE@0s", name="plain", resources=DEPLOYED),
        ]
    )
    objects = [due(number, end, "noisy") for number in range(MANY)]
    objects += [due(number, MINUTE, "plain") for number in range(MANY, MANY + FEW)]
    team = Key(NAMESPACES, "", "team"), ObjectMeta(name="team", uid="t", resource_version="1")
    return Cluster(NOW, dict([team, *objects]), policies, GUARD)


@asynccontextmanager
async def leading(stage: Cluster) -> AsyncGenerator[None]:
    hands, others = Slow(stage), Bystanders()
    pacer = Pacer(PACE, asyncio.get_running_loop().time)
    notes = Appointments(NOTES, asyncio.get_running_loop().time)
    crew = Crew(
        Knowledge(stage),
        hands,
        pacer,
        others,
        others,
        NoBrakes(),
        NoReleases(),
        notes=notes,
    )
    engine = hands.engine = Engine(crew, others, stage.now)
    work = asyncio.create_task(engine.queue.run())
    await engine.look_at_all(stage.stamped().items(), [])
    yield
    engine.deadlines.close()
    engine.queue.stop()
    await work


def seconds(event: Event) -> float:
    return (event.at - NOW).total_seconds()


def busiest(times: list[float]) -> int:
    """Count what was done in the busiest second."""
    return max(sum(1 for t in times if 0 <= t - begin < 1) for begin in set(times))


@pytest.mark.parametrize(
    ("step", "end", "writes"),
    [
        pytest.param("NOTIFY@-10m", 11 * MINUTE, 1, id="warnings"),
        pytest.param("WEBHOOK@-10m", 11 * MINUTE, 2, id="webhooks"),
    ],
)
async def test_two_thousand_at_once_are_paced_and_delay_no_end(
    step: str, end: timedelta, writes: int
) -> None:
    stage = cluster(step, end)
    async with leading(stage):
        await asyncio.sleep(5 * 60)
    done = Counter(event.what for event in stage.events)
    assert done.pop("delete") == FEW
    assert done.total() == writes * MANY
    ended = [seconds(event) for event in stage.events if event.what == "delete"]
    noted = [seconds(event) for event in stage.events if event.what != "delete"]
    assert busiest(noted) <= 2 * NOTES.rate, "a second's worth is let go at once"
    assert max(noted) - 60 <= writes * MANY / NOTES.rate + 1
    assert max(ended) - 60 <= FEW / PACE.rate, "as if there were nothing but these ends"


async def test_without_a_pace_nothing_waits() -> None:
    notes = Appointments(of_notes(Pace(0)), asyncio.get_running_loop().time)
    assert {notes.wait(due(number, MINUTE, "p")[0]) for number in range(MANY)} == {0.0}


async def test_who_is_given_a_time_keeps_it_and_who_is_gone_loses_it() -> None:
    one, two = due(1, MINUTE, "p")[0], due(2, MINUTE, "p")[0]
    notes = Appointments(Pace(1), asyncio.get_running_loop().time)
    assert [notes.wait(one), notes.wait(one), notes.wait(one)] == [0.0, 1.0, 1.0]
    assert notes.wait(two) == 2.0
    await asyncio.sleep(1.5)
    assert (notes.wait(one), notes.wait(two)) == (0.0, 0.5)
    notes.over(two)
    assert notes.wait(two) == 1.5, "it is another one of that name"
