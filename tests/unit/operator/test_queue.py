import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from random import Random

import pytest

from dayfly_core.pace import Backoff
from dayfly_operator.queue import WorkQueue

pytestmark = pytest.mark.looptime
BACKOFF = Backoff(first=1, cap=8, jitter=0)


class Work:
    """Handles keys for ``seconds`` each, and notes when each began, by virtual time."""

    def __init__(self, seconds: float = 1.0, workers: int = 4) -> None:
        self.seconds = seconds
        self.began: list[tuple[str, float]] = []
        self.running = Counter[str]()
        self.most = Counter[str]()
        self.act: Callable[[str], Awaitable[None]] = self.nothing
        self.queue = WorkQueue[str](self.handle, workers=workers, backoff=BACKOFF)

    async def nothing(self, key: str) -> None:
        await asyncio.sleep(self.seconds)

    async def handle(self, key: str) -> None:
        self.began.append((key, round(asyncio.get_running_loop().time(), 2)))
        self.running[key] += 1
        self.most[key] = max(self.most[key], self.running[key])
        self.most["*"] = max(self.most["*"], self.running.total())
        try:
            await self.act(key)
        finally:
            self.running[key] -= 1

    async def during(self, seconds: float) -> None:
        """Run the queue for so long, then stop it and let it end."""
        running = asyncio.create_task(self.queue.run())
        await asyncio.sleep(seconds)
        self.queue.stop()
        await running

    @property
    def order(self) -> list[str]:
        return [key for key, _ in self.began]


async def test_a_key_added_many_times_is_handled_once() -> None:
    work = Work()
    for _ in range(5):
        work.queue.add("a")
    await work.during(10)
    assert work.began == [("a", 0)]


async def test_a_key_added_while_it_is_handled_is_handled_once_more_afterwards() -> None:
    work = Work()
    loop = asyncio.get_running_loop()
    work.queue.add("a")
    for at in (0.2, 0.4, 0.6):
        loop.call_later(at, work.queue.add, "a")
    await work.during(10)
    assert work.began == [("a", 0), ("a", 1)]
    assert work.most["a"] == 1


async def test_no_more_workers_than_allowed() -> None:
    work = Work(workers=3)
    for i in range(9):
        work.queue.add(f"plain-{i}", urgent=i % 2 == 0)
    await work.during(10)
    assert work.most["*"] == 3
    assert len(work.began) == 9


async def test_an_urgent_key_overtakes_ten_thousand_others() -> None:
    work = Work(seconds=0.1)
    for i in range(10_000):
        work.queue.add(f"catch-up-{i}")
    asyncio.get_running_loop().call_later(5.05, lambda: work.queue.add("end", urgent=True))
    await work.during(6)
    assert dict(work.began)["end"] == 5.05


async def test_a_worker_is_free_for_an_urgent_key_while_all_others_are_slow() -> None:
    work = Work(seconds=1000)
    for i in range(100):
        work.queue.add(f"slow-{i}")
    asyncio.get_running_loop().call_later(1, lambda: work.queue.add("end", urgent=True))
    await work.during(2)
    assert dict(work.began)["end"] == 1


async def test_ordinary_keys_go_on_while_ten_thousand_urgent_ones_wait() -> None:
    work = Work(seconds=1)
    for i in range(10_000):
        work.queue.add(f"end-{i}", urgent=True)
    work.queue.add("status")
    await work.during(3)
    assert "status" in work.order


async def test_with_one_worker_urgent_keys_are_first() -> None:
    work = Work(workers=1)
    for key, urgent in (("a", False), ("b", True), ("c", False), ("d", True)):
        work.queue.add(key, urgent=urgent)
    await work.during(10)
    assert work.order == ["b", "d", "a", "c"]


async def test_a_waiting_key_can_become_urgent() -> None:
    work = Work(workers=1)
    for key in ("a", "b", "c"):
        work.queue.add(key)
    work.queue.add("c", urgent=True)
    work.queue.add("c")
    await work.during(10)
    assert work.order == ["c", "a", "b"]


async def test_a_failing_key_comes_back_with_growing_delays(
    caplog: pytest.LogCaptureFixture,
) -> None:
    work = Work()

    async def fail(key: str) -> None:
        raise ValueError(key)

    work.act = fail
    work.queue.add("bad")
    await work.during(30)
    assert work.began == [("bad", t) for t in (0, 1, 3, 7, 15, 23)]
    assert all("key=bad" in r.getMessage() for r in caplog.records)
    assert [bool(r.exc_info) for r in caplog.records] == [True] + [False] * 5


async def test_success_makes_the_next_delay_short_again() -> None:
    work, failing = Work(), [True, True, False, True, False]

    async def sometimes(key: str) -> None:
        if failing.pop(0):
            raise ValueError(key)

    work.act = sometimes
    work.queue.add("a")
    asyncio.get_running_loop().call_later(10, work.queue.add, "a")
    await work.during(30)
    assert work.began == [("a", t) for t in (0, 1, 3, 10, 11)]


async def test_a_handler_that_asks_for_a_retry_itself_gets_growing_delays_too() -> None:
    work = Work()

    async def ask(key: str) -> None:
        work.queue.retry(key, at_least=2)

    work.act = ask
    work.queue.add("a")
    await work.during(10)
    assert work.began == [("a", t) for t in (0, 2, 4, 8)]


async def test_an_urgent_key_is_still_urgent_when_it_comes_back() -> None:
    work = Work(seconds=5, workers=1)

    async def fail_first(key: str) -> None:
        if work.order.count(key) == 1 and key == "end":
            raise ValueError(key)
        await asyncio.sleep(5)

    work.act = fail_first
    work.queue.add("end", urgent=True)
    for i in range(3):
        work.queue.add(f"plain-{i}")
    await work.during(11)
    assert work.order[:3] == ["end", "plain-0", "end"]


async def test_adding_a_delayed_key_voids_its_delay() -> None:
    work = Work(seconds=0)
    work.queue.add_after("a", 5)
    asyncio.get_running_loop().call_later(1, work.queue.add, "a")
    await work.during(10)
    assert work.began == [("a", 1)]


async def test_of_several_delays_the_last_counts() -> None:
    work = Work(seconds=0)
    work.queue.add_after("a", 1)
    work.queue.add_after("a", 5)
    await work.during(10)
    assert work.began == [("a", 5)]


async def test_a_discarded_key_is_not_handled() -> None:
    work = Work()
    work.queue.add("a")
    work.queue.add_after("b", 1)
    work.queue.add("c", urgent=True)
    for key in ("a", "b", "c"):
        work.queue.discard(key)
    await work.during(5)
    assert work.began == []
    assert (work.queue.load.urgent, work.queue.load.ordinary, work.queue.load.delayed) == (0, 0, 0)


async def test_stopping_lets_what_runs_end_and_starts_nothing() -> None:
    work = Work(seconds=10, workers=2)
    finished = list[str]()

    async def slow(key: str) -> None:
        await asyncio.sleep(10)
        finished.append(key)

    work.act = slow
    work.queue.add("running", urgent=True)
    work.queue.add("running-too")
    work.queue.add("waiting")
    await work.during(1)
    assert finished == ["running", "running-too"]
    assert asyncio.get_running_loop().time() == 10
    assert work.queue.load.ordinary == 1


async def test_cancelling_cancels_the_handlers_and_waits_for_them() -> None:
    work, cleaned = Work(), list[str]()

    async def slow(key: str) -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            await asyncio.sleep(1)
            cleaned.append(key)

    work.act = slow
    work.queue.add("a")
    running = asyncio.create_task(work.queue.run())
    await asyncio.sleep(1)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert cleaned == ["a"]


async def test_nothing_is_handled_before_the_queue_runs() -> None:
    work = Work()
    work.queue.add("a")
    await asyncio.sleep(5)
    assert work.began == []
    assert work.queue.load.ordinary == 1


def test_a_queue_without_workers_is_refused() -> None:
    with pytest.raises(ValueError, match="workers is 0"):
        Work(workers=0)


@pytest.mark.parametrize("seed", range(20))
async def test_whatever_happens_no_key_is_lost_and_none_is_handled_twice_at_once(
    seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    random = Random(seed)
    work = Work(workers=random.randint(1, 6))
    loop = asyncio.get_running_loop()
    added, handled = dict[str, float](), dict[str, float]()

    async def perhaps(key: str) -> None:
        begin = loop.time()
        await asyncio.sleep(random.random())
        if random.random() < 0.4:
            raise ValueError(key)
        handled[key] = begin

    def add() -> None:
        key = f"key-{random.randrange(10)}"
        added[key] = loop.time()
        work.queue.add(key, urgent=random.random() < 0.3)

    work.act = perhaps
    for _ in range(200):
        loop.call_later(random.random() * 30, add)
    await work.during(300)
    assert max(work.most[key] for key in added) == 1
    assert all(handled[key] >= at for key, at in added.items())


async def test_cancelled_while_keys_come_back_it_begins_nothing_more() -> None:
    work = Work(seconds=5, workers=1)
    work.queue.add("a")
    running = asyncio.create_task(work.queue.run())
    await asyncio.sleep(1)
    for key in ("a", "b"):
        work.queue.add(key)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert work.order == ["a"]
