"""Kubernetes Events: what ``kubectl describe`` and ``kubectl events`` tell people about an object.

Recording never waits: an act must not be late for its report. What does not fit in the queue, and
what the API server refuses, is dropped and counted.
"""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Literal, Protocol

import msgspec

from dayfly_core.objects import Key
from dayfly_kube.errors import ApiError, Unreachable

logger = logging.getLogger(__name__)

WINDOW_SECONDS: Final = 10.0
WINDOWS: Final = 1_000
"""Bursts are about many objects once; what repeats itself is a few objects in trouble."""
CAPACITY: Final = 10_000
"""A few for each of the most ends that come due in one instant; about 10 MB if ever full."""
ATTEMPTS: Final = 4
FIRST_WAIT_SECONDS: Final = 0.5
LONGEST_NOTE: Final = 1024
"""Bytes; the API server refuses more."""


class Poster(Protocol):
    """The client's verbs that Events need; a program may put its own gate before them."""

    async def create(self, path: str, body: object) -> bytes:
        """POST."""
        ...

    async def merge_patch(self, path: str, body: object) -> bytes:
        """PATCH by RFC 7396."""
        ...


class Regarding(msgspec.Struct, frozen=True, rename="camel"):
    """``ObjectReference``: the object that an Event is about."""

    api_version: str
    kind: str
    name: str
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""

    @classmethod
    def of(cls, key: Key, uid: str = "") -> "Regarding":
        """Refer to an object by its key."""
        resource = key.resource
        return cls(resource.api_version, resource.kind, key.name, key.namespace, uid)


class EventMeta(msgspec.Struct, frozen=True):
    """``metadata`` of an Event."""

    name: str
    namespace: str


class Event(msgspec.Struct, frozen=True, rename="camel"):
    """``events.k8s.io/v1`` Event."""

    metadata: EventMeta
    event_time: str
    type: str
    reason: str
    action: str
    note: str
    regarding: Regarding
    reporting_controller: str
    reporting_instance: str
    api_version: str = "events.k8s.io/v1"
    kind: str = "Event"


class Window(msgspec.Struct):
    """How often something has been said since it was first."""

    namespace: str
    name: str
    count: int = 1
    last: str = ""


class EventRecorder:
    """Posts Events in the background; the same (object, reason) within 10 s becomes one series.

    ``component`` and ``identity`` say who reports: ``dayfly-operator`` and its replica.
    """

    def __init__(
        self,
        client: Poster,
        component: str,
        identity: str,
        now: Callable[[], datetime],
        concurrency: int = 2,
    ) -> None:
        self.dropped = Counter[str]()
        """Events that nobody will read, by why."""
        self.dropping: Callable[[str], None] = lambda _why: None
        """Hears of each of them."""
        self.window_seconds = WINDOW_SECONDS
        self._client = client
        self._component = component
        self._identity = identity
        self._now = now
        self._concurrency = concurrency
        self._queue = asyncio.Queue[Event | Window](CAPACITY)
        self._windows: dict[tuple[Regarding, str], Window] = {}
        self._serial = 0

    def record(
        self,
        regarding: Regarding,
        *,
        type: Literal["Normal", "Warning"],
        reason: str,
        action: str,
        note: str,
    ) -> None:
        """Queue an Event: ``action`` is what was done (``Delete``), ``reason`` is why."""
        now = self._now().astimezone(UTC)
        window = self._windows.get((regarding, reason))
        if window:
            window.count += 1
            window.last = _micro_time(now)
            return
        self._serial += 1
        event = Event(
            metadata=_name(regarding, now, self._serial),
            event_time=_micro_time(now),
            type=type,
            reason=reason,
            action=action,
            note=note.encode()[:LONGEST_NOTE].decode(errors="ignore"),
            regarding=regarding,
            reporting_controller=self._component,
            reporting_instance=self._identity,
        )
        if self._enqueue(event):
            self._open_window(event)

    async def run(self) -> None:
        """Post until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._concurrency):
                group.create_task(self._work())

    async def drain(self) -> None:
        """Wait until all that is queued has been posted or dropped."""
        await self._queue.join()

    async def finish(self, client: Poster, within: float) -> None:
        """After :meth:`run`: post what is left through ``client``, for at most so many seconds.

        What is not posted by then is dropped.
        """
        self._client = client
        posting = asyncio.create_task(self.run())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self.drain()
        posting.cancel()
        await asyncio.wait({posting})
        while not self._queue.empty():
            self._queue.get_nowait()
            self._drop("Stopped", None)

    def _enqueue(self, post: Event | Window) -> bool:
        try:
            self._queue.put_nowait(post)
        except asyncio.QueueFull:
            self._drop("QueueFull", None)
            return False
        return True

    def _open_window(self, event: Event) -> None:
        if len(self._windows) >= WINDOWS:
            return
        said = (event.regarding, event.reason)
        self._windows[said] = Window(event.metadata.namespace, event.metadata.name)
        asyncio.get_running_loop().call_later(self.window_seconds, self._close_window, said)

    def _close_window(self, said: tuple[Regarding, str]) -> None:
        window = self._windows.pop(said)
        if window.count > 1:
            self._enqueue(window)

    async def _work(self) -> None:
        while True:
            post = await self._queue.get()
            try:
                await self._deliver(post)
            except asyncio.CancelledError:
                # For finish(). It may have been posted: then its name is taken, and that is all.
                self._enqueue(post)
                raise
            finally:
                self._queue.task_done()

    async def _deliver(self, post: Event | Window) -> None:
        for attempt in range(ATTEMPTS):
            wait = FIRST_WAIT_SECONDS * 2**attempt
            try:
                await self._post(post)
            except Unreachable:
                await asyncio.sleep(wait)
            except ApiError as error:
                if error.already_exists:
                    return  # posted before, and the answer was lost
                if not error.too_many and error.code < 500:
                    # Its namespace is gone or going, or an admission policy refuses it.
                    self._drop(error.reason or str(error.code), error)
                    return
                await asyncio.sleep(error.retry_after or wait)
            else:
                return
        self._drop("Unreachable", None)

    async def _post(self, post: Event | Window) -> None:
        if isinstance(post, Event):
            await self._client.create(_collection(post.metadata.namespace), post)
            return
        series = {"series": {"count": post.count, "lastObservedTime": post.last}}
        await self._client.merge_patch(f"{_collection(post.namespace)}/{post.name}", series)

    def _drop(self, why: str, error: ApiError | None) -> None:
        self.dropped[why] += 1
        self.dropping(why)
        logger.debug("event dropped", extra={"why": why, "cause": error})


def _collection(namespace: str) -> str:
    return f"/apis/events.k8s.io/v1/namespaces/{namespace}/events"


def _name(regarding: Regarding, now: datetime, serial: int) -> EventMeta:
    # Unique among restarts by the clock, among one instant's by the serial number.
    unique = int(now.timestamp() * 1e6) * 4096 + serial % 4096
    # Cluster-scoped objects have theirs in "default", as everywhere in Kubernetes.
    return EventMeta(f"{regarding.name[:200]}.{unique:x}", regarding.namespace or "default")


def _micro_time(now: datetime) -> str:
    return now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
