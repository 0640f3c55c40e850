"""A leader that is stopped, cut off or slow in the middle of its acts, and goes on some time later.

Objects for every action of every component are due at that moment. Somebody else leads meanwhile:
everything is done, done once, and by who holds the Lease; and all of it is in the history.
``DAYFLY_SOAK=1`` has five times as many leaders in trouble; ``DAYFLY_SEED`` chooses other moments.
"""

import asyncio
import os
import random
import signal
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import msgspec
import pytest

from dayfly_core import names
from playground import System
from playground.process import Process
from support.doors import elsewhere
from support.kill_stage import Scene, mistakes, scene, unwritten
from support.kills import BY_CHANCE, MOMENTS, Moment, Series, series
from support.plots import PATIENCE
from support.replicas import back
from support.stalls import Stalls
from support.turnpikes import Turnpike, turnpike

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

SOAK = os.environ.get("DAYFLY_SOAK") == "1"
SEED = int(os.environ.get("DAYFLY_SEED", "5"))
RUNS = 15 if SOAK else 3
TROUBLE = 4.0
"""Seconds: twice as long as the Lease is good for."""
SLOW = 180.0

Pikes = dict[str, Turnpike]
Blow = Callable[[Process, Pikes], None]


@pytest.fixture(scope="module")
def cast(binaries: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with scene(tmp_path_factory.mktemp("partitions")) as found:
        yield found


def stopped(process: Process, _: Pikes) -> None:
    """Have the kernel give it no time; what it was about to send it sends later."""
    process.kill(signal.SIGSTOP)
    asyncio.get_running_loop().call_later(TROUBLE, process.kill, signal.SIGCONT)


def cut_off(process: Process, pikes: Pikes) -> None:
    """Hold up every answer; what it asks for is done."""
    free = pikes[process.name].free
    free.clear()
    process.kill(signal.SIGCONT)
    asyncio.get_running_loop().call_later(TROUBLE, free.set)


def slowed(process: Process, pikes: Pikes) -> None:
    """Have every answer take longer than most do, and shorter than it would wait."""
    pike = pikes[process.name]
    pike.lag = 0.4
    process.kill(signal.SIGCONT)
    asyncio.get_running_loop().call_later(TROUBLE, partial(setattr, pike, "lag", 0.0))


@pytest.mark.parametrize(
    ("first", "blow"),
    [
        pytest.param(0, stopped, id="stopped"),
        pytest.param(100, cut_off, id="whose requests arrive, and who hears of none"),
        pytest.param(200, slowed, id="far away from the API server"),
    ],
)
async def test_leader_in_trouble(
    cast: Scene, first: int, blow: Blow, stalls: Stalls, figure: Callable[[str], None]
) -> None:
    """``first`` is the number of its first run: each number is given once."""
    async with (
        detoured(cast.system) as pikes,
        series(cast.system, cast.port, SEED, stalls) as begun,
    ):
        begun.blow = lambda process: blow(process, pikes)
        await begun.governed()
        for number, moment in enumerate(moments(RUNS), first):
            await begun.run(number, moment)
        left = await begun.settle(SLOW)
        assert (left, await mistakes(begun)) == ([], [])
        lost = await unwritten(begun, killed=False)
        figure(f"{blow.__name__}: {told(begun)}; the history lacks {len(lost)}")
        assert lost == []
        await begun.tidy()


DEEDS = [each for each in MOMENTS if each.what and not each.what.startswith(("wake", "woken"))]
"""What is asleep is woken two runs later."""


def moments(count: int) -> list[Moment]:
    """Choose as many; of three, one is by chance."""
    chance = random.Random(SEED)
    return [BY_CHANCE if turn % 3 == 2 else chance.choice(DEEDS) for turn in range(count)]


def told(begun: Series) -> str:
    after = ", ".join(f"{kill.moment.role} {kill.moment.what}".strip() for kill in begun.kills)
    return f"{len(begun.fate.told)} acts, {len(begun.kills)} leaders ({after})"


@asynccontextmanager
async def detoured(system: System) -> AsyncGenerator[Pikes]:
    """Have each operator reach the API server by a way of its own meanwhile."""
    account = system.plane.layout.credential(names.OPERATOR_ACCOUNT)
    operators = system.operators
    specs = [process.spec for process in operators]
    async with AsyncExitStack() as ways:
        pikes = Pikes()
        try:
            for process in operators:
                pike = await ways.enter_async_context(turnpike(system.plane))
                pikes[process.name] = pike
                own = account.with_name(f"{process.name}.yaml")
                own.write_text(account.read_text())
                path = elsewhere(own, f"https://127.0.0.1:{pike.port}", "localhost")
                flags = (*process.spec.argv, "--kubeconfig", str(path))
                process.spec = msgspec.structs.replace(process.spec, argv=flags)
                await asyncio.to_thread(process.restart, PATIENCE)
            yield pikes
        finally:
            for process, spec in zip(operators, specs, strict=True):
                process.kill()
                process.spec = spec
    await asyncio.to_thread(back, *operators)
