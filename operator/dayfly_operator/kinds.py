"""kopf watches our own kinds: few objects, several kinds, definitions that come and go.

It runs in a thread and event loop of its own, because it takes every task of its loop for its own
and cancels them when it ends. All it does for us is to say that something changed, and of our
smaller kinds what they are now: its event handlers are never retried, and what was deleted while
its stream was broken it never mentions.
"""

import asyncio
import logging
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from random import Random
from typing import Final

import kopf
import msgspec
import uvloop
from kopf._cogs.structs.references import Insights

from dayfly_core.objects import (
    EPHEMERATORS,
    EXPIRY_POLICIES,
    NAMESPACE_MANAGERS,
    STAYS,
    Resource,
)
from dayfly_core.pace import Backoff
from dayfly_kube import tls
from dayfly_kube.config import Config
from dayfly_kube.credentials import Credential
from dayfly_operator.late_kinds import look_again, looker, vault_for_all
from dayfly_operator.own.kinds import Heard, OwnObject

log = logging.getLogger(__name__)


class Named(ssl.SSLContext):
    """Wants a certificate for ``name``, whatever address was dialled (``tls-server-name``)."""

    name = ""

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """Begin a connection, as asyncio does for each."""
        return super().wrap_bio(incoming, outgoing, server_side, self.name, session)


@dataclass(frozen=True, kw_only=True)
class Connection(kopf.ConnectionInfo):
    """What kopf's own cannot say: the name on the certificate, and which replica asks."""

    credential: Credential
    server_name: str
    user_agent: str

    def as_http_headers(self) -> dict[str, str]:
        """Add the replica's name, by which the audit log tells who did what."""
        return {**super().as_http_headers(), "User-Agent": self.user_agent}

    def as_ssl_context(self) -> ssl.SSLContext:
        """Trust as kopf does, but expect the name that the kubeconfig gives."""
        if self.insecure or not self.server_name:
            return super().as_ssl_context()
        context = Named(ssl.PROTOCOL_TLS_CLIENT)
        context.name = self.server_name
        if self.ca_data:
            context.load_verify_locations(cadata=self.ca_data)
        else:
            context.load_default_certs()
        tls.load_pair(context, self.credential)
        return context


class Ears(msgspec.Struct, frozen=True):
    """Who is told, in kopf's thread."""

    policies: Callable[[], None]
    """Hears that an ExpiryPolicy came, changed or went; which one is found by looking."""
    own: Callable[[Heard], None]
    """Hears of an object of our smaller kinds."""
    again: Callable[[], None]
    """Hears that kopf begins (again): what went meanwhile it will not mention."""


class Router(msgspec.Struct, frozen=True):
    """Everything that a handler may touch."""

    ears: Ears
    config: Config
    user_agent: str

    async def on_policy(self, **_: object) -> None:
        """Say that an ExpiryPolicy came, changed or went."""
        self.ears.policies()

    async def on_ephemerator(self, event: kopf.RawEvent, **_: object) -> None:
        """Pass an Ephemerator on."""
        self._pass_on(EPHEMERATORS, event)

    async def on_namespace_manager(self, event: kopf.RawEvent, **_: object) -> None:
        """Pass a NamespaceManager on."""
        self._pass_on(NAMESPACE_MANAGERS, event)

    async def on_stay(self, event: kopf.RawEvent, **_: object) -> None:
        """Pass a Stay on."""
        self._pass_on(STAYS, event)

    def _pass_on(self, resource: Resource, event: kopf.RawEvent) -> None:
        try:
            found = msgspec.convert(event["object"], OwnObject)
        except msgspec.ValidationError as error:
            log.warning("not readable kind=%s error=%s", resource.group_resource, error)
            return
        self.ears.own(Heard(resource, found, gone=event["type"] == "DELETED"))

    async def login(self, **_: object) -> kopf.ConnectionInfo:
        """Hand kopf our credentials; it asks again after each 401, so rotated tokens are read."""
        credential = await self.config.token_source.current(renew=True)
        return Connection(
            credential=credential,
            user_agent=self.user_agent,
            server=self.config.server,
            server_name=self.config.server_name,
            ca_data=self.config.ca_data,
            insecure=self.config.insecure,
            token=credential.token or None,
            certificate_data=credential.certificate or None,
            private_key_data=credential.key or None,
            proxy_url=self.config.proxy or None,
        )


HANDLERS: Final[Mapping[Resource, Callable[..., Awaitable[None]]]] = {
    EXPIRY_POLICIES: Router.on_policy,
    EPHEMERATORS: Router.on_ephemerator,
    NAMESPACE_MANAGERS: Router.on_namespace_manager,
    STAYS: Router.on_stay,
}
"""The kinds that kopf watches, and who hears of each."""


def registry(router: Router) -> kopf.OperatorRegistry:
    """Return kopf's routing table."""
    table = kopf.OperatorRegistry()
    kopf.on.login(registry=table)(router.login)
    for resource, handler in HANDLERS.items():
        hears = kopf.on.event(resource.group, resource.version, resource.plural, registry=table)
        hears(partial(handler, router))
    return table


class Unending:
    """The same delay again and again, to as many readers as there are requests.

    kopf stops for good when the delays of its list run out; a generator would be shared by all
    its requests and run out too.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __iter__(self) -> Iterator[float]:
        return repeat(self._seconds)


class NoDifferences(kopf.DiffBaseStorage):
    """Keeps kopf from copying each object to find out what has changed in it, and from noting it.

    That would be nearly half of what an event costs, for handlers that we do not have.
    """

    def build(self, **_: object) -> kopf.BodyEssence:
        """Say that no object has anything that matters."""
        return kopf.BodyEssence()

    def fetch(self, **_: object) -> kopf.BodyEssence | None:
        """Say that nothing was ever handled."""
        return None

    def store(self, **_: object) -> None:
        """Write nothing."""


def quiet_settings() -> kopf.OperatorSettings:
    """Return settings with which kopf writes nothing, kills nobody, and never gives up."""
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.persistence.diffbase_storage = NoDifferences()
    settings.process.ultimate_exiting_timeout = None  # else it kills the process after 10 minutes
    settings.watching.server_timeout = 600  # an idle stream is renewed six times an hour
    settings.watching.client_timeout = 630
    settings.watching.connect_timeout = 5
    settings.watching.inactivity_timeout = 75  # bookmarks come each minute
    settings.watching.reconnect_backoff = 1
    settings.watching.chunk_size = 500
    settings.queueing.worker_limit = 50
    # Each object has a worker of its own until it has been idle for so long: with a second and 50
    # workers, 2,000 objects would take 40 seconds to be heard of.
    settings.queueing.idle_timeout = 0.02
    settings.queueing.exit_timeout = 1
    settings.networking.request_timeout = 10
    settings.networking.error_backoffs = Unending(5)
    settings.networking.enforce_retry_after = True
    return settings


class KindWatch:
    """Runs kopf until :meth:`stop`, and again, with everything new, whenever it ends by itself."""

    def __init__(self, load: Callable[[], Config], ears: Ears, user_agent: str) -> None:
        # Read in this thread for this thread: sources of credentials belong to one event loop.
        self._load = load
        self._ears = ears
        self._user_agent = user_agent
        self._stopping = threading.Event()
        self._backoff = Backoff(first=1.0, cap=30.0)
        self._random = Random()
        self._stop_operator: Callable[[], None] = lambda: None
        self._thread = threading.Thread(target=self._run, name="kinds", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, timeout: float = 1.0) -> None:
        """End kopf and wait for its thread, at most ``timeout`` seconds."""
        self._stopping.set()
        self._stop_operator()
        self._thread.join(timeout)

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                # kopf wakes several times for each object, at two thirds the cost on this loop.
                uvloop.run(self._operate())
            except Exception:  # whatever kopf died of, the kinds must be watched: log, start anew
                log.exception("the watch of our own kinds ended with an error")
            failures += 1
            self._stopping.wait(self._backoff.delay(failures, self._random.random()))

    async def _operate(self) -> None:
        # The flag belongs to this loop: with a threading.Event kopf would park a thread in
        # `wait()`, and a kopf that failed could not be left.
        stop_flag = asyncio.Event()
        loop = asyncio.get_running_loop()
        self._stop_operator = lambda: _post(loop, stop_flag.set)
        if self._stopping.is_set():
            return
        self._ears.again()  # whatever happened while nobody was watching
        table = registry(Router(self._ears, self._load(), self._user_agent))
        settings, insights, vault = quiet_settings(), Insights(), vault_for_all()
        async with asyncio.TaskGroup() as tasks:
            look = looker(insights, table, settings)
            late = tasks.create_task(look_again(insights, HANDLERS, look), name="late-kinds")
            await kopf.operator(
                registry=table,
                settings=settings,
                insights=insights,
                standalone=True,
                clusterwide=True,
                stop_flag=stop_flag,
                vault=vault,
            )
            late.cancel()


def _post(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
    try:
        loop.call_soon_threadsafe(callback)
    except RuntimeError:
        log.debug("kopf's loop is closed already")
