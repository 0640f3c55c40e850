"""What the operator does to other people's objects, each act over the version that was judged."""

from collections.abc import Callable
from datetime import datetime
from typing import Final, Protocol, assert_never

import msgspec

from dayfly_core import names, patch, scaling
from dayfly_core.actions import Action, Annotate, Call, Delete, ScaleDown, Stamp, Wake
from dayfly_core.lifecycle import Result
from dayfly_core.objects import NAMESPACES, ObjectMeta
from dayfly_core.outgoing import outbox
from dayfly_core.outgoing.outbox import FollowUp, Retries, SecretRef, TimelineCall
from dayfly_core.pace import Backoff
from dayfly_core.stamps import Changes, Stamps
from dayfly_kube.errors import ApiError
from dayfly_operator.crew import Around
from dayfly_operator.outgoing.courier import Calls, Parcel
from dayfly_operator.scaling import EVERYTHING, Scaled, Scaler
from dayfly_operator.writing import Outdated, Writer, written

NOTHING: Final = Scaled((), ())

REFUSED: Final = Retries(limit=8, backoff=Backoff(first=30.0, cap=1800.0))
"""When a scale-down that the API server forbids is tried again: for about an hour."""

LONGEST_MESSAGE: Final = 256
"""Characters of a refusal that are recorded on an object."""


class Reports(Protocol):
    """Who tells people what happened."""

    def ending(self, order: Delete) -> None:
        """Say that the end of an object has come."""
        ...

    def ended(self, order: Delete, sent_at: datetime) -> None:
        """Say that the API server has taken the DELETE, sent at that instant."""
        ...

    def stamped(self, order: Stamp) -> None:
        """Say that an object has got its stamps."""
        ...

    def annotated(self, order: Annotate) -> None:
        """Say that something was recorded on an object."""
        ...

    def scaled_down(self, order: ScaleDown, scaled: Scaled) -> None:
        """Say that a workload, or what a namespace holds, was scaled down."""
        ...

    def not_scaled(self, order: ScaleDown, error: ApiError, *, given_up: bool) -> None:
        """Say that the API server forbids to scale something down."""
        ...

    def woken(self, order: Wake, scaled: Scaled) -> None:
        """Say that it is back."""
        ...

    def called(self, order: Call, outcome: FollowUp) -> None:
        """Say what came of an outgoing webhook."""
        ...


class Kit(msgspec.Struct, frozen=True):
    """What acts are done with."""

    writer: Writer
    scaler: Scaler
    calls: Calls
    reports: Reports
    now: Callable[[], datetime]
    chance: Callable[[], float]
    """A number in [0, 1), anew each time: attempts that failed together come back apart."""
    secrets: str
    """The namespace of the Secrets that sign webhooks: our own."""
    retries: Retries


class Effects:
    """Carries out actions. Each names uid and version, so none can hit what was not judged.

    An object that is gone already is success. Raises Outdated, NotLeading, ApiError, Unreachable.
    """

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    async def carry_out(self, action: Action, around: Around) -> ObjectMeta | None:
        """Do it, and report it; returns the object as it is afterwards, if that is known."""
        try:
            return await self._carry_out(action, around)
        except ApiError as error:
            if error.conflict:
                raise Outdated from error
            # A 404 that does not name the object is somebody else's, or of a kind that is no longer
            # served: what was to end may be there, and is not forgotten.
            if not error.absent:
                raise
        return None

    async def _carry_out(self, action: Action, around: Around) -> ObjectMeta | None:
        match action:
            case Delete():
                await self._delete(action)
            case Stamp():
                return await self._stamp(action)
            case Annotate():
                return await self._annotate(action, around)
            case ScaleDown():
                return await self._scale_down(action, around)
            case Call():
                return await self._call(action, around)
            case Wake():
                return await self._wake(action)
            case _:
                assert_never(action)
        return None

    async def _delete(self, order: Delete) -> None:
        key = order.key
        self._kit.reports.ending(order)
        sent_at = self._kit.now()
        await self._kit.writer.delete(
            key.resource.path(key.namespace, key.name),
            uid=order.uid,
            resource_version=order.resource_version,
            propagation="Background",
        )
        self._kit.reports.ended(order, sent_at)

    async def _stamp(self, order: Stamp) -> ObjectMeta | None:
        after = await self._write(order, order.stamps)
        self._kit.reports.stamped(order)
        return after

    async def _annotate(self, order: Annotate, around: Around) -> ObjectMeta | None:
        after = await self._record(order, order.annotations, around)
        self._kit.reports.annotated(order)
        return after

    async def _scale_down(self, order: ScaleDown, around: Around) -> ObjectMeta | None:
        try:
            return await self._rest(order, around)
        except ApiError as error:
            if not error.refused:
                raise
            return await self._postpone(order, error, around)

    async def _postpone(
        self, order: ScaleDown, error: ApiError, around: Around
    ) -> ObjectMeta | None:
        """Record when it is tried again, or that it is given up: later steps must have their turn.

        Somebody may grant what is missing meanwhile, so this takes longer than a webhook does.
        """
        now = self._kit.now()
        again = REFUSED.after(order.attempt, now, self._kit.chance())
        ledger = order.refused(now, again, str(error)[:LONGEST_MESSAGE])
        after = await self._record(order, {names.STEPS: ledger.text}, around)
        self._kit.reports.not_scaled(order, error, given_up=again is None)
        return after

    async def _rest(self, order: ScaleDown, around: Around) -> ObjectMeta | None:
        record: Changes = {names.STEPS: order.steps}
        if order.key.resource.pair == NAMESPACES.pair:
            scaled = await self._empty(order, around)
            after = await self._concluded(order, record, around)
        else:
            scaled = NOTHING
            after = await self._kit.scaler.down_one(order, order.occurrence, record)
        self._kit.reports.scaled_down(order, scaled)
        return after

    async def _concluded(
        self, order: ScaleDown, record: Changes, around: Around
    ) -> ObjectMeta | None:
        """Record that all is down; if it was extended since the last of it was, give it back.

        No watch need have told of that, and with another end there is no record to wake it by.
        """
        try:
            return await self._record(order, record, around)
        except ApiError as error:
            if error.conflict and not await around.wanted():
                await self._kit.scaler.up(order.key.name, order.occurrence)
            raise

    async def _empty(self, order: ScaleDown, around: Around) -> Scaled:
        """Scale down all in a namespace; if that is no longer wanted, give back what was taken."""
        namespace, scaler = order.key.name, self._kit.scaler
        try:
            return await scaler.down(namespace, EVERYTHING, order.occurrence, around.still)
        except Outdated:
            await scaler.up(namespace, order.occurrence)
            raise

    async def _wake(self, order: Wake) -> ObjectMeta | None:
        scaled = NOTHING
        if order.key.resource.pair == NAMESPACES.pair:
            scaled = await self._kit.scaler.up(order.key.name)
            after = await self._write(order, Stamps(order.annotations))
        elif order.key.resource.pair in scaling.SCALABLE:
            after = await self._kit.scaler.up_one(order, order.annotations)
        else:
            after = await self._write(order, Stamps(order.annotations))
        self._kit.reports.woken(order, scaled)
        return after

    async def _call(self, order: Call, around: Around) -> ObjectMeta | None:
        """Record what came of a webhook; until something has, there is nothing to do."""
        outcome = self._kit.calls.collect(self._parcel(order), around.arrived)
        if outcome is None:
            return None
        now, chance = self._kit.now(), self._kit.chance()
        follow_up = outbox.follow_up(outcome, order.attempt, self._kit.retries, now, chance)
        record: Changes = {names.STEPS: _recorded(order, follow_up, now)}
        after = await self._record(order, record, around)
        self._kit.reports.called(order, follow_up)
        return after

    def _parcel(self, order: Call) -> Parcel:
        told = TimelineCall(
            order.occurrence, order.policy, order.step, order.expires_at, order.key, order.uid
        )
        secret = order.webhook.secret
        return Parcel(
            order.occurrence,
            order.attempt,
            order.webhook.url,
            outbox.timeline_body(told),
            SecretRef(self._kit.secrets, secret) if secret else None,
        )

    async def _record(self, order: Action, said: Changes, around: Around) -> ObjectMeta | None:
        """Note on an object what was done, or is begun; what it does not take is remembered.

        Else whoever can keep an object from being changed could keep it from its end.
        """
        try:
            return await self._write(order, Stamps(said))
        except ApiError as error:
            if not (error.refused or error.unjudged):
                raise
            return around.remember(said, error)

    async def _write(self, order: Action, stamps: Stamps) -> ObjectMeta | None:
        key = order.key
        body = patch.merge_patch(stamps, order.resource_version, order.uid)
        path = key.resource.path(key.namespace, key.name)
        return written(await self._kit.writer.merge_patch(path, body))


def _recorded(order: Call, outcome: FollowUp, now: datetime) -> str:
    if outcome.again is not None:
        return order.ledger.postponed(order.step, outcome.again, outcome.message).text
    result = Result.DONE if outcome.delivered else Result.FAILED
    return order.ledger.ended(order.step, result, now, outcome.message).text
