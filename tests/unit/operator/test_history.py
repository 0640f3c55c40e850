"""The writer of the history: what it keeps, between whom, and how little room it takes."""

import asyncio
from collections import deque
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly_core import history
from dayfly_core.history import LIMIT, SLOTS, Entry, Page
from dayfly_kube.errors import ApiError, Unreachable
from dayfly_operator.history import CAPACITY, History, NoPage
from support.ring import Fault, Ring, entry

SMALL = 600
"""Bytes a page, so that a few entries fill one."""


def a_history(ring: Ring, replica: str = "a", limit: int = LIMIT) -> History:
    return History(ring, "dayfly-system", replica, limit=limit)


def names(*numbers: int) -> list[str]:
    return [f"preview-{number}" for number in numbers]


async def test_what_was_noted_is_written_in_one_request() -> None:
    ring, told = Ring.empty(), list[bool]()
    writer = a_history(ring)
    writer.noted = lambda: told.append(True)
    for number in range(100):
        writer.note(entry(number))
    assert len(writer) == 100
    await writer.commit()
    assert ring.told() == names(*range(100))
    assert {each.replica for each in ring.record().entries} == {"a"}
    assert (ring.writes, len(told), len(writer)) == (1, 100, 0)


async def test_the_next_group_needs_no_read() -> None:
    ring = Ring.empty()
    writer = a_history(ring)
    for number in range(3):
        writer.note(entry(number))
        await writer.commit()
    assert (ring.reads, ring.writes) == (SLOTS, 3)


async def test_with_nothing_to_write_nothing_is_asked() -> None:
    ring = Ring.empty()
    await a_history(ring).commit()
    assert (ring.reads, ring.writes) == (0, 0)


async def test_a_rehearsal_has_no_history() -> None:
    ring = Ring.empty()
    writer = History(ring, "dayfly-system", "a", keeping=False)
    writer.note(entry(1))
    await writer.commit()
    assert ring.told() == []


async def test_what_is_noted_while_a_group_is_written_goes_with_the_next() -> None:
    ring = Ring.empty()
    writer = a_history(ring)
    writer.note(entry(1))
    writing = asyncio.create_task(writer.commit())
    for _ in range(20):
        if not ring.writes:
            await asyncio.sleep(0)
    writer.note(entry(2))
    await writing
    assert (ring.writes, ring.told()) == (1, names(1)), "it does not go on for ever"
    await writer.commit()
    assert (ring.writes, ring.told()) == (2, names(1, 2))


async def test_the_oldest_page_goes_when_the_ring_is_full() -> None:
    ring = Ring.empty()
    writer = a_history(ring, limit=SMALL)
    for number in range(200):
        writer.note(entry(number))
        await writer.commit()
    told = ring.told()
    assert told == names(*range(200 - len(told), 200))
    assert len(told) * len(history.line(entry(100, replica="a"))) >= (SLOTS - 2) * SMALL
    assert all(len(page.text) <= SMALL for page in ring.pages())


async def test_many_at_once_fill_several_pages() -> None:
    ring = Ring.empty()
    writer = a_history(ring, limit=SMALL)
    for number in range(20):
        writer.note(entry(number))
    await writer.commit()
    assert ring.told() == names(*range(20))


async def test_more_than_may_wait_loses_the_oldest_and_says_so() -> None:
    dropped = list[int]()
    writer = a_history(Ring.empty())
    writer.dropping = lambda: dropped.append(1)
    for number in range(CAPACITY + 7):
        writer.note(entry(number))
    assert (len(writer), len(dropped)) == (CAPACITY, 7)


async def test_a_leader_goes_on_where_the_last_one_was() -> None:
    ring = Ring.empty()
    for count, replica in enumerate("abc"):
        writer = a_history(ring, replica, SMALL)
        for number in range(count * 5, count * 5 + 5):
            writer.note(entry(number))
        await writer.commit()
    assert ring.told() == names(*range(15))


async def test_a_stale_writer_does_not_empty_the_page_that_the_next_one_has_begun() -> None:
    ring = Ring.empty()
    stale, new = a_history(ring, "stale", SMALL), a_history(ring, "new", SMALL)
    for number in range(4):
        stale.note(entry(number))
        await stale.commit()
    for number in range(4, 12):
        new.note(entry(number))
        await new.commit()
    for number in range(12, 16):
        stale.note(entry(number))
        await stale.commit()
    assert ring.told() == names(*range(16))


@pytest.mark.parametrize("fault", ["refused", "not sent", "answer lost"])
async def test_a_failed_write_is_repeated_and_tells_nothing_twice(fault: Fault) -> None:
    ring = Ring.empty()
    ring.faults = deque([fault])
    writer = a_history(ring)
    writer.note(entry(1))
    with pytest.raises((ApiError, Unreachable)):
        await writer.commit()
    writer.note(entry(2))
    await writer.commit()
    assert ring.told() == names(1, 2)


async def test_a_write_that_was_interrupted_is_told_once_at_farewell() -> None:
    ring = Ring.empty()
    writer = a_history(ring)
    writer.note(entry(1))
    writing = asyncio.create_task(writer.commit())
    for _ in range(20):
        if not ring.told():
            await asyncio.sleep(0)
    assert ring.told() == names(1), "it is stored, and the answer on its way"
    writing.cancel()
    await asyncio.wait({writing})
    assert len(writer) == 1, "as far as the writer knows"
    await writer.finish(1)
    assert ring.told() == names(1)


@pytest.mark.looptime(start=0)
async def test_a_farewell_waits_no_longer_than_it_may(caplog: pytest.LogCaptureFixture) -> None:
    class Silent(Ring):
        async def get(self, path: str) -> bytes:
            await asyncio.sleep(60)
            raise AssertionError(path)

    writer = a_history(Silent.empty())
    writer.note(entry(1))
    await writer.finish(0.3)
    assert asyncio.get_running_loop().time() == pytest.approx(0.3)
    assert "entries of the history are lost entries=1" in caplog.text


def ended(number: int, **fields: str) -> Entry:
    return entry(number, action="DELETE", uid=f"u-{number}", **fields)


async def test_what_the_last_leader_has_not_told_is_told_by_who_has_seen_it() -> None:
    ring = Ring.empty()
    last, next_ = a_history(ring, "last"), a_history(ring, "next")
    for number in range(3):
        last.note(ended(number))
    await last.commit()
    seen = [ended(number, message="seen") for number in range(5)]
    next_.seen = lambda: [seen.pop(0) for _ in tuple(seen)]
    await next_.commit()
    assert [(each.name, each.replica) for each in ring.record().entries] == [
        *((name, "last") for name in names(0, 1, 2)),
        *((name, "next") for name in names(3, 4)),
    ]
    assert ring.writes == 2


@pytest.mark.parametrize("fault", ["refused", "not sent", "answer lost"])
async def test_what_was_seen_is_told_once_though_the_write_fails(fault: Fault) -> None:
    ring = Ring.empty()
    ring.faults = deque([fault])
    writer = a_history(ring)
    seen = [ended(1)]
    writer.seen = lambda: [seen.pop()] if seen else []
    with pytest.raises((ApiError, Unreachable)):
        await writer.commit()
    await writer.commit()
    assert ring.told() == names(1)


async def test_with_nothing_untold_the_ring_is_read_and_not_written() -> None:
    ring = Ring.empty()
    last, next_ = a_history(ring, "last"), a_history(ring, "next")
    last.note(ended(1))
    await last.commit()
    next_.seen = lambda: [ended(1)]
    await next_.commit()
    assert ring.writes == 1


async def test_a_rehearsal_tells_nothing_that_it_has_seen() -> None:
    ring = Ring.empty()
    writer = History(ring, "dayfly-system", "a", keeping=False)
    writer.seen = lambda: [ended(1)]
    await writer.commit()
    assert (ring.reads, ring.writes) == (0, 0)


@pytest.mark.parametrize("missing", [[0], [1, 2], [0, 1, 2, 4, 5, 6, 7]])
async def test_pages_that_are_not_there_are_left_out(missing: list[int]) -> None:
    ring = Ring.empty()
    for slot in missing:
        del ring.maps[history.slot_name(slot)]
    writer = a_history(ring, limit=SMALL)
    for number in range(3):
        writer.note(entry(number))
    await writer.commit()
    assert ring.told() == names(0, 1, 2)


async def test_a_page_that_cannot_be_written_is_left_out() -> None:
    ring = Ring.empty()
    ring.put(4, Page(4, 9, history.line(entry(0))).data)
    ring.maps[history.slot_name(4)]["immutable"] = True
    writer = a_history(ring)
    writer.note(entry(1))
    await writer.commit()
    assert ring.told() == names(0, 1)


async def test_without_any_page_what_waits_is_kept_until_there_is_one() -> None:
    ring = Ring()
    writer = a_history(ring)
    writer.note(entry(1))
    with pytest.raises(NoPage):
        await writer.commit()
    ring.put(2, None)
    await writer.commit()
    assert ring.told() == names(1)


async def test_the_only_page_is_not_emptied_when_it_is_full() -> None:
    ring = Ring()
    ring.put(2, Page(2, 1, "x" * SMALL).data)
    writer = a_history(ring, limit=SMALL)
    writer.note(entry(1))
    with pytest.raises(NoPage):
        await writer.commit()
    assert len(writer) == 1


async def test_what_others_put_beside_the_entries_goes() -> None:
    ring = Ring.empty()
    ring.put(0, {"notes": "x" * 10**6, history.ENTRIES_KEY: "torn"})
    writer = a_history(ring)
    writer.note(entry(1))
    await writer.commit()
    assert ring.maps[history.slot_name(0)]["data"].keys() == Page(0).data.keys()
    assert (ring.told(), ring.record().unreadable) == (names(1), 1)


async def test_a_writer_that_never_gets_through_gives_up_for_now() -> None:
    class Contested(Ring):
        async def merge_patch(self, path: str, body: object) -> bytes:
            self.put(0, None)
            return await super().merge_patch(path, body)

    writer = a_history(Contested.empty())
    writer.note(entry(1))
    with pytest.raises(NoPage):
        await writer.commit()
    assert len(writer) == 1


@dataclass
class Act:
    """One thing that happens: a writer notes so many, or commits beside the other."""

    writer: int
    notes: int
    together: bool


ACTS = st.builds(Act, st.integers(0, 1), st.integers(0, 6), st.booleans())
FAULTS = st.lists(st.sampled_from(["", "", "", "refused", "not sent", "answer lost"]), max_size=12)


@given(acts=st.lists(ACTS, max_size=25), faults=FAULTS)
def test_two_writers_lose_nothing_of_each_other(acts: list[Act], faults: list[Fault]) -> None:
    ring, noted = asyncio.run(_play(acts, faults, LIMIT))
    assert ring.told() == names(*range(noted))


@given(acts=st.lists(ACTS, min_size=25, max_size=60), faults=FAULTS)
def test_the_ring_stays_small_and_keeps_the_newest(acts: list[Act], faults: list[Fault]) -> None:
    ring, noted = asyncio.run(_play(acts, faults, SMALL))
    told = ring.told()
    assert all(len(page.text) <= SMALL for page in ring.pages())
    assert len(told) == len(set(told))
    # A page may be written out of turn by the one that has not heard of the next, so two are open.
    sure = (SLOTS - 2) * (SMALL // len(history.line(entry(1000, replica="a"))))
    assert set(names(*range(max(0, noted - sure), noted))) <= set(told)


async def _play(acts: list[Act], faults: list[Fault], limit: int) -> tuple[Ring, int]:
    ring = Ring.empty()
    ring.faults = deque(faults)
    writers = [a_history(ring, replica, limit) for replica in "ab"]
    noted = 0
    for act in acts:
        for _ in range(act.notes):
            writers[act.writer].note(entry(noted))
            noted += 1
        committing = writers if act.together else [writers[act.writer]]
        await asyncio.gather(*(_commit(each) for each in committing))
    ring.faults.clear()
    for writer in writers:
        await writer.commit()
    return ring, noted


async def _commit(writer: History) -> None:
    try:
        await writer.commit()
    except (ApiError, Unreachable):
        await asyncio.sleep(0)  # it is tried again, with what comes next
