"""All replicas of admission are replaced one after the other while people deploy: nobody notices.

Once, with the lame duck that the playground's forwarder needs; ``DAYFLY_SOAK=1`` five times, with
the 10 s of ``manifests/base``.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import timedelta
from itertools import count

import pytest
from prometheus_client.parser import text_string_to_metric_families

from dayfly_core import names
from dayfly_core.objects import Resource
from dayfly_kube.client import Client
from playground import System
from playground.process import Process
from support.crowds import (
    STORED,
    Answer,
    Wish,
    ask,
    config_map,
    everybody,
    ingress,
    namespace,
    street,
    streets,
    summary,
    tally,
)
from support.plots import CONFIG_MAPS, PATIENCE, Plot, now, planted, until, until_time
from support.throng import DOMAIN, SOAK, Throng

pytestmark = pytest.mark.cluster

RATE = 50
AT_ONCE = 50 if SOAK else 8
"""A machine that does other things carries fewer a second; the soak is run alone."""
ROUNDS = 5 if SOAK else 1
STREETS = 10
DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment", namespaced=True)
WISH = {names.TTL: "4h"}


@pytest.fixture
async def client(throng: Throng) -> AsyncIterator[Client]:
    async with everybody(throng.plane) as connected:
        await streets(connected, STREETS)
        yield connected


@pytest.fixture
async def site(throng: Throng, client: Client) -> AsyncIterator[Plot]:
    """A namespace whose policy gives ends and hosts to ConfigMaps and Deployments."""
    kinds = [
        {"apiGroups": [""], "resources": ["configmaps"]},
        {"apiGroups": ["apps"], "resources": ["deployments"]},
    ]
    async with planted(client, host={"template": "{name}.{domain}", "domain": DOMAIN}) as plot:
        await plot.amend({"match": {"resources": kinds}})
        throng.system.wait_enforced(["configmaps", "deployments"])
        await plot.governed()
        yield plot


async def test_failover_of_admission_under_50_deploys_a_second_fails_no_request(
    throng: Throng, client: Client, site: Plot, figure: Callable[[str], None]
) -> None:
    before = await failed_open(client)
    replaced = asyncio.create_task(replace_all(throng.system))
    begun = now()
    answers = await deploy_until(replaced, client, site)
    took = (now() - begun).total_seconds()
    slow = sorted((answer.ended - answer.began).total_seconds() * 1000 for answer in answers)
    p50, p99 = slow[len(slow) // 2], slow[len(slow) * 99 // 100]
    figure(f"{summary(answers)}: {len(slow) / took:.0f}/s, p50 {p50:.0f} ms, p99 {p99:.0f} ms")
    assert tally(answers).keys() == {STORED}
    assert unstamped(answers) == []
    assert await failed_open(client) == before


async def replace_all(system: System) -> None:
    """Restart one after the other, each when the one before is ready again."""
    for _ in range(ROUNDS):
        for process in system.admissions:
            await replace_one(process)


async def replace_one(process: Process) -> None:
    process.kill(signal.SIGTERM)
    await until(lambda: asyncio.to_thread(lambda: not process.alive))
    process.start()
    await asyncio.to_thread(process.wait_ready, PATIENCE)


async def deploy_until(done: asyncio.Task[None], client: Client, site: Plot) -> list[Answer]:
    """Begin so many deploys a second, each at its time, while there is a place for it."""
    deploys, start = list[asyncio.Task[Answer]](), now()
    places = asyncio.Semaphore(AT_ONCE)

    async def deploy(wish: Wish) -> Answer:
        try:
            return await ask(client, wish)
        finally:
            places.release()

    for wish in deployments(site.name):
        if done.done():
            break
        await until_time(start + timedelta(seconds=len(deploys) / RATE))
        await places.acquire()
        deploys.append(asyncio.create_task(deploy(wish)))
    await done
    return await asyncio.gather(*deploys)


def deployments(where: str) -> Iterator[Wish]:
    """Two that are stamped and get a host of their own, an environment, an Ingress; and again."""
    for number in count():
        name = f"{where}-{number:05}"
        match number % 4:
            case 0:
                yield deployment(where, name)
            case 1:
                yield config_map(where, name, WISH)
            case 2:
                yield namespace(name, name)
            case _:
                yield ingress(street(number % STREETS), f"{name}.in.{DOMAIN}", name)


def deployment(where: str, name: str) -> Wish:
    labels = {"app": name}
    containers = [{"name": "web", "image": "web"}]
    spec = {
        "replicas": 0,  # pods would measure the scheduler
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}},
    }
    meta = {"name": name, "namespace": where, "annotations": WISH}
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec}
    return Wish(DEPLOYMENTS, body)


def unstamped(answers: Sequence[Answer]) -> list[str]:
    """Name what was stored without the end and the host that its policy gives."""
    return [
        answer.meta.name
        for answer in answers
        if answer.meta
        and answer.wish.resource in (CONFIG_MAPS, DEPLOYMENTS)
        and not {names.EXPIRES_AT, names.HOST} <= answer.meta.annotation_map.keys()
    ]


FAILED_OPEN = "apiserver_admission_webhook_fail_open_count_total"


async def failed_open(client: Client) -> dict[str, float]:
    """Read how many requests the API server let pass since no answer came, by webhook."""
    text = (await client.get("/metrics")).decode()
    return {
        sample.labels["name"]: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == FAILED_OPEN
    }
