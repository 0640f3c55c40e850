"""Leaders, one after the other, of the real engine over one store; each may be killed at a moment.

Engine, effects and scaler are the real ones; the watch tells at once, and time is virtual.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec

from dayfly_core import ending, scaling
from dayfly_core.guard import Guard
from dayfly_core.history import Entry
from dayfly_core.objects import NAMESPACES, Key, ObjectMeta, PartialObject
from dayfly_core.outgoing.outbox import Delivered, Failed, Outcome, Retries
from dayfly_core.policies import Policies
from dayfly_core.subject import Plan, Subject
from dayfly_kube.errors import ApiError, Unreachable
from dayfly_kube.events import Regarding
from dayfly_operator.complaints import Complaints
from dayfly_operator.crew import Brakes, Crew, Releases, Turn
from dayfly_operator.effects import Effects, Kit
from dayfly_operator.engine import Engine
from dayfly_operator.memory import read
from dayfly_operator.metrics import Metrics
from dayfly_operator.outgoing.courier import Parcel
from dayfly_operator.reports import Reports
from dayfly_operator.scaling import Means, Scaler
from dayfly_operator.stamped import Stamped, trimmed
from dayfly_operator.telling import Teller
from dayfly_operator.workloads import Workloads
from dayfly_operator.world import turn
from support.fake_store import Store, place_of
from support.mortal import Mortal
from support.nobody import NoBrakes, NoReleases

BEGINNING = datetime(2026, 11, 22, 10, tzinfo=UTC)
KINDS = (NAMESPACES, *scaling.WAYS)


@dataclass
class Realm:
    """What outlives a leader: the store, the rules, the receiver of webhooks, and what was told."""

    store: Store
    policies: Policies
    guard: Guard = field(default_factory=lambda: Guard("dayfly-system"))
    received: list[str] = field(default_factory=list[str])
    """Idempotency keys, as they came."""
    answers: list[Outcome] = field(default_factory=list[Outcome])
    """Of the receiver, before it is content."""
    events: list[str] = field(default_factory=list[str])
    history: list[Entry] = field(default_factory=list[Entry])
    metrics: Metrics = field(default_factory=Metrics)
    brakes: Brakes = field(default_factory=NoBrakes)
    releases: Releases = field(default_factory=NoReleases)
    replaced: Callable[[Key, Stamped, Stamped | None], None] = lambda _key, _before, _after: None
    """Called with what a watch knew, and knows now, before it is told."""
    _known: dict[Key, Stamped] = field(default_factory=dict[Key, Stamped])

    def now(self) -> datetime:
        """Return the time."""
        return BEGINNING + timedelta(seconds=asyncio.get_running_loop().time())

    def meta(self, key: Key) -> ObjectMeta | None:
        """Return an object as it is stored."""
        found = self.store.objects.get(place_of(key.resource.path(key.namespace, key.name)).key)
        return msgspec.convert(found, PartialObject).metadata if found else None

    def stamped(self, key: Key) -> Stamped | None:
        """Return what the watch keeps of a stamped object."""
        meta = self.meta(key)
        found = trimmed(PartialObject(meta)) if meta else None
        return found if found and found.policy else None

    def news(self, key: Key) -> Stamped | None:
        """Return what a watch tells of an object."""
        before, after = self._known.pop(key, None), self.stamped(key)
        if after:
            self._known[key] = after
        if before and before != after:
            self.replaced(key, before, after)
        return after

    # The receiver of webhooks.

    def receive(self, key: str) -> Outcome:
        """Take a call."""
        self.received.append(key)
        return self.answers.pop(0) if self.answers else Delivered(200)

    # Who is told.

    def record(
        self,
        regarding: Regarding,
        *,
        type: Literal["Normal", "Warning"],
        reason: str,
        action: str,
        note: str,
    ) -> None:
        """Take an Event."""
        self.events.append(reason)

    def note(self, entry: Entry) -> None:
        """Take an entry of the history."""
        self.history.append(entry)


def key_of(path: str) -> Key:
    """Return what a path names."""
    place = place_of(path)
    resource = next(kind for kind in KINDS if kind.path() == f"{place.root}/{place.plural}")
    return Key(resource, place.namespace, place.name)


@dataclass
class Leader:
    """One process, with its own client, which may die."""

    realm: Realm
    client: Mortal

    def holds(self) -> bool:
        """Lead, while alive."""
        return not self.client.died.is_set()

    # World.

    def known(self, key: Key) -> Subject | None:
        """Return what the watch knows, which is always true here."""
        found = self.realm.stamped(key)
        return self._subject(key, found.meta) if found else None

    async def read(self, key: Key) -> Subject | None:
        """Read, and perhaps die of it."""
        meta = await read(self.client, key)
        return self._subject(key, meta) if meta else None

    def up_to_date(self, key: Key) -> bool:
        """Return True."""
        return True

    async def catch_up(self, key: Key) -> None:
        """Return."""

    def due(self, key: Key, found: Stamped) -> datetime | Turn:
        """Return when the next step is due."""
        policy = self.realm.policies.get(found.policy)
        return turn(policy, found.meta, found.end) if policy and found.end else Turn.NOW

    def plan(self, subject: Subject) -> Plan:
        """Judge."""
        realm = self.realm
        return ending.plan(subject, realm.policies, realm.guard, realm.now())

    def _subject(self, key: Key, meta: ObjectMeta) -> Subject:
        return Subject(key, meta, self.realm.meta(Key(NAMESPACES, "", key.namespace)))

    # Webhooks.

    def collect(self, parcel: Parcel, arrived: Callable[[], None]) -> Outcome | None:
        """Send at once, and perhaps die before or after."""
        try:
            self.client.moment()
            outcome = self.realm.receive(parcel.id)
            self.client.moment()
        except (Unreachable, ApiError):
            return Failed("the receiver did not answer in time")
        return outcome

    # Others.

    async def turn(self) -> float:
        """Let everybody have a turn at once."""
        return 0.0

    async def keeper(self, namespace: str) -> None:
        """Name nothing."""

    async def going(self, meta: ObjectMeta) -> datetime | None:
        """Never look again."""
        return None

    def gone(self, namespace: str) -> None:
        """Take note."""

    def engine(self) -> Engine:
        """Make the engine, with the real hands."""
        realm, client = self.realm, self.client
        teller = Teller(realm, lambda policy: "uid")
        reports = Reports(teller, realm.metrics, realm, realm.now)
        workloads = Workloads(client, client)
        scaler = Scaler(Means(workloads, client, lambda: realm.guard, self, reports))
        kit = Kit(client, scaler, self, reports, realm.now, lambda: 0.5, "dayfly-system", Retries())
        complaints = Complaints(teller, realm.metrics)
        crew = Crew(self, Effects(kit), self, self, complaints, realm.brakes, realm.releases)
        engine = Engine(crew, self, realm.now)

        def changed(path: str) -> None:
            key = key_of(path)
            engine.stamped(key, realm.news(key))

        client.changed = changed
        return engine

    async def lead(self, keys: tuple[Key, ...], length: float) -> None:
        """Lead until then, or until death."""
        engine = self.engine()
        work = asyncio.create_task(engine.queue.run())
        known = [(key, found) for key in keys if (found := self.realm.news(key))]
        await engine.look_at_all(known, [])
        try:
            async with asyncio.timeout(length):
                await self.client.died.wait()
        except TimeoutError:
            pass
        engine.deadlines.close()
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


async def reign(
    realm: Realm,
    keys: tuple[Key, ...],
    length: float,
    dies_at: int | None,
    refusals: dict[tuple[str, str], list[ApiError]] | None = None,
) -> tuple[Mortal, Mortal]:
    """Let one lead, until it dies at that moment or the time is over, and another after it."""
    end = asyncio.get_running_loop().time() + length
    first = Leader(realm, Mortal(realm.store, KINDS, dies_at))
    first.client.refusals = refusals or {}
    await first.lead(keys, length)
    second = Leader(realm, Mortal(realm.store, KINDS))
    left = end - asyncio.get_running_loop().time()
    if left > 0:
        await second.lead(keys, left)
    return first.client, second.client
