"""Receivers that hang, drip, flood and lie: each is bounded, and harms no other."""

import asyncio
import gzip

import pytest

from dayfly_core.outgoing import outbox
from dayfly_core.outgoing.outbox import Delivered, Failed, Outcome
from dayfly_operator.outgoing.caller import HEARD, Limits
from support.callers import Calling
from support.receivers import Answer, endless, receiver, saying, silent
from support.waiting import eventually

HEAD = b"HTTP/1.1 200 OK\r\n"
BODY = b"{}"


async def send(calling: Calling, port: int) -> Outcome:
    url = f"http://127.0.0.1:{port}/"
    return await calling.caller().send(url, BODY, key="an-id", secret=None)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(silent, outbox.NO_ANSWER, id="silence"),
        pytest.param(endless(HEAD, b"a", pause=0.02), outbox.NO_ANSWER, id="a header that drips"),
        pytest.param(
            endless(b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"),
            outbox.NO_ANSWER,
            id="a wait that never ends",
        ),
        pytest.param(endless(HEAD, b"a: b\r\n"), outbox.NO_HTTP, id="headers without end"),
        pytest.param(endless(HEAD + b"a: ", b"b" * 4096), outbox.NO_HTTP, id="one endless header"),
        pytest.param(endless(b"", b"b" * 4096), outbox.NO_HTTP, id="an endless first line"),
        pytest.param(saying(b""), outbox.NO_HTTP, id="an early end"),
        pytest.param(saying(b"SSH-2.0-OpenSSH_9.6\r\n"), outbox.NO_HTTP, id="another protocol"),
        pytest.param(saying(b"HTTP/1.1 999999 X\r\n\r\n"), outbox.NO_HTTP, id="an odd status"),
        pytest.param(saying(b"HTTP/1.1 -200 X\r\n\r\n"), outbox.NO_HTTP, id="a negative status"),
        pytest.param(saying(HEAD + b"a b\r\n\r\n"), outbox.NO_HTTP, id="a header that is none"),
        pytest.param(
            saying(HEAD + b"Content-Length: -1\r\n\r\n"), outbox.NO_HTTP, id="a negative length"
        ),
        pytest.param(
            saying(HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
            outbox.NO_HTTP,
            id="two lengths",
        ),
        pytest.param(
            saying(HEAD + b"Transfer-Encoding: chunked\r\n\r\nnonsense\r\n"),
            outbox.NO_HTTP,
            id="broken chunks",
        ),
    ],
)
async def test_a_bad_answer_is_a_failure_with_a_fixed_reason(answer: Answer, reason: str) -> None:
    calling = Calling()
    async with receiver(answer) as web:
        assert await send(calling, web.port) == Failed(reason)
    assert calling.results == ["failed"]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(endless(HEAD + b"\r\n", b"b" * 65536), id="a body without end"),
        pytest.param(endless(HEAD + b"\r\n", b"b", pause=0.02), id="a body that drips"),
        pytest.param(
            endless(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nb\r\n"), id="in chunks"
        ),
        pytest.param(saying(HEAD + b"Content-Length: 99\r\n\r\nb"), id="a body that breaks off"),
        pytest.param(
            saying(HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"0" * 10**7)),
            id="a body that would grow",
        ),
        pytest.param(saying(HEAD + b"Content-Encoding: gzip\r\n\r\nno"), id="a lie about it"),
        pytest.param(saying(HEAD + b"Content-Type: a; charset=x\r\n\r\n"), id="an odd charset"),
        pytest.param(saying(HEAD + b"Retry-After: \xff\xfe\r\n\r\n"), id="an odd Retry-After"),
    ],
)
async def test_whatever_follows_a_good_status_is_heard_out_within_bounds(answer: Answer) -> None:
    async with receiver(answer) as web:
        async with asyncio.timeout(5):
            assert await send(Calling(), web.port) == Delivered(200)
    assert web.open == 0


async def test_of_a_flood_little_more_is_taken_than_is_wanted() -> None:
    flood = Flood()
    async with receiver(flood.answer) as web:
        assert await send(Calling(limits=Limits(total=5)), web.port) == Delivered(200)
    # What the kernel holds on both sides of the connection is beyond our control.
    assert flood.taken < HEARD + 16 * 2**20


class Flood:
    """Counts what was taken off its hands."""

    def __init__(self) -> None:
        self.taken = 0

    async def answer(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"\r\n")
        while True:
            writer.write(b"b" * 65536)
            await writer.drain()
            self.taken += 65536


async def test_nobody_listens_there() -> None:
    async with receiver() as web:
        port = web.port
    assert await send(Calling(), port) == Failed(outbox.NO_CONNECTION)


async def test_a_name_that_does_not_exist() -> None:
    calling = Calling()
    outcome = await calling.caller().send("http://a.example/", BODY, key="an-id", secret=None)
    assert outcome == Failed(outbox.NO_CONNECTION)


async def test_what_people_are_told_never_says_what_the_receiver_said() -> None:
    text = b"HTTP/1.1 500 secret-reason\r\nX-Secret: secret\r\n\r\nsecret body"
    async with receiver(saying(text)) as web:
        outcome = await send(Calling(), web.port)
    assert outcome == Failed("the receiver answered 500", None, 500)


async def test_a_receiver_that_hangs_holds_up_only_its_own_calls() -> None:
    calling = Calling(names={"dead.example": "127.0.0.1"}, limits=Limits(total=30))
    caller = calling.caller()
    async with receiver(silent) as dead, receiver() as web, asyncio.TaskGroup() as tasks:
        url = f"http://dead.example:{dead.port}/"
        hung = [
            tasks.create_task(caller.send(url, BODY, key=str(n), secret=None)) for n in range(50)
        ]
        await eventually(lambda: dead.connections == calling.limits.per_host)
        for _ in range(20):
            well = f"http://127.0.0.1:{web.port}/"
            assert await caller.send(well, BODY, key="an-id", secret=None) == Delivered(200)
        assert dead.connections == calling.limits.per_host
        for task in hung:
            task.cancel()
