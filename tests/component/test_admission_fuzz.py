"""Broken reviews over real TLS: the server in front of the webhooks, and the client behind them.

Everyday some hundred; with DAYFLY_SOAK=1 (``make fuzz``) some thousand. What is beside the body is
broken here too: method, path, content type, length.
"""

import asyncio
import os
from random import Random

import pytest
from aiohttp import ClientSession

from support import own_manifests
from support.admission import Replica, a_replica, install
from support.fake_api import FakeApi
from support.fuzz_oracle import PATHS, checked
from support.fuzz_world import Reply
from support.handshakes import a_bundle
from support.mutation import mutated
from support.recorded import recorded
from support.waiting import eventually

SOAK = os.environ.get("DAYFLY_SOAK") == "1"
SEEDS = range(20 if SOAK else 1)
REVIEWS = 200 if SOAK else 100
"""Of each seed."""

BUNDLE = a_bundle()
BODIES = [*recorded().values(), *own_manifests.bodies()]


@pytest.mark.parametrize("seed", SEEDS)
async def test_broken_reviews_are_answered_over_tls(seed: int) -> None:
    async with FakeApi() as api, a_replica(api, BUNDLE) as replica:
        install(api, BUNDLE)
        await eventually(lambda: replica.program.unready() is None)
        dice = Random(seed)
        async with replica.session() as session:
            for _ in range(REVIEWS):
                await answered(session, mutated(dice, BODIES))
        assert await alive(replica)


async def answered(session: ClientSession, body: bytes) -> None:
    """Send one body to every endpoint at once, over connections that are kept."""
    async with asyncio.TaskGroup() as group:

        async def one(path: str) -> None:
            async with session.post(f"{path}?timeout=2s", data=body) as response:
                headers = {k.lower().encode(): v.encode() for k, v in response.headers.items()}
                reply = Reply(response.status, headers, await response.read())
            checked(path, body, reply)

        for path in PATHS:
            group.create_task(one(path))


async def alive(replica: Replica) -> bool:
    status, _ = await replica.health("/healthz")
    return status == 200


@pytest.mark.parametrize("seed", SEEDS)
async def test_what_is_no_post_to_a_webhook_gets_its_status(seed: int) -> None:
    async with FakeApi() as api, a_replica(api, BUNDLE) as replica:
        install(api, BUNDLE)
        await eventually(lambda: replica.program.unready() is None)
        dice = Random(seed)
        async with replica.session() as session:
            for _ in range(REVIEWS // 4):
                method = dice.choice(("GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"))
                body = mutated(dice, BODIES)
                async with session.request(method, dice.choice(PATHS), data=body) as response:
                    assert response.status == 405
                path = dice.choice(("/", "/stamp/", "/stamp/x", "/judge%2f", "/..%2fstamp", "/%ff"))
                async with session.post(path, data=body) as response:
                    assert response.status == 404
        assert await alive(replica)
