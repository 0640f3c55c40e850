"""Extensions and re-creations at the very end: what the API server accepted must stay."""

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from bench.lag import FLAGS
from bench.meadow import (
    CONFIG_MAPS,
    administrator,
    config_map,
    each,
    head_start,
    left,
    meadow,
    sow,
    stored,
)
from bench.table import Figure
from dayfly_core import instant, names
from dayfly_core.objects import ObjectMeta
from dayfly_kube.client import Client
from dayfly_kube.errors import ApiError
from playground import ControlPlane

SEED = 7
BURST = 500
SPACING = timedelta(milliseconds=60)
FAR = timedelta(hours=4)
PEERS = {
    20: "Kyverno 2 of 89, mayfly 10 of 100 undone",
    5: "Kyverno 16 of 20, mayfly 93 of 93 undone",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many attempts the API server accepted, and how many of these are gone all the same."""

    tried: int
    accepted: int
    undone: int

    def figure(self, what: str, peer: str) -> Figure:
        """Make the row; a race that nobody won for us would show nothing."""
        return Figure(
            "race",
            what,
            peer,
            f"{self.undone} of {self.accepted} accepted ({self.tried} tried)",
            "0",
            self.undone == 0 and self.accepted > 0,
        )


def measure(*, quick: bool) -> list[Figure]:
    """Race the operator, which deletes as fast as it can."""
    with meadow(operators=2, operator_flags=FLAGS) as field:
        return asyncio.run(_race(field.plane, 20 if quick else 100))


async def _race(plane: ControlPlane, count: int) -> list[Figure]:
    async with administrator(plane) as client:
        last_moment = [
            (await _extensions(client, count, ahead)).figure(
                f"extended {ahead} ms before the end, ended all the same", peer
            )
            for ahead, peer in PEERS.items()
        ]
        burst = await _extensions_in_burst(client)
        anew = await _created_anew(client, count)
    return [
        *last_moment,
        burst.figure(
            f"extended while {BURST} are due, ended all the same",
            "kube-janitor 470 of 470, mayfly 13 of 13, Kyverno 2 of 111",
        ),
        anew.figure(
            f"made anew under the same name while {BURST} are due, the new one hit",
            "kube-janitor 100 of 100, mayfly 5 of 8",
        ),
    ]


async def _extensions(client: Client, count: int, ahead: int) -> Outcome:
    """Extend each object so many milliseconds before its end."""
    start = await head_start(client, count) + datetime.now(UTC)
    ends = [(f"late-{ahead}-{i:03}", start + i * SPACING) for i in range(count)]
    await sow(client, ends)
    lead = timedelta(milliseconds=ahead)
    answers = await asyncio.gather(*(_extend_at(end - lead, client, name) for name, end in ends))
    return await _outcome(client, answers)


async def _extensions_in_burst(client: Client) -> Outcome:
    """Extend all objects, in another order than they were made in, from the moment they are due."""
    due = await head_start(client, BURST) + datetime.now(UTC)
    made = await sow(client, [(f"burst-{i:03}", due) for i in range(BURST)])
    shuffled = random.Random(SEED).sample(sorted(made), BURST)
    await _until(due)
    answers = await each((partial(_extend, client, name) for name in shuffled), 16)
    return await _outcome(client, answers)


async def _created_anew(client: Client, count: int) -> Outcome:
    """Delete and make anew some of the objects that are due, from that moment on."""
    due = await head_start(client, BURST) + datetime.now(UTC)
    made = await sow(client, [(f"again-{i:03}", due) for i in range(BURST)])
    chosen = random.Random(SEED).sample(sorted(made), count)
    await _until(due)
    answers = await each((partial(_make_anew, client, made[name]) for name in chosen), 16)
    return await _outcome(client, answers)


async def _make_anew(client: Client, meta: ObjectMeta) -> ObjectMeta | None:
    """Delete the object, if it is still there, and make another one of its name."""
    path = f"{CONFIG_MAPS}/{meta.name}"
    with suppress(ApiError):
        await client.delete(path, uid=meta.uid, resource_version=meta.resource_version)
    try:
        body = config_map(meta.name, datetime.now(UTC) + FAR)
        return stored(await client.create(CONFIG_MAPS, body))
    except ApiError:
        return None


async def _extend(client: Client, name: str) -> ObjectMeta | None:
    """Move the end far away; the answer's metadata, None if it was refused."""
    end = instant.render((datetime.now(UTC) + FAR).replace(microsecond=0))
    change = {"metadata": {"annotations": {names.EXPIRES_AT: end}}}
    try:
        meta = stored(await client.merge_patch(f"{CONFIG_MAPS}/{name}", change))
    except ApiError:
        return None
    return meta if meta.annotation_map.get(names.EXPIRES_AT) == end else None


async def _extend_at(moment: datetime, client: Client, name: str) -> ObjectMeta | None:
    await _until(moment)
    return await _extend(client, name)


async def _until(moment: datetime) -> None:
    await asyncio.sleep((moment - datetime.now(UTC)).total_seconds())


async def _outcome(client: Client, answers: Sequence[ObjectMeta | Exception | None]) -> Outcome:
    """Compare what was accepted with what is left once the operator has had its time."""
    await asyncio.sleep(3)
    remaining = {meta.uid for meta in (await left(client)).values() if not meta.deletion_timestamp}
    accepted = [a for a in answers if isinstance(a, ObjectMeta) and not a.deletion_timestamp]
    undone = [meta for meta in accepted if meta.uid not in remaining]
    return Outcome(len(answers), len(accepted), len(undone))
