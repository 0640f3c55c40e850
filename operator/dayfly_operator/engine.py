"""The loop: a key, what is known of it, the plan, its effects, and when to look again.

::

    watch ──> key ──> deadline ──due──> queue ──> observe ──> plan ──> effects
                         ▲                           ▲                   │ not the one judged
                         └──────── look again ───────┴── read by quorum ─┘

Every replica keeps watches and deadlines; only with the gate open do keys enter the queue. When it
opens, everything is looked at again, so nothing has to be handed over between leaders.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

from dayfly_core.actions import Delete
from dayfly_core.ending import Plan, Subject
from dayfly_core.objects import NAMESPACES, Key
from dayfly_core.pace import Backoff
from dayfly_kube.errors import ApiError, Unreachable
from dayfly_operator.crew import Crew
from dayfly_operator.deadlines import Deadlines
from dayfly_operator.queue import WorkQueue
from dayfly_operator.stamped import Stamped
from dayfly_operator.writing import Gate, NotLeading, Outdated

log = logging.getLogger(__name__)

ATTEMPTS: Final = 5
"""Times that an object may change between being judged and being acted on, at once; then the key
waits a little, as the object's owner is busy with it."""

REFUSED_AGAIN: Final = 30.0
"""Seconds until what the API server forbade is tried again: somebody has to grant it first."""

BLOCKED_AGAIN: Final = timedelta(seconds=60)
"""Until a namespace that holds something protected is looked at again."""

SLICE: Final = 500
"""Objects looked at in one go when leadership begins: 10 ms in which no due end is served."""

BACKOFF: Final = Backoff(first=0.05, cap=3.0)
"""Short: it bounds how late an end is when the API server comes back."""


class Engine:
    """Looks at keys, one at a time each, several at once; hears of changes from the watches.

    The breaker for surprising ends (catch-up, policy edits, a list that shrank) belongs in
    :meth:`_ready`, beside the pace: both hold an order back before it is judged for the last time.
    """

    def __init__(
        self,
        crew: Crew,
        gate: Gate,
        now: Callable[[], datetime],
        *,
        workers: int = 16,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._crew = crew
        self._gate = gate
        self._now = now
        self._changed = changed
        self.deadlines: Deadlines[Key] = Deadlines(self._due, now=now)
        self.queue: WorkQueue[Key] = WorkQueue(self.handle, workers=workers, backoff=BACKOFF)

    def stamped(self, key: Key, found: Stamped | None) -> None:
        """Hear from a watch of one stamped object: set its deadline, or have it looked at."""
        self._changed()
        if found is None:
            self._gone(key)
        elif self._crew.world.routine(key, found) and found.end is not None:
            self.deadlines.set(key, found.end)
        else:
            self.deadlines.cancel(key)
            self._look(key)

    def _gone(self, key: Key) -> None:
        self.deadlines.cancel(key)
        if key.resource == NAMESPACES:
            self._crew.units.gone(key.name)

    def unstamped(self, key: Key) -> None:
        """Hear from a watch of an object that a policy wants to stamp."""
        self._look(key)

    async def look_at_all(
        self, stamped: Iterable[tuple[Key, Stamped]], unstamped: Iterable[Key]
    ) -> None:
        """Look at everything: this process has begun to lead, or policies have changed."""
        for count, (key, found) in enumerate(stamped):
            self.stamped(key, found)
            if count % SLICE == SLICE - 1:
                await asyncio.sleep(0)
        for key in unstamped:
            self._look(key)

    async def handle(self, key: Key) -> None:
        """Do what is to be done for one key now."""
        if not self._gate.holds():
            return
        try:
            await self._process(key)
        except NotLeading:
            return  # the next leader looks at every key
        except Unreachable as error:
            self._later(key, error, 0.0)
        except ApiError as error:
            self._later(key, error, error.retry_after or 0.0)
        except Outdated:
            self.queue.retry(key)

    async def _process(self, key: Key) -> None:
        world = self._crew.world
        subject = world.known(key) or await world.read(key)
        for attempt in range(ATTEMPTS):
            if subject is None:
                return self.deadlines.cancel(key)
            if subject.meta.deletion_timestamp and key.resource == NAMESPACES:
                return self._again(key, await self._crew.units.going(subject.meta))
            plan = world.plan(subject)
            if not await self._ready(key, plan):
                return None
            # A read is newer than the watch may be; what the watch knew at first may have changed.
            newest = subject if attempt else world.known(key) or subject
            try:
                return await self._act(newest, plan)
            except Outdated:
                subject = await world.read(key)
        raise Outdated

    async def _ready(self, key: Key, plan: Plan) -> bool:
        """Wait for all that an act has to wait for, before it is judged for the last time.

        False if it is blocked, and there is nothing to judge.
        """
        for action in plan.actions:
            if isinstance(action, Delete):
                await self._crew.turns.turn()
                if action.unit and await self._blocked(action):
                    return False
        if plan.actions and not self._crew.world.up_to_date(key):
            await self._crew.world.catch_up(key)
        return True

    async def _act(self, subject: Subject, waited_for: Plan) -> None:
        # From this judgement to the request there is no await: what is sent is what was judged.
        plan = self._crew.world.plan(subject)
        if _ends(plan) and not _ends(waited_for):
            raise Outdated  # its end came just now: what an end waits for was not waited for
        await self._carry_out(plan)
        self._done(subject, plan)

    async def _carry_out(self, plan: Plan) -> None:
        for action in plan.actions:
            try:
                await self._crew.hands.carry_out(action)
            except ApiError as error:
                if error.forbidden or error.invalid:
                    self._crew.complaints.refused(action, error)
                raise

    async def _blocked(self, order: Delete) -> bool:
        member = await self._crew.units.protected_member(order.key.name)
        if member is None:
            return False
        self._crew.complaints.blocked(order, member)
        self._again(order.key, self._now() + BLOCKED_AGAIN)
        return True

    def _done(self, subject: Subject, plan: Plan) -> None:
        if plan.unreadable:
            self._crew.complaints.ignored(subject, plan)
        self._again(subject.key, plan.again)

    def _again(self, key: Key, when: datetime | None) -> None:
        if when is None:
            self.deadlines.cancel(key)
        else:
            self.deadlines.set(key, when)

    def _later(self, key: Key, error: Exception, at_least: float) -> None:
        refused = isinstance(error, ApiError) and (error.forbidden or error.invalid)
        delay = self.queue.retry(key, at_least=max(at_least, REFUSED_AGAIN if refused else 0.0))
        log.debug("tried again later object=%s in=%.2fs error=%s", key, delay, error)

    def _due(self, key: Key) -> None:
        if self._gate.holds():
            self.queue.add(key, urgent=True)

    def _look(self, key: Key) -> None:
        if self._gate.holds():
            self.queue.add(key)


def _ends(plan: Plan) -> bool:
    return any(isinstance(action, Delete) for action in plan.actions)
