"""The leader is killed at every step of every action; what it was about is done, and done once.

``DAYFLY_SOAK=1`` runs 220 kills, the suite a seeded tenth of them; ``DAYFLY_SEED`` chooses others.
"""

import json
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import pytest

from playground import ControlPlane, System, ports
from support import base
from support.deeds import Deed
from support.kill_places import HOST, scenery
from support.kill_verdicts import is_excused, missing, reached, wrong
from support.kills import MOMENTS, Moment, Series, series
from support.plots import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

SOAK = os.environ.get("DAYFLY_SOAK") == "1"
SEED = int(os.environ.get("DAYFLY_SEED", "5"))
BATCHES = 11 if SOAK else 1
RUNS = 20
"""In a batch; after it everything is looked at."""
SLOW = 180.0
"""Seconds until what was left by kills has come about."""


@dataclass
class Stage:
    """Dayfly with all components, the port on which it finds the receiver, and what was seen."""

    system: System
    port: int
    kills: int = 0
    acts: int = 0
    lost: int = 0
    reached: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])

    def count(self, begun: Series, lost: int) -> None:
        """Add what a batch came to."""
        self.kills += len(begun.kills)
        self.acts += len(begun.fate.told)
        self.lost += lost
        self.reached += reached(begun)

    def figures(self) -> Iterator[str]:
        """Say where the kills fell."""
        yield f"{self.kills} kills; the history lacks {self.lost} of {self.acts} acts"
        for role in sorted({role for role, _ in self.reached}):
            found = sorted((what, n) for (of, what), n in self.reached.items() if of == role)
            yield f"{role}: {'; '.join(f'{what} {number}' for what, number in found)}"


@pytest.fixture(scope="module")
def stage(binaries: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    [port] = ports.free(1)
    flags = (
        *("--webhook-host", f"{HOST}=127.0.0.1:{port}", "--webhook-allow", "127.0.0.1/32"),
        *("--max-deletes-per-second", "0"),
    )
    with (
        ControlPlane.start(tmp_path_factory.mktemp("kills")) as plane,
        System.install(
            plane, admissions=1, operator_flags=flags, manifests=base.MANIFESTS / "everything"
        ) as installed,
    ):
        plane.apply(json.dumps({"apiVersion": "v1", "kind": "List", "items": [*scenery()]}))
        installed.wait_enforced(["configmaps", "deployments", "namespaces"])
        yield Stage(installed, port)


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
async def test_kill_at_every_step(stage: Stage, batch: int, figure: Callable[[str], None]) -> None:
    said = f"DAYFLY_SEED={SEED}, batch {batch}"
    async with series(stage.system, stage.port, SEED + batch) as begun:
        await begun.governed()
        for number, moment in enumerate(moments(batch)):
            await begun.run(batch * RUNS + number, moment)
        left = await begun.settle(SLOW)
        begun.tail.follow()
        assert (left, sorted(wrong(begun))) == ([], []), said
        lost = await unwritten(begun)
        assert [deed for deed in lost if not excused(begun, deed)] == [], said
        await begun.tidy()
    stage.count(begun, len(lost))
    for line in (f"so far, {said}", *stage.figures()):
        figure(line)


async def unwritten(begun: Series) -> list[Deed]:
    """Return what the history lacks when it has had time to be written."""
    found = dict[tuple[str, str], Deed]()

    async def explained() -> bool:
        found.clear()
        found.update(await missing(begun))
        return all(excused(begun, deed) for deed in found.values())

    with suppress(TimeoutError):
        await until(explained, 5)
    return list(found.values())


def excused(begun: Series, deed: Deed) -> bool:
    return is_excused(deed, begun.kills, begun.tail.events)
