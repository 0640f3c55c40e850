"""When the leader looks at which Ephemerator, NamespaceManager or Stay.

The same loop as the engine's: a key, a look, and when to look again. Every replica knows the
objects; only with the gate open do keys enter the queue, and when it opens all are looked at.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, Protocol

import msgspec

from dayfly_core.objects import Key, Resource
from dayfly_core.pace import Backoff
from dayfly_kube.errors import ApiError, Unreachable
from dayfly_operator.own.kinds import OwnKinds
from dayfly_operator.queue import WorkQueue
from dayfly_operator.rota import Lane
from dayfly_operator.schedule import Schedule
from dayfly_operator.writing import Gate, NotLeading, Outdated

WORKERS: Final = 8
"""Objects handled at the same time: each may wait for a page of pods or for its turn to delete."""

NOT_KEPT: Final = Backoff(first=1.0, cap=300.0)
"""When it is tried again whether there is a place for the status: a definition that was applied a
moment ago need not be served yet, one that is another's stays so until somebody puts it right.
"""

BACKOFF: Final = Backoff(first=0.1, cap=60.0)

SLICE: Final = 50
"""Objects looked at in one go when leadership begins: some milliseconds in which no end is served.
"""


class NotKept(Exception):
    """The API server keeps no status of this kind, or not what has to be in it."""


class Resting(msgspec.Struct, frozen=True):
    """Nothing is to be done until then; until something changes, without an instant."""

    until: datetime | None


class Desk(Protocol):
    """Who knows what is to be done about the objects of one kind."""

    async def tend(self, key: Key) -> datetime | None:
        """Do what is to be done now; returns when to look again if nothing changes before.

        Raises ApiError, Unreachable, NotLeading, Outdated, NotKept: then it is tried again.
        """
        ...

    def rests(self, key: Key) -> Resting | None:
        """Return until when nothing is to be done, by what is known; None if something may be.

        Asks nobody, so that thousands can be looked at when leadership begins.
        """
        ...

    def forget(self, key: Key) -> None:
        """Hear that an object is gone."""
        ...

    def failing(self, key: Key, error: ApiError) -> None:
        """Hear that the API server forbids it, or has failed at it for long."""
        ...


class OwnQueue:
    """The work queue of all of these kinds."""

    def __init__(
        self,
        known: OwnKinds,
        desks: Mapping[Resource, Desk],
        gate: Gate,
        now: Callable[[], datetime],
    ) -> None:
        self._known = known
        self._desks = desks
        self._gate = gate
        self.queue: WorkQueue[Key] = WorkQueue(
            self.handle, workers=WORKERS, backoff=BACKOFF, lane=_lane
        )
        self._schedule = Schedule(self.queue, gate, now)
        self.deadlines = self._schedule.deadlines

    def changed(self, key: Key) -> None:
        """Hear that an object, or the namespace that it is about, came, changed or went."""
        if not self._gate.holds():
            return
        if self._known.get(key) is None:
            self.deadlines.cancel(key)
            self.queue.discard(key)
            self._desks[key.resource].forget(key)
        else:
            self._glance(key)

    async def look_at_all(self) -> None:
        """Look at every object; what needs something is queued."""
        for count, key in enumerate(self._known.all(), start=1):
            self.changed(key)
            if count % SLICE == 0:
                await asyncio.sleep(0)

    async def handle(self, key: Key) -> None:
        """Do what is to be done about one object now.

        Most changes that come while an object is handled are the handler's own: they are glanced at
        like all others, and cost no request.
        """
        if not self._gate.holds() or self._rests(key):
            return
        try:
            self._schedule.again(key, await self._desks[key.resource].tend(key))
        except NotLeading:
            return  # the next leader looks at every object
        except NotKept as error:
            self._schedule.failed(key, error, NOT_KEPT)
        except (ApiError, Unreachable, Outdated) as error:
            lasting = self._schedule.failed(key, error)
            if isinstance(error, ApiError) and (error.refused or lasting):
                self._desks[key.resource].failing(key, error)

    def _glance(self, key: Key) -> None:
        if not self._rests(key):
            self.queue.add(key)

    def _rests(self, key: Key) -> bool:
        """Whether nothing is to be done by what is known; if so, notes until when."""
        try:
            resting = self._desks[key.resource].rests(key)
        except Exception:  # noqa: BLE001 (a defect met by one object must not keep the others from being looked at; the queue meets it again, logs it, and tries again)
            return False
        if resting is None:
            return False
        self._schedule.again(key, resting.until)
        return True


def _lane(key: Key) -> Lane:
    """Say with whom what is due waits: the kinds take turns, and so do their namespaces."""
    return Lane(key.resource.plural, key.namespace)
