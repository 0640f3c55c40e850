"""A TCP forwarder in front of the admission replicas, as a Service is in a real cluster.

``python -m playground.forwarder LISTEN BACKEND/HEALTH …`` (ports of 127.0.0.1). A new connection
goes to the next replica that is ready; one that refuses is passed over at once, so a killed replica
fails no new connection. If none is ready, all are tried.
"""

import asyncio
import contextlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import uvloop

from playground.health import complaint

HOST = "127.0.0.1"
PROBE_SECONDS = 0.5


@dataclass(slots=True)
class Backend:
    """One replica: where it serves, where it says whether it is ready, and what it said last."""

    port: int
    health_port: int
    ready: bool = True

    @classmethod
    def parse(cls, text: str) -> "Backend":
        """Read ``SERVING/HEALTH``."""
        port, _, health = text.partition("/")
        return cls(int(port), int(health))


class Rotation:
    """Whose turn it is."""

    def __init__(self, backends: Sequence[Backend]) -> None:
        self.backends = backends
        self._turn = 0

    def order(self) -> list[Backend]:
        """Every replica once: the ready ones first, beginning with the one after the last."""
        self._turn = (self._turn + 1) % len(self.backends)
        turned = [*self.backends[self._turn :], *self.backends[: self._turn]]
        return sorted(turned, key=lambda backend: not backend.ready)


class Pipe(asyncio.Protocol):
    """One half of a forwarded connection: what it reads, its peer writes."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.peer: Pipe | None = None
        self.ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the transport."""
        # Not checked: uvloop's transports have the methods but not the base class.
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Hand everything on."""
        if self.peer and self.peer.transport:
            self.peer.transport.write(data)

    def eof_received(self) -> bool:
        """Hand on that no more will come; the connection lives until both sides said so."""
        self.ended = True
        if self.peer and self.peer.transport:
            self.peer.transport.write_eof()
        return not (self.peer and self.peer.ended)

    def pause_writing(self) -> None:
        """Read no more from the peer than this side can write."""
        if self.peer and self.peer.transport:
            self.peer.transport.pause_reading()

    def resume_writing(self) -> None:
        """Read from the peer again."""
        if self.peer and self.peer.transport:
            self.peer.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the other half as well."""
        if self.peer and self.peer.transport:
            self.peer.transport.close()


class Inbound(Pipe):
    """The half that the API server opened: finds a replica, and keeps what is said meanwhile.

    Kept rather than not read: uvloop goes on reading after ``pause_reading`` in connection_made.
    """

    def __init__(self, rotation: Rotation) -> None:
        super().__init__()
        self._rotation = rotation
        self._early: list[bytes] = []
        self._connecting: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Look for a replica."""
        super().connection_made(transport)
        self._connecting = asyncio.create_task(self._connect(cast("asyncio.Transport", transport)))

    def data_received(self, data: bytes) -> None:
        """Hand everything on, or keep it until there is somebody to give it to."""
        if self.peer is None:
            self._early.append(data)
        else:
            super().data_received(data)

    async def _connect(self, transport: asyncio.Transport) -> None:
        loop = asyncio.get_running_loop()
        for backend in self._rotation.order():
            try:
                outbound, pipe = await loop.create_connection(Pipe, HOST, backend.port)
            except OSError:
                backend.ready = False
                continue
            self.peer, pipe.peer = pipe, self
            self._catch_up(transport, outbound)
            return
        transport.abort()

    def _catch_up(self, transport: asyncio.Transport, outbound: asyncio.Transport) -> None:
        outbound.writelines(self._early)
        self._early.clear()
        # What happened before there was a peer will not happen a second time.
        if transport.is_closing():
            outbound.close()
        elif self.ended:
            outbound.write_eof()


async def watch(backend: Backend) -> None:
    """Ask a replica twice a second whether it is ready."""
    while True:
        url = f"http://{HOST}:{backend.health_port}/readyz"
        backend.ready = await asyncio.to_thread(complaint, url) is None
        await asyncio.sleep(PROBE_SECONDS)


async def serve(listen: int, backends: Sequence[Backend]) -> None:
    """Forward until cancelled."""
    rotation = Rotation(backends)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Inbound(rotation), HOST, listen)
    async with server:
        await asyncio.gather(*map(watch, backends))


def parse(argv: Sequence[str]) -> tuple[int, list[Backend]]:
    """Read the command line: the port to listen on, then the replicas."""
    listen, *backends = argv
    return int(listen), [Backend.parse(text) for text in backends]


def main() -> None:
    """Run until told to stop."""
    listen, backends = parse(sys.argv[1:])
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(serve(listen, backends))


if __name__ == "__main__":
    main()
