"""Sends one outgoing webhook: to a checked address, once, without following anybody anywhere."""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from typing import Final

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from dayfly_core.outgoing import outbox
from dayfly_core.outgoing.destinations import Destination, ForbiddenDestination, parse_url
from dayfly_core.outgoing.outbox import Failed, Outcome, Refused
from dayfly_kube.permit import Permit, asking
from dayfly_operator.outgoing.addressing import Addressing, Place
from dayfly_operator.outgoing.lanes import Lanes
from dayfly_operator.writing import NotLeading

log = logging.getLogger(__name__)

HEARD: Final = 10 * 1024
"""Bytes of an answer that are read, as the kubelet does, and thrown away."""


CONNECT: Final = 3.0
TOTAL: Final = 10.0


class Limits(msgspec.Struct, frozen=True):
    """How long one call may take, in seconds, and how many there may be at once."""

    connect: float = CONNECT
    """For each address; a name may have several."""
    total: float = TOTAL
    """From DNS to the end of the answer; the wait for a place is not in it."""
    at_once: int = 32
    per_host: int = 4
    """A receiver that hangs has this many places; eight such, all of them."""


class Desk(msgspec.Struct, frozen=True):
    """What a :class:`Caller` asks, and whom it tells."""

    now: Callable[[], datetime]
    permit: Permit
    """Raises NotLeading; asked when the connection is there, immediately before the first byte."""
    called: Callable[[str], None] = lambda result: None
    """Hears ``delivered``, ``failed`` or ``refused``."""
    authorities: str | None = None
    """A file with certificates of authorities beside the system's."""


class Caller:
    """Sends calls; only the leader's go out (raises NotLeading otherwise).

    ``send`` waits for its place and for the receiver, together up to many seconds: whoever serves
    others meanwhile has a :class:`~dayfly_operator.outgoing.courier.Courier` wait instead.
    """

    def __init__(self, addressing: Addressing, desk: Desk, limits: Limits | None = None) -> None:
        self._addressing = addressing
        self._desk = desk
        self._limits = limits or Limits()
        self._request = asking(desk.permit)
        self._lanes = Lanes(self._limits.at_once, self._limits.per_host)

    async def send(self, url: str, body: bytes, *, key: str, secret: bytes | None) -> Outcome:
        """POST the body once; ``key`` is the occurrence's id, the secret signs it."""
        try:
            destination = parse_url(url)
            async with self._lanes.place(destination.host):
                outcome = await self._attempt(destination, body, key, secret)
        except ForbiddenDestination as error:
            outcome = Refused(str(error))
        self._desk.called(type(outcome).__name__.lower())
        return outcome

    async def _attempt(
        self, destination: Destination, body: bytes, key: str, secret: bytes | None
    ) -> Outcome:
        until = asyncio.get_running_loop().time() + self._limits.total
        try:
            async with asyncio.timeout_at(until):
                place = await self._addressing.place(destination)
            async with self._session(place) as session:
                async with asyncio.timeout_at(until):
                    headers = self._headers(key, secret, body)
                    response = await session.post(
                        URL(destination.url, encoded=True),
                        data=body,
                        headers=headers,
                        allow_redirects=False,
                    )
                return await self._answer(response, until)
        except (aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
            # The whole truth is for who runs the operator; the path may be a secret even to them.
            log.info("call failed receiver=%s key=%s error=%r", destination.origin, key, error)
            return Failed(told(error))
        except (NotLeading, ForbiddenDestination):
            raise
        except Exception:
            # aiohttp is fed by a stranger: whatever that makes it raise is a failed call, which is
            # tried again and given up in the end, not a defect of the engine's.
            log.exception("call failed receiver=%s key=%s", destination.origin, key)
            return Failed(outbox.NO_HTTP)

    def _headers(self, key: str, secret: bytes | None, body: bytes) -> dict[str, str]:
        if secret is None:
            return outbox.headers(key, None)
        at = int(self._desk.now().timestamp())
        return outbox.headers(key, outbox.signature(secret, at, body))

    async def _answer(self, response: aiohttp.ClientResponse, until: float) -> Outcome:
        """Judge an answer, and let the receiver end it: some stop working when nobody listens.

        Within limits of size and time, and whatever comes of it: the status code has said all.
        """
        with contextlib.suppress(aiohttp.ClientError, OSError), contextlib.closing(response):
            async with asyncio.timeout_at(until):
                await _hear_out(response)
        asked = outbox.retry_after(response.headers.get("Retry-After"), self._desk.now())
        return outbox.answered(response.status, asked)

    def _session(self, place: Place) -> aiohttp.ClientSession:
        """Make a session for one call: nothing of it may be carried over to another receiver."""
        connector = aiohttp.TCPConnector(
            resolver=_Answer(place), use_dns_cache=False, force_close=True, ssl=self._tls
        )
        return aiohttp.ClientSession(
            connector=connector,
            request_class=self._request,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("Accept-Encoding",),
            auto_decompress=False,
            read_bufsize=HEARD // 2,  # aiohttp stops reading at twice that
            timeout=aiohttp.ClientTimeout(sock_connect=self._limits.connect),
            trust_env=False,
        )

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self._desk.authorities:
            context.load_verify_locations(self._desk.authorities)
        return context


class NoCalls:
    """``--dry-run``: every call is a line in the log, and nothing else."""

    async def send(self, url: str, body: bytes, *, key: str, secret: bytes | None) -> Outcome:
        """Say what would be sent."""
        log.info("dry-run: would call key=%s", key)
        return Failed("nothing is sent: the operator runs with --dry-run")


class _Answer(AbstractResolver):
    """Answers aiohttp's question for the addresses of a name with those that were judged.

    The one place where a name becomes a connection: there is no second look at DNS in between that
    could be told something else. An address in a URL is never asked about; it was judged itself.
    """

    def __init__(self, place: Place) -> None:
        self._place = place

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses, and the port to connect to."""
        return [
            ResolveResult(
                hostname=host,
                host=str(address),
                port=self._place.port,
                family=socket.AF_INET6 if address.version == 6 else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address in self._place.addresses
        ]

    async def close(self) -> None:
        """Nothing is open."""


async def _hear_out(response: aiohttp.ClientResponse) -> None:
    heard = 0
    async for chunk in response.content.iter_any():
        heard += len(chunk)
        if heard >= HEARD:
            return


def told(error: Exception) -> str:
    """Choose the sentence that people are told."""
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return outbox.NOT_TRUSTED
        case aiohttp.ClientConnectorSSLError():
            return outbox.NO_TLS
        case aiohttp.ClientConnectorError() | aiohttp.ConnectionTimeoutError():
            return outbox.NO_CONNECTION
        case TimeoutError():
            return outbox.NO_ANSWER
        case aiohttp.ClientError():
            return outbox.NO_HTTP
        case _:
            return outbox.NO_CONNECTION
