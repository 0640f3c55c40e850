"""Electors against an API server that fails them: errors, silence, nonsense, and cut links."""

import asyncio
import logging
import ssl
from contextlib import AsyncExitStack
from random import Random

import pytest
import trustme
from aiohttp import web

from dayfly_kube.config import Config
from support.elections import Opening, overlaps
from support.electors import FAST, LEASE, Process, boot_time, lease_spec, requests_of
from support.fake_api import FakeApi, Fault
from support.waiting import eventually


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
        before = len(requests_of(api, "baz"))
        await eventually(lambda: len(requests_of(api, "baz")) > before + 6)
        await eventually(lambda: baz.leads)
        assert lease_spec(api)["leaseTransitions"] == 0
        assert baz.elector.problem() is None


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_newcomer_comes_through(fault: Fault) -> None:
    async with FakeApi() as api:
        api.fault(fault)
        async with Process("baz", api.config()).leading():
            assert lease_spec(api)["holderIdentity"] == "baz"


@pytest.mark.parametrize("kind", ["cut", "close", "garbage", "silent", "error-event", "reset"])
async def test_a_follower_whose_watch_fails_follows_all_the_same(kind: str) -> None:
    collection = LEASE.rpartition("/")[0]
    async with FakeApi() as api, AsyncExitStack() as stack:
        async with Process("bing", api.config()).leading():
            api.fault(Fault(kind, collection, watch=True, times=1000))  # type: ignore[arg-type]
            baz = await stack.enter_async_context(Process("baz", api.config()).elector)
            await eventually(lambda: len([r for r in requests_of(api, "baz") if not r.watch]) > 3)
            assert baz.problem() is None
        await eventually(lambda: lease_spec(api)["holderIdentity"] == "baz")


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
