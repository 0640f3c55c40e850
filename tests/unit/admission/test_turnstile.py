"""So many at once, so many in the queue, and nobody longer than there is time."""

import asyncio

import pytest

from dayfly_admission.turnstile import Overloaded, Turnstile


def now() -> float:
    return asyncio.get_running_loop().time()


async def hold(turnstile: Turnstile, seconds: float, release: asyncio.Event) -> None:
    async with turnstile.passing(now() + seconds, now):
        await release.wait()


async def settle() -> None:
    """Let every task that can run do so."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_the_next_goes_in_when_one_comes_out() -> None:
    turnstile, first, second = Turnstile(inside=1, waiting=1), asyncio.Event(), asyncio.Event()
    one = asyncio.create_task(hold(turnstile, 5, first))
    two = asyncio.create_task(hold(turnstile, 5, second))
    await settle()
    assert turnstile.waiting == 1
    first.set()
    await one
    await settle()
    assert turnstile.waiting == 0
    second.set()
    await two


async def test_who_finds_the_queue_full_is_told_at_once() -> None:
    turnstile, release = Turnstile(inside=1, waiting=1), asyncio.Event()
    tasks = [asyncio.create_task(hold(turnstile, 5, release)) for _ in range(2)]
    await settle()
    began = now()
    with pytest.raises(Overloaded):
        await hold(turnstile, 5, release)
    assert now() - began < 0.1
    release.set()
    await asyncio.gather(*tasks)


async def test_nobody_waits_beyond_the_deadline() -> None:
    turnstile, release = Turnstile(inside=1), asyncio.Event()
    inside = asyncio.create_task(hold(turnstile, 5, release))
    await settle()
    with pytest.raises(Overloaded):
        await hold(turnstile, 0.01, release)
    assert turnstile.waiting == 0
    release.set()
    await inside


async def test_a_fault_inside_frees_the_place() -> None:
    turnstile = Turnstile(inside=1)
    for _ in range(2):
        with pytest.raises(ValueError, match="a fault"):
            async with turnstile.passing(now() + 5, now):
                raise ValueError("a fault")
