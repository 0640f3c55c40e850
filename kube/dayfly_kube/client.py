"""Requests to the API server: bytes out, bytes in, two kinds of error.

Decoding is the caller's: it knows which few fields it reads. Watches have connections of their own,
so that any number of them leaves the calls their share.
"""

import ssl
from collections.abc import AsyncGenerator, Callable
from typing import Final, Self

import aiohttp
import msgspec

from dayfly_kube import tls
from dayfly_kube.call import (
    APPLY,
    JSON,
    MERGE_PATCH,
    ONE_PARTIAL,
    PARTIAL_LIST,
    Call,
    Params,
    chunks,
    reachable,
    refused,
)
from dayfly_kube.config import Config
from dayfly_kube.credentials import Credential
from dayfly_kube.deletion import DeleteOptions, Preconditions
from dayfly_kube.errors import ApiError
from dayfly_kube.permit import Permit, asking
from dayfly_kube.server_clock import OurClocks, ServerClock
from dayfly_kube.warning import warning_text

CONNECT_SECONDS: Final = 5.0
KEEP_ALIVE_SECONDS: Final = 75.0
"""Below the API server's 90 s, so that it is we who close: a request never meets a closing door."""
IDLE_SECONDS: Final = 75.0
"""A watch gets a bookmark each minute; without any byte for longer the connection is half-open."""


class Client:
    """One program's connections to one API server; use it in one event loop.

    ``timeout`` is in seconds, for a whole request. Without ``clocks`` there is no
    ``clock_skew``. ``on_warning`` hears each ``Warning`` of the server, as kubectl prints them.
    ``permit`` is asked before each request is written, and may raise instead.
    """

    def __init__(
        self,
        config: Config,
        *,
        user_agent: str,
        timeout: float = 10.0,
        connections: int = 32,
        clocks: OurClocks | None = None,
        on_warning: Callable[[str], None] | None = None,
        permit: Permit | None = None,
    ) -> None:
        self.config = config
        self._request = asking(permit) if permit else aiohttp.ClientRequest
        self._on_warning = on_warning
        self._user_agent = user_agent
        self._timeout = timeout
        self._connections = connections
        self._clock = ServerClock(clocks)
        self._tls = tls.context_of(config)
        self._loaded = Credential()
        self._calls: aiohttp.ClientSession | None = None
        self._streams: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections; watches end with ``Unreachable``."""
        for session in (self._calls, self._streams):
            if session:
                await session.close()

    @property
    def clock_skew(self) -> float | None:
        """Seconds that the server's clock is ahead of ours, as its last answer says; ±1 s."""
        return self._clock.ahead

    async def get(
        self,
        path: str,
        *,
        params: Params | None = None,
        metadata_only: bool = False,
        timeout: float | None = None,  # noqa: ASYNC109  its end is Unreachable, not TimeoutError
    ) -> bytes:
        """Read one object, from etcd: without ``resourceVersion`` no cache answers."""
        accept = ONE_PARTIAL if metadata_only else JSON
        return await self._send(Call("GET", path, params or {}, accept, seconds=timeout))

    async def get_list(
        self,
        path: str,
        *,
        params: Params | None = None,
        metadata_only: bool = False,
        timeout: float | None = None,  # noqa: ASYNC109  its end is Unreachable, not TimeoutError
    ) -> bytes:
        """Read a collection, or the page of it that ``limit`` and ``continue`` ask for."""
        accept = PARTIAL_LIST if metadata_only else JSON
        return await self._send(Call("GET", path, params or {}, accept, seconds=timeout))

    async def create(
        self,
        path: str,
        body: object,
        *,
        params: Params | None = None,
    ) -> bytes:
        """POST to a collection, or to a subresource such as ``…/token``."""
        call = Call("POST", path, params or {}, body=msgspec.json.encode(body))
        return await self._send(call)

    async def replace(
        self,
        path: str,
        body: object,
        *,
        params: Params | None = None,
    ) -> bytes:
        """PUT the whole object; with ``resourceVersion`` in it, only over that version."""
        call = Call("PUT", path, params or {}, body=msgspec.json.encode(body))
        return await self._send(call)

    async def merge_patch(
        self,
        path: str,
        body: object,
        *,
        params: Params | None = None,
    ) -> bytes:
        """PATCH by RFC 7396: None removes a key, lists are replaced as a whole."""
        return await self._patch(path, params or {}, MERGE_PATCH, body)

    async def apply(
        self,
        path: str,
        body: object,
        *,
        manager: str,
        force: bool = True,
    ) -> bytes:
        """Server-side apply; ``force`` takes fields over from other managers."""
        params = {"fieldManager": manager, "force": "true" if force else "false"}
        return await self._patch(path, params, APPLY, body)

    async def delete(
        self,
        path: str,
        *,
        uid: str,
        resource_version: str,
        propagation: str = "Background",
    ) -> bytes:
        """DELETE the version that was judged: ``conflict`` if it was touched or made anew since.

        Propagation is explicit, since the default of some kinds (Jobs) orphans what they own.
        """
        options = DeleteOptions(Preconditions(uid, resource_version), propagation)
        call = Call("DELETE", path, body=msgspec.json.encode(options))
        return await self._send(call)

    async def stream(
        self,
        path: str,
        *,
        params: Params | None = None,
        metadata_only: bool = False,
        idle: float = IDLE_SECONDS,
        opened: Callable[[], None] = lambda: None,
    ) -> AsyncGenerator[bytes, None]:
        """Watch: the lines as they come; ``opened`` is called when the server has accepted it.

        Ends when the server ends it; ``Silent`` when no byte came for ``idle`` seconds.
        Leave it early only under ``contextlib.aclosing``, which frees the connection.
        """
        accept = ONE_PARTIAL if metadata_only else JSON
        call = Call("GET", path, {**(params or {}), "watch": "true"}, accept)
        limits = aiohttp.ClientTimeout(sock_connect=CONNECT_SECONDS, sock_read=idle)
        async with reachable(call), await self._open(call, limits, stream=True) as response:
            opened()
            rest = b""
            async for chunk in chunks(response, call):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    yield line

    async def _patch(self, path: str, params: Params, content_type: str, body: object) -> bytes:
        return await self._send(
            Call("PATCH", path, params, JSON, content_type, msgspec.json.encode(body))
        )

    async def _send(self, call: Call) -> bytes:
        seconds = call.seconds or self._timeout
        limits = aiohttp.ClientTimeout(seconds, sock_connect=min(CONNECT_SECONDS, seconds))
        async with reachable(call), await self._open(call, limits) as response:
            return await response.read()

    async def _open(
        self, call: Call, limits: aiohttp.ClientTimeout, *, stream: bool = False
    ) -> aiohttp.ClientResponse:
        try:
            return await self._attempt(call, limits, stream=stream)
        except ApiError as error:
            if not error.unauthorized:
                raise
        return await self._attempt(call, limits, stream=stream, renew=True)

    async def _attempt(
        self,
        call: Call,
        limits: aiohttp.ClientTimeout,
        *,
        stream: bool = False,
        renew: bool = False,
    ) -> aiohttp.ClientResponse:
        headers = await self._headers(call, renew=renew)
        response = await self._session(stream=stream).request(
            call.method,
            self.config.server + call.path,
            params=call.params,
            data=call.body,
            headers=headers,
            timeout=limits,
            server_hostname=self.config.server_name or None,
            proxy=self.config.proxy or None,
        )
        self._clock.hear(response.headers.get("Date"))
        self._pass_on_warnings(response)
        if response.status >= 400:
            raise await refused(response)
        return response

    async def _headers(self, call: Call, *, renew: bool) -> list[tuple[str, str]]:
        credential = await self.config.token_source.current(renew=renew)
        self._present(credential)
        headers = [("Accept", call.accept), *self.config.headers]
        if call.body is not None:
            headers.append(("Content-Type", call.content_type))
        if credential.token:
            headers.append(("Authorization", f"Bearer {credential.token}"))
        return headers

    def _present(self, credential: Credential) -> None:
        """Use a client certificate for the connections made from now on."""
        if (credential.certificate, credential.key) == (self._loaded.certificate, self._loaded.key):
            return
        if isinstance(self._tls, ssl.SSLContext):
            tls.load_pair(self._tls, credential)
        self._loaded = credential

    def _pass_on_warnings(self, response: aiohttp.ClientResponse) -> None:
        if self._on_warning:
            for header in response.headers.getall("Warning", []):
                self._on_warning(warning_text(header))

    def _session(self, *, stream: bool) -> aiohttp.ClientSession:
        # Made on first use: a session belongs to the running loop.
        if stream:
            self._streams = self._streams or self._connect(connections=0)
            return self._streams
        self._calls = self._calls or self._connect(self._connections)
        return self._calls

    def _connect(self, connections: int) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=connections, ssl=self._tls, keepalive_timeout=KEEP_ALIVE_SECONDS
            ),
            request_class=self._request,
            headers={"User-Agent": self._user_agent},
            cookie_jar=aiohttp.DummyCookieJar(),
            read_bufsize=2**18,
            trust_env=False,
        )
