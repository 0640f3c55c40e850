"""Whatever is sent to an endpoint is answered well.

Reviews of a real API server with something wrong at a place or two, and objects of any shape; each
to every endpoint, over a cluster that knows no names, has given them away, is about to, or is
broken. Everyday a few thousand, with DAYFLY_SOAK=1 (``make fuzz``) more than 100,000.
"""

import asyncio
import os
from collections.abc import Generator
from contextlib import contextmanager
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded

from support import any_json, own_manifests
from support.fuzz_oracle import Trial
from support.fuzz_world import How, World
from support.mutation import mutated
from support.recorded import recorded

SOAK = os.environ.get("DAYFLY_SOAK") == "1"
SEEDS = range(80 if SOAK else 6)
REVIEWS = 1000 if SOAK else 400
"""Broken ones of each seed."""
OBJECTS = 500 if SOAK else 100
"""Of any shape, of each seed."""

# A failure is shown as it was found: to shrink it would take minutes.
GENERATING = settings(
    max_examples=OBJECTS,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
    database=None,
)

BODIES = [*recorded().values(), *own_manifests.bodies()]
WORLD = World()


@contextmanager
def named(what: str) -> Generator[None]:
    """Say in the failure how to see it again."""
    try:
        yield
    except Exception as error:
        error.add_note(what)
        raise


def how(dice: Random) -> How:
    if dice.random() < 0.9:
        return How()
    queries = (b"", b"timeout=0s", b"timeout=1s", b"timeout=-1s", b"timeout=9" + b"9" * 400 + b"s")
    kinds = (b"application/json", b"application/json; charset=utf-8", b"text/plain", b"", b"\xff")
    return How(dice.choice((*queries, dice.randbytes(9))), dice.choice(kinds))


async def put_on_trial(seed: int, number: int) -> None:
    dice = Random(f"{seed}/{number}")
    body = mutated(dice, BODIES)
    with named(f"seed {seed}, number {number}: {body!r:.4000}"):
        await Trial(WORLD, body, how(dice)).run()


@pytest.mark.parametrize("seed", SEEDS)
async def test_real_reviews_with_something_wrong_are_answered(seed: int) -> None:
    for number in range(REVIEWS):
        await put_on_trial(seed, number)


@pytest.mark.parametrize("seed", SEEDS)
def test_objects_of_any_shape_are_answered(seed: int) -> None:
    with asyncio.Runner() as runner:

        @seeded(seed)
        @GENERATING
        @given(body=any_json.REVIEWS)
        def each(body: bytes) -> None:
            runner.run(Trial(WORLD, body).run())

        each()
