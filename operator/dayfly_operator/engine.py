"""The loop: a key, what is known of it, the plan, its effects, and when to look again.

::

    watch ──> key ──> deadline ──due──> queue ──> observe ──> plan ──> effects
                         ▲                           ▲                   │ not the one judged
                         └──────── look again ───────┴── read by quorum ─┘

Every replica keeps watches and deadlines; only with the gate open do keys enter the queue. When it
opens, everything is looked at again, so nothing has to be handed over between leaders.
"""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

import msgspec
from msgspec.structs import replace

from dayfly_core import names
from dayfly_core.actions import Action, Annotate, Call, Delete, ScaleDown, Wake
from dayfly_core.objects import NAMESPACES, Key, ObjectMeta
from dayfly_core.pace import Backoff
from dayfly_core.recheck import LATEST, recheck
from dayfly_core.stamps import Changes
from dayfly_core.subject import Plan, Subject
from dayfly_kube.errors import ApiError, Unreachable
from dayfly_operator.crew import Around, Crew, Turn
from dayfly_operator.queue import WorkQueue
from dayfly_operator.rota import Lane
from dayfly_operator.schedule import Schedule
from dayfly_operator.stamped import Stamped
from dayfly_operator.unserved import Unserved
from dayfly_operator.writing import Gate, NotLeading, Outdated

ATTEMPTS: Final = 5
"""Times that an object may change between being judged and being acted on, at once; then the key
waits a little, as the object's owner is busy with it."""

AT_ONCE: Final = 20
"""Acts on one object in a row: more than a timeline has steps."""

SLICE: Final = 500
"""Objects looked at in one go when leadership begins: 10 ms in which no due end is served."""

BACKOFF: Final = Backoff(first=0.05, cap=3.0)
"""Short: it bounds how late an end is when the API server comes back."""


class Sight(msgspec.Struct, frozen=True):
    """An object as it is judged; the watch may know a newer one than it told, never than a read."""

    subject: Subject
    by_watch: bool


class Engine:
    """Looks at keys, one at a time each, several at once; hears of changes from the watches."""

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
        self._unserved = Unserved(now)
        self.queue: WorkQueue[Key] = WorkQueue(
            self.handle, workers=workers, backoff=BACKOFF, lane=self._lane
        )
        self._schedule = Schedule(self.queue, gate, now)
        self.deadlines = self._schedule.deadlines

    def stamped(self, key: Key, found: Stamped | None) -> None:
        """Hear from a watch of one stamped object: set its deadline, or have it looked at."""
        self._changed()
        if found is None:
            return self._gone(key)
        when = self._crew.world.due(key, found)
        if isinstance(when, datetime):
            return self.deadlines.set(key, when)
        self.deadlines.cancel(key)
        if when is Turn.NOW:
            self.look(key)
        return None

    def _gone(self, key: Key) -> None:
        self.deadlines.cancel(key)
        self._unserved.over(key)
        self._crew.unrecorded.over(key)
        self._crew.notes.over(key)
        if key.resource == NAMESPACES:
            self._crew.units.gone(key.name)

    def unstamped(self, key: Key) -> None:
        """Hear from a watch of an object that a policy wants to stamp."""
        self.look(key)

    def _lane(self, key: Key) -> Lane:
        """Say with whom what is due waits: policies take turns, and so do their namespaces."""
        known = self._crew.world.known(key)
        labels = known.meta.label_map if known else {}
        return Lane(labels.get(names.POLICY, ""), key.namespace)

    def look(self, key: Key) -> None:
        """Have one object looked at, if this process leads."""
        if self._gate.holds():
            self.queue.add(key)

    async def look_at_all(
        self, stamped: Iterable[tuple[Key, Stamped]], unstamped: Iterable[Key]
    ) -> None:
        """Look at everything: this process has begun to lead, or policies have changed."""
        for count, (key, found) in enumerate(stamped):
            self.stamped(key, found)
            if count % SLICE == SLICE - 1:
                await asyncio.sleep(0)
        for key in unstamped:
            self.look(key)

    async def handle(self, key: Key) -> None:
        """Do what is to be done for one key now."""
        if not self._gate.holds():
            return
        try:
            await self._process(key)
        except NotLeading:
            return  # the next leader looks at every key
        except (ApiError, Unreachable, Outdated) as error:
            known = self._schedule.failed(key, error) and self._crew.world.known(key)
            if known:
                self._crew.complaints.failing(known, str(error))

    async def _process(self, key: Key) -> None:
        """Do all that is due, one act after the other, each judged by what the last one left."""
        known = self._crew.world.known(key)
        sight = Sight(known, by_watch=True) if known else await self._read(key)
        passed = set[str]()
        for _ in range(AT_ONCE):
            if sight is None:
                break
            sight = await self._settle(sight, passed)
        else:
            return self.queue.add(key)  # it goes on, after those that wait
        newest = self._crew.world.known(key)
        if newest and passed and newest.meta.resource_version not in passed:
            self.look(key)  # a change was heard of while we were at another version
        return None

    async def _read(self, key: Key) -> Sight | None:
        found = await self._crew.world.read(key)
        if found is None:
            # As long as a watch still has it, it may be there: the answer may have been a proxy's.
            still = self._crew.world.known(key)
            self._schedule.again(key, self._now() + LATEST if still else None)
        return Sight(found, by_watch=False) if found else None

    async def _settle(self, sight: Sight, passed: set[str]) -> Sight | None:
        """Do what is to be done now; returns the object as it is after a write, if there was one.

        The versions that were judged are ``passed``.
        """
        key, current = sight.subject.key, sight
        for _ in range(ATTEMPTS):
            meta = current.subject.meta
            if meta.deletion_timestamp and key.resource == NAMESPACES:
                self._schedule.again(key, await self._crew.units.going(meta))
                return None
            plan = self._judged(current.subject)
            if not await self._ready(key, plan):
                return None
            # What the watch knew may have changed while the act waited for its turn.
            newest = self._crew.world.known(key) if current.by_watch else None
            subject = newest or current.subject
            passed.add(subject.meta.resource_version)
            try:
                return await self._act(subject, plan)
            except Outdated:
                read = await self._read(key)
            if read is None:
                return None
            current = read
        raise Outdated

    async def _ready(self, key: Key, plan: Plan) -> bool:
        """Wait for all that an act has to wait for, before it is judged for the last time.

        False if it is held back or blocked, and there is nothing to judge.
        """
        for action in plan.actions:
            if self._held_back(action):
                return False
            if isinstance(action, Annotate | Call) and self._has_to_come_back(key):
                return False
            if _is_paced(action):
                await self._crew.turns.turn()
            if isinstance(action, Delete) and action.unit and await self._blocked(action):
                return False
        if plan.actions and not self._crew.world.up_to_date(key):
            await self._crew.world.catch_up(key)
        return True

    def _has_to_come_back(self, key: Key) -> bool:
        """Whether it is not the key's turn to have something noted; it is looked at again then."""
        seconds = self._crew.notes.wait(key)
        if seconds:
            self._schedule.again(key, self._now() + timedelta(seconds=seconds))
        return seconds > 0

    async def _act(self, subject: Subject, waited_for: Plan) -> Sight | None:
        # From this judgement to the request there is no await: what is sent is what was judged.
        plan = self._judged(subject)
        if _hurting(plan) - _hurting(waited_for):
            raise Outdated  # its time came just now: what it waits for was not waited for
        if any(self._held_back(action) for action in plan.actions):
            return None
        after, again = None, plan.again
        for action in plan.actions:
            if isinstance(action, Delete) and action.release:
                again = await self._end_release(action)
            else:
                after = await self._carry_out(action, subject)
                self._unserved.over(action.key)
        if plan.unreadable:
            self._crew.complaints.ignored(subject, plan)
        self._schedule.again(subject.key, again)
        return Sight(replace(subject, meta=after), by_watch=False) if after else None

    async def _carry_out(self, action: Action, subject: Subject) -> ObjectMeta | None:
        try:
            return await self._crew.hands.carry_out(action, self._around(action, subject))
        except ApiError as error:
            if isinstance(action, Wake):
                self._unserved.refused(action)
            if error.refused:
                self._crew.complaints.refused(action, error)
            raise

    def _judged(self, subject: Subject) -> Plan:
        return self._unserved.judged(self._crew.unrecorded.noted(subject), self._crew.world.plan)

    async def _end_release(self, order: Delete) -> datetime | None:
        try:
            outcome = await self._crew.releases.end(order)
        except ApiError as error:
            if error.refused:
                self._crew.complaints.refused(order, error)
            raise
        if not outcome.blocked:
            return outcome.again
        self._crew.complaints.release_stays(order, outcome.blocked)
        return outcome.again or recheck(order.due, self._now())

    def _around(self, action: Action, subject: Subject) -> Around:
        def remember(changes: Changes, error: ApiError) -> ObjectMeta:
            self._crew.complaints.unrecorded(action, error)
            return self._crew.unrecorded.keep(subject, changes)

        return Around(
            still=lambda: self._still(action),
            wanted=lambda: self._wanted(action),
            arrived=lambda: self.look(action.key),
            remember=remember,
        )

    def _still(self, action: Action) -> bool:
        """Whether what is known by now would lead to the same act."""
        subject = self._crew.world.known(action.key)
        return subject is not None and self._leads_to(action, subject)

    async def _wanted(self, action: Action) -> bool:
        """Whether the object as it is would; of one that is going, nothing is taken back."""
        subject = await self._crew.world.read(action.key)
        if subject is None or subject.meta.deletion_timestamp:
            return True
        return self._leads_to(action, subject)

    def _leads_to(self, action: Action, subject: Subject) -> bool:
        return any(_same(each, action) for each in self._judged(subject).actions)

    def _held_back(self, action: Action) -> bool:
        why = self._crew.brakes.holds_back(action)
        if why is None:
            return False
        self._crew.complaints.held_back(action, why)
        self._schedule.again(action.key, self._now() + LATEST)
        return True

    async def _blocked(self, order: Delete) -> bool:
        keeper = await self._crew.units.keeper(order.key.name)
        if keeper is None:
            return False
        self._crew.complaints.blocked(order, keeper)
        self._schedule.again(order.key, recheck(order.due, self._now()))
        return True


def _hurting(plan: Plan) -> set[type]:
    """Return which kinds of act it has that take something away."""
    return {type(action) for action in plan.actions if isinstance(action, Delete | ScaleDown)}


def _is_paced(action: Action) -> bool:
    """Whether it is one write that hurts; of many, each waits for its own turn."""
    if isinstance(action, Delete):
        return action.release is None
    return isinstance(action, ScaleDown) and action.key.resource != NAMESPACES


def _same(one: Action, other: Action) -> bool:
    """Whether they do the same to the object, in whichever of its versions."""
    if isinstance(one, ScaleDown) and isinstance(other, ScaleDown):
        return (one.uid, one.occurrence) == (other.uid, other.occurrence)
    return one == other
