"""The parts that tend Ephemerators, NamespaceManagers and Stays, made and given to each other."""

from collections.abc import Callable, Coroutine, Iterator
from random import Random
from typing import Any, Final

import msgspec

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
from dayfly_operator import act_parts
from dayfly_operator.act_parts import ActMeans
from dayfly_operator.chores import Chore
from dayfly_operator.naming.register import Watches
from dayfly_operator.own import stays
from dayfly_operator.own.acts import Acts
from dayfly_operator.own.desk import Judge, Office, OwnDesk
from dayfly_operator.own.ephemerators import EphemeratorJudge
from dayfly_operator.own.kinds import Heard, OwnKind, OwnKinds
from dayfly_operator.own.namespace_end import Members, NamespaceEnd
from dayfly_operator.own.namespace_managers import ManagerJudge
from dayfly_operator.own.pods import Pods
from dayfly_operator.own.queue import Desk, OwnQueue
from dayfly_operator.own.reports import OwnReports
from dayfly_operator.own.stays import StayDesk
from dayfly_operator.settings import Settings
from dayfly_operator.writing import Gate

REPAIR_EVERY: Final = 600.0
"""Seconds between full lists of these kinds."""

SETTLED_AGAIN: Final = 0.2
"""Seconds between looks whether the namespaces are known."""

RELIST_GAP: Final = 5.0
"""Least seconds between two lists: kopf may be started often when the API server is in trouble."""


class OwnMeans(msgspec.Struct, frozen=True):
    """What these parts need of the others."""

    acting: ActMeans
    watches: Watches
    listed: Callable[[], bool]
    """Whether all namespaces are known."""
    gate: Gate
    settings: Settings
    guard: Callable[[], Guard]
    """What is guarded, as far as is known by now; for acts, ``acting`` has it for certain."""
    members: Members
    reports: OwnReports


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
        self.queue = OwnQueue(self.known, desks, means.gate, means.acting.now)

    def _desks(self) -> dict[Resource, OwnDesk]:
        office, acting, guard = self._office(), self._means.acting, self._means.guard
        given = self._means.settings
        settings = ephemerator.Settings(Months(given.ephemerator_months), given.ephemerator_ignored)
        pods = Pods(acting.client)
        judges: dict[Resource, Judge] = {
            EPHEMERATORS: EphemeratorJudge(settings, guard, acting.now),
            NAMESPACE_MANAGERS: ManagerJudge(pods, guard, acting.now, acting.retries),
        }
        return {kind: OwnDesk(office, judge, self._again) for kind, judge in judges.items()}

    def _office(self) -> Office:
        acting, reports = self._means.acting, self._means.reports
        client, writer = acting.client, acting.writer
        scaler = act_parts.scaler(acting, reports)
        members, turns, now = self._means.members, acting.turns, acting.now
        ending = NamespaceEnd(client, writer, acting.guard, members, turns, now)
        acts = Acts(client, writer, ending, scaler, acting.calls, reports, Random().random)
        return Office(client, writer, self.known, self, acts, now)

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
        await self.known.relist(self._means.acting.client, self._means.acting.finder)

    async def _look_at_all(self) -> float | None:
        if not self._means.listed():
            return SETTLED_AGAIN
        if self._means.gate.holds():
            await self.queue.look_at_all()
        return None
