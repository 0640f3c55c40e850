"""One name, 200 who want it at one moment, three replicas of admission: exactly one has it.

The suite kills a replica once for each kind of name; ``DAYFLY_SOAK=1`` does so again and again.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    ExitStack,
    asynccontextmanager,
    contextmanager,
)
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from itertools import count

import msgspec
import pytest

from dayfly_core import names
from dayfly_core.claim_key import ClaimKey
from dayfly_core.objects import INGRESSES, NAMESPACES, Resource
from dayfly_kube.client import Client
from playground.process import Process
from support.crowds import (
    CLEAR,
    RESERVED,
    SIZE,
    STORED,
    UNANSWERED,
    UNVERIFIED,
    Answer,
    Wish,
    ask,
    ask_at_once,
    claims,
    config_map,
    environment_key,
    environments,
    everybody,
    holder,
    host_key,
    ingress,
    let_in,
    namespace,
    orphans,
    place,
    streets,
    summary,
    tally,
    told,
)
from support.doors import elsewhere
from support.plots import CONFIG_MAPS, PATIENCE, now, planted, until, until_time
from support.replicas import back, frozen
from support.throng import DOMAIN, GRACE, SOAK, SOON, Throng
from support.turnpikes import turnpike

pytestmark = pytest.mark.cluster

ROUNDS = 20 if SOAK else 1
HOSTS = SIZE if SOAK else SIZE // 5
"""What fails open is let in when there is no time to judge it: fewer, on a busy machine."""
SEED = 5
OVERDUE = frozenset[str]() if SOAK else frozenset({UNVERIFIED, UNANSWERED})
"""What is also heard on a machine that does other things: there was no time to find out."""

ATTEMPTS = 1 if SOAK else 4
"""How often all ask for a name that is free: a machine that stands still has no time for any."""

numbers = count()


@dataclass(frozen=True, slots=True)
class Contest:
    """One name, and what wants it."""

    key: ClaimKey
    resource: Resource
    wishes: Sequence[Wish]
    closed: bool
    """Whether what could not be judged is refused; else it is let in, and told later."""


Setting = Callable[[Client], AbstractAsyncContextManager[Contest]]


@asynccontextmanager
async def an_environment(client: Client) -> AsyncGenerator[Contest]:
    name = f"env-{next(numbers)}"
    key = environment_key(name)
    yield Contest(key, NAMESPACES, environments(name, f"{name}-of"), closed=True)


@asynccontextmanager
async def a_stamped_host(client: Client) -> AsyncGenerator[Contest]:
    """Whatever asks for an end gets one and the same host by its policy."""
    domain = f"d{next(numbers)}.{DOMAIN}"
    async with planted(client, host={"template": "shop.{domain}", "domain": domain}) as plot:
        wishes = [config_map(plot.name, f"map-{i:03}", {names.TTL: "4h"}) for i in range(HOSTS)]
        yield Contest(host_key(f"shop.{domain}"), CONFIG_MAPS, wishes, closed=False)


@asynccontextmanager
async def a_host_of_ingresses(client: Client) -> AsyncGenerator[Contest]:
    """It goes to the namespace that has the Ingress."""
    name = f"web-{next(numbers)}"
    host = f"{name}.{DOMAIN}"
    wishes = [ingress(street, host, name) for street in await streets(client, HOSTS)]
    yield Contest(host_key(host), INGRESSES, wishes, closed=False)


CONTESTS = [
    pytest.param(an_environment, id="an environment"),
    pytest.param(a_stamped_host, id="a host that a policy gives"),
    pytest.param(a_host_of_ingresses, id="a host of Ingresses"),
]


@pytest.fixture
async def crowd(throng: Throng) -> AsyncIterator[Client]:
    async with everybody(throng.plane) as client:
        yield client
    back(*throng.system.admissions)


Figure = Callable[[str], None]


@pytest.mark.parametrize("setting", CONTESTS)
async def test_race_for_one_name_stores_one(
    throng: Throng, crowd: Client, setting: Setting, figure: Figure
) -> None:
    since = throng.plane.audit_log.position()
    async with setting(crowd) as contest:
        answers = await ask_at_once(crowd, contest.wishes)
        figure(f"{contest.key.kind}: {summary(answers)}")
        assert tally(answers).keys() <= CLEAR | OVERDUE
        await settled(crowd, contest, answers, partial(let_in, throng.plane, since))
        assert tally(answers)[STORED] == 1 or OVERDUE, "alone, there is time to judge all"


async def settled(
    client: Client, contest: Contest, answers: Sequence[Answer], excused: Callable[[], set[str]]
) -> None:
    """Wait until one has the name, those let in unjudged are told, and no claim is left."""
    places = {
        contender(contest, a): place(a.meta.namespace, a.meta.name) for a in answers if a.meta
    }
    assert len(set(places.values()) - excused()) <= 1

    async def one_has_it() -> bool:
        having = await holder(client, contest.key)
        losing = {where for who, where in places.items() if who != having}
        noted = await told(client, contest.resource)
        return having in places and losing == noted.keys() & set(places.values())

    await until(one_has_it, SOON)
    await until(lambda: none_orphaned(client), GRACE + SOON)


def contender(contest: Contest, answer: Answer) -> str:
    """Name who has the name if this object is the one that is stored."""
    meta = answer.wish.body["metadata"]
    within = meta.get("namespace", "")
    return str(within if contest.resource == INGRESSES else place(within, meta["name"]))


async def none_orphaned(client: Client) -> bool:
    return await orphans(client) == []


@pytest.mark.parametrize("setting", CONTESTS)
async def test_race_while_a_replica_is_killed(
    throng: Throng, crowd: Client, setting: Setting, figure: Figure
) -> None:
    for turn in range(ROUNDS):
        chance = random.Random(SEED + turn)
        victim = chance.choice(throng.system.admissions)
        async with setting(crowd) as contest:
            excused = partial(let_in, throng.plane, throng.plane.audit_log.position())
            answers = await killing(victim, chance.uniform(0.02, 0.5), crowd, contest)
            figure(f"{contest.key.kind}, {victim.name} killed: {summary(answers)}")
            if contest.closed and not tally(answers)[STORED]:
                answers = await once_more(crowd, contest)
                figure(f"  when it is free again: {summary(answers)}")
            await settled(crowd, contest, answers, excused)
        async with setting(crowd) as contest:
            answers = await ask_at_once(crowd, contest.wishes)
            figure(f"{contest.key.kind}, two left: {summary(answers)}")
            assert tally(answers).keys() <= CLEAR | OVERDUE
            await settled(crowd, contest, answers, excused)
        back(victim)


async def killing(
    victim: Process, seconds: float, client: Client, contest: Contest
) -> list[Answer]:
    """Kill a replica so long after all have asked."""
    answering = asyncio.create_task(ask_at_once(client, contest.wishes))
    await until_time(now() + timedelta(seconds=seconds))
    killed = now()
    victim.kill()
    answers = await answering
    heard = tally(answers)
    assert heard.keys() <= CLEAR | OVERDUE | {UNANSWERED}
    unanswered = [answer for answer in answers if answer.outcome == UNANSWERED]
    assert all(answer.began < killed < answer.ended for answer in unanswered)
    assert not (contest.closed and heard[STORED] > 1)
    assert not (unanswered and not contest.closed), "what fails open is not refused"
    return answers


async def once_more(client: Client, contest: Contest) -> list[Answer]:
    """Ask again when what a dead replica reserved is free again."""
    for _ in range(ATTEMPTS):
        await until(lambda: unclaimed(client, contest.key), GRACE + SOON)
        answers = await ask_at_once(client, contest.wishes)
        assert tally(answers).keys() <= CLEAR | OVERDUE
        if tally(answers)[STORED]:
            assert tally(answers)[STORED] == 1
            return answers
    raise AssertionError("nobody got it")


async def unclaimed(client: Client, key: ClaimKey) -> bool:
    return all(claim.metadata.name != key.claim_name for claim in await claims(client))


async def test_race_that_nobody_wins_since_the_replica_dies_with_its_answers(
    throng: Throng, crowd: Client, figure: Figure
) -> None:
    first, *others = throng.system.admissions
    async with an_environment(crowd) as contest, turnpike(throng.plane) as pike:
        with restored(first), ExitStack() as frost:
            detour = f"https://127.0.0.1:{pike.port}"
            account = throng.plane.layout.credential(names.ADMISSION_ACCOUNT)
            await restart(first, ("--kubeconfig", str(elsewhere(account, detour, "localhost"))))
            for other in others:
                other.kill()
            made = await ask(crowd, namespace("early", "early"))
            assert made.outcome == STORED, "the way to the API server is open, and warm"
            for operator in throng.system.operators:
                frost.enter_context(frozen(operator))
            pike.free.clear()
            answering = asyncio.create_task(ask_at_once(crowd, contest.wishes))
            await until(lambda: claimed(crowd, contest.key))
            first.kill()
            answers = await answering
            figure(f"killed before it answered: {summary(answers)}")
            assert tally(answers).keys() <= {UNANSWERED, UNVERIFIED}
            back(*others)
            name = contest.key.value
            rest = replace(contest, wishes=environments(name, f"{name}-too"))
            answers = await ask_at_once(crowd, rest.wishes)
            figure(f"others, while nobody is there to look: {summary(answers)}")
            assert tally(answers).keys() <= {RESERVED} | OVERDUE
        answers = await once_more(crowd, rest)
        figure(f"others, after the grace: {summary(answers)}")
        await settled(crowd, rest, answers, set)


@contextmanager
def restored(process: Process) -> Generator[None]:
    """Give it back its own flags afterwards."""
    spec = process.spec
    try:
        yield
    finally:
        process.kill()
        process.spec = spec
        back(process)


async def restart(process: Process, flags: tuple[str, ...]) -> None:
    """Start it again with flags that win over its own; this loop may be its way out."""
    process.kill()
    process.spec = msgspec.structs.replace(process.spec, argv=(*process.spec.argv, *flags))
    process.start()
    await asyncio.to_thread(process.wait_ready, PATIENCE)


async def claimed(client: Client, key: ClaimKey) -> bool:
    return not await unclaimed(client, key)
