"""What happens to an object at the very moment of its end: what the API server accepted stays.

The suite runs a tenth of what ``DAYFLY_SOAK=1`` runs.
"""

import asyncio
import os
import random
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

import msgspec
import pytest

from dayfly_core import instant, names
from dayfly_core.objects import ObjectMeta
from dayfly_kube.errors import ApiError
from playground import System
from playground.audit import AuditEvent
from playground.tenure import by_nobody, written
from support.plots import FAR, Plot, at_once, ending, now, until, until_time
from support.replicas import frozen
from support.stalls import Stalls

pytestmark = pytest.mark.cluster

SOAK = os.environ.get("DAYFLY_SOAK") == "1"
COUNT = 100 if SOAK else 10
BURST = 500 if SOAK else 50
SEED = 7
SPACING = timedelta(milliseconds=60)


def notice() -> timedelta:
    """Leave time to create all objects of a race before the first of them ends."""
    return timedelta(seconds=2 + BURST / 50)


def spread(prefix: str, count: int) -> dict[str, datetime]:
    start = now() + notice()
    return {f"{prefix}-{i:03}": start + i * SPACING for i in range(count)}


def survivors(answers: Sequence[ObjectMeta | None]) -> set[str]:
    """Take the uids of those whose change the API server accepted, unless too late."""
    return {meta.uid for meta in answers if meta and not meta.deletion_timestamp}


async def stays(plot: Plot, kept: set[str]) -> None:
    """Wait until nothing is there but what was kept, and see it there when all is over."""

    async def only_these() -> bool:
        return await uids(plot) <= kept

    await until(only_these)
    await plot.after(now())
    assert await uids(plot) == kept


async def uids(plot: Plot) -> set[str]:
    return {meta.uid for meta in (await plot.left()).values()}


TURNS = 5


async def some(race: Callable[[int], Awaitable[set[str]]]) -> None:
    """Run a race until somebody was in time: where the machine stood still just then, nobody is."""
    for turn in range(TURNS):
        if await race(turn):
            return
    raise AssertionError(f"nobody was in time in {TURNS} races")


@pytest.mark.parametrize(
    "ahead",
    [
        pytest.param(20, id="20 ms before its end"),
        pytest.param(5, id="5 ms before its end"),
    ],
)
async def test_race_of_an_extension(plot: Plot, ahead: int) -> None:
    async def extend(name: str, end: datetime) -> ObjectMeta | None:
        await until_time(end - timedelta(milliseconds=ahead))
        return await plot.extend(name)

    kept = set[str]()

    async def race(turn: int) -> set[str]:
        ends = spread(f"late-{turn}", COUNT)
        await plot.sow(ends)
        answers = await asyncio.gather(*(extend(name, end) for name, end in ends.items()))
        kept.update(survivors(answers))
        await stays(plot, kept)
        return survivors(answers)

    await some(race)


async def test_race_of_extensions_with_a_burst(plot: Plot) -> None:
    due = now() + notice()
    made = await plot.sow({f"burst-{i:03}": due for i in range(BURST)})
    shuffled = random.Random(SEED).sample(sorted(made), BURST)
    await until_time(due)
    answers = await at_once(partial(plot.extend, name) for name in shuffled)
    await stays(plot, survivors(answers))


async def test_race_of_re_creations_with_a_burst(plot: Plot) -> None:
    due = now() + notice()
    made = await plot.sow({f"again-{i:03}": due for i in range(BURST)})
    chosen = random.Random(SEED).sample(sorted(made), COUNT)

    async def make_anew(name: str) -> ObjectMeta | None:
        old = made[name]
        with suppress(ApiError):
            await plot.client.delete(
                plot.path(name), uid=old.uid, resource_version=old.resource_version
            )
        with suppress(ApiError):
            return await plot.make(name, ending(now() + FAR))
        return None

    await until_time(due)
    answers = await at_once(partial(make_anew, name) for name in chosen)
    assert survivors(answers)
    await stays(plot, survivors(answers))


async def test_race_of_a_label_is_judged_anew_and_ends_in_its_new_version(
    rough: System, plot: Plot
) -> None:
    since = rough.plane.audit_log.position()

    async def touch(name: str, end: datetime) -> ObjectMeta | None:
        await until_time(end - timedelta(milliseconds=5))
        return await plot.change(name, labels={"touched": "yes"})

    async def race(turn: int) -> set[str]:
        ends = spread(f"touched-{turn}", COUNT)
        await plot.sow(ends)
        answers = await asyncio.gather(*(touch(name, end) for name, end in ends.items()))
        await plot.gone(ends)
        touched = {meta.name: meta.resource_version for meta in answers if meta}
        await until(lambda: logged(rough, plot, since, touched))
        ended = {e.object_ref.name: version(e) for e in deletions(rough, plot, since)}
        assert {name: ended[name] for name in touched} == touched
        return set(touched)

    await some(race)


async def logged(rough: System, plot: Plot, since: int, those: Collection[str]) -> bool:
    """Whether their ends are in the audit log, which is written after the answers."""
    return {e.object_ref.name for e in deletions(rough, plot, since)} >= set(those)


async def test_race_over_a_leader_that_slept_through_the_end(
    rough: System, plot: Plot, stalls: Stalls
) -> None:
    """It wakes with the deadline passed and the news of the extension not read yet."""
    since = rough.plane.audit_log.position()
    kept = set[str]()

    async def race(turn: int) -> set[str]:
        due = now() + timedelta(seconds=3)
        made = await plot.sow({f"asleep-{turn}-{i}": due for i in range(20)})
        leader = await asyncio.to_thread(rough.leader)
        await until_time(due - timedelta(milliseconds=150))
        with frozen(leader):
            await until_time(due - timedelta(milliseconds=100))
            answers = await at_once(partial(plot.extend, name) for name in sorted(made)[::2])
            await until_time(due + timedelta(milliseconds=100))
        kept.update(survivors(answers))
        await stays(plot, kept)
        return survivors(answers) if len(survivors(answers)) == len(answers) else set()

    await some(race)
    assert by_nobody(list(rough.plane.audit(since)), still=stalls.spans) == []


async def test_race_of_a_policy_taken_away(plot: Plot, stalls: Stalls) -> None:
    """Nothing ends by a policy that was known a second ago and is not there any more."""
    start = now() + notice()
    ends = {f"freed-{i}": start + i * timedelta(milliseconds=250) for i in range(10)}
    made = await plot.sow(ends)
    last = max(end_of(meta) for meta in made.values())
    await until_time(start + timedelta(milliseconds=300))
    await plot.forsake()
    gone = now()
    await until_time(last + timedelta(seconds=0.5))
    left = await plot.left()
    free = {
        name
        for name, meta in made.items()
        if end_of(meta) > gone + timedelta(seconds=1) + stalls.lost(gone, end_of(meta))
    }
    assert free <= left.keys()
    assert all(meta.label_map[names.POLICY] == plot.name for meta in left.values())


def end_of(meta: ObjectMeta) -> datetime:
    return instant.parse(meta.annotation_map[names.EXPIRES_AT])


def deletions(rough: System, plot: Plot, since: int) -> list[AuditEvent]:
    return [
        event
        for event in written(rough.plane.audit(since))
        if event.accepted and event.verb == "delete" and event.object_ref.namespace == plot.name
    ]


class _Preconditions(msgspec.Struct, rename="camel"):
    uid: str
    resource_version: str


class _Options(msgspec.Struct):
    preconditions: _Preconditions


def version(event: AuditEvent) -> str:
    """Read which version of its object a DELETE was for."""
    options = msgspec.json.decode(event.request_object, type=_Options)
    return options.preconditions.resource_version
