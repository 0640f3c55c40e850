import asyncio
import contextlib
import socket
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path

from playground import ports, programs
from playground.process import eventually
from playground.roster import Roster

HOST = "127.0.0.1"
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def echo_as(name: bytes) -> Handler:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(name + await reader.read())
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    return handle


@contextlib.asynccontextmanager
async def forwarder(*backends: int) -> AsyncGenerator[int]:
    """Run the forwarder as the playground runs it; nobody says that these backends are ready."""
    listen, unhealthy = ports.free(2)
    with tempfile.TemporaryDirectory() as directory:
        roster = Roster(Path(directory), tied=True)
        roster.launch(programs.forwarder(listen, [(port, unhealthy) for port in backends]))
        assert await asyncio.to_thread(eventually, lambda: accepts(listen), 10)
        yield listen
        await asyncio.to_thread(roster.stop)


def accepts(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex((HOST, port)) == 0


@contextlib.asynccontextmanager
async def replica(port: int, name: bytes) -> AsyncGenerator[None]:
    server = await asyncio.start_server(echo_as(name), HOST, port)
    async with server:
        yield


async def ask(port: int, question: bytes = b"") -> bytes:
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(question)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def test_both_replicas_get_connections() -> None:
    one, two = ports.free(2)
    async with replica(one, b"1"), replica(two, b"2"), forwarder(one, two) as front:
        assert {await ask(front) for _ in range(4)} == {b"1", b"2"}


async def test_a_dead_replica_fails_no_new_connection() -> None:
    one, two = ports.free(2)
    async with replica(two, b"2"), forwarder(one, two) as front:
        assert {await ask(front) for _ in range(10)} == {b"2"}


async def test_a_replica_that_comes_back_gets_connections_again() -> None:
    one, two = ports.free(2)
    async with forwarder(one, two) as front:
        async with replica(two, b"2"):
            assert await ask(front) == b"2"
        async with replica(one, b"1"):
            assert await ask(front) == b"1"


async def test_with_no_replica_the_connection_is_closed() -> None:
    async with forwarder(*ports.free(2)) as front:
        with contextlib.suppress(ConnectionResetError):
            assert await ask(front) == b""


async def test_carries_megabytes_through_a_reader_slower_than_the_writer() -> None:
    [one] = ports.free(1)
    body = bytes(range(256)) * 32_768
    async with replica(one, b""), forwarder(one) as front:
        assert await ask(front, body) == body


async def test_loses_nothing_of_many_that_speak_at_once() -> None:
    [one] = ports.free(1)
    questions = [b"%d" % i * 100 for i in range(200)]
    async with replica(one, b""), forwarder(one) as front:
        assert await asyncio.gather(*(ask(front, q) for q in questions)) == questions
