"""When kopf is made to look again for a kind that was not served when its definition changed."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import pytest
from kopf._cogs.structs.references import Insights
from kopf._cogs.structs.references import Resource as Served

from dayfly_core.objects import EPHEMERATORS, STAYS, Resource
from dayfly_operator.late_kinds import look_again

pytestmark = pytest.mark.looptime(start=0)


def served(kind: Resource) -> Served:
    return Served(group=kind.group, version=kind.version, plural=kind.plural)


class Looks:
    """Notes when a group was looked at; finds a kind from an instant on."""

    def __init__(self, insights: Insights, kind: Resource, since: float) -> None:
        self.at: list[tuple[float, str]] = []
        self._insights = insights
        self._kind = kind
        self._since = since

    async def look(self, group: str) -> None:
        now = asyncio.get_running_loop().time()
        self.at.append((now, group))
        if now >= self._since:
            self._insights.watched_resources.add(served(self._kind))
        await revise(self._insights)


async def revise(insights: Insights) -> None:
    async with insights.revised:
        insights.revised.notify_all()


@asynccontextmanager
async def looking(looks: Looks, insights: Insights) -> AsyncGenerator[None]:
    task = asyncio.create_task(look_again(insights, (EPHEMERATORS, STAYS), looks.look))
    await asyncio.sleep(0)
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        pytest.param(0.0, [1.0], id="a kind that is served by the first look is looked for once"),
        pytest.param(4.9, [1.0, 5.0], id="one that comes later is looked for until it is there"),
        pytest.param(9e9, [1.0, 5.0, 20.0, 60.0], id="one that never comes costs four looks"),
    ],
)
async def test_it_looks_until_the_kind_is_there(since: float, expected: list[float]) -> None:
    insights = Insights(watched_resources={served(STAYS)})
    looks = Looks(insights, EPHEMERATORS, since)
    async with looking(looks, insights):
        await asyncio.sleep(3600)
    assert looks.at == [(at, EPHEMERATORS.group) for at in expected]


async def test_each_change_of_a_definition_begins_anew() -> None:
    insights = Insights(watched_resources={served(STAYS)})
    looks = Looks(insights, EPHEMERATORS, 9e9)
    async with looking(looks, insights):
        await asyncio.sleep(100)
        await revise(insights)
        await asyncio.sleep(2)
        await revise(insights)
        await asyncio.sleep(100)
    assert [at for at, _ in looks.at] == [1, 5, 20, 60, 101, 103, 107, 122, 162]


async def test_with_all_kinds_there_nothing_is_asked() -> None:
    insights = Insights(watched_resources={served(STAYS), served(EPHEMERATORS)})
    looks = Looks(insights, EPHEMERATORS, 0)
    async with looking(looks, insights):
        await revise(insights)
        await asyncio.sleep(3600)
    assert looks.at == []
