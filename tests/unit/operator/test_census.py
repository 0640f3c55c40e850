"""What a status counts, and how little of it is looked at closely."""

import asyncio
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly_core import instant, names, outlook
from dayfly_core.lifecycle import Record, Result
from dayfly_core.objects import Key
from dayfly_core.policies import Policy
from dayfly_core.timeline import Ledger
from dayfly_operator import census
from dayfly_operator.census import NAMED, NEXT, SLICE
from dayfly_operator.stamped import Stamped
from support.surprised import NOW, SECOND, a_policy, announced, found, key_of

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
STEPWISE = a_policy(
    timeline=[
        {"at": "-1h", "action": {"type": "NOTIFY"}},
        {"at": "0s", "action": {"type": "DELETE"}},
    ]
)


class Acting:
    """One policy, and what it spares."""

    def __init__(self, policy: Policy | None = STEPWISE) -> None:
        self.found = policy
        self.spared = set[Key]()
        self.asked = 0

    def policy(self, name: str) -> Policy | None:
        return self.found

    def acts(self, key: Key, found: Stamped) -> bool:
        self.asked += 1
        return key not in self.spared


async def test_objects_are_counted_by_policy_and_the_nearest_are_named_in_order() -> None:
    objects = [(key_of(n), announced(n, NOW + (100 - n) * SECOND)) for n in range(100)]
    tally = (await census.count(objects, Acting()))["previews"]
    assert (tally.matched, tally.next_end) == (100, NOW + SECOND)
    assert [each.name for each in tally.coming] == [f"preview-{99 - n}" for n in range(NEXT)]
    assert {each.step for each in tally.coming} == {"NOTIFY@-1h"}
    assert tally.coming[0].at == NOW + SECOND - timedelta(hours=1)


async def test_what_is_spared_is_counted_and_not_announced() -> None:
    acting = Acting()
    acting.spared.add(key_of(0))
    tally = (await census.count([(key_of(0), announced(0, NOW))], acting))["previews"]
    assert (tally.matched, tally.next_end, tally.coming) == (1, None, [])


@pytest.mark.parametrize("policy", [None])
async def test_a_policy_that_does_nothing_has_no_next_ends(policy: Policy | None) -> None:
    tally = (await census.count([(key_of(0), announced(0, NOW))], Acting(policy)))["previews"]
    assert (tally.matched, tally.next_end, tally.coming) == (1, None, [])


SLEEPING = {
    names.STEPS: Ledger(
        instant.render(NOW),
        {"SCALE_DOWN@0s": Record("SCALE_DOWN@0s", "id", Result.DONE, NOW)},
        uid="uid-0",
    ).text
}
SCALE_DOWN = {"at": "0s", "action": {"type": "SCALE_DOWN"}}
DELETE = {"at": "1d", "action": {"type": "DELETE"}}


@pytest.mark.parametrize(
    ("steps", "awake", "next_end"),
    [
        pytest.param([SCALE_DOWN, DELETE], None, DAY, id="its deletion"),
        pytest.param([SCALE_DOWN], None, None, id="nothing: it sleeps for ever"),
        pytest.param([SCALE_DOWN, DELETE], HOUR, HOUR, id="another one that is awake"),
        pytest.param([SCALE_DOWN], HOUR, HOUR, id="the only one that is not asleep for ever"),
    ],
)
async def test_what_comes_next_while_a_preview_sleeps(
    steps: list[dict[str, object]], awake: timedelta | None, next_end: timedelta | None
) -> None:
    objects = [(key_of(0), found(0, NOW, **SLEEPING))]
    if awake:
        objects.append((key_of(1), announced(1, NOW + awake)))
    for order in (objects, objects[::-1]):
        tallies = await census.count(order, Acting(a_policy(timeline=steps)))
        assert tallies["previews"].next_end == (None if next_end is None else NOW + next_end)


async def test_what_has_no_end_is_counted() -> None:
    endless = Stamped(found(1, NOW).meta, None)
    tally = (await census.count([(key_of(1), endless)], Acting()))["previews"]
    assert (tally.matched, tally.next_end, tally.coming) == (1, None, [])


async def test_what_is_far_away_is_not_looked_at_closely() -> None:
    acting = Acting()
    objects = [(key_of(n), announced(n, NOW + n * SECOND)) for n in range(5 * SLICE)]
    await census.count(objects, acting)
    assert acting.asked == NEXT


async def test_others_are_served_while_many_are_counted() -> None:
    objects = [(key_of(n), announced(n, NOW)) for n in range(3 * SLICE)]
    turns = 0

    async def work() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    working = asyncio.create_task(work())
    await census.count(objects, Acting())
    working.cancel()
    assert turns >= 3


@given(seconds=st.lists(st.integers(-50, 50), max_size=60))
def test_the_nearest_are_the_same_whatever_the_order(seconds: list[int]) -> None:
    objects = [(key_of(n), announced(n, NOW + s * SECOND)) for n, s in enumerate(seconds)]
    expected = sorted(
        (coming.at, key.name)
        for key, each in objects
        if each.end and (coming := outlook.coming(STEPWISE, each.meta, each.end))
    )
    for order in (objects, objects[::-1]):
        tallies = asyncio.run(census.count(order, Acting()))
        told = [(each.at, each.name) for tally in tallies.values() for each in tally.coming]
        assert told == expected[:NEXT]


def failing(number: int, result: Result, end: str) -> Stamped:
    at = announced(number, NOW)
    record = Record("WEBHOOK@0s", "id", result, NOW, 6, "the receiver answered 500")
    written = Ledger(end, {record.rule: record}, uid=at.meta.uid).text
    annotations = {**at.meta.annotation_map, names.STEPS: written}
    return Stamped(msgspec.structs.replace(at.meta, annotations=annotations), at.end)


async def test_steps_that_were_given_up_are_counted_and_some_are_named() -> None:
    now = instant.render(NOW)
    moved = instant.render(NOW + SECOND)
    objects = [(key_of(n), failing(n, Result.FAILED, now)) for n in range(12)]
    objects += [(key_of(20), failing(20, Result.DONE, now))]
    objects += [(key_of(21), failing(21, Result.FAILED, moved))]
    tally = (await census.count(objects, Acting()))["previews"]
    assert tally.given_up == 12, "neither what was done, nor what was for another end"
    assert len(tally.first_given_up) == NAMED
    assert tally.first_given_up[0] == f"{key_of(0)} WEBHOOK@0s: the receiver answered 500"
