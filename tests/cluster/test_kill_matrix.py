"""The leader is killed at every step of every action; what it was about is done, and done once.

``DAYFLY_SOAK=1`` runs 220 kills, the suite a seeded tenth of them; ``DAYFLY_SEED`` chooses others.
"""

import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from playground import System
from support.deeds import Deed
from support.kill_stage import excused, mistakes, scene, unwritten
from support.kill_verdicts import reached
from support.kills import MOMENTS, Moment, Series, series
from support.stalls import Stalls

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

SOAK = os.environ.get("DAYFLY_SOAK") == "1"
SEED = int(os.environ.get("DAYFLY_SEED", "5"))
BATCHES = 11 if SOAK else 1
RUNS = 20
"""In a batch; after it everything is looked at."""
UNTOLD = 0.12
"""Of all acts, what the history may lack where two or three replicas are killed within seconds; it
would be a quarter if nobody told what he has seen, and a third if it were written once a second."""
SLOW = 180.0
"""Seconds until what was left by kills has come about."""


@dataclass
class Stage:
    """Dayfly with all components, the port on which it finds the receiver, and what was seen."""

    system: System
    port: int
    kills: int = 0
    acts: int = 0
    lost: Counter[str] = field(default_factory=Counter[str])
    reached: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])

    def count(self, begun: Series, lost: list[Deed]) -> None:
        """Add what a batch came to."""
        self.kills += len(begun.kills)
        self.acts += len(begun.fate.told)
        self.lost += Counter(f"{deed.role} {deed.what}" for deed in lost)
        self.reached += reached(begun)

    def figures(self) -> Iterator[str]:
        """Say where the kills fell."""
        what = ", ".join(f"{deed} {number}" for deed, number in sorted(self.lost.items()))
        lost = f"the history lacks {self.lost.total()} of {self.acts} acts: {what}"
        yield f"{self.kills} kills; {lost}"
        for role in sorted({role for role, _ in self.reached}):
            found = sorted((what, n) for (of, what), n in self.reached.items() if of == role)
            yield f"{role}: {'; '.join(f'{what} {number}' for what, number in found)}"


@pytest.fixture(scope="module")
def stage(binaries: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with scene(tmp_path_factory.mktemp("kills")) as found:
        yield Stage(found.system, found.port)


def moments(batch: int) -> list[Moment]:
    """Return those of a batch; before anything sleeps, nothing can be woken."""
    chance = random.Random(SEED)
    shuffled = [
        moment
        for _ in range(RUNS * BATCHES // len(MOMENTS) + 1)
        for moment in chance.sample(MOMENTS, len(MOMENTS))
    ]
    mine = shuffled[batch * RUNS :][:RUNS]
    return sorted(mine, key=lambda moment: moment.what.startswith(("wake", "woken")))


@pytest.mark.parametrize("batch", range(BATCHES))
async def test_kill_at_every_step(
    stage: Stage, batch: int, stalls: Stalls, figure: Callable[[str], None]
) -> None:
    said = f"DAYFLY_SEED={SEED}, batch {batch}"
    async with series(stage.system, stage.port, SEED + batch, stalls) as begun:
        await begun.governed()
        for number, moment in enumerate(moments(batch)):
            await begun.run(batch * RUNS + number, moment)
        left = await begun.settle(SLOW)
        assert (left, await mistakes(begun)) == ([], []), said
        lost = await unwritten(begun, killed=True)
        assert [deed for deed in lost if not excused(begun, deed)] == [], said
        assert len(lost) <= UNTOLD * len(begun.fate.told), said
        await begun.tidy()
    stage.count(begun, lost)
    for line in (f"so far, {said}", *stage.figures()):
        figure(line)
