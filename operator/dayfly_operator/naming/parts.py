"""The parts that keep names unique, made and given to each other."""

from collections.abc import Callable, Coroutine, Iterator, Mapping
from datetime import datetime
from random import Random
from typing import Any, Protocol

import msgspec

from dayfly_core.api import ClaimState, KeyKind
from dayfly_core.claim_key import ClaimKey
from dayfly_core.claim_repair import census
from dayfly_core.objects import Key, Resource
from dayfly_kube.client import Client
from dayfly_kube.discovery import Discovery
from dayfly_operator.naming.claim_desk import ClaimDesk
from dayfly_operator.naming.claim_repair import ClaimRepair
from dayfly_operator.naming.conflicts import ConflictKeeper, Reports
from dayfly_operator.naming.queue import NameQueue
from dayfly_operator.naming.register import Register, Watches
from dayfly_operator.naming.routes import Routed, Routes
from dayfly_operator.settings import Settings
from dayfly_operator.watching import Spawn
from dayfly_operator.writing import Gate, Polite, Writer


class Means(msgspec.Struct, frozen=True):
    """What these parts need of the others."""

    client: Client
    writer: Writer
    busy: Callable[[], bool]
    """Whether ends are due: names wait for them."""
    finder: Discovery
    watches: Watches
    gate: Gate
    settings: Settings
    now: Callable[[], datetime]
    monotonic: Callable[[], float]


class News(Protocol):
    """Who hears that something has changed, in the event loop."""

    def conflicts_changed(self) -> None:
        """Hear that there may be other conflicts about names than before."""
        ...


class NameParts:
    """Knowledge, hands and keepers of one replica, as far as they are about names."""

    def __init__(self, means: Means, reports: Reports, news: News) -> None:
        self._means = means
        self._news = news
        settings, clock = means.settings, means.monotonic
        writer = Polite(means.writer, means.busy)
        self.register = Register(means.client, means.watches, self._routes, self, clock)
        desk = ClaimDesk(
            means.client, writer, means.finder, settings.claim_ingress_hosts, self.claiming
        )
        repair = ClaimRepair(desk, self.register, clock, means.now, settings.claim_grace)
        self.names = NameQueue(repair, means.gate, Random().random)
        self.conflicts = ConflictKeeper(self.register, writer, reports, settings.namespace)

    def _routes(self, changed: Callable[[Key, Routed | None], None]) -> Routes:
        means = self._means
        selector = means.settings.claim_ingress_hosts
        return Routes(means.client, means.finder, selector, changed, means.monotonic)

    # What is known.

    def claiming(self) -> frozenset[Resource]:
        """Return the kinds whose hosts are claimed, as far as they are served."""
        return self.register.routes.served

    @property
    def loaded(self) -> bool:
        """Whether the claims are known, and what lists names besides namespaces and stamped."""
        return self.register.reflector.synced.is_set() and not self.register.routes.loading

    def census(self) -> Mapping[tuple[KeyKind, ClaimState], int]:
        """Count the claims."""
        return census(self.register.claims())

    def in_conflict(self) -> int:
        """Count the objects that want a name that another has."""
        return len(self.conflicts.notes)

    # What the parts ask of each other.

    def name_changed(self, key: ClaimKey) -> None:
        """Pass it on: the claim may have to follow, and there may be a conflict."""
        self.names.changed(key, claimed=self.register.claim(key.claim_name) is not None)
        self._news.conflicts_changed()

    def mark_changed(self) -> None:
        """Pass it on: who has removed the annotation will find it there again."""
        self._news.conflicts_changed()

    # What is done again and again.

    def running(self, spawn: Spawn) -> Iterator[Coroutine[Any, Any, None]]:
        """Yield what runs all the time; what begins later runs in tasks from ``spawn``."""
        self.register.routes.start(spawn)
        yield self.register.reflector.run()
        yield self.names.queue.run()

    async def look_at_all(self) -> None:
        """Look at every name."""
        await self.names.look_at_all()

    async def tell(self) -> None:
        """Find the conflicts, and say them if that is this replica's to do."""
        await self.conflicts.look()
        if self._means.gate.holds():
            await self.conflicts.tend()
