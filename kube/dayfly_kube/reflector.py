"""A copy of a collection that follows the API server: list by pages, then watch, for ever.

    list ──────────► watch ──clean end, error──► wait ──► watch from the last version seen
     ▲                 │
     └───── wait ◄─────┘ 410: the server no longer knows that version

A list is compared with the copy, so that what was deleted while nobody watched is reported too.
It asks for no ``resourceVersion``: the answer comes from a quorum, never from a lagging cache.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Mapping
from contextlib import aclosing
from types import MappingProxyType
from typing import Final, Generic, TypeVar, cast

import msgspec

from dayfly_core.objects import PartialObject
from dayfly_kube.client import IDLE_SECONDS, Client
from dayfly_kube.errors import ApiError, Silent, Unproven, Unreachable
from dayfly_kube.mirror import Headed, Mirror, Name

logger = logging.getLogger(__name__)

T = TypeVar("T")
ObjectT = TypeVar("ObjectT", bound=Headed)
Trouble = ApiError | Unreachable | msgspec.DecodeError | None

PAGE_SECONDS: Final = 30.0
"""A page of large objects from a busy server takes longer than other calls may."""

STALE_AFTER: Final = 5
"""Watches refused in a row before the version itself is suspected: an etcd restored from a backup
answers to versions of its lost future that it has not got that far, not that they are gone."""


class Tempo(msgspec.Struct, frozen=True):
    """How often and how patiently; in seconds, but for ``page``, which counts objects."""

    page: int = 500
    watch: float = 600.0
    """Streams are renewed after this, give or take a tenth: not all at one time."""
    idle: float = IDLE_SECONDS
    first_wait: float = 0.1
    longest_wait: float = 5.0
    """An end that falls due while the API server is away waits this much longer at most."""
    refused: float = 20.0
    """Somebody has to grant a right or install a kind first: after a few quick attempts, in case
    it is being installed just now, asking more often than this would only be noise."""
    longest_request: float = 60.0
    """A longer Retry-After than this is not believed."""

    def wait(self, failures: int, asked: float = 0.0) -> float:
        """Seconds before the next attempt: twice as long each time, not less than asked for.

        Drawn at random from the upper half, so that replicas do not come back all at once.
        """
        limit = min(self.longest_wait, self.first_wait * 2.0 ** min(failures, 30))
        return max(limit * random.uniform(0.5, 1.0), min(asked, self.longest_request))

    def watch_seconds(self) -> int:
        """Lifetime of the next stream."""
        return max(1, round(self.watch * random.uniform(0.9, 1.1)))


class Reflector(Generic[T]):
    """Keeps ``items`` like the collection at ``path``.

    ``keep`` maps an object to what is remembered of it, or to None if it is of no interest.
    ``on_change`` hears of each name whose kept value is no longer equal to the one before, with
    None when it is gone; ``replaced`` just before it of what was kept until then and of what is
    kept now. They are called in the event loop. An error that any of them raises ends ``run``.
    """

    def __init__(
        self,
        client: Client,
        path: str,
        *,
        keep: Callable[[ObjectT], T | None],
        on_change: Callable[[Name, T | None], None],
        replaced: Callable[[Name, T, T | None], None] = lambda _name, _before, _after: None,
        decode: type[ObjectT] | None = None,
        label_selector: str = "",
        field_selector: str = "",
        metadata_only: bool = True,
        tempo: Tempo = Tempo(),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``decode`` is for whole objects, with ``metadata_only=False``; by default the head."""
        self.path = path
        self.synced = asyncio.Event()
        """Set once the first list is complete."""
        self.lists = 0
        self.watches = 0
        self._client = client
        self._mirror = Mirror(
            decode or PartialObject, cast("Callable[..., T | None]", keep), on_change, replaced
        )
        self._selectors = _given(labelSelector=label_selector, fieldSelector=field_selector)
        self._metadata_only = metadata_only
        self._tempo = tempo
        self._monotonic = monotonic
        self._stopping = asyncio.Event()
        self._version = ""
        self._continue = ""
        self._heard = float("-inf")
        self._opened = float("-inf")
        self._failures = 0
        self._told = False
        self._refusals = 0

    @property
    def items(self) -> Mapping[Name, T]:
        """What is kept of each object, by namespace and name."""
        return MappingProxyType(self._mirror.items)

    @property
    def rejected(self) -> Mapping[Name, str]:
        """Objects that do not decode, and why."""
        return MappingProxyType(self._mirror.rejected)

    @property
    def heard(self) -> float:
        """When the copy was last known to be the server's state, monotonic; at first never."""
        return self._heard

    def alive(self, now: float, within: float) -> bool:
        """Whether the server was heard, or took up a watch, at most ``within`` seconds ago.

        An idle stream proves itself by a bookmark a minute. ``now`` is monotonic.
        """
        return self.synced.is_set() and now - max(self._heard, self._opened) <= within

    def stop(self) -> None:
        """Let ``run`` return."""
        self._stopping.set()

    async def run(self) -> None:
        """Follow the server until ``stop``, through whatever it and the network do."""
        async with asyncio.TaskGroup() as group:
            following = group.create_task(self._follow())
            await self._stopping.wait()
            following.cancel()

    async def _follow(self) -> None:
        while True:
            trouble = await self._attempt()
            self._failures += 1
            self._tell(trouble)
            await asyncio.sleep(self._tempo.wait(self._failures - 1, self._asked(trouble)))

    def _asked(self, trouble: Trouble) -> float:
        """Return the least number of seconds to wait."""
        if not isinstance(trouble, ApiError):
            self._refusals = 0
            return 0.0
        needs_a_human = trouble.forbidden or trouble.not_found
        # In a row: a server that was away and starts again forbids everything for a second.
        self._refusals = self._refusals + 1 if needs_a_human else 0
        if self._refusals >= STALE_AFTER:
            return self._tempo.refused
        return trouble.retry_after or 0.0

    async def _attempt(self) -> Trouble:
        """List if need be, watch for as long as it lasts, and say what ended it."""
        try:
            if not self._version:
                await self._list()
            await self._watch()
        except ApiError as error:
            if error.gone or self._failures >= STALE_AFTER:
                self._version = self._continue = ""
            return error
        except (Unreachable, msgspec.DecodeError) as error:
            return error
        return None

    async def _list(self) -> None:
        started = self._monotonic()
        if not self._continue:  # else go on with the page that failed
            self._mirror.begin()
            self.lists += 1
        while True:
            page = self._mirror.page(await self._page())
            if not page.resource_version:
                raise Unproven(f"GET {self.path}: the answer has no resourceVersion, so is no list")
            self._continue = page.continue_
            if not self._continue:
                break
        self._mirror.finish()
        self._version, self._heard = page.resource_version, started
        self.synced.set()

    async def _page(self) -> bytes:
        return await self._client.get_list(
            self.path,
            params=self._selectors
            | {"limit": str(self._tempo.page)}
            | _given(**{"continue": self._continue}),
            metadata_only=self._metadata_only,
            timeout=PAGE_SECONDS,
        )

    async def _watch(self) -> None:
        self.watches += 1
        started = self._monotonic()
        lines = self._client.stream(
            self.path,
            params=self._selectors
            | {"allowWatchBookmarks": "true", "resourceVersion": self._version}
            | {"timeoutSeconds": str(self._tempo.watch_seconds())},
            metadata_only=self._metadata_only,
            idle=self._tempo.idle,
            opened=self._open,
        )
        async with aclosing(lines):
            async for line in lines:
                self._version = self._mirror.event(line)
                self._heard = self._monotonic()
                self._failures = 0
        # A stream that ends at once, without a word, must not be asked for again at once.
        if self._monotonic() - started > self._tempo.longest_wait:
            self._failures = 0

    def _open(self) -> None:
        # What has changed since the last event is still to come: the copy is no newer for it.
        self._opened = self._monotonic()

    def _tell(self, trouble: Trouble) -> None:
        """Warn of the first failure in a row, not of all: a dozen streams fail together, for long.

        A first silence is none: of a kind that nobody has touched since it was started, the API
        server sends no bookmarks.
        """
        self._told = self._told and self._failures > 1
        if trouble is None or self._told:
            return
        self._told = self._failures > 1 or not isinstance(trouble, Silent)
        level = logging.WARNING if self._told else logging.DEBUG
        logger.log(level, "stream interrupted", extra={"path": self.path, "cause": trouble})


def _given(**params: str) -> dict[str, str]:
    return {name: value for name, value in params.items() if value}
