"""Receivers of webhooks on real sockets, good and bad ones."""

import asyncio
import ssl
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from support.waiting import eventually

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass(frozen=True, slots=True)
class Heard:
    """One request."""

    line: str
    headers: dict[str, str]
    body: bytes


Answer = Callable[[StreamReader, StreamWriter], Awaitable[None]]


def saying(text: bytes) -> Answer:
    """Answer that, and end."""

    async def answer(_: StreamReader, writer: StreamWriter) -> None:
        writer.write(text)

    return answer


def status(code: int, *headers: str) -> Answer:
    """Answer with a status code and no body."""
    lines = [f"HTTP/1.1 {code} Whatever", "Content-Length: 0", *headers, "", ""]
    return saying("\r\n".join(lines).encode())


async def silent(reader: StreamReader, _: StreamWriter) -> None:
    """Say nothing, until the other side goes."""
    await reader.read()


def endless(head: bytes, chunk: bytes, *, pause: float = 0.0) -> Answer:
    """Answer without end, as fast as it is read or piece by piece."""

    async def answer(_: StreamReader, writer: StreamWriter) -> None:
        writer.write(head)
        while not writer.is_closing():
            writer.write(chunk)
            await writer.drain()
            await asyncio.sleep(pause)  # a slow peer is what is tested

    return answer


@dataclass(slots=True)
class Receiver:
    """One server: what it heard, and how it answers."""

    answer: Answer
    host: str = "127.0.0.1"
    port: int = 0
    heard: list[Heard] = field(default_factory=list[Heard])
    connections: int = 0
    open: int = 0

    async def handle(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Serve one connection."""
        self.connections += 1
        self.open += 1
        with suppress(OSError, EOFError):
            self.heard.append(await _request(reader))
            await self.answer(reader, writer)
            await writer.drain()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        self.open -= 1


async def _request(reader: StreamReader) -> Heard:
    head = await reader.readuntil(b"\r\n\r\n")
    line, *lines = head.decode("ascii").splitlines()
    headers = dict[str, str]()
    for text in filter(None, lines):
        name, _, value = text.partition(": ")
        assert name not in headers, f"{name} twice"
        headers[name] = value
    return Heard(line, headers, await reader.readexactly(int(headers.get("Content-Length", "0"))))


@asynccontextmanager
async def receiver(
    answer: Answer | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    tls: ssl.SSLContext | None = None,
) -> AsyncGenerator[Receiver]:
    """Open one."""
    made = Receiver(answer or saying(OK), host)
    server = await asyncio.start_server(made.handle, host, port, ssl=tls)
    made.port = server.sockets[0].getsockname()[1]
    async with server:
        yield made
        # Whoever called has hung up by now.
        await eventually(lambda: made.open == 0)
