"""Names that collide without admission, and a leader that dies while it puts claims right."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime
from itertools import groupby

import msgspec
import pytest

from dayfly_core import names, reasons
from dayfly_core.api import ClaimState
from dayfly_core.objects import INGRESSES, NAME_CLAIMS, NAMESPACES, ObjectMeta
from dayfly_kube.client import Client
from dayfly_operator.naming.queue import WORKERS
from playground.audit import AuditEvent
from playground.lags import OPERATOR
from playground.tenure import WRITES, by_nobody, tenures
from support.crowds import (
    Wish,
    ask_at_once,
    claims,
    environment_key,
    everybody,
    holder,
    host_key,
    namespace,
    orphans,
    streets,
    told,
)
from support.plots import now, until
from support.replicas import back
from support.stalls import Stalls
from support.throng import BEFORE, DOMAIN, ELDER, SOAK, SOON, YOUNGER, Throng
from support.unguarded import unguarded

pytestmark = pytest.mark.cluster

SHARED_NAMES = 10
KILLS = 10 if SOAK else 1
STREETS = 200 if SOAK else 40
PATIENT = 4
"""Attempts to kill a leader in the midst of it: on a busy machine one may come too late."""


async def test_what_shared_names_before_the_install_is_settled_within_10_s(
    throng: Throng, figure: Callable[[str], None]
) -> None:
    async with everybody(throng.plane) as client:
        await until(lambda: younger_is_told(client), SOON)
        assert await holder(client, environment_key(BEFORE)) == ELDER
        assert await holder(client, host_key(f"{BEFORE}.{DOMAIN}")) == ELDER
        assert (await told(client, NAMESPACES)).keys() & {ELDER, YOUNGER} == {YOUNGER}
        assert (await told(client, INGRESSES)).keys() & {f"{ELDER}/web", f"{YOUNGER}/web"} == {
            f"{YOUNGER}/web"
        }
        await until(lambda: warned(client, {YOUNGER: 1, "web": 1}), SOON)
    noted = [event for event in notes(throng, 0) if event.object_ref.namespace == YOUNGER]
    assert Counter(event.object_ref.resource for event in noted) == {
        "namespaces": 1,
        "ingresses": 1,
    }
    led = tenures(throng.plane.audit())[0].since
    took = (max(event.stage_timestamp for event in noted) - led).total_seconds()
    figure(f"names from before the install are settled {took:.2f} s after somebody leads")
    assert took < SOON


async def younger_is_told(client: Client) -> bool:
    namespaces, ingresses = await told(client, NAMESPACES), await told(client, INGRESSES)
    return YOUNGER in namespaces and f"{YOUNGER}/web" in ingresses


async def warned(client: Client, wanted: dict[str, int]) -> bool:
    """Whether there are so many Events of conflicts about these, by name."""
    return {name: many for name, many in (await events(client)).items() if name in wanted} == wanted


async def events(client: Client) -> Counter[str]:
    """Count the Events of conflicts, repetitions too, by the name of what they are about."""
    listed = msgspec.json.decode(
        await client.get_list("/apis/events.k8s.io/v1/events"), type=_Events
    ).items
    found = Counter[str]()
    for event in listed:
        if event.reason == reasons.Reason.NAME_CONFLICT:
            found[event.regarding.name] += event.series.count if event.series else 1
    return found


def notes(throng: Throng, since: int) -> list[AuditEvent]:
    """Pick what operators wrote on objects that want names, and not on claims."""
    return [
        event
        for event in throng.plane.audit(since)
        if event.user.username == OPERATOR
        and event.verb == "patch"
        and event.accepted
        and event.object_ref.resource in ("namespaces", "ingresses")
    ]


async def test_each_of_ten_names_stored_thrice_without_admission_has_one_winner_within_10_s(
    throng: Throng, figure: Callable[[str], None]
) -> None:
    since = throng.plane.audit_log.position()
    async with everybody(throng.plane) as client:
        with unguarded(throng.system):
            # The winner first: whoever is told of one that loses later is told again.
            answers = await until_stored(client, rivals(0))
            answers += await until_stored(client, [*rivals(1), *rivals(2)])
        last = max(answer.creation_timestamp for answer in answers if answer.creation_timestamp)
        by_name = groupby(sorted(answers, key=environment_of), key=environment_of)
        firsts = {name: min(group, key=age).name for name, group in by_name}
        losers = {meta.name for meta in answers} - set(firsts.values())
        assert len(losers) == SHARED_NAMES * 2
        await until(lambda: losers_are_told(client, losers), SOON)
        for name, first in firsts.items():
            assert await holder(client, environment_key(name)) == first
        await until(lambda: warned(client, dict.fromkeys(losers, 1)), SOON)
    noted = Counter(e.object_ref.name for e in notes(throng, since) if e.object_ref.name in losers)
    assert noted == dict.fromkeys(losers, 1), "each is told once"
    done = max(event.stage_timestamp for event in notes(throng, since))
    figure(
        f"{SHARED_NAMES} names stored thrice: one winner each and {len(losers)} told "
        f"{(done - last).total_seconds():.1f} s after the last was stored"
    )


def rivals(rank: int) -> list[Wish]:
    """Namespaces that want a name each, those of another rank the same ones by the other label."""
    label = (names.ENVIRONMENT, names.ENVIRONMENT_OF_ORIGINAL)[rank % 2]
    wishes = [namespace(f"rival-{rank}-of-{number}") for number in range(SHARED_NAMES)]
    for number, wish in enumerate(wishes):
        wish.body["metadata"]["labels"][label] = f"shared-{number}"
    return wishes


async def until_stored(client: Client, wishes: Sequence[Wish]) -> list[ObjectMeta]:
    """Create all, as soon as the API server has heard that it may."""
    made = list[ObjectMeta]()

    async def all_stored() -> bool:
        there = {meta.name for meta in made}
        left = [wish for wish in wishes if wish.body["metadata"]["name"] not in there]
        made.extend(answer.meta for answer in await ask_at_once(client, left) if answer.meta)
        return len(made) == len(wishes)

    await until(all_stored)
    return made


def environment_of(meta: ObjectMeta) -> str:
    labels = meta.label_map
    return labels.get(names.ENVIRONMENT) or labels[names.ENVIRONMENT_OF_ORIGINAL]


def age(meta: ObjectMeta) -> tuple[datetime | None, str]:
    return meta.creation_timestamp, meta.name


async def losers_are_told(client: Client, losers: set[str]) -> bool:
    return losers <= (await told(client, NAMESPACES)).keys()


async def test_kill_of_the_leader_while_it_puts_claims_back_claims_nothing_twice(
    throng: Throng, stalls: Stalls, figure: Callable[[str], None]
) -> None:
    async with everybody(throng.plane) as client:
        await streets(client, STREETS)
        for _ in range(KILLS):
            for _ in range(PATIENT):
                since = throng.plane.audit_log.position()
                if await wiped_and_put_back(throng, client, figure):
                    break
            else:
                pytest.fail("each time all was put back before the leader was killed")
            assert by_nobody(list(throng.plane.audit(since)), still=stalls.spans) == []


async def wiped_and_put_back(throng: Throng, client: Client, figure: Callable[[str], None]) -> bool:
    """Check what the next leader does; whether the killed one had left it something to do."""
    await until(lambda: all_bound(client), SOON)
    before = {claim.metadata.name: claim.spec.holder.uid for claim in await claims(client)}
    leader = await asyncio.to_thread(throng.system.leader)
    since = throng.plane.audit_log.position()
    version = await wipe(client)
    await until_back(client, version, 5)
    leader.kill()
    killed, there = now(), len(await claims(client))
    try:
        await until(lambda: all_are_back(client, before))
    finally:
        back(leader)
    took = (now() - killed).total_seconds()
    acts = list(throng.plane.audit(since))
    made = written_claims(acts)
    by = ", ".join(f"{many} by {who}" for who, many in Counter(e.sender for e in made).items())
    figure(f"{there} of {len(before)} claims back as the leader is killed, then {took:.1f} s; {by}")
    once = Counter(event.object_ref.name for event in made)
    assert once == dict.fromkeys(once, 1)
    # What the dead leader had just asked for was done as well, but nobody was there to be told.
    assert len(before.keys() - once.keys()) <= WORKERS
    assert {(event.verb, event.user.username) for event in made} == {("create", OPERATOR)}
    assert [event.target for event in notes(throng, since)] == [], "nothing is told anew"
    return there < len(before)


async def wipe(client: Client) -> str:
    """Delete all claims, as somebody may who has the verb for it; from which version to watch."""
    listed = msgspec.json.decode(await client.get_list(NAME_CLAIMS.path()), type=_Listed)
    gone = (drop(client, claim.metadata) for claim in await claims(client))
    await asyncio.gather(*gone)
    return listed.metadata.resource_version


async def drop(client: Client, meta: ObjectMeta) -> None:
    path = NAME_CLAIMS.path(name=meta.name)
    await client.delete(path, uid=meta.uid, resource_version=meta.resource_version)


async def until_back(client: Client, version: str, many: int) -> None:
    """Wait, as shortly as can be, until so many claims were created since this version."""
    params = {"resourceVersion": version}
    async with aclosing(client.stream(NAME_CLAIMS.path(), params=params)) as lines:
        async for line in lines:
            many -= msgspec.json.decode(line, type=_Change).type == "ADDED"
            if not many:
                return


async def all_bound(client: Client) -> bool:
    return await orphans(client) == []


async def all_are_back(client: Client, before: Mapping[str, str]) -> bool:
    """Whether everybody has again what they had."""
    return before == {
        claim.metadata.name: claim.spec.holder.uid
        for claim in await claims(client)
        if claim.spec.state is ClaimState.BOUND
    }


def written_claims(events: Iterable[AuditEvent]) -> list[AuditEvent]:
    """Pick the accepted writes of claims by others than the administrator."""
    return [
        event
        for event in events
        if event.object_ref.resource == NAME_CLAIMS.plural
        and event.verb in WRITES
        and event.accepted
        and event.user.username.startswith("system:")
    ]


class _Version(msgspec.Struct, rename="camel"):
    resource_version: str


class _Listed(msgspec.Struct):
    metadata: _Version


class _Change(msgspec.Struct):
    type: str


class _Series(msgspec.Struct):
    count: int


class _About(msgspec.Struct):
    name: str


class _Event(msgspec.Struct):
    reason: str
    regarding: _About
    series: _Series | None = None


class _Events(msgspec.Struct):
    items: list[_Event]
