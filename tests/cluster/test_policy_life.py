"""What becomes of objects when their policy changes or goes, and of those older than it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest

from dayfly_core import instant, names
from dayfly_core.objects import EXPIRY_POLICIES, NAMESPACES
from playground import System
from playground.ports import free
from playground.process import Process
from playground.programs import Replica, operator
from playground.tenure import WRITES
from support.plots import (
    PATIENCE,
    Plot,
    administrator,
    condition,
    delete,
    ending,
    now,
    planted,
    policy,
    until,
)
from support.replicas import away, said

pytestmark = pytest.mark.cluster

Change = Callable[[Plot, System], Awaitable[None]]


@pytest.fixture
async def other(rough: System) -> AsyncIterator[Plot]:
    """A plot whose policy stays in force: when an end has come there, it has come everywhere."""
    async with administrator(rough.plane) as client, planted(client) as plot:
        yield plot


async def suspend(plot: Plot, rough: System) -> None:
    await plot.amend({"suspend": True})


async def resume(plot: Plot, rough: System) -> None:
    await plot.amend({"suspend": False})


async def only_audit(plot: Plot, rough: System) -> None:
    await plot.amend({"enforcement": "Audit"})


async def enforce(plot: Plot, rough: System) -> None:
    await plot.amend({"enforcement": "Enforce"})


async def look_away(plot: Plot, rough: System) -> None:
    await plot.amend({"match": {"objectSelector": {"matchLabels": {"team": "another"}}}})


async def look_again(plot: Plot, rough: System) -> None:
    await plot.amend({"match": {"objectSelector": None}})


async def forsake_without_admission(plot: Plot, rough: System) -> None:
    with away(*rough.admissions):
        await plot.forsake()


async def govern_again(plot: Plot, rough: System) -> None:
    await plot.govern()


@pytest.mark.parametrize(
    ("stop", "go_on"),
    [
        pytest.param(suspend, resume, id="suspended, and no more"),
        pytest.param(only_audit, enforce, id="made to report only, and no more"),
        pytest.param(look_away, look_again, id="no longer matching, and matching again"),
        pytest.param(
            forsake_without_admission, govern_again, id="deleted with admission down, and back"
        ),
    ],
)
async def test_a_policy_that_does_not_act_ends_nothing_until_it_acts_again(
    rough: System, plot: Plot, other: Plot, stop: Change, go_on: Change
) -> None:
    # Programs take their time to leave.
    due = now() + timedelta(seconds=20 if stop is forsake_without_admission else 10)
    ends = {f"spared-{i}": due for i in range(3)}
    await plot.sow(ends)
    since = rough.plane.audit_log.position()
    await stop(plot, rough)
    assert changed(rough, plot, since) < due
    await other.after(due)
    left = await plot.left()
    assert left.keys() == ends.keys()
    assert {meta.label_map[names.POLICY] for meta in left.values()} == {plot.name}
    await go_on(plot, rough)
    await plot.gone(ends)


def changed(rough: System, plot: Plot, since: int) -> datetime:
    """Return when the policy was changed or deleted: starting programs again takes longer."""
    [change] = [
        event.stage_timestamp
        for event in rough.plane.audit(since)
        if event.target == f"expirypolicies/{plot.name}"
        and event.verb in ("patch", "delete")
        and not event.object_ref.subresource
        and event.accepted
    ]
    return change


@pytest.fixture
async def heir(plot: Plot) -> AsyncIterator[str]:
    """A second policy for the same objects, which comes after the first."""
    name = f"{plot.name}-heir"
    body = policy(name, plot.name, {"priority": -1, "ttl": {"default": "1h"}})
    await plot.client.create(EXPIRY_POLICIES.path(), body)
    yield name
    await delete(plot.client, EXPIRY_POLICIES.path(name=name))


async def test_objects_of_a_deleted_policy_are_handed_over_with_their_end(
    plot: Plot, heir: str
) -> None:
    await until(lambda: condition(plot, "Ready", "True"))
    due = now() + timedelta(seconds=15)
    (before,) = (await plot.sow({"inherited": due})).values()
    assert before.label_map[names.POLICY] == plot.name
    await plot.forsake()
    await until(lambda: belongs_to(plot, "inherited", heir))
    after = (await plot.left())["inherited"]
    assert after.annotation_map == before.annotation_map
    await plot.gone(["inherited"])
    assert now() >= due


async def belongs_to(plot: Plot, name: str, policy_name: str) -> bool:
    meta = await plot.read(name)
    return meta is not None and meta.label_map.get(names.POLICY) == policy_name


async def test_what_is_older_than_its_policy_lives_for_the_grace_at_least(rough: System) -> None:
    async with administrator(rough.plane) as client:
        plot = Plot(client, "older-than-its-policy")
        head = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": plot.name}}
        await client.create(NAMESPACES.path(), head)
        try:
            await plot.make("wishes", {names.TTL: "1s"})
            await plot.make("wishes-nothing")
            await plot.make("long-overdue", ending(now() - timedelta(days=400)))
            begun = now()
            await plot.govern(ttl={"default": "1s"}, grace="5s")
            await until(lambda: ends_after(plot, 3, begun + timedelta(seconds=5)))
            await plot.gone((await plot.left()).keys())
            assert now() - begun > timedelta(seconds=5)
        finally:
            await plot.forsake()
            await delete(client, NAMESPACES.path(name=plot.name))


async def ends_after(plot: Plot, count: int, earliest: datetime) -> bool:
    """Whether all are stamped; none with an end before the earliest, which is no matter of time."""
    left = (await plot.left()).values()
    ends = [meta.annotation_map.get(names.EXPIRES_AT) for meta in left]
    stamped = [meta for meta in left if names.POLICY in meta.label_map]
    if len(stamped) < count:
        return False
    assert all(end and instant.parse(end) >= earliest for end in ends)
    return True


@contextmanager
def rehearsing(system: System) -> Generator[Process]:
    """Run one operator that only says what it would do, in place of all others."""
    account = system.plane.layout.credential(names.OPERATOR_ACCOUNT)
    (port,) = free(1)
    replica = Replica("rehearsal", account, port, ("--dry-run",))
    with away(*system.operators):
        (process,) = system.plane.roster.launch(operator(replica))
        try:
            process.wait_ready(PATIENCE)
            yield process
        finally:
            process.stop()
            system.plane.roster.processes.remove(process)


async def test_a_dry_run_decides_and_writes_nothing(rough: System, plot: Plot) -> None:
    since = rough.plane.audit_log.position()
    with rehearsing(rough) as rehearsal:
        (made,) = (await plot.sow({"doomed": now() + timedelta(seconds=1)})).values()
        words = f"would delete object=configmaps/{plot.name}/doomed uid={made.uid}"
        await until(lambda: asyncio.to_thread(lambda: words in said(rehearsal)))
        assert (await plot.left()).keys() == {"doomed"}
    wrote = [
        (event.verb, event.target)
        for event in rough.plane.audit(since)
        if event.sender == "rehearsal"
        and event.verb in WRITES
        # Questions, which the API takes as creations and keeps nothing of.
        and event.object_ref.resource != "selfsubjectaccessreviews"
    ]
    assert wrote == []
    await plot.gone(["doomed"])
