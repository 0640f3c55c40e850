"""Electors in threads of their own against an API server over real HTTP: by the clock on the wall.

What needs no HTTP and no thread is in tests/unit/operator/test_election.py, under virtual time.
"""

import asyncio
import logging
import re
import ssl
import threading
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
import trustme
from aiohttp import web

from dayfly_core.lease import Timing
from dayfly_kube.client import Client
from dayfly_kube.config import Config
from dayfly_operator.election import Clocks
from dayfly_operator.elector import Candidacy, Elector
from dayfly_operator.leadership import Leadership
from support.elections import Opening, RecordedLeadership, overlaps
from support.fake_api import FakeApi, Fault, Recorded
from support.fake_store import Json, as_map
from support.waiting import eventually

LEASE = "/apis/coordination.k8s.io/v1/namespaces/dayfly-system/leases/dayfly-operator"
FAST = Timing(duration=1, deadline=0.8, retry=0.2, request_timeout=0.25)
"""As fast as a Lease can be: it stores whole seconds."""


START = datetime(2026, 11, 22, 6, tzinfo=UTC)


def boot_time() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


BEGAN = boot_time()


@dataclass
class Process:
    """What an operator is to its elector."""

    identity: str
    config: Config
    changes: list[bool] = field(default_factory=list[bool])
    timing: Timing = FAST
    jumps: Random | None = None
    """If given, the wall clock is off by an hour now and then."""

    def __post_init__(self) -> None:
        self.leadership = RecordedLeadership(self.identity, boot_time)
        self.elector = Elector(
            Candidacy(self._connect, timing=self.timing),
            self.leadership,
            Clocks(self._now, boot_time, Random(7)),
            self.changes.append,
        )

    def _now(self) -> datetime:
        # It has to move: a record that is written again unchanged makes no new version.
        wrong = self.jumps.randint(-1, 1) if self.jumps else 0
        return START + timedelta(hours=wrong, seconds=boot_time() - BEGAN)

    def _connect(self, timeout: float) -> Client:
        return Client(self.config, user_agent=self.identity, timeout=timeout, connections=1)

    @property
    def leads(self) -> bool:
        return self.leadership.holds()

    @asynccontextmanager
    async def leading(self) -> AsyncGenerator["Process"]:
        async with self.elector:
            await eventually(lambda: self.leads)
            yield self


def spec(api: FakeApi) -> Json:
    return as_map(api.objects[LEASE]["spec"])


def of(api: FakeApi, identity: str) -> list[Recorded]:
    return [r for r in api.requests if r.headers["User-Agent"] == identity]


def verbs(api: FakeApi, identity: str) -> list[str]:
    return [r.method for r in of(api, identity) if not r.watch]


async def test_the_first_one_creates_the_lease_and_renews_it_with_one_request_each() -> None:
    async with FakeApi() as api, Process("baz", api.config()).leading():
        await eventually(lambda: len(verbs(api, "baz")) >= 5)
        assert verbs(api, "baz")[:5] == ["GET", "POST", "PUT", "PUT", "PUT"]
        assert spec(api)["holderIdentity"] == "baz"
        assert spec(api)["leaseTransitions"] == 0


async def test_leaving_the_block_releases_within_a_tenth_of_a_second() -> None:
    async with FakeApi() as api:
        async with Process("baz", api.config()).leading() as baz:
            begin = time.monotonic()
        assert time.monotonic() - begin < 0.1
        assert (spec(api)["holderIdentity"], spec(api)["leaseDurationSeconds"]) == ("", 1)
        assert not baz.leads
        await eventually(lambda: baz.changes == [True, False])


async def test_work_that_crashes_releases_the_lease_too() -> None:
    async with FakeApi() as api:
        with pytest.raises(ZeroDivisionError):
            async with Process("baz", api.config()).leading():
                raise ZeroDivisionError
        assert spec(api)["holderIdentity"] == ""


async def test_a_release_hands_over_through_the_watch_within_three_tenths_of_a_second() -> None:
    async with FakeApi() as api, AsyncExitStack() as stack:
        baz = Process("baz", api.config())
        async with Process("bing", api.config()).leading():
            await stack.enter_async_context(baz.elector)
            await eventually(lambda: api.watches(LEASE.rpartition("/")[0]) and of(api, "baz"))
        begin = time.monotonic()
        await eventually(lambda: baz.leads)
        assert time.monotonic() - begin < 0.3
        assert spec(api)["leaseTransitions"] == 1


async def test_followers_watch_the_one_lease() -> None:
    async with FakeApi() as api, Process("bing", api.config()).leading():
        async with Process("baz", api.config()).elector:
            await eventually(lambda: [r for r in of(api, "baz") if r.watch])
        watch = next(r for r in of(api, "baz") if r.watch)
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
        await eventually(done.is_set, within=10)
        thread.join()
        assert all(blocked)


async def test_times_are_written_in_utc_with_six_digits_wherever_the_machine_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        async with FakeApi() as api, Process("baz", api.config()).leading():
            for written in (spec(api)["renewTime"], spec(api)["acquireTime"]):
                assert re.fullmatch(r"2026-11-22T06:[0-5]\d:[0-5]\d\.\d{6}Z", str(written))
    finally:
        monkeypatch.undo()
        time.tzset()


def status(code: int, reason: str, retry_after: int | None = None) -> Fault:
    return Fault("status", LEASE.rpartition("/")[0], code=code, reason=reason, watch=False,
                 times=4, retry_after=retry_after)  # fmt: skip


FAULTS = [
    pytest.param(status(500, "InternalError"), id="500"),
    pytest.param(status(403, "Forbidden"), id="403"),
    pytest.param(status(401, "Unauthorized"), id="401"),
    pytest.param(status(429, "TooManyRequests", 1), id="429 with Retry-After"),
    pytest.param(status(409, "Conflict"), id="409"),
    pytest.param(status(502, "BadGateway"), id="502"),
    pytest.param(Fault("reset", LEASE, times=4), id="a broken connection"),
    pytest.param(Fault("hang", LEASE, times=2), id="no answer"),
]


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_leader_comes_through(fault: Fault) -> None:
    async with FakeApi() as api, Process("baz", api.config()).leading() as baz:
        api.fault(fault)
        before = len(of(api, "baz"))
        await eventually(lambda: len(of(api, "baz")) > before + 6)
        await eventually(lambda: baz.leads)
        assert spec(api)["leaseTransitions"] == 0
        assert baz.elector.problem() is None


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_newcomer_comes_through(fault: Fault) -> None:
    async with FakeApi() as api:
        api.fault(fault)
        async with Process("baz", api.config()).leading():
            assert spec(api)["holderIdentity"] == "baz"


@pytest.mark.parametrize("kind", ["cut", "close", "garbage", "silent", "error-event", "reset"])
async def test_a_follower_whose_watch_fails_follows_all_the_same(kind: str) -> None:
    collection = LEASE.rpartition("/")[0]
    async with FakeApi() as api, AsyncExitStack() as stack:
        async with Process("bing", api.config()).leading():
            api.fault(Fault(kind, collection, watch=True, times=1000))  # type: ignore[arg-type]
            baz = await stack.enter_async_context(Process("baz", api.config()).elector)
            await eventually(lambda: len([r for r in of(api, "baz") if not r.watch]) > 3)
            assert baz.problem() is None
        await eventually(lambda: spec(api)["holderIdentity"] == "baz")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param(b'{"metadata": {', 200, id="JSON that ends early"),
        pytest.param(b'{"spec": {"leaseDurationSeconds": "x"}}', 200, id="a field of another type"),
        pytest.param(b"[]", 200, id="JSON that is no object"),
        pytest.param(b"", 200, id="nothing"),
        pytest.param(b"\xff\xfe", 200, id="bytes that are no text"),
        pytest.param(b"<html>502 Bad Gateway</html>", 502, id="a proxy's page"),
        pytest.param(b"<html>login</html>", 200, id="a proxy's login page"),
    ],
)
async def test_answers_that_make_no_sense_are_no_answer(
    body: bytes, code: int, caplog: pytest.LogCaptureFixture
) -> None:
    asked = list[str]()

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.method)
        return web.Response(body=body, status=code)

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    config = Config(f"http://127.0.0.1:{runner.addresses[0][1]}")
    try:
        baz = Process("baz", config)
        async with baz.elector:
            await eventually(lambda: len(asked) >= 4)
            assert baz.elector.problem() is None
        assert not baz.changes
        assert len([r for r in caplog.records if r.levelno >= logging.WARNING]) == 1
    finally:
        await runner.cleanup()


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
            assert spec(api)["leaseTransitions"] == 1


async def test_a_deleted_lease_is_made_anew_in_the_same_term() -> None:
    async with FakeApi() as api, AsyncExitStack() as stack:
        baz = await stack.enter_async_context(Process("baz", api.config()).leading())
        await stack.enter_async_context(Process("bing", api.config()).elector)
        await eventually(lambda: of(api, "bing"))
        api.remove(LEASE)
        await eventually(lambda: LEASE in api.objects)
        assert spec(api)["holderIdentity"] == "baz"
        assert baz.leads


async def test_while_connections_are_refused_the_gate_closes_and_the_term_goes_on_after(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, logger="dayfly_operator")
    async with FakeApi() as api, Process("baz", api.config()).leading() as baz:
        await api.down()
        down = boot_time()
        await eventually(lambda: not baz.leads)
        assert boot_time() - down <= FAST.deadline + 0.05
        await eventually(lambda: boot_time() - down > 1.5)
        await api.up()
        await eventually(lambda: baz.leads)
        assert baz.leadership.term == 0
        await eventually(lambda: baz.changes == [True, False, True])
    assert len([r for r in caplog.records if r.levelno == logging.WARNING]) == 1


async def test_a_server_whose_certificate_is_a_strangers_is_never_led() -> None:
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    pair = trustme.CA().issue_cert("127.0.0.1").private_key_and_cert_chain_pem
    with pair.tempfile() as path:
        served.load_cert_chain(path)
    async with FakeApi(tls=served) as api:
        config = api.config(trustme.CA().cert_pem.bytes().decode())
        baz = Process("baz", config)
        async with baz.elector:
            await eventually(lambda: baz.elector.problem() is None)
            begin = boot_time()
            await eventually(lambda: boot_time() - begin > 0.5)
        assert baz.changes == []
        assert api.requests == []


@pytest.mark.parametrize("method", ["PUT", "GET"])
async def test_a_stop_during_a_request_that_hangs_still_releases(method: str) -> None:
    async with FakeApi() as api:
        async with Process("baz", api.config()).leading():
            if method == "GET":  # a failed renewal makes the leader ask
                api.fault(Fault("status", LEASE, method="PUT"))
            api.fault(Fault("hang", LEASE, method=method))
            before = len(of(api, "baz"))
            await eventually(lambda: method in verbs(api, "baz")[before:])
            begin = time.monotonic()
        assert time.monotonic() - begin < 0.15
        assert spec(api)["holderIdentity"] == ""


async def test_one_conflict_during_the_release_is_tried_again() -> None:
    async with FakeApi() as api:
        async with Process("baz", api.config()).leading():
            await eventually(lambda: "PUT" in verbs(api, "baz"))
            api.fault(Fault("status", LEASE, method="PUT", code=409, reason="Conflict"))
        assert spec(api)["holderIdentity"] == ""


async def test_a_wall_clock_that_jumps_moves_nothing() -> None:
    async with FakeApi() as api, AsyncExitStack() as stack:
        bing, baz = (Process(n, api.config(), jumps=Random(n)) for n in ("bing", "baz"))
        await stack.enter_async_context(bing.leading())
        async with baz.elector:
            await eventually(lambda: len(of(api, "bing")) > 10)
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


class Link:
    """A wire between one process and the server that can be cut and mended."""

    def __init__(self, api: FakeApi) -> None:
        self._target = api.port
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self.whole = True
        self.port = 0

    async def __aenter__(self) -> "Link":
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._open:
            writer.transport.abort()
        await self._server.wait_closed()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        self._open |= {writer, back}
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(reader, back))
                group.create_task(self._pump(there, writer))
        finally:
            for end in (writer, back):
                end.transport.abort()
            self._open -= {writer, back}

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            if self.whole:  # else bytes vanish, as behind a dead router: nobody is told
                sink.write(data)
        sink.transport.abort()

    def config(self) -> Config:
        return Config(f"http://127.0.0.1:{self.port}")


async def witnessed(seconds: float, processes: list[Process]) -> set[str]:
    """Who was seen leading; fails if two were at one instant."""
    seen, end = set[str](), boot_time() + seconds
    while boot_time() < end:
        leading = [p.identity for p in processes if p.leads]
        assert len(leading) <= 1
        seen.update(leading)
        await asyncio.sleep(0.002)
    return seen


@pytest.mark.parametrize("seed", [1, 2])
async def test_three_electors_under_random_cuts_never_have_two_gates_open(seed: int) -> None:
    random = Random(seed)
    async with FakeApi() as api, AsyncExitStack() as stack:
        links = [await stack.enter_async_context(Link(api)) for _ in range(3)]
        processes = [Process(f"p{i}", link.config()) for i, link in enumerate(links)]
        for process in processes:
            await stack.enter_async_context(process.elector)
        seen = set[str]()
        for _ in range(8):
            for link, process in zip(links, processes, strict=True):
                link.whole = random.random() < (0.3 if process.leads else 0.8)
            seen |= await witnessed(random.uniform(0.3, 1.6), processes)
        for link in links:
            link.whole = True
        seen |= await witnessed(3, processes)
        openings: list[Opening] = [o for p in processes for o in p.leadership.openings]
    assert overlaps(openings) == []
    assert len(seen) > 1
