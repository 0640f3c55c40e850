"""What Ephemerators and NamespaceManagers have done: each act with its guard."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Protocol

import msgspec

from dayfly_core import names
from dayfly_core.errand import (
    Act,
    Announce,
    Came,
    DeleteItself,
    EndNamespace,
    Outcome,
    ScaleNamespace,
    Send,
)
from dayfly_core.namespace_manager import SCALABLE
from dayfly_core.objects import NAMESPACES, Key, ObjectMeta
from dayfly_core.outgoing import outbox
from dayfly_core.reasons import Reason
from dayfly_kube.errors import ApiError
from dayfly_operator.memory import Metadata, read
from dayfly_operator.outgoing.courier import Calls, Parcel
from dayfly_operator.own.namespace_end import Ended, NamespaceEnd, Withheld
from dayfly_operator.own.reports import Author, OwnReports
from dayfly_operator.scaling import Scaled, Selector, Still
from dayfly_operator.writing import Outdated, Writer


class Scaling(Protocol):
    """Who scales down."""

    async def down(
        self, namespace: str, selectors: tuple[Selector, ...], occurrence: str, still: Still
    ) -> Scaled:
        """Scale down what is selected; idempotent for one occurrence."""
        ...


class Order(msgspec.Struct, frozen=True):
    """One act, and the object that wants it."""

    author: Author
    act: Act
    target: ObjectMeta | None
    """The namespace that the author is about, as it was judged; None: there is none."""
    version: str
    """The author's own, as the act was recorded in it."""
    wanted: Callable[[], Awaitable[bool]]
    """Whether the author still is as it was when it was judged; asks the API server."""
    still: Still
    """The same, by memory."""
    arrived: Callable[[], None]
    """Called when there is something to collect of a webhook."""


class Acts(msgspec.Struct, frozen=True):
    """Carries them out. Raises NotLeading, Unreachable, Outdated, and ApiError of busy servers."""

    client: Metadata
    writer: Writer
    ending: NamespaceEnd
    scaler: Scaling
    calls: Calls
    reports: OwnReports
    chance: Callable[[], float]

    async def carry_out(self, order: Order) -> Outcome | None:
        """Do it; None while it is under way."""
        try:
            return await self._do(order)
        except ApiError as error:
            if not error.refused:
                raise
            self.reports.withheld(order.author, Reason.DELETION_FAILED, str(error))
            return Outcome(Came.FAILED, Reason.DELETION_FAILED, str(error), chance=self.chance())

    async def _do(self, order: Order) -> Outcome | None:
        match order.act:
            case EndNamespace():
                return await self._end(order, order.act)
            case DeleteItself():
                return await self._delete_itself(order)
            case ScaleNamespace():
                return await self._scale(order, order.act)
            case Announce():
                return await self._announce(order, order.act)
            case Send():
                return self._send(order, order.act)

    async def _end(self, order: Order, act: EndNamespace) -> Outcome:
        if order.target is None or order.target.uid != act.uid:
            return Outcome(Came.DONE, note=f"namespace {act.name} is gone")
        ended = await self.ending.end(
            order.target, by=order.author.text, due=act.due, wanted=order.wanted
        )
        if isinstance(ended, Withheld):
            # What is in doubt is looked at again soon; what is protected, when a watch tells.
            result = Came.WITHHELD if ended.certain else Came.FAILED
            return Outcome(result, ended.reason, ended.note, chance=self.chance())
        if isinstance(ended, Ended) and ended.sent_at:
            self.reports.ended(order.author, act, ended.sent_at)
            return Outcome(Came.DONE, note=f"namespace {act.name} was deleted")
        return Outcome(Came.DONE, note=f"namespace {act.name} is gone, or going")

    async def _delete_itself(self, order: Order) -> Outcome:
        key, uid = order.author.key, order.author.uid
        try:
            await self.writer.delete(
                key.resource.path(key.namespace, key.name),
                uid=uid,
                resource_version=order.version,
                propagation="Background",
            )
        except ApiError as error:
            if error.conflict:
                raise Outdated from error
            if not error.absent:
                raise
        self.reports.removed(order.author)
        return Outcome(Came.DONE)

    async def _scale(self, order: Order, act: ScaleNamespace) -> Outcome:
        found = await self._target(act.namespace, act.uid)
        if isinstance(found, Outcome):
            return found
        if found.protected:
            note = f"namespace {act.namespace} carries the label {names.PROTECTED}"
            return Outcome(Came.WITHHELD, Reason.PROTECTED, note, chance=self.chance())
        if not await order.wanted():
            raise Outdated
        known, unknown = _selectors(act)
        scaled = await self.scaler.down(act.namespace, known, act.id, order.still)
        note = _told(scaled, unknown)
        self.reports.scaled_down(order.author, act, note)
        return Outcome(Came.DONE, note=note)

    async def _announce(self, order: Order, act: Announce) -> Outcome:
        found = await self._target(act.namespace, act.uid)
        if isinstance(found, Outcome):
            return found
        head = {"uid": found.uid, "resourceVersion": found.resource_version}
        body = {"metadata": {**head, "annotations": {names.WARNING: act.sentence}}}
        # On what a policy has stamped, the warning is of its own end.
        stamped = names.POLICY in found.label_map
        if not stamped and found.annotation_map.get(names.WARNING) != act.sentence:
            await self._warn(order, act, body)
        self.reports.announced(order.author, act)
        return Outcome(Came.DONE)

    async def _warn(self, order: Order, act: Announce, body: object) -> None:
        """Write the warning; a namespace that does not take it is warned by an Event alone."""
        try:
            await self._patch(NAMESPACES.path(name=act.namespace), body)
        except ApiError as error:
            if not error.refused:
                raise
            self.reports.withheld(order.author, Reason.NOT_RECORDED, str(error))

    async def _target(self, namespace: str, uid: str) -> ObjectMeta | Outcome:
        """Read the namespace; of one that is gone, or going, there is nothing left to do."""
        meta = await read(self.client, Key(NAMESPACES, "", namespace))
        if meta is None or meta.uid != uid:
            return Outcome(Came.DONE, note=f"namespace {namespace} is gone")
        if meta.deletion_timestamp:
            return Outcome(Came.DONE, note=f"namespace {namespace} is being deleted")
        return meta

    async def _patch(self, path: str, body: object) -> None:
        try:
            await self.writer.merge_patch(path, body)
        except ApiError as error:
            if error.conflict or error.not_found:
                raise Outdated from error
            raise

    def _send(self, order: Order, act: Send) -> Outcome | None:
        secret = outbox.SecretRef(order.author.key.namespace, act.secret) if act.secret else None
        found = self.calls.collect(
            Parcel(act.id, act.attempt, act.url, act.body, secret), order.arrived
        )
        match found:
            case None:
                return None
            case outbox.Delivered(status):
                note = f"the receiver answered {status}"
                self.reports.called(order.author, act, note)
                return Outcome(Came.DONE, note=note)
            case outbox.Refused(reason):
                return Outcome(Came.REFUSED, Reason.DESTINATION_FORBIDDEN, reason)
            case outbox.Failed(reason, seconds):
                asked = None if seconds is None else timedelta(seconds=seconds)
                return Outcome(Came.FAILED, Reason.CALL_FAILED, reason, asked, self.chance())


def _selectors(act: ScaleNamespace) -> tuple[tuple[Selector, ...], list[str]]:
    """Return what to scale, and the kinds that are none of those that are scaled."""
    if not act.workloads:
        return tuple(map(Selector, SCALABLE)), []
    known = [each for each in act.workloads if each.kind.casefold() in SCALABLE]
    unknown = [each.kind for each in act.workloads if each not in known]
    return tuple(Selector(each.kind, each.labels) for each in known), unknown


def _told(scaled: Scaled, unknown: list[str]) -> str:
    kinds = " nor ".join(SCALABLE)
    skipped = [*scaled.skipped, *(f"{kind!r} is neither {kinds}" for kind in unknown)]
    done = ", ".join(map(str, scaled.done)) or "nothing had to be scaled down"
    return f"{done}; left alone: {'; '.join(skipped)}" if skipped else done
