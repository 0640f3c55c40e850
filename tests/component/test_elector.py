"""Electors in threads of their own against an API server over real HTTP: by the clock on the wall.

What needs no HTTP and no thread is in tests/unit/operator/test_election.py, under virtual time.
"""

import asyncio
import re
import threading
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from random import Random

import pytest

from dayfly_kube.client import Client
from dayfly_operator.election import Clocks
from dayfly_operator.elector import Candidacy, Elector
from dayfly_operator.leadership import Leadership
from support.electors import FAST, LEASE, Process, boot_time, lease_spec, requests_of, verbs_of
from support.fake_api import FakeApi, Fault
from support.waiting import eventually


async def test_the_first_one_creates_the_lease_and_renews_it_with_one_request_each() -> None:
    async with FakeApi() as api, Process("baz", api.config()).leading():
        await eventually(lambda: len(verbs_of(api, "baz")) >= 5)
        assert verbs_of(api, "baz")[:5] == ["GET", "POST", "PUT", "PUT", "PUT"]
        assert lease_spec(api)["holderIdentity"] == "baz"
        assert lease_spec(api)["leaseTransitions"] == 0


async def test_leaving_the_block_releases_within_a_tenth_of_a_second() -> None:
    async with FakeApi() as api:
        async with Process("baz", api.config()).leading() as baz:
            begin = time.monotonic()
        assert time.monotonic() - begin < 0.1
        assert (lease_spec(api)["holderIdentity"], lease_spec(api)["leaseDurationSeconds"]) == (
            "",
            1,
        )
        assert not baz.leads
        await eventually(lambda: baz.changes == [True, False])


async def test_work_that_crashes_releases_the_lease_too() -> None:
    async with FakeApi() as api:
        with pytest.raises(ZeroDivisionError):
            async with Process("baz", api.config()).leading():
                raise ZeroDivisionError
        assert lease_spec(api)["holderIdentity"] == ""


async def test_a_release_hands_over_through_the_watch_within_three_tenths_of_a_second() -> None:
    async with FakeApi() as api, AsyncExitStack() as stack:
        baz = Process("baz", api.config())
        async with Process("bing", api.config()).leading():
            await stack.enter_async_context(baz.elector)
            await eventually(
                lambda: api.watches(LEASE.rpartition("/")[0]) and requests_of(api, "baz")
            )
        begin = time.monotonic()
        await eventually(lambda: baz.leads)
        assert time.monotonic() - begin < 0.3
        assert lease_spec(api)["leaseTransitions"] == 1


async def test_followers_watch_the_one_lease() -> None:
    async with FakeApi() as api, Process("bing", api.config()).leading():
        async with Process("baz", api.config()).elector:
            await eventually(lambda: [r for r in requests_of(api, "baz") if r.watch])
        watch = next(r for r in requests_of(api, "baz") if r.watch)
        assert watch.query["fieldSelector"] == "metadata.name=dayfly-operator"


async def test_a_blocked_main_loop_loses_no_lease() -> None:
    async with FakeApi() as api:
        # The server lives in this loop, so the one that is blocked is a loop of its own.
        blocked, done = list[bool](), threading.Event()

        async def block(process: Process) -> None:
            async with process.leading():
                end = time.monotonic() + 1.5
                while time.monotonic() < end:  # three leases' worth of a busy loop
                    blocked.append(process.leads)
            done.set()

        thread = threading.Thread(target=lambda: asyncio.run(block(Process("baz", api.config()))))
        thread.start()
        await eventually(done.is_set)
        thread.join()
        assert all(blocked)


async def test_times_are_written_in_utc_with_six_digits_wherever_the_machine_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        async with FakeApi() as api, Process("baz", api.config()).leading():
            for written in (lease_spec(api)["renewTime"], lease_spec(api)["acquireTime"]):
                assert re.fullmatch(r"2026-11-22T06:[0-5]\d:[0-5]\d\.\d{6}Z", str(written))
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    "lease",
    [
        pytest.param({}, id="no spec"),
        pytest.param({"spec": None}, id="a null spec"),
        pytest.param({"spec": {}}, id="an empty spec"),
        pytest.param({"spec": {"holderIdentity": None}}, id="a null holder"),
        pytest.param({"spec": {"holderIdentity": "bing"}}, id="a holder that never renewed"),
        pytest.param(
            {"spec": {"holderIdentity": "bing", "leaseDurationSeconds": 1, "renewTime": "soon"}},
            id="a time that is none",
        ),
    ],
)
async def test_a_strange_lease_is_taken_over(lease: dict[str, object]) -> None:
    async with FakeApi() as api:
        api.put(LEASE, lease)
        async with Process("baz", api.config()).leading():
            assert lease_spec(api)["leaseTransitions"] == 1


async def test_a_deleted_lease_is_made_anew_in_the_same_term() -> None:
    async with FakeApi() as api, AsyncExitStack() as stack:
        baz = await stack.enter_async_context(Process("baz", api.config()).leading())
        await stack.enter_async_context(Process("bing", api.config()).elector)
        await eventually(lambda: requests_of(api, "bing"))
        api.remove(LEASE)
        await eventually(lambda: LEASE in api.objects)
        assert lease_spec(api)["holderIdentity"] == "baz"
        assert baz.leads


@pytest.mark.parametrize("method", ["PUT", "GET"])
async def test_a_stop_during_a_request_that_hangs_still_releases(method: str) -> None:
    async with FakeApi() as api:
        async with Process("baz", api.config()).leading():
            if method == "GET":  # a failed renewal makes the leader ask
                api.fault(Fault("status", LEASE, method="PUT"))
            api.fault(Fault("hang", LEASE, method=method))
            before = len(requests_of(api, "baz"))
            await eventually(lambda: method in verbs_of(api, "baz")[before:])
            begin = time.monotonic()
        assert time.monotonic() - begin < 0.15
        assert lease_spec(api)["holderIdentity"] == ""


async def test_one_conflict_during_the_release_is_tried_again() -> None:
    async with FakeApi() as api:
        async with Process("baz", api.config()).leading():
            await eventually(lambda: "PUT" in verbs_of(api, "baz"))
            api.fault(Fault("status", LEASE, method="PUT", code=409, reason="Conflict"))
        assert lease_spec(api)["holderIdentity"] == ""


async def test_a_wall_clock_that_jumps_moves_nothing() -> None:
    async with FakeApi() as api, AsyncExitStack() as stack:
        bing, baz = (Process(n, api.config(), jumps=Random(n)) for n in ("bing", "baz"))
        await stack.enter_async_context(bing.leading())
        async with baz.elector:
            await eventually(lambda: len(requests_of(api, "bing")) > 10)
            assert bing.leads
            assert baz.changes == []


async def test_a_machine_that_slept_wakes_with_the_gate_closed() -> None:
    slept = 0.0

    def clock() -> float:
        return boot_time() + slept

    leadership = Leadership("baz", clock)
    leadership.extend(clock() + 2.2, 0)
    assert leadership.holds()
    slept = 3600
    assert not leadership.holds()


async def test_a_thread_that_ends_is_a_problem() -> None:
    def connect(timeout: float) -> Client:
        raise OSError("no certificate file")

    leadership = Leadership("baz", boot_time)
    clocks = Clocks(lambda: datetime(2026, 11, 22, tzinfo=UTC), boot_time)
    async with Elector(Candidacy(connect, timing=FAST), leadership, clocks) as elector:
        await eventually(lambda: elector.problem() == "the elector's thread has ended")
