"""One replica of the webhook server: what it follows, when it is ready, how it leaves."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from dayfly_admission import namespaces, policies
from dayfly_admission.assembly import Assembly, Clocks, Known
from dayfly_admission.certificate import Certificate
from dayfly_admission.journal import Journal
from dayfly_admission.metrics import Metrics
from dayfly_admission.server import Surroundings, application, listen, server
from dayfly_admission.settings import Settings
from dayfly_certs import secrets
from dayfly_certs.bundle import Bundle
from dayfly_certs.reload import ServingContext
from dayfly_core import names
from dayfly_core.api import StoredPolicy
from dayfly_core.objects import EXPIRY_POLICIES, NAMESPACES
from dayfly_kube import health
from dayfly_kube.client import Client
from dayfly_kube.guarding import GuardBook
from dayfly_kube.reflector import Reflector

log = logging.getLogger(__name__)


def _discard(_line: bytes) -> None:
    """Keep no journal."""


class Program:
    """Wires the watches to the webhooks, and serves until ``leave`` is set."""

    def __init__(
        self,
        client: Client,
        settings: Settings,
        clocks: Clocks,
        journal: Callable[[bytes], object] = _discard,
    ) -> None:
        """``journal`` takes the lines of JSON about requests."""
        self.leave = asyncio.Event()
        self.hurry = asyncio.Event()
        """Set to leave without the seconds of a lame duck."""
        self.port = 0
        self.health_port = 0
        """Where it listens, once it does: the kernel chooses when the settings say 0."""
        self.metrics = Metrics()
        self._settings = settings
        self._leaving = False
        self.serving = ServingContext()
        self._certificate = Certificate(self.serving, self.metrics)
        self._secret = _watch_secret(client, settings.namespace, self._certificate)
        self._namespaces = Reflector(
            client, NAMESPACES.path(), keep=namespaces.keep, on_change=lambda _name, _kept: None
        )
        self._current = policies.CurrentPolicies(lambda: self._policies.items)
        self._policies = Reflector(
            client,
            EXPIRY_POLICIES.path(),
            keep=policies.keep,
            on_change=self._current.changed,
            decode=StoredPolicy,
            metadata_only=False,
        )
        self.metrics.clock_skew.set_function(lambda: client.clock_skew or 0.0)
        self.metrics.policies.set_function(lambda: len(self._policies.items))
        self._guard = GuardBook(client, settings.namespace, clocks.monotonic, lambda: None)
        known = Known(
            self._current, namespaces.Namespaces(self._namespaces.items, client), self._guard
        )
        assembly = Assembly(client, settings, clocks, self.metrics, known)
        webhooks, own_kinds = assembly.endpoints()
        lines = Journal(journal, clocks.now, settings.log_sample)
        surroundings = Surroundings(clocks.monotonic, lines, self._is_leaving)
        self._app = application(webhooks, own_kinds, self.metrics, surroundings)

    def _is_leaving(self) -> bool:
        return self._leaving

    def unready(self) -> str | None:
        """Why no request should come here, None when they may."""
        if self._leaving:
            return "shutting down"
        if not self._policies.synced.is_set():
            return "expirypolicies.dayfly.dev are not loaded yet; is the kind installed?"
        if not self._namespaces.synced.is_set():
            return "namespaces are not loaded yet"
        if self._certificate.missing:
            return f"certificate: {self._certificate.missing}"
        return None

    async def settled(self) -> None:
        """Return when the copies of policies and namespaces are complete."""
        await asyncio.gather(self._policies.synced.wait(), self._namespaces.synced.wait())

    async def run(self) -> None:
        """Serve; returns after ``leave`` was set and the last request was answered."""
        socket = listen(self._settings.listen)
        self.port = int(socket.getsockname()[1])
        https = server(self._app, self.serving.ssl_context)
        async with asyncio.TaskGroup() as group:
            following = [
                group.create_task(watch.run())
                for watch in (
                    self._policies,
                    self._namespaces,
                    self._secret,
                    self._guard.reflector,
                )
            ]
            following += [group.create_task(self._health())]
            serving = group.create_task(https.serve(sockets=[socket]))
            log.info("serving", extra={"port": self.port})
            await self.leave.wait()
            await self._limp()
            https.should_exit = True
            await serving
            for task in following:
                task.cancel()

    async def _limp(self) -> None:
        """Go on serving while the cluster learns that this replica is leaving."""
        self._leaving = True
        log.info("leaving", extra={"lame-duck-seconds": self._settings.lame_duck})
        with suppress(TimeoutError):
            await asyncio.wait_for(self.hurry.wait(), self._settings.lame_duck)

    async def _health(self) -> None:
        def started(port: int) -> None:
            self.health_port = port
            log.info("health", extra={"port": port})

        await health.serve(
            str(self._settings.health_listen),
            live=lambda: None,  # that this answers is the proof: both servers share one loop
            ready=self.unready,
            registry=self.metrics.registry,
            started=started,
        )


def _watch_secret(client: Client, namespace: str, certificate: Certificate) -> Reflector[Bundle]:
    # By its name only: that is all that this account may see.
    return Reflector(
        client,
        secrets.path(namespace),
        keep=secrets.keep,
        on_change=certificate.changed,
        decode=secrets.WatchedSecret,
        field_selector=f"metadata.name={names.TLS_SECRET}",
        metadata_only=False,
    )
