"""What to look at next: each key once, by one worker at a time, and never lost."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from math import ceil
from random import Random
from typing import Final, Generic, TypeVar

import msgspec

from dayfly_core.pace import Backoff
from dayfly_operator.rota import Lane, Rota, one_lane

K = TypeVar("K", bound=Hashable)
log = logging.getLogger(__name__)

KEPT: Final = 4
"""One worker in so many is kept from urgent, and one from ordinary keys: no end waits behind slow
catch-up, and status is still written while ten thousand ends wait for their turn."""


class Load(msgspec.Struct, frozen=True):
    """How much there is to do, for metrics."""

    urgent: int
    ordinary: int
    running: int
    delayed: int

    @property
    def waiting(self) -> int:
        """Keys for which there is no worker yet."""
        return self.urgent + self.ordinary


class WorkQueue(Generic[K]):
    """Calls ``handle(key)`` for added keys: urgent ones first, then in order of arrival.

    Of the urgent ones, the lanes take turns (:mod:`dayfly_operator.rota`).

    A key says which object to look at, never what happened to it: added twice before its turn it is
    handled once; added while it is being handled, once more afterwards. An exception is logged
    with the key, and the key comes back after a jittered, growing delay; success forgets that.
    A handler that knows better calls :meth:`retry` or :meth:`add_after` itself and returns.

    Belongs to one event loop. Keys may be added before :meth:`run`; nothing is handled until then.
    """

    def __init__(
        self,
        handle: Callable[[K], Awaitable[None]],
        *,
        workers: int = 16,
        backoff: Backoff = Backoff(),  # noqa: B008 (frozen)
        random: Random | None = None,
        lane: Callable[[K], Lane] = one_lane,
    ) -> None:
        if workers < 1:
            raise ValueError(f"workers is {workers}; write 1 or more")
        self._handle = handle
        self._workers = workers
        # A single worker cannot be kept for anything: then urgent keys are merely first.
        self._share = max(1, workers - ceil(workers / KEPT))
        self._backoff = backoff
        self._random = random or Random()
        self._urgent = Rota[K](lane)
        self._ordinary: OrderedDict[K, None] = OrderedDict()
        self._running: dict[K, bool] = {}
        self._busy = {True: 0, False: 0}
        self._again: dict[K, bool] = {}
        self._delayed: dict[K, asyncio.TimerHandle] = {}
        self._failures: dict[K, int] = {}
        self._group: asyncio.TaskGroup | None = None
        self._stopping = asyncio.Event()

    @property
    def load(self) -> Load:
        """How many keys wait, are being handled, and are to come back later."""
        return Load(len(self._urgent), len(self._ordinary), len(self._running), len(self._delayed))

    def add(self, key: K, *, urgent: bool = False) -> None:
        """Have the key handled as soon as there is a worker; ends that are due are urgent.

        A pending delay of the key is void: what it was waiting for is looked at now.
        """
        self._undelay(key)
        if key in self._running:
            self._again[key] = urgent or self._again.get(key, False)
            return
        if key in self._urgent:
            return
        if urgent:
            self._ordinary.pop(key, None)
            self._urgent.add(key)
        else:
            self._ordinary[key] = None
        self._fill()

    def add_after(self, key: K, seconds: float, *, urgent: bool = False) -> None:
        """Add the key in ``seconds``; of several delays the last one counts."""
        self._undelay(key)
        self._delayed[key] = asyncio.get_running_loop().call_later(
            seconds, self._come_back, key, urgent
        )

    def retry(self, key: K, *, at_least: float = 0.0, backoff: Backoff | None = None) -> float:
        """Add the key after its growing delay, or ``at_least`` seconds; the seconds chosen.

        ``backoff`` is for what needs more patience. It comes back as urgent as it is being handled.
        """
        self._failures[key] = self._failures.get(key, 0) + 1
        growing = backoff or self._backoff
        delay = growing.delay(self._failures[key], self._random.random())
        delay = max(delay, at_least)
        self.add_after(key, delay, urgent=self._running.get(key, False))
        return delay

    def failures(self, key: K) -> int:
        """Return how often it was tried again in a row."""
        return self._failures.get(key, 0)

    def forget(self, key: K) -> None:
        """Forget the key's failures: its next delay is the first one again."""
        self._failures.pop(key, None)

    def discard(self, key: K) -> None:
        """Drop the key wherever it waits; one that is being handled is not interrupted."""
        self._undelay(key)
        self.forget(key)
        self._urgent.discard(key)
        for waiting in (self._ordinary, self._again):
            waiting.pop(key, None)

    async def run(self) -> None:
        """Handle keys until :meth:`stop`; then return when the handlers that run have ended.

        Cancelling it cancels them. What still waits stays in the queue.
        """
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                self._fill()
                try:
                    await self._stopping.wait()
                finally:
                    self._group = None  # one that is being cancelled takes nobody in
        finally:
            for key in tuple(self._delayed):
                self._undelay(key)

    def stop(self) -> None:
        """Start nothing more; :meth:`run` returns when the running handlers have ended."""
        self._stopping.set()

    def _undelay(self, key: K) -> None:
        timer = self._delayed.pop(key, None)
        if timer is not None:
            timer.cancel()

    def _come_back(self, key: K, urgent: bool) -> None:
        self.add(key, urgent=urgent)

    def _fill(self) -> None:
        """Start workers while there are keys for them: no worker exists that has nothing to do."""
        if self._group is None or self._stopping.is_set():
            return
        while self._urgent and self._has_worker(urgent=True):
            self._begin(self._group, self._urgent.take(), urgent=True)
        while self._ordinary and self._has_worker(urgent=False):
            self._begin(self._group, self._ordinary.popitem(last=False)[0], urgent=False)

    def _begin(self, group: asyncio.TaskGroup, key: K, *, urgent: bool) -> None:
        self._running[key] = urgent
        self._busy[urgent] += 1
        group.create_task(self._work(key))

    def _has_worker(self, *, urgent: bool) -> bool:
        return len(self._running) < self._workers and self._busy[urgent] < self._share

    async def _work(self, key: K) -> None:
        failures = self._failures.get(key, 0)
        try:
            await self._handle(key)
        except Exception as error:  # noqa: BLE001 (a defect met by one key must not stop the others; it is logged, and the key comes back)
            self._failed(key, error)
        else:
            if self._failures.get(key, 0) == failures:
                self.forget(key)
        finally:
            self._ended(key)

    def _failed(self, key: K, error: Exception) -> None:
        first = key not in self._failures
        delay = self.retry(key)
        # The trace once per row of failures: the same defect at each attempt says nothing new.
        log.error(
            "handling failed key=%s retry-in=%.1fs error=%r", key, delay, error, exc_info=first
        )

    def _ended(self, key: K) -> None:
        self._busy[self._running.pop(key)] -= 1
        if key in self._again:
            self.add(key, urgent=self._again.pop(key))
        self._fill()
