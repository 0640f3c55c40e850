"""How long is waited: as long as there was time."""

import asyncio
from threading import Event

import pytest

from support.waiting import at_most, eventually


@pytest.mark.looptime
async def test_what_does_not_come_is_given_up() -> None:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    with pytest.raises(TimeoutError):
        await eventually(lambda: False, 3)
    assert loop.time() - begun == pytest.approx(3, abs=0.1)  # pyright: ignore[reportUnknownMemberType]


async def test_time_in_which_nothing_ran_does_not_count() -> None:
    async with at_most(0.3):
        await asyncio.sleep(0.03)
        Event().wait(0.5)
        await asyncio.sleep(0.03)


@pytest.mark.looptime
async def test_what_comes_in_time_is_not_disturbed_later() -> None:
    async with at_most(1):
        await asyncio.sleep(0.9)
    await asyncio.sleep(10)


@pytest.mark.looptime
async def test_an_error_within_is_that_error() -> None:
    with pytest.raises(KeyError):
        async with at_most(1):
            raise KeyError
