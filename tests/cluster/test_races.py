"""What happens to an object at the very moment of its end: what the API server accepted stays.

The suite runs a tenth of what ``DAYFLY_SOAK=1`` runs.
"""

import asyncio
import os
import random
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

import msgspec
import pytest

from dayfly_core import names
from dayfly_core.objects import ObjectMeta
from dayfly_kube.errors import ApiError
from playground import System
from playground.audit import AuditEvent
from playground.tenure import by_nobody, written
from support.plots import FAR, Plot, at_once, ending, now, until_time
from support.replicas import frozen

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


async def uids(plot: Plot) -> set[str]:
    return {meta.uid for meta in (await plot.left()).values()}


@pytest.mark.parametrize(
    "ahead",
    [
        pytest.param(20, id="20 ms before its end"),
        pytest.param(5, id="5 ms before its end"),
    ],
)
async def test_race_of_an_extension(plot: Plot, ahead: int) -> None:
    ends = spread("late", COUNT)
    await plot.sow(ends)

    async def extend(name: str, end: datetime) -> ObjectMeta | None:
        await until_time(end - timedelta(milliseconds=ahead))
        return await plot.extend(name)

    answers = await asyncio.gather(*(extend(name, end) for name, end in ends.items()))
    kept = survivors(answers)
    assert kept
    await plot.after(max(ends.values()))
    assert kept == await uids(plot)


async def test_race_of_extensions_with_a_burst(plot: Plot) -> None:
    due = now() + notice()
    made = await plot.sow({f"burst-{i:03}": due for i in range(BURST)})
    shuffled = random.Random(SEED).sample(sorted(made), BURST)
    await until_time(due)
    answers = await at_once(partial(plot.extend, name) for name in shuffled)
    await plot.after(due)
    assert survivors(answers) == await uids(plot)


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
    await plot.after(due)
    assert survivors(answers) == await uids(plot)


async def test_race_of_a_label_is_judged_anew_and_ends_in_its_new_version(
    rough: System, plot: Plot
) -> None:
    since = rough.plane.audit_log.position()
    ends = spread("touched", COUNT)
    await plot.sow(ends)

    async def touch(name: str, end: datetime) -> ObjectMeta | None:
        await until_time(end - timedelta(milliseconds=5))
        return await plot.change(name, labels={"touched": "yes"})

    answers = await asyncio.gather(*(touch(name, end) for name, end in ends.items()))
    await plot.gone(ends)
    ended = {e.object_ref.name: version(e) for e in deletions(rough, plot, since)}
    touched = {meta.name: meta.resource_version for meta in answers if meta}
    assert touched
    assert {name: ended[name] for name in touched} == touched


async def test_race_over_a_leader_that_slept_through_the_end(rough: System, plot: Plot) -> None:
    """It wakes with the deadline passed and the news of the extension not read yet."""
    since = rough.plane.audit_log.position()
    due = now() + timedelta(seconds=3)
    made = await plot.sow({f"asleep-{i}": due for i in range(20)})
    leader = await asyncio.to_thread(rough.leader)
    extended = sorted(made)[::2]
    await until_time(due - timedelta(milliseconds=150))
    with frozen(leader):
        await until_time(due - timedelta(milliseconds=100))
        answers = await at_once(partial(plot.extend, name) for name in extended)
        await until_time(due + timedelta(milliseconds=100))
    assert len(survivors(answers)) == len(extended)
    await plot.gone(set(made) - set(extended))
    await plot.after(due)
    assert survivors(answers) == await uids(plot)
    assert by_nobody(list(rough.plane.audit(since))) == []


async def test_race_of_a_policy_taken_away(plot: Plot) -> None:
    """Nothing ends by a policy that was known a second ago and is not there any more."""
    start = now() + notice()
    ends = {f"freed-{i}": start + i * timedelta(milliseconds=250) for i in range(10)}
    await plot.sow(ends)
    await until_time(start + timedelta(milliseconds=300))
    await plot.forsake()
    free = now() + timedelta(seconds=1)
    await until_time(max(ends.values()) + timedelta(seconds=0.5))
    left = await plot.left()
    assert {name for name, end in ends.items() if end > free} <= left.keys()
    assert all(meta.label_map[names.POLICY] == plot.name for meta in left.values())


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
