"""The life of one replica: what is done again and again, what wakes what, and how it ends."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Iterator
from itertools import chain
from typing import Any

from dayfly_certs.store import NotInstalled
from dayfly_kube import collector, health
from dayfly_operator.chores import Chore
from dayfly_operator.namespaces import Stuck
from dayfly_operator.parts import Parts, Tools
from dayfly_operator.policies import Knowledge
from dayfly_operator.tempo import (
    BREAKERS_EVERY,
    CONFLICTS_GAP,
    COUNT_GAP,
    COUNT_REST,
    FAREWELL,
    HISTORY_GAP,
    HISTORY_LONGEST_GAP,
    KINDS_EVERY,
    NOT_INSTALLED_AGAIN,
    RELABELLED_GAP,
    RELIST_GAP,
    REPAIR_EVERY,
    RULES_PATIENCE,
    SETTLED_AGAIN,
    STATUS_GAP,
)
from dayfly_operator.watching import RECHECK

log = logging.getLogger(__name__)


class Program:
    """One replica; ``policies.wake`` is for whoever hears of a changed policy."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._leadership = tools.leadership
        self._status_due = 0.0
        self._rules_until = 0.0
        self.policies = Chore("reading the policies", self._read_policies, every=REPAIR_EVERY)
        self._kinds = Chore("following the kinds", self._follow_kinds, every=KINDS_EVERY)
        self._everything = Chore("looking at everything", self._look_at_all)
        self._relabelled = Chore(
            "looking at what relabelled namespaces hold", self._look_at_all, gap=RELABELLED_GAP
        )
        self._relist = Chore("listing what has no stamp", self._list_again, gap=RELIST_GAP)
        self._rules = Chore("keeping the webhook rules", self._keep_rules)
        self._rights = Chore("reviewing rights", self._review_rights)
        self._releases = Chore("going on with Helm releases", self._go_on_with_releases)
        self._status = Chore("writing status", self._write_status, gap=COUNT_GAP)
        self._names = Chore("looking at all names", self._look_at_names, every=REPAIR_EVERY)
        self._conflicts = Chore("telling conflicts", self._tell_conflicts, gap=CONFLICTS_GAP)
        self._breakers = Chore("looking at the breakers", self._look_at_breakers)
        self._settle = Chore("settling", self._settle_memory)
        self._certificate = Chore(
            "keeping the certificate",
            self._keep_certificate,
            every=REPAIR_EVERY,
            expected=(NotInstalled,),
        )
        self.parts = Parts(tools, self)
        commit, gaps = self.parts.history.commit, (HISTORY_GAP, HISTORY_LONGEST_GAP)
        self._history = Chore("writing the history", commit, gap=gaps[0], longest_gap=gaps[1])

    # What is done again and again.

    async def _read_policies(self) -> float | None:
        await self.parts.book.refresh()
        return None if self.parts.book.known.installed else NOT_INSTALLED_AGAIN

    async def _follow_kinds(self) -> float | None:
        book, watching = self.parts.book, self.parts.watching
        if not book.loaded:
            return SETTLED_AGAIN
        before = watching.served, watching.missing
        complete = await watching.follow(book.known.policies.resources)
        if (watching.served, watching.missing) != before:
            self._rights.wake()
        await self._follow_routes()
        return None if complete else RECHECK

    async def _follow_routes(self) -> None:
        await self.parts.names.register.routes.follow()
        if self.parts.webhooks.rules.want(self.parts.watching.served, self.parts.names.claiming()):
            self._rules.wake()

    async def _look_at_all(self) -> float | None:
        watching = self.parts.watching
        complete = watching.namespaces.synced.is_set()
        await self.parts.braking.surprises.follow()
        await self.parts.engine.look_at_all(watching.all_stamped(), watching.all_unstamped())
        # Of what is in a namespace that was not known yet, nobody has asked whose it is.
        return None if complete else SETTLED_AGAIN

    async def _list_again(self) -> None:
        self.parts.watching.relist()

    async def _review_rights(self) -> float | None:
        rights, watching = self.parts.rights, self.parts.watching
        before = rights.obstacles, rights.of_releases, rights.of_scaling
        again = await rights.review(watching.served, watching.missing)
        again = await rights.review_releases(wanted=self.parts.releases.wanted) or again
        again = await rights.review_scaling(wanted=self.parts.scales_namespaces()) or again
        if (rights.obstacles, rights.of_releases, rights.of_scaling) != before:
            self._status.wake()
        return again

    async def _go_on_with_releases(self) -> float | None:
        if not self._leadership.holds():
            return None
        # What is not known yet would look like a reason to call an end off.
        return SETTLED_AGAIN if self.ready() else await self.parts.releases.releases.resume()

    async def _keep_rules(self) -> float | None:
        if not self.parts.webhooks.rules.informed:
            # A leader that has only just started must not take away what the last one has set. With
            # no policy at all nothing will differ and wake this; our own kinds need rules too.
            return SETTLED_AGAIN
        if self._leadership.holds():
            await self.parts.webhooks.rules.tend()
        return None

    async def _look_at_names(self) -> float | None:
        if not self._leadership.holds():
            return None
        if not self._names_known():
            return SETTLED_AGAIN
        self.parts.names.conflicts.forget()
        await self.parts.names.look_at_all()
        self._conflicts.wake()
        return None

    async def _look_at_breakers(self) -> float | None:
        leading = self._leadership.holds()
        return BREAKERS_EVERY if leading and self.parts.braking.breakers.look() else None

    async def _tell_conflicts(self) -> float | None:
        if not self._names_known():
            return SETTLED_AGAIN
        await self.parts.names.tell()
        return None

    def _names_known(self) -> bool:
        """Whether all is known that can have a name: it must not depend on which watch is first."""
        return self.ready() is None and self.parts.names.loaded

    async def _write_status(self) -> float | None:
        if not self._leadership.holds():
            return None
        if not self._settled():
            return SETTLED_AGAIN
        now = self._tools.clocks.monotonic()
        if now < self._status_due:
            return self._status_due - now
        gap = STATUS_GAP if await self.parts.status.tend() else 0.0
        took = self._tools.clocks.monotonic() - now
        self._status_due = now + max(gap, took * (1 + COUNT_REST))
        return None

    def _settled(self) -> bool:
        """Whether all that a status tells is known: half a truth would have to be taken back."""
        wanted = self.parts.book.known.policies.resources
        reviewed = self.ready() is None and wanted == self.parts.rights.reviewed
        return reviewed and (self.parts.webhooks.rules.settled or self._overlong())

    def _overlong(self) -> bool:
        """Whether the webhooks have had their time to follow a changed policy."""
        return self._tools.clocks.monotonic() > self._rules_until

    async def _keep_certificate(self) -> None:
        if not self._tools.settings.dry_run:
            await self.parts.webhooks.certificate.tend(self._tools.clocks.now())

    async def _settle_memory(self) -> float | None:
        """Leave what was loaded at start out of every later garbage collection."""
        if self.ready():
            return SETTLED_AGAIN
        collector.settled()
        log.info("ready")
        return None

    # What wakes what.

    def leadership_changed(self, is_open: bool) -> None:
        """Take up, or lay down, what only the leader does."""
        log.info("leading" if is_open else "not leading")
        if is_open:
            self.parts.braking.breakers.term_begins()
            for chore in (self._everything, self._rules, self._status, self._certificate):
                chore.wake()
            for chore in (self._history, self._breakers, self._names, self._releases):
                chore.wake()
            self.parts.own.lead()

    def kinds_again(self) -> None:
        """Hear that the watch of our own kinds begins (again): whatever happened until now."""
        self.policies.wake()
        self.parts.own.missed()

    def policies_changed(self, before: Knowledge, known: Knowledge) -> None:
        """Have everything looked at in the light of policies that mean something else now."""
        differing = before.differing(known)
        if before.installed != known.installed:
            log.warning("expirypolicies.dayfly.dev installed=%s", known.installed)
        self._status.wake()
        self._breakers.wake()
        if not differing:
            return
        self.parts.braking.surprises.policies_changed()
        log.info("policies changed policies=%s", ",".join(sorted(differing)))
        self._rules_until = self._tools.clocks.monotonic() + RULES_PATIENCE
        for chore in (self._kinds, self._everything, self._relist, self._rules, self._rights):
            chore.wake()

    def policies_ageing(self) -> None:
        """Read the policies beside the acts that use them."""
        self.policies.wake()

    def guard_changed(self) -> None:
        """Look at everything: what was guarded may end now."""
        self._everything.wake()
        self.parts.own.lead()

    def namespace_relabelled(self) -> None:
        """Look at what is stamped, and list what is not: it may be another policy's now."""
        for chore in (self._relabelled, self._relist, self._status):
            chore.wake()

    def stamped_changed(self) -> None:
        """Count again."""
        self._status.wake()

    def webhooks_changed(self) -> None:
        """Compare again, and tell whether deploys are seen."""
        self._rules.wake()
        self._status.wake()

    def certificate_changed(self) -> None:
        """Look at it."""
        self._certificate.wake()

    def releases_begun(self) -> None:
        """See to it that it is gone on with, whatever happens to the object that began it."""
        self._releases.wake()

    def conflicts_changed(self) -> None:
        """Look who loses."""
        self._conflicts.wake()

    def breaker_changed(self) -> None:
        """Tell it, and look at what may be released."""
        self._status.wake()
        self._everything.wake()

    def history_noted(self) -> None:
        """Write it down."""
        self._history.wake()

    def stuck_changed(self, found: Stuck | None) -> None:
        """Tell it."""
        self._status.wake()
        if found:
            self.parts.complaints.stuck(found)

    # Its life.

    def ready(self) -> str | None:
        """Say why this replica could not take over now; None if it could."""
        book = self.parts.book
        if not book.loaded:
            return "the policies are not read yet"
        if not book.known.installed:
            return "the kind expirypolicies.dayfly.dev is not installed"
        if not self.parts.guard.reflector.synced.is_set():
            return "the ConfigMap dayfly-guard is not read yet"
        if not self.parts.names.register.reflector.synced.is_set():
            return "the NameClaims are not listed yet"
        return self.parts.watching.unsynced(self.parts.rights.obstacles.keys())

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

    async def farewell(self) -> None:
        """Post the Events and the history that are left, once the Lease is released.

        They tell of what was done while it was held: late they are as true, and the next leader
        need not wait for them. It is not an act, so it does not ask the gate.
        """
        if not self._tools.settings.dry_run:
            await asyncio.gather(
                self.parts.recorder.finish(self._tools.client, FAREWELL),
                self.parts.history.finish(FAREWELL),
            )

    async def _work(self, live: Callable[[], str | None]) -> None:
        async with asyncio.TaskGroup() as tasks:
            self.parts.watching.start(tasks.create_task)
            running = self.parts.names.running(tasks.create_task), self.parts.own.running()
            for part in chain(self._running(live), *running):
                tasks.create_task(part)

    def _running(self, live: Callable[[], str | None]) -> Iterator[Coroutine[Any, Any, None]]:
        parts = self.parts
        yield parts.engine.queue.run()
        yield parts.recorder.run()
        yield parts.courier.run()
        yield parts.guard.reflector.run()
        yield from parts.webhooks.running()
        yield from (chore.run() for chore in self._chores())
        yield health.serve(
            str(self._tools.settings.health_listen),
            live=live,
            ready=self.ready,
            registry=parts.metrics.registry,
        )

    def _chores(self) -> tuple[Chore, ...]:
        return (
            self.policies,
            self._kinds,
            self._everything,
            self._relabelled,
            self._relist,
            self._rules,
            self._rights,
            self._status,
            self._certificate,
            self._names,
            self._conflicts,
            self._releases,
            self._breakers,
            self._history,
            self._settle,
        )
