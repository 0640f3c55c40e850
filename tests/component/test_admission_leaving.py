"""How a replica starts to listen and how it leaves, without a request that fails."""

import asyncio
import re
import signal
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace

from support.admission import (
    REVIEW,
    SETTINGS,
    a_replica,
    ask,
    install,
    new_environment,
    ready,
    write_kubeconfig,
)
from support.fake_api import FakeApi, Fault
from support.handshakes import NAMES, a_bundle, client_context
from support.reviews import accepted
from support.waiting import eventually

BUNDLE = a_bundle()


@pytest.fixture
async def api() -> AsyncIterator[FakeApi]:
    async with FakeApi() as api:
        install(api, BUNDLE)
        yield api


async def test_a_lame_duck_answers_and_sends_its_callers_away(api: FakeApi) -> None:
    async with a_replica(api, BUNDLE, replace(SETTINGS, lame_duck=1.0)) as replica:
        await eventually(lambda: replica.program.unready() is None)
        async with replica.session() as session:
            replica.program.leave.set()
            await eventually(lambda: replica.program.unready() == "shutting down")
            assert (await replica.health("/readyz"))[0] == 503
            async with session.post("/stamp", data=REVIEW) as response:
                assert response.headers["Connection"] == "close"
                assert "patch" in accepted(await response.read(), mutating=True)


async def test_a_claim_under_way_is_finished_before_a_replica_leaves(api: FakeApi) -> None:
    async with a_replica(api, BUNDLE, SETTINGS) as replica:
        await eventually(partial(ready, replica))
        watches = api.streams
        api.fault(Fault("hang", "/apis/dayfly.dev/v1alpha1/nameclaims", method="POST"))
        asking = asyncio.create_task(ask(replica, new_environment()))
        await eventually(lambda: api.streams > watches)
        replica.program.leave.set()
        await eventually(lambda: replica.program.unready() == "shutting down")
        api.release()
        assert (await asking)["allowed"] is True


async def test_sigterm_lets_requests_in_flight_finish(api: FakeApi, tmp_path: Path) -> None:
    """The whole program, as a process: its request is half sent when the signal comes."""
    process = await asyncio.create_subprocess_exec(
        *(
            sys.executable,
            "-m",
            "dayfly_admission",
            "--kubeconfig",
            write_kubeconfig(tmp_path, api.url),
        ),
        *("--listen=127.0.0.1:0", "--health-listen=127.0.0.1:0", "--lame-duck=300ms"),
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr
    async with asyncio.timeout(20):
        port = await logged(process.stderr, rb" serving port=(\d+)", rb"certificate loaded")
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=client_context(BUNDLE.ca_pem), server_hostname=NAMES[0]
        )
        head = b"POST /judge HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        writer.write(head + b"Content-Length: %d\r\n\r\n" % len(REVIEW) + REVIEW[:50])
        await writer.drain()
        process.send_signal(signal.SIGTERM)
        await logged(process.stderr, rb"leaving lame-duck-seconds=(\d)")
        writer.write(REVIEW[50:])
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b"connection: close" in answer.lower()
        accepted(await reader.read(), mutating=False)
        assert await process.wait() == 0


async def logged(stream: asyncio.StreamReader, *patterns: bytes) -> int:
    """Wait until all have been logged; return the number that the first one captures."""
    number, missing = 0, set(patterns)
    while missing:
        line = await stream.readline()
        assert line, "the program ended"
        for pattern in list(missing):
            if found := re.search(pattern, line):
                missing.discard(pattern)
                number = int(found[1]) if found.groups() else number
    return number


@pytest.mark.parametrize("flag", ["--listen", "--health-listen"])
async def test_a_port_that_is_taken_is_one_line_and_status_1(
    api: FakeApi, tmp_path: Path, flag: str
) -> None:
    free = ["--listen=127.0.0.1:0", "--health-listen=127.0.0.1:0", "--log-level=error"]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "dayfly_admission", *free, flag, f"127.0.0.1:{api.port}"),
        *("--kubeconfig", write_kubeconfig(tmp_path, api.url)),
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    assert process.returncode == 1
    assert said.startswith(b"dayfly admission: ")
    assert str(api.port).encode() in said
    assert said.count(b"\n") == 1
