"""Ends Helm releases as one: when the end of the last of a release's members has come.

::

    a member's end ──> do the others' ends lie in the past too? ──no──> wait for them
                            │ yes
                       read the release, judge all of it ──blocked──> say so, look again
                            │ free
                       record the intent ──> end each object ──> delete what Helm has stored
"""

import logging
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final, Protocol, assert_never

import msgspec

from dayfly_core.actions import Delete
from dayfly_core.helm.marks import ReleaseRef
from dayfly_core.helm.release import Step
from dayfly_core.helm.storage import Revision
from dayfly_core.objects import Key, ObjectMeta
from dayfly_core.recheck import recheck
from dayfly_kube.errors import ApiError, Unreachable
from dayfly_kube.releases import ReleaseReader
from dayfly_operator.crew import ReleaseOutcome
from dayfly_operator.helm.acts import Order, ReleaseActs, is_begun
from dayfly_operator.helm.reports import ReleaseReports
from dayfly_operator.helm.survey import (
    Due,
    Gone,
    Look,
    ReleaseSurvey,
    Stays,
    Stranger,
    Waits,
)
from dayfly_operator.writing import NotLeading, Outdated

log = logging.getLogger(__name__)

UNDER_WAY_AGAIN: Final = timedelta(seconds=2)
"""Until a release is looked at again while another of its members has begun to end it, or enough
others are ended."""

MOST_AT_ONCE: Final = 8
"""Releases that are looked at or ended at the same time: each may be thousands of objects, and half
of the workers is for ends of everything else."""

RESUME_EVERY: Final = 5.0
"""Seconds between looks for releases whose end was begun, while there are any."""


class Freshness(Protocol):
    """Whether policies and namespaces are known well enough to act by them."""

    def up_to_date(self, key: Key) -> bool:
        """Whether what an act on this object depends on is known well enough."""
        ...

    async def catch_up(self, key: Key) -> None:
        """Return when it is."""
        ...


class Turns(Protocol):
    """The pace of DELETEs."""

    async def turn(self) -> float:
        """Return when it is the caller's turn."""
        ...


class Means(msgspec.Struct, frozen=True):
    """Everything that it takes to end a release."""

    survey: ReleaseSurvey
    acts: ReleaseActs
    reader: ReleaseReader
    reports: ReleaseReports
    world: Freshness
    turns: Turns
    ends_releases: Callable[[str], bool]
    """Whether the policy of that name is in force, and ends releases as one."""
    now: Callable[[], datetime]


class HelmReleases:
    """Ends releases for their members, and goes on with what was begun."""

    def __init__(self, means: Means, begun: Callable[[], None]) -> None:
        """Call ``begun`` when the end of a release begins: it may come to need :meth:`resume`."""
        self._means = means
        self._tell_begun = begun
        self._under_way: set[ReleaseRef] = set()
        self._not_before: dict[ReleaseRef, datetime] = {}
        self._intended = frozenset[ReleaseRef]()

    def stopped(self) -> Iterator[tuple[str, str]]:
        """Yield policy and reason of each release whose end has come, and that does not end.

        What was in the way may have gone with all that could ask again: then it is over.
        """
        for ref in self._means.reports.stopped_releases():
            if not (ref in self._intended or self._means.survey.asked(ref)):
                self._means.reports.over(ref)
        return self._means.reports.stopped()

    async def end(self, action: Delete) -> ReleaseOutcome:
        """Do what the end of one member means for its release."""
        ref = action.release
        busy = ref in self._under_way or len(self._under_way) >= MOST_AT_ONCE
        if ref is None or busy:
            return ReleaseOutcome(again=self._means.now() + UNDER_WAY_AGAIN)
        hold = self._means.survey.remembered(ref)
        if hold:
            return self._waits(Order.of(action, ref), Waits.of(hold))
        with self._alone(ref):
            return await self._end(Order.of(action, ref), action)

    async def resume(self) -> float | None:
        """Go on with every release whose end was begun; returns when to look again, if ever.

        All its stamped members may be gone: then nobody else asks for the rest. Raises ApiError
        and Unreachable if the releases cannot be found.
        """
        orders = [order for order in map(Order.begun, await self._means.survey.begun()) if order]
        self._intended = frozenset(order.ref for order in orders)
        self._not_before = {
            order.ref: self._not_before[order.ref]
            for order in orders
            if order.ref in self._not_before
        }
        for order in orders:
            if order.ref not in self._under_way and not self._is_early(order.ref):
                await self._resumed(order)
        return RESUME_EVERY if orders else None

    def _is_early(self, ref: ReleaseRef) -> bool:
        moment = self._not_before.get(ref)
        return moment is not None and self._means.now() < moment

    async def _resumed(self, order: Order) -> None:
        log.info("going on with the end of a release release=%s", order.ref)
        try:
            with self._alone(order.ref):
                outcome = await self._end(order, None)
        except NotLeading:
            raise
        except (ApiError, Unreachable, Outdated) as error:
            # One that cannot be gone on with holds up none of the others.
            log.warning("release is not ended yet release=%s error=%s", order.ref, error)
            return
        if outcome.again:
            self._not_before[order.ref] = outcome.again

    @contextmanager
    def _alone(self, ref: ReleaseRef) -> Generator[None]:
        self._under_way.add(ref)
        try:
            yield
        finally:
            self._under_way.discard(ref)

    async def _end(self, order: Order, action: Delete | None) -> ReleaseOutcome:
        look = await self._look(order)
        if order.record and _is_another(order.record, look):
            # Upgraded since: what was begun was the end of a revision that is not in force.
            await self._means.acts.withdraw(order.record)
            self._means.reports.over(order.ref)
            return ReleaseOutcome()
        match look:
            case Waits():
                if look.newest:
                    await self._call_off(look.newest)
                return self._waits(order, look)
            case Due():
                return await self._due(order, look)
            case Stranger():
                if action:
                    await self._end_alone(order, action)
            case Stays() | Gone():
                pass
            case _:
                assert_never(look)
        self._means.reports.over(order.ref)
        return ReleaseOutcome()

    async def _look(self, order: Order) -> Look:
        look = await self._means.survey.look(order.ref, order.key, order.policy)
        hold = self._means.survey.remembered(order.ref)
        if hold and isinstance(look, Due):
            # Not listed, as far as one could read, or changed since: it is waited for either way.
            return Waits.of(hold, look.newest)
        return look

    def _waits(self, order: Order, look: Waits) -> ReleaseOutcome:
        self._means.reports.waits(order, look.note, lasting=look.forsaken)
        latest = recheck(order.due, self._means.now())
        return ReleaseOutcome(again=min(look.until or latest, latest))

    async def _call_off(self, newest: Revision) -> None:
        """Take the intent back: a member was extended, or its policy thinks otherwise by now."""
        if is_begun(newest):
            await self._means.acts.withdraw(newest.meta)

    async def _due(self, order: Order, look: Due) -> ReleaseOutcome:
        if look.plan.blockers or look.newest is None:
            text = self._means.reports.blocked(order, look.plan)
            again = recheck(order.due, self._means.now())
            return ReleaseOutcome(again=again, blocked=text)
        if not self._means.ends_releases(order.policy):
            await self._call_off(look.newest)
            return ReleaseOutcome()
        await self._means.acts.begin(look.newest, order)
        self._tell_begun()
        for step in look.plan.steps:
            await self._take(order, step, look.newest)
        await self._means.acts.forget(order.ref, look.newest)
        self._means.reports.ended(order, look.plan)
        return ReleaseOutcome()

    async def _take(self, order: Order, step: Step, newest: Revision) -> None:
        """End one object, if nothing has changed that decides about the release."""
        means = self._means
        await means.turns.turn()
        if not means.world.up_to_date(step.key):
            await means.world.catch_up(step.key)
        if await means.reader.is_succeeded(newest):
            # An upgrade looks at an object, finds it as it should be, and counts on it.
            raise Outdated
        if means.survey.remembered(order.ref) or not means.ends_releases(order.policy):
            raise Outdated
        await self._delete(order, step, f"with its Helm release {order.ref}")

    async def _end_alone(self, order: Order, action: Delete) -> None:
        """End an object by itself: it says that it is of the release, and nobody has it listed."""
        await self._means.turns.turn()
        step = Step(action.key, action.uid, action.resource_version)
        await self._delete(order, step, f"by itself: Helm release {order.ref} does not list it")

    async def _delete(self, order: Order, step: Step, why: str) -> None:
        sent_at = await self._means.acts.end(step, order.by)
        if sent_at:
            self._means.reports.deleted(order, step, sent_at, why)


def _is_another(record: ObjectMeta, look: Look) -> bool:
    """Whether another revision than the one with this Secret is the newest."""
    newest = look.newest if isinstance(look, Waits | Due) else None
    return newest is not None and newest.meta.uid != record.uid
