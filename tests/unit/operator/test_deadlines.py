import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from dayfly_operator.deadlines import SLACK, Deadlines

pytestmark = pytest.mark.looptime
START = datetime(2026, 11, 22, 6, tzinfo=UTC)


class World:
    """A wall clock that can be set, and what fired when by that clock, in seconds after START."""

    def __init__(self) -> None:
        self.stepped = 0.0
        self.fired: list[tuple[str, float]] = []
        self.deadlines = Deadlines[str](self.on_due, now=self.now)

    def now(self) -> datetime:
        return START + timedelta(seconds=asyncio.get_running_loop().time() + self.stepped)

    def on_due(self, key: str) -> None:
        self.fired.append((key, round((self.now() - START).total_seconds(), 2)))

    def set(self, key: str, seconds: float) -> None:
        self.deadlines.set(key, START + timedelta(seconds=seconds))

    @property
    def entries(self) -> int:
        return len(self.deadlines._heap)  # pyright: ignore[reportPrivateUsage]


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    world.deadlines.close()


async def pass_time(seconds: float) -> None:
    await asyncio.sleep(seconds)


async def test_keys_fire_in_the_order_of_their_instants(world: World) -> None:
    for key, seconds in (("c", 3), ("a", 1), ("b", 2)):
        world.set(key, seconds)
    await pass_time(5)
    assert world.fired == [("a", 1), ("b", 2), ("c", 3)]
    assert len(world.deadlines) == 0


async def test_equal_instants_fire_in_the_order_set(world: World) -> None:
    for key in ("z", "a", "m"):
        world.set(key, 1)
    await pass_time(2)
    assert [key for key, _ in world.fired] == ["z", "a", "m"]


async def test_a_past_instant_fires_at_once_but_not_inside_set(world: World) -> None:
    world.set("late", -10)
    assert world.fired == []
    await pass_time(0.01)
    assert world.fired == [("late", 0)]


async def test_the_last_wish_of_a_key_counts(world: World) -> None:
    world.set("sooner", 10)
    world.set("sooner", 1)
    world.set("later", 1)
    world.set("later", 10)
    await pass_time(20)
    assert world.fired == [("sooner", 1), ("later", 10)]


async def test_a_cancelled_key_never_fires(world: World) -> None:
    world.set("gone", 1)
    world.deadlines.cancel("gone")
    world.deadlines.cancel("never-set")
    assert "gone" not in world.deadlines
    await pass_time(2)
    assert world.fired == []


async def test_a_key_cancelled_by_its_neighbour_of_the_same_instant_does_not_fire(
    world: World,
) -> None:
    fired = list[str]()

    def due(key: str) -> None:
        fired.append(key)
        deadlines.cancel("b")

    deadlines = Deadlines[str](due, now=world.now)
    deadlines.set("a", START + timedelta(seconds=1))
    deadlines.set("b", START + timedelta(seconds=1))
    await pass_time(2)
    assert fired == ["a"]


async def test_a_key_may_be_set_anew_while_it_fires(world: World) -> None:
    def due(key: str) -> None:
        world.on_due(key)
        if len(world.fired) < 3:
            deadlines.set(key, world.now() + timedelta(seconds=1))

    deadlines = Deadlines[str](due, now=world.now)
    deadlines.set("again", START + timedelta(seconds=1))
    await pass_time(10)
    assert [round(at) for _, at in world.fired] == [1, 2, 3]


async def test_an_instant_can_be_asked_for(world: World) -> None:
    world.set("known", 7)
    assert world.deadlines.get("known") == START + timedelta(seconds=7)
    assert world.deadlines.get("unknown") is None


async def test_a_clock_set_forward_is_noticed_within_a_minute(world: World) -> None:
    world.set("far", 7200)
    await pass_time(1)
    world.stepped = 7200
    await pass_time(60)
    assert [key for key, _ in world.fired] == ["far"]


async def test_a_clock_set_back_makes_nothing_fire_early(world: World) -> None:
    world.set("soon", 10)
    await pass_time(1)
    world.stepped = -3600
    await pass_time(3000)
    assert world.fired == []
    await pass_time(1000)
    assert world.fired == [("soon", 10)]


async def test_moving_one_key_ten_thousand_times_keeps_the_heap_small(world: World) -> None:
    for i in range(10_000):
        world.set("moving", 100 + i)
    assert world.entries <= 2 + SLACK
    await pass_time(20_000)
    assert world.fired == [("moving", 10_099)]


async def test_cancelling_leaves_no_dead_entries_behind(world: World) -> None:
    for i in range(10_000):
        world.set(f"key-{i}", 100 + i)
    for i in range(10_000):
        world.deadlines.cancel(f"key-{i}")
    assert world.entries <= SLACK


async def test_setting_the_same_instant_again_costs_nothing(world: World) -> None:
    for _ in range(100):
        world.set("same", 100)
    assert world.entries == 1


async def test_many_due_at_one_instant_let_the_loop_breathe(world: World) -> None:
    for i in range(5_500):
        world.set(f"key-{i}", 1)
    seen = set[int]()
    while len(world.fired) < 5_500:
        await pass_time(0 if world.fired else 0.1)
        seen.add(len(world.fired))
    assert len(seen - {0, 5_500}) >= 4
    assert [key for key, _ in world.fired] == [f"key-{i}" for i in range(5_500)]


async def test_a_callback_that_raises_holds_up_no_other_key(world: World) -> None:
    reported = list[dict[str, object]]()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))

    def due(key: str) -> None:
        if key == "bad":
            raise ValueError(key)
        world.on_due(key)

    deadlines = Deadlines[str](due, now=world.now)
    for key in ("bad", "good"):
        deadlines.set(key, START + timedelta(seconds=1))
    await pass_time(2)
    assert [key for key, _ in world.fired] == ["good"]
    assert [str(context["exception"]) for context in reported] == ["bad"]


async def test_close_forgets_everything(world: World) -> None:
    world.set("a", 1)
    world.deadlines.close()
    await pass_time(2)
    assert world.fired == []


@pytest.mark.parametrize("seed", range(20))
async def test_whatever_is_set_moved_and_cancelled_each_live_key_fires_once_on_time(
    world: World, seed: int
) -> None:
    random, expected = Random(seed), dict[str, float]()
    for _ in range(500):
        key = f"key-{random.randrange(60)}"
        if random.random() < 0.3:
            world.deadlines.cancel(key)
            expected.pop(key, None)
        else:
            expected[key] = random.randrange(1, 100)
            world.set(key, expected[key])
    await pass_time(200)
    assert dict(world.fired) == expected
    assert len(world.fired) == len(expected)
