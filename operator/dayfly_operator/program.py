"""One replica, wired: who hears of what, and what runs beside what."""

import asyncio
import contextlib
import gc
import logging
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dayfly_certs.store import NotInstalled
from dayfly_core.objects import Key, ObjectMeta
from dayfly_core.policies import GroupResource
from dayfly_kube import health
from dayfly_kube.client import Client
from dayfly_kube.discovery import Discovery
from dayfly_kube.events import EventRecorder
from dayfly_kube.reflector import Reflector
from dayfly_operator.certificates import Upkeep
from dayfly_operator.chores import Chore
from dayfly_operator.effects import Effects
from dayfly_operator.engine import Crew, Engine
from dayfly_operator.guarding import GuardBook
from dayfly_operator.leadership import Leadership
from dayfly_operator.metrics import Metrics, Readings
from dayfly_operator.namespaces import Members, Namespaces, Stuck
from dayfly_operator.pace import Pacer
from dayfly_operator.policies import Knowledge, PolicyBook
from dayfly_operator.reports import Reports
from dayfly_operator.rights import Obstacle, Rights
from dayfly_operator.rules import CONFIGURATIONS, Configuration, RuleKeeper, Trust
from dayfly_operator.settings import Settings
from dayfly_operator.status import StatusKeeper
from dayfly_operator.stuck import Examiner
from dayfly_operator.watching import RECHECK, Stamped, Watching
from dayfly_operator.world import World
from dayfly_operator.writing import Gated, Rehearsal

log = logging.getLogger(__name__)

SETTLED_AGAIN = 0.2
"""Seconds between looks whether everything has been loaded."""

REPAIR_EVERY = 600.0
"""Seconds between full lists of the policies, and between looks at the certificate."""

KINDS_EVERY = 60.0
"""Seconds between checks, without a request, that each kind's watch is alive."""

NOT_INSTALLED_AGAIN = 5.0
"""Seconds until a cluster without our kinds is asked for them again."""

STATUS_GAP = 5.0
"""Least seconds between two writes of a policy's status."""

COUNT_GAP = 1.0
"""Least seconds between two counts of all stamped objects: 3 ms for 10,000 of them."""

RELIST_GAP = 5.0
"""Least seconds between two lists of everything that has no stamp."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """What time it is, for people and for intervals."""

    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    """``CLOCK_BOOTTIME``: knowledge does not stay fresh while the machine sleeps."""


class Program:
    """All parts of one replica; ``policies.wake`` is for whoever hears of a changed policy."""

    def __init__(
        self, client: Client, settings: Settings, clocks: Clocks, leadership: Leadership
    ) -> None:
        self._client = client
        self._settings = settings
        self._clocks = clocks
        self._leadership = leadership
        self._discovery = Discovery(client)
        self._trust = Trust()
        self._metrics = Metrics()
        writer = Rehearsal() if settings.dry_run else client
        self._writer = Gated(writer, leadership)
        self._recorder = EventRecorder(
            self._writer, "dayfly-operator", settings.identity, clocks.now
        )
        self._make_chores()
        self._make_knowledge()
        self._make_hands()
        self._make_keepers()
        self._metrics.read(self._readings())

    def _make_chores(self) -> None:
        self.policies = Chore("reading the policies", self._read_policies, every=REPAIR_EVERY)
        self._kinds = Chore("following the kinds", self._follow_kinds, every=KINDS_EVERY)
        self._everything = Chore("looking at everything", self._look_at_all)
        self._relist = Chore("listing what has no stamp", self._list_again, gap=RELIST_GAP)
        self._rules = Chore("keeping the webhook rules", self._keep_rules)
        self._rights = Chore("reviewing rights", self._review_rights)
        self._status = Chore("writing status", self._write_status, gap=COUNT_GAP)
        self._status_due = 0.0
        self._settle = Chore("settling", self._settle_memory)
        self._certificate = Chore(
            "keeping the certificate",
            self._keep_certificate,
            every=REPAIR_EVERY,
            expected=(NotInstalled,),
        )

    def _make_knowledge(self) -> None:
        clocks, client = self._clocks, self._client
        self._book = PolicyBook(client, clocks.monotonic, self._policies_changed)
        self._guard = GuardBook(
            client, self._settings.namespace, clocks.monotonic, self._everything.wake
        )
        self._watching = Watching(client, self._discovery, self, clocks.monotonic)
        self._watching.relabelled = self._relist.wake
        self._world = World(self._book, self._watching, self._guard, client, clocks.now)
        self._world.ageing = self.policies.wake

    def _make_hands(self) -> None:
        settings, now = self._settings, self._clocks.now
        self._reports = Reports(
            self._recorder, self._metrics, self._policy_uid, dry_run=settings.dry_run
        )
        self._namespaces = Namespaces(
            Members(self._client, self._discovery, lambda: self._watching.served),
            Examiner(self._client, self._discovery),
            now,
            timedelta(seconds=settings.stuck_after),
            self._stuck_changed,
        )
        crew = Crew(
            self._world,
            Effects(self._writer, self._reports, now),
            Pacer(settings.pace, self._clocks.monotonic),
            self._namespaces,
            self._reports,
        )
        self._engine = Engine(
            crew, self._leadership, now, workers=settings.workers, changed=self._status.wake
        )

    def _make_keepers(self) -> None:
        settings = self._settings
        self._configurations = {
            resource: Reflector(
                self._client,
                resource.path(),
                keep=_whole,
                on_change=lambda _name, _found: self._rules.wake(),
                decode=Configuration,
                field_selector=f"metadata.name={name}",
                metadata_only=False,
                monotonic=self._clocks.monotonic,
            )
            for resource, name in CONFIGURATIONS
        }
        self._rule_keeper = RuleKeeper(self._writer, self._configurations, self._trust)
        self._rights_book = Rights(self._client, self._discovery)
        self._status_keeper = StatusKeeper(self._writer, self._book, self, self._clocks.now)
        self._upkeep = Upkeep(
            self._client,
            (settings.namespace, settings.serving_names),
            self._trust,
            self._leadership,
            self._rules.wake,
        )

    # What the parts ask of each other.

    def stamped(self, key: Key, found: Stamped | None) -> None:
        """Pass a watch's news on to the engine."""
        self._engine.stamped(key, found)

    def unstamped(self, key: Key) -> None:
        """Pass a watch's news on to the engine."""
        self._engine.unstamped(key)

    def wants(self, key: Key, meta: ObjectMeta) -> bool:
        """Whether a policy wants to stamp the object."""
        return self._world.wants(key, meta)

    def all_stamped(self) -> Iterator[tuple[Key, Stamped]]:
        """Yield every stamped object."""
        return self._watching.all_stamped()

    def obstacles(self) -> Mapping[GroupResource, Obstacle]:
        """Return what stands in the way of ending things, by kind."""
        return self._rights_book.obstacles

    def stuck(self) -> Iterable[tuple[str, str]]:
        """Yield policy and diagnosis of each namespace that does not go."""
        return [(found.policy, found.diagnosis.text) for found in self._namespaces.stuck()]

    # What is done again and again.

    async def _read_policies(self) -> float | None:
        await self._book.refresh()
        return None if self._book.known.installed else NOT_INSTALLED_AGAIN

    async def _follow_kinds(self) -> float | None:
        if not self._book.loaded:
            return SETTLED_AGAIN
        before = self._watching.served, self._watching.missing
        complete = await self._watching.follow(self._book.known.policies.resources)
        self._rule_keeper.want(self._watching.served)
        if (self._watching.served, self._watching.missing) != before:
            self._rules.wake()
            self._rights.wake()
        return None if complete else RECHECK

    async def _look_at_all(self) -> None:
        watching = self._watching
        await self._engine.look_at_all(watching.all_stamped(), watching.all_unstamped())

    async def _list_again(self) -> None:
        self._watching.relist()

    async def _review_rights(self) -> float | None:
        before = self._rights_book.obstacles
        again = await self._rights_book.review(self._watching.served, self._watching.missing)
        if self._rights_book.obstacles != before:
            self._status.wake()
        return again

    async def _keep_rules(self) -> float | None:
        if not self._rule_keeper.informed:
            # A leader that has only just started must not take away what the last one has set. With
            # no policy at all nothing will differ and wake this; our own kinds need rules too.
            return SETTLED_AGAIN
        if self._leadership.holds():
            await self._rule_keeper.tend()
        return None

    async def _write_status(self) -> float | None:
        if not self._leadership.holds():
            return None
        if not self._settled():
            return SETTLED_AGAIN
        now = self._clocks.monotonic()
        if now < self._status_due:
            return self._status_due - now
        if await self._status_keeper.tend():
            self._status_due = now + STATUS_GAP
        return None

    def _settled(self) -> bool:
        """Whether all that a status tells is known: half a truth would have to be taken back."""
        wanted = self._book.known.policies.resources
        return self.ready() is None and wanted == self._rights_book.reviewed

    async def _keep_certificate(self) -> None:
        if not self._settings.dry_run:
            await self._upkeep.tend(self._clocks.now())

    # What wakes what.

    def leadership_changed(self, is_open: bool) -> None:
        """Take up, or lay down, what only the leader does."""
        log.info("leading" if is_open else "not leading")
        if is_open:
            for chore in (self._everything, self._rules, self._status, self._certificate):
                chore.wake()

    def _policies_changed(self, before: Knowledge, known: Knowledge) -> None:
        differing = before.differing(known)
        if before.installed != known.installed:
            log.warning("expirypolicies.dayfly.dev installed=%s", known.installed)
        self._status.wake()
        if not differing:
            return
        log.info("policies changed policies=%s", ",".join(sorted(differing)))
        for chore in (self._kinds, self._everything, self._relist, self._rules, self._rights):
            chore.wake()

    def _stuck_changed(self, found: Stuck | None) -> None:
        self._status.wake()
        if found:
            self._reports.stuck(found)

    def _policy_uid(self, name: str) -> str:
        entry = self._book.known.entries.get(name)
        return entry.meta.uid if entry else ""

    # The life of a replica.

    def ready(self) -> str | None:
        """Say why this replica could not take over now; None if it could."""
        if not self._book.loaded:
            return "the policies are not read yet"
        if not self._book.known.installed:
            return "the kind expirypolicies.dayfly.dev is not installed"
        if not self._guard.reflector.synced.is_set():
            return "the ConfigMap dayfly-guard is not read yet"
        return self._watching.unsynced(self._rights_book.obstacles.keys())

    async def run(self, live: Callable[[], str | None], stop: asyncio.Event) -> None:
        """Work until ``stop``, then return at once; raises what any part failed of."""
        work = asyncio.create_task(self._work(live))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
        self._leadership.close()
        stopping.cancel()
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work

    async def _work(self, live: Callable[[], str | None]) -> None:
        async with asyncio.TaskGroup() as tasks:
            self._watching.start(tasks.create_task)
            for part in self._parts(live):
                tasks.create_task(part)

    def _parts(self, live: Callable[[], str | None]) -> Iterator[Coroutine[Any, Any, None]]:
        yield self._engine.queue.run()
        yield self._recorder.run()
        yield self._guard.reflector.run()
        yield from (reflector.run() for reflector in self._configurations.values())
        yield from (chore.run() for chore in self._chores())
        yield health.serve(
            str(self._settings.health_listen),
            live=live,
            ready=self.ready,
            registry=self._metrics.registry,
        )

    def _chores(self) -> tuple[Chore, ...]:
        return (
            self.policies,
            self._kinds,
            self._everything,
            self._relist,
            self._rules,
            self._rights,
            self._status,
            self._certificate,
            self._settle,
        )

    async def _settle_memory(self) -> float | None:
        """Leave what was loaded at start out of every later garbage collection."""
        if self.ready():
            return SETTLED_AGAIN
        gc.collect()
        gc.freeze()
        log.info("ready")
        return None

    def _readings(self) -> Readings:
        return Readings(
            leading=lambda: float(self._leadership.holds()),
            term=lambda: float(self._leadership.term),
            stamped=lambda: float(sum(1 for _ in self._watching.all_stamped())),
            waiting=lambda: float(
                self._engine.queue.load.urgent + self._engine.queue.load.ordinary
            ),
            deadlines=lambda: float(len(self._engine.deadlines)),
            stuck=lambda: float(len(tuple(self._namespaces.stuck()))),
            switched_off=lambda: float(len(self._rule_keeper.missing)),
            clock_skew=lambda: self._client.clock_skew or 0.0,
        )


def _whole(found: Configuration) -> Configuration:
    return found
