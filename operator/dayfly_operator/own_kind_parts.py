"""The parts that tend Ephemerators, NamespaceManagers and Stays, made and given to each other."""

from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any, Final

from dayfly_core import ephemerator, namespace_manager
from dayfly_core.guard import Guard
from dayfly_core.lifetime import Months
from dayfly_core.objects import (
    EPHEMERATORS,
    NAMESPACE_MANAGERS,
    NAMESPACES,
    STAYS,
    Key,
    ObjectMeta,
    Resource,
)
from dayfly_kube.client import Client
from dayfly_operator import stays
from dayfly_operator.chores import Chore
from dayfly_operator.courier import Calls
from dayfly_operator.ephemerators import EphemeratorJudge
from dayfly_operator.namespace_end import Members, NamespaceEnd, Turns
from dayfly_operator.namespace_managers import ManagerJudge
from dayfly_operator.own_acts import Acts, Scaling
from dayfly_operator.own_desk import Judge, Office, OwnDesk
from dayfly_operator.own_kinds import Finder, Heard, OwnKind, OwnKinds
from dayfly_operator.own_queue import Desk, OwnQueue
from dayfly_operator.own_reports import OwnReports
from dayfly_operator.pods import Pods
from dayfly_operator.register import Watches
from dayfly_operator.settings import Settings
from dayfly_operator.stays import StayDesk
from dayfly_operator.writing import Gate, Writer

REPAIR_EVERY: Final = 600.0
"""Seconds between full lists of these kinds."""

SETTLED_AGAIN: Final = 0.2
"""Seconds between looks whether the namespaces are known."""

RELIST_GAP: Final = 5.0
"""Least seconds between two lists: kopf may be started often when the API server is in trouble."""


@dataclass(frozen=True, slots=True)
class OwnMeans:
    """What these parts need of the others."""

    client: Client
    finder: Finder
    writer: Writer
    watches: Watches
    listed: Callable[[], bool]
    """Whether all namespaces are known."""
    gate: Gate
    settings: Settings
    guard: Callable[[], Guard]
    """What is guarded, as far as is known by now."""
    certain_guard: Callable[[], Guard]
    """The same for acts: raises Unreachable while it is not known."""
    members: Members
    turns: Turns
    scaler: Scaling
    calls: Calls
    reports: OwnReports
    now: Callable[[], datetime]


class OwnKindParts:
    """Knowledge, queue and desks of one replica, as far as they are about these kinds."""

    def __init__(self, means: OwnMeans, stay_desk: StayDesk) -> None:
        self._means = means
        self.known = OwnKinds(
            [
                OwnKind(EPHEMERATORS, ephemerator.aimed_at, self._changed),
                OwnKind(NAMESPACE_MANAGERS, namespace_manager.aimed_at, self._changed),
                OwnKind(STAYS, stays.target, self._changed),
            ]
        )
        stay_desk.known = self.known
        means.reports.metrics.read_own_objects(self.known.count)
        self._relist = Chore(
            "listing Ephemerators, NamespaceManagers and Stays",
            self._list,
            every=REPAIR_EVERY,
            gap=RELIST_GAP,
        )
        self._everything = Chore(
            "looking at Ephemerators, NamespaceManagers and Stays",
            self._look_at_all,
            every=REPAIR_EVERY,
        )
        desks: dict[Resource, Desk] = {**self._desks(), STAYS: stay_desk}
        self.queue = OwnQueue(self.known, desks, means.gate, means.now)

    def _desks(self) -> dict[Resource, OwnDesk]:
        means = self._means
        settings = ephemerator.Settings(
            Months(means.settings.ephemerator_months), means.settings.ephemerator_ignored
        )
        office, retries = self._office(), means.settings.webhooks.retries
        judges: dict[Resource, Judge] = {
            EPHEMERATORS: EphemeratorJudge(settings, means.guard, means.now),
            NAMESPACE_MANAGERS: ManagerJudge(Pods(means.client), means.guard, means.now, retries),
        }
        return {kind: OwnDesk(office, judge, self._again) for kind, judge in judges.items()}

    def _office(self) -> Office:
        means = self._means
        ending = NamespaceEnd(
            means.client, means.writer, means.certain_guard, means.members, means.turns, means.now
        )
        acts = Acts(
            means.client,
            means.writer,
            ending,
            means.scaler,
            means.calls,
            means.reports,
            Random().random,
        )
        return Office(means.client, means.writer, self.known, self, acts, means.now)

    # What is heard.

    def hear(self, heard: Heard) -> None:
        """Take over what kopf tells, in the main loop."""
        self.known.hear(heard)

    def missed(self) -> None:
        """Hear that kopf has begun anew: what went meanwhile it will not mention."""
        self._relist.wake()

    def namespace(self, name: str) -> None:
        """Hear of a namespace that came, changed or went: whoever is about it has a look."""
        for key in self.known.aimed_at(name):
            self._changed(key)

    def lead(self) -> None:
        """Look at everything: this process has begun to lead."""
        self._everything.wake()

    def remembered(self, name: str) -> ObjectMeta | None:
        """Return a namespace as it was last heard of."""
        return self._means.watches.meta(Key(NAMESPACES, "", name))

    def _changed(self, key: Key) -> None:
        # While namespaces are being listed, most would seem to be missing. Then all is looked at.
        if self._means.listed():
            self.queue.changed(key)

    def _again(self, key: Key) -> None:
        if self._means.gate.holds():
            self.queue.queue.add(key)

    # What is done again and again.

    def running(self) -> Iterator[Coroutine[Any, Any, None]]:
        """Yield what runs all the time."""
        yield self.queue.queue.run()
        yield self._relist.run()
        yield self._everything.run()

    async def _list(self) -> None:
        await self.known.relist(self._means.client, self._means.finder)

    async def _look_at_all(self) -> float | None:
        if not self._means.listed():
            return SETTLED_AGAIN
        if self._means.gate.holds():
            await self.queue.look_at_all()
        return None
