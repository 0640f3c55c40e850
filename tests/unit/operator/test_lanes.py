"""How many calls are under way at once, altogether and to one host."""

import asyncio

import pytest

from dayfly_operator.outgoing.lanes import Lanes

pytestmark = pytest.mark.looptime(start=0)


class Traffic:
    """Calls of a given length; notes when each began, and how many there were at once."""

    def __init__(self, lanes: Lanes) -> None:
        self.lanes = lanes
        self.began: list[tuple[str, float]] = []
        self.most = 0
        self._now = 0

    async def call(self, host: str, length: float) -> None:
        async with self.lanes.place(host):
            self.began.append((host, asyncio.get_running_loop().time()))
            self._now += 1
            self.most = max(self.most, self._now)
            await asyncio.sleep(length)
            self._now -= 1


async def test_a_host_has_so_many_places_in_the_order_of_asking() -> None:
    traffic = Traffic(Lanes(at_once=9, per_host=2))
    await asyncio.gather(*(traffic.call("a", 10) for _ in range(5)))
    assert [began for _, began in traffic.began] == [0, 0, 10, 10, 20]


async def test_who_waits_for_a_slow_host_holds_no_place_of_the_others() -> None:
    traffic = Traffic(Lanes(at_once=3, per_host=2))
    slow = [traffic.call("slow", 10) for _ in range(9)]
    quick = [traffic.call("quick", 0.01) for _ in range(9)]
    await asyncio.gather(*slow, *quick)
    quickly = [began for host, began in traffic.began if host == "quick"]
    assert max(quickly) == pytest.approx(0.08)


async def test_all_hosts_together_have_so_many_places() -> None:
    traffic = Traffic(Lanes(at_once=3, per_host=2))
    await asyncio.gather(*(traffic.call(f"host-{n}", 1) for n in range(10)))
    assert traffic.most == 3
    assert max(began for _, began in traffic.began) == 3


async def test_hosts_are_forgotten_when_nobody_calls_them() -> None:
    lanes = Lanes(at_once=3, per_host=1)
    calls = [asyncio.create_task(Traffic(lanes).call(f"host-{n % 5}", 1)) for n in range(10)]
    await asyncio.sleep(0.5)
    assert len(lanes) == 5
    for call in calls[:5]:
        call.cancel()  # one that has its place, of each host, or waits for it
    await asyncio.gather(*calls, return_exceptions=True)
    assert len(lanes) == 0
