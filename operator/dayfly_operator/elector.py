"""The election in a thread of its own, where nothing that blocks the main loop delays a renewal."""

import asyncio
import logging
from collections.abc import Callable
from threading import Event, Thread
from types import TracebackType
from typing import Final, Self

import msgspec

from dayfly_core import names
from dayfly_core.lease import Timing
from dayfly_kube.client import Client
from dayfly_operator.election import Clocks, Election
from dayfly_operator.leadership import Leadership
from dayfly_operator.leases import ServedLease

log = logging.getLogger(__name__)

SLACK: Final = 5.0
"""Seconds beyond the lease's duration after which a silent elector counts as stuck."""


class Candidacy(msgspec.Struct, frozen=True):
    """For which Lease this process stands, how fast, and how it reaches the API server."""

    connect: Callable[[float], Client]
    """Makes a Client with one connection and this request time-out, in the elector's thread."""
    namespace: str = names.SYSTEM_NAMESPACE
    name: str = names.LEASE
    timing: Timing = msgspec.field(default_factory=Timing)


class Elector:
    """Moves a :class:`Leadership`; use as ``async with``, around all the work that it guards.

    Leaving the block releases the Lease, also when the work failed: all of it must have ended by
    then. ``on_change(open)`` is called in the event loop that entered the block.
    """

    def __init__(
        self,
        candidacy: Candidacy,
        leadership: Leadership,
        clocks: Clocks,
        on_change: Callable[[bool], None] | None = None,
    ) -> None:
        self._candidacy = candidacy
        self._leadership = leadership
        self._clocks = clocks
        self._on_change = on_change
        self._thread = Thread(target=self._live, name="elector", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._election: Election | None = None
        self._main: asyncio.AbstractEventLoop | None = None
        self._stop_requested = Event()

    async def __aenter__(self) -> Self:
        """Start to stand for election; returns at once."""
        self._main = asyncio.get_running_loop()
        self._thread.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Release the Lease; bounded by the renew deadline when the API server does not answer."""
        self.stop()
        await asyncio.to_thread(self._thread.join)

    def stop(self) -> None:
        """Begin to release the Lease; from any thread, any number of times."""
        self._leadership.close()
        self._stop_requested.set()
        loop, election = self._loop, self._election
        if loop is not None and election is not None and not loop.is_closed():
            loop.call_soon_threadsafe(election.stop)

    def problem(self) -> str | None:
        """Return what is wrong, for the liveness probe; None while the elector is alive."""
        if self._thread.ident is None or self._stop_requested.is_set():
            return None
        if not self._thread.is_alive():
            return "the elector's thread has ended"
        if self._election is None:
            return None
        silent = self._clocks.monotonic() - self._election.beat
        if silent > self._candidacy.timing.duration + SLACK:
            return f"the elector has done nothing for {silent:.0f}s"
        return None

    def _live(self) -> None:
        try:
            asyncio.run(self._stand())
        except Exception:
            log.exception("the elector failed; this process leads no more")
        finally:
            self._leadership.close()

    async def _stand(self) -> None:
        candidacy, timing = self._candidacy, self._candidacy.timing
        async with candidacy.connect(timing.request_timeout) as client:
            lease = ServedLease(client, candidacy.namespace, candidacy.name)
            election = Election(lease, self._leadership, timing, self._clocks)
            election.on_change(self._tell)
            self._loop, self._election = asyncio.get_running_loop(), election
            if self._stop_requested.is_set():
                return
            await election.run()

    def _tell(self, is_open: bool) -> None:
        if self._on_change is None or self._main is None or self._main.is_closed():
            return
        self._main.call_soon_threadsafe(self._on_change, is_open)
