"""The real desk and queue of Ephemerators over a cluster in memory, in virtual time."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from dayfly_core.ephemerator import Settings, aimed_at
from dayfly_core.guard import Guard
from dayfly_core.history import Entry
from dayfly_core.objects import EPHEMERATORS, NAMESPACES, Key, ObjectMeta
from dayfly_core.outgoing.outbox import Outcome
from dayfly_kube.events import Regarding
from dayfly_operator.metrics import Metrics
from dayfly_operator.outgoing.courier import Parcel
from dayfly_operator.own.acts import Acts
from dayfly_operator.own.desk import Office, OwnDesk
from dayfly_operator.own.ephemerators import EphemeratorJudge
from dayfly_operator.own.kinds import Heard, OwnKind, OwnKinds, OwnObject
from dayfly_operator.own.namespace_end import NamespaceEnd
from dayfly_operator.own.queue import OwnQueue
from dayfly_operator.own.reports import OwnReports
from dayfly_operator.scaling import Scaled, Selector, Still
from dayfly_operator.telling import Teller
from support.fake_store import Json, Store, place_of
from support.mortal import Mortal


class Bystanders:
    """Whoever has nothing to say here."""

    async def turn(self) -> float:
        """Return at once."""
        return 0.0

    async def keeper(self, namespace: str) -> None:
        """Name nothing."""

    def remembered(self, name: str) -> ObjectMeta | None:
        """Know no namespace: all are read."""
        return None

    def holds(self) -> bool:
        """Lead."""
        return True

    def note(self, entry: Entry) -> None:
        """Forget it."""

    def record(
        self,
        regarding: Regarding,
        *,
        type: Literal["Normal", "Warning"],
        reason: str,
        action: str,
        note: str,
    ) -> None:
        """Forget it."""

    async def down(
        self, namespace: str, selectors: tuple[Selector, ...], occurrence: str, still: Still
    ) -> Scaled:
        """Fail: no Ephemerator scales."""
        raise AssertionError(namespace)

    def collect(self, parcel: Parcel, arrived: Any) -> Outcome | None:
        """Fail: no Ephemerator calls."""
        raise AssertionError(parcel)


@dataclass
class Stage:
    """A store with objects of ours in it, and everything that acts on it."""

    store: Store
    start: datetime

    def now(self) -> datetime:
        """Return the time, as the event loop has it."""
        return self.start + timedelta(seconds=asyncio.get_running_loop().time())

    async def deleted(self, length: timedelta) -> list[tuple[datetime, str]]:
        """Run for so long; returns what was deleted, and when."""

        def heard(key: Key) -> None:
            queue.changed(key)

        known = OwnKinds([OwnKind(EPHEMERATORS, aimed_at, heard)])
        client, others, gone = Mortal(self.store), Bystanders(), list[tuple[datetime, str]]()
        queue = OwnQueue(known, {EPHEMERATORS: self._desk(known, client)}, others, self.now)

        def changed(path: str) -> None:
            if place_of(path).key not in self.store.objects:
                gone.append((self.now(), place_of(path).name))
            self._tell(known, queue, path)

        client.changed = changed
        for path in list(self.store.objects):
            self._tell(known, queue, path)
        work = asyncio.create_task(queue.queue.run())
        await asyncio.sleep(length.total_seconds())
        queue.deadlines.close()
        queue.queue.stop()
        await work
        return gone

    def _desk(self, known: OwnKinds, client: Mortal) -> OwnDesk:
        others, guard = Bystanders(), Guard("dayfly-system")
        ending = NamespaceEnd(client, client, lambda: guard, others, others, self.now)
        reports = OwnReports(Teller(others, lambda name: ""), Metrics(), others, self.now)
        acts = Acts(client, client, ending, others, others, reports, lambda: 0.5)
        office = Office(client, client, known, others, acts, self.now)
        judge = EphemeratorJudge(Settings(), lambda: guard, self.now)
        return OwnDesk(office, judge, lambda key: None)

    def _tell(self, known: OwnKinds, queue: OwnQueue, path: str) -> None:
        place = place_of(path)
        if place.plural == NAMESPACES.plural:
            for key in known.aimed_at(place.name):
                queue.changed(key)
            return
        stored = self.store.objects.get(place.key)
        found = msgspec.convert(stored, OwnObject) if stored else known.get(_key(place.name))
        if found:
            known.hear(Heard(EPHEMERATORS, found, stored is None))


def _key(name: str) -> Key:
    return Key(EPHEMERATORS, "", name)


def put(store: Store, path: str, item: Json) -> None:
    """Store an object."""
    store.create(place_of(path), item)
