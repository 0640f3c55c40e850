"""Scales down and wakes what is in a namespace, one workload after the other.

A kill at any moment leaves each workload as it was or as it is to be, with what it had written on
it (:mod:`dayfly_core.scaling`). Whoever goes on reads all of them again and changes what is left.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, NamedTuple, Protocol

import msgspec

from dayfly_core import names, scaling
from dayfly_core.guard import Guard
from dayfly_core.objects import Key, ObjectMeta, Resource
from dayfly_core.scaling import Change, Workload
from dayfly_core.stamps import NO_CHANGES, Changes
from dayfly_kube.errors import ApiError
from dayfly_operator.workloads import Workloads
from dayfly_operator.writing import Outdated, Writer, written

ATTEMPTS: Final = 5
"""Times that a workload may change between being read and being written, in a row."""

Still = Callable[[], bool]
"""Whether what was ordered is still wanted; asked before each write, answers from memory."""


class Turns(Protocol):
    """The pace of writes that hurt."""

    async def turn(self) -> float:
        """Return when it is the caller's turn, with the seconds that it waited."""
        ...


class Witness(Protocol):
    """Who tells people."""

    def scaled(self, key: Key, uid: str, note: str) -> None:
        """Say what has become of a workload."""
        ...


class Judged(Protocol):
    """An order about one version of one object."""

    @property
    def key(self) -> Key:
        """Which object."""
        ...

    @property
    def uid(self) -> str:
        """Which of those that have had that name."""
        ...

    @property
    def resource_version(self) -> str:
        """Which version of it was judged."""
        ...


class Selector(msgspec.Struct, frozen=True):
    """Which workloads: of one kind (``Deployment``, in any case), with all of these labels."""

    kind: str
    labels: Mapping[str, str] = {}

    def selects(self, meta: ObjectMeta) -> bool:
        """Whether the object has the labels."""
        return self.labels.items() <= meta.label_map.items()


EVERYTHING: Final = tuple(Selector(kind.kind) for kind in scaling.WAYS)
"""All that can come to rest in a namespace."""

_KINDS: Final = {kind.kind.casefold(): kind for kind in scaling.WAYS}


class Scaled(NamedTuple):
    """What came of it."""

    done: tuple[Key, ...]
    """Scaled by this occurrence, now or earlier; or given back."""
    skipped: tuple[str, ...]
    """What was left alone, each in a sentence with its reason."""


class Means(msgspec.Struct, frozen=True):
    """What a scaler works with."""

    workloads: Workloads
    writer: Writer
    guard: Callable[[], Guard]
    turns: Turns
    witness: Witness


class Tally(msgspec.Struct):
    """What has come of a sweep so far. A refusal does not keep it from the others."""

    done: list[Key] = []
    skipped: list[str] = []
    refusal: ApiError | None = None

    def result(self) -> Scaled:
        """Return what came of it; raises the first refusal, so that it is tried again."""
        if self.refusal:
            raise self.refusal
        return Scaled(tuple(self.done), tuple(self.skipped))


class Sweep(msgspec.Struct, frozen=True):
    """What to do with each workload."""

    decide: Callable[[Key, Workload], Change | None]
    ready: Callable[[], Awaitable[None]]
    """Waits for what a write has to wait for; raises Outdated if it is no longer wanted."""
    tally: Tally


async def _at_once() -> None:
    """Wait for nothing: somebody is waiting for what is woken."""


def always() -> bool:
    """Say that what was ordered stays wanted."""
    return True


class Scaler:
    """Scales down and wakes, each write over the very version that was read."""

    def __init__(self, means: Means) -> None:
        self._means = means

    async def down(
        self,
        namespace: str,
        selectors: Sequence[Selector],
        occurrence: str,
        still: Still = always,
    ) -> Scaled:
        """Scale down what the selectors select, one after the other.

        Idempotent over crashes: what carries this ``occurrence`` (annotation ``scaled-by``) is
        done, even if somebody has scaled it up since. What is at 0 already is left alone.
        Raises Outdated (it is not wanted any more), NotLeading, Unreachable and, when all others
        are done, ApiError: then call it again with the same occurrence.
        """
        tally = Tally()

        async def ready() -> None:
            await self._means.turns.turn()
            if not still():
                raise Outdated

        for selector in selectors:
            kind = _KINDS.get(selector.kind.casefold())
            if kind is None:
                tally.skipped.append(_unknown(selector.kind))
                continue

            def decide(key: Key, found: Workload, selector: Selector = selector) -> Change | None:
                selected = selector.selects(found.metadata)
                return self._down(key, found, occurrence, tally) if selected else None

            await self._sweep(kind, namespace, Sweep(decide, ready, tally))
        return tally.result()

    async def up(self, namespace: str, occurrence: str = "") -> Scaled:
        """Give back everything in the namespace that Dayfly has scaled down; idempotent.

        With an ``occurrence``, only what that one has. Raises as :meth:`down`.
        """
        tally = Tally()

        def decide(key: Key, found: Workload) -> Change | None:
            wanted = occurrence in ("", scaling.scaled_by(found.metadata))
            return self._up(key, found, tally) if wanted else None

        for kind in reversed(tuple(scaling.WAYS)):
            await self._sweep(kind, namespace, Sweep(decide, _at_once, tally))
        return tally.result()

    async def down_one(self, order: Judged, occurrence: str, more: Changes) -> ObjectMeta | None:
        """Scale down one workload, and write ``more`` annotations, in one patch.

        Returns it as it is afterwards (None in a rehearsal). Raises Outdated if it is not the
        version that was judged any more; NotLeading, ApiError, Unreachable.
        """
        found = await self._judged(order)
        change = scaling.down(order.key.resource.pair, found, occurrence)
        return await self._write(order.key, found, change, more)

    async def up_one(self, order: Judged, more: Changes) -> ObjectMeta | None:
        """Give one workload back, and write ``more`` annotations, in one patch; likewise."""
        found = await self._judged(order)
        return await self._write(order.key, found, scaling.up(order.key.resource.pair, found), more)

    async def _judged(self, order: Judged) -> Workload:
        found = await self._means.workloads.read(order.key)
        judged = order.uid, order.resource_version
        if found is None or (found.metadata.uid, found.metadata.resource_version) != judged:
            raise Outdated
        return found

    async def _write(
        self, key: Key, found: Workload, change: Change | None, more: Changes = NO_CHANGES
    ) -> ObjectMeta | None:
        path = key.resource.path(key.namespace, key.name)
        patch = (change or Change("")).patch(found.metadata, more)
        answer = await self._means.writer.merge_patch(path, patch)
        if change:
            self._means.witness.scaled(key, found.metadata.uid, change.note)
        return written(answer)

    def _down(self, key: Key, found: Workload, occurrence: str, tally: Tally) -> Change | None:
        if scaling.scaled_by(found.metadata) == occurrence:
            tally.done.append(key)
            return None
        change = scaling.down(key.resource.pair, found, occurrence)
        return None if change is None or self._spared(key, found.metadata, tally) else change

    def _up(self, key: Key, found: Workload, tally: Tally) -> Change | None:
        change = scaling.up(key.resource.pair, found)
        return None if change is None or self._spared(key, found.metadata, tally) else change

    def _spared(self, key: Key, meta: ObjectMeta, tally: Tally) -> bool:
        why = self._why_not(key, meta)
        if why:
            tally.skipped.append(f"{key} {why}")
        return bool(why)

    def _why_not(self, key: Key, meta: ObjectMeta) -> str | None:
        if meta.deletion_timestamp:
            return "is being deleted"
        if owner := next((o for o in meta.owner_references or () if o.controller), None):
            return f"is left to its owner, {owner.kind} {owner.name}"
        if meta.protected:
            return f"carries the label {names.PROTECTED}"
        refusal = self._means.guard().refuses(key.resource, key.namespace, key.name)
        return f"is left alone: {refusal}" if refusal else None

    async def _sweep(self, kind: Resource, namespace: str, sweep: Sweep) -> None:
        try:
            async for key, found in self._means.workloads.all(kind, namespace):
                await self._settle(key, found, sweep)
        except ApiError as error:
            # A kind that we may not list is no reason to leave the others as they are.
            sweep.tally.refusal = sweep.tally.refusal or error

    async def _settle(self, key: Key, found: Workload, sweep: Sweep) -> None:
        tally, refusal = sweep.tally, None
        for _ in range(ATTEMPTS):
            change = sweep.decide(key, found)
            if change is None:
                return
            await sweep.ready()
            refusal = await self._refusal(key, found, change)
            if refusal is None:
                return tally.done.append(key)
            newest = await self._newest(key, refusal, tally)
            if newest is None:
                return
            found = newest
        tally.refusal = tally.refusal or refusal  # its owner is busy with it

    async def _newest(self, key: Key, refusal: ApiError, tally: Tally) -> Workload | None:
        if refusal.conflict:
            return await self._means.workloads.read(key)
        if not refusal.not_found:
            tally.refusal = tally.refusal or refusal
        return None

    async def _refusal(self, key: Key, found: Workload, change: Change) -> ApiError | None:
        try:
            await self._write(key, found, change)
        except ApiError as error:
            return error
        return None


def _unknown(kind: str) -> str:
    known = ", ".join(each.kind for each in scaling.WAYS)
    return f"{kind!r} is no kind that can be scaled down; write one of {known}"
