import asyncio

import pytest

from dayfly_core.pace import Pace
from dayfly_operator.pace import Pacer


@pytest.mark.looptime
async def test_turns_are_given_in_the_order_asked() -> None:
    loop = asyncio.get_running_loop()
    pacer, order = Pacer(Pace(rate=10), loop.time), list[tuple[int, float]]()

    async def one(number: int) -> None:
        await pacer.turn()
        order.append((number, round(loop.time(), 3)))

    await asyncio.gather(*(one(i) for i in range(4)))
    assert order == [(0, 0.0), (1, 0.1), (2, 0.2), (3, 0.3)]
