"""A way to the API server on which answers can be held up, or slow; questions still arrive."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from playground import ControlPlane
from support.waiting import eventually


@dataclass(slots=True)
class Turnpike:
    """Hands everything on; answers only while ``free`` is set."""

    server: int
    port: int = 0
    free: asyncio.Event = field(default_factory=asyncio.Event)
    lag: float = 0.0
    """Seconds that every answer, or piece of one, takes."""
    callers: int = 0

    async def handle(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Connect one caller."""
        answers, questions = await asyncio.open_connection("127.0.0.1", self.server)
        self.callers += 1
        with suppress(OSError):  # the caller was killed
            back = self._pipe(answers, writer, self.free)
            await asyncio.gather(self._pipe(reader, questions), back)
        for end in (writer, questions):
            end.close()
        self.callers -= 1

    async def _pipe(
        self, source: StreamReader, sink: StreamWriter, free: asyncio.Event | None = None
    ) -> None:
        while data := await source.read(1 << 16):
            if free:
                await asyncio.sleep(self.lag)
                await free.wait()
            sink.write(data)
            await sink.drain()
        sink.write_eof()


@asynccontextmanager
async def turnpike(plane: ControlPlane) -> AsyncGenerator[Turnpike]:
    """Open one to this API server."""
    pike = Turnpike(plane.layout.ports.server)
    pike.free.set()
    server = await asyncio.start_server(pike.handle, "127.0.0.1", 0)
    async with server:
        pike.port = server.sockets[0].getsockname()[1]
        try:
            yield pike
        finally:
            pike.free.set()
            # Connections end with the program at their other end, which has to be gone by now.
            await eventually(lambda: pike.callers == 0)
