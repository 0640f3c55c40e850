"""Down to nothing and back, as patches: what becomes of one workload, and what is remembered on it.

What it had is written in the same patch that takes it away, so that no crash can lose it. The
annotation ``scaled-by`` makes a repetition harmless: whose it is already is left alone, even if
somebody has scaled it up since.
"""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import msgspec

from dayfly_core import names
from dayfly_core.objects import (
    CRON_JOBS,
    DEPLOYMENTS,
    JOBS,
    SCALED_OBJECTS,
    STATEFUL_SETS,
    ObjectMeta,
    Resource,
)
from dayfly_core.policies import GroupResource
from dayfly_core.stamps import Changes

PAUSED_REPLICAS: Final = "autoscaling.keda.sh/paused-replicas"
"""Annotation of a ScaledObject: KEDA holds its target at this count."""

REST: Final = "0"
"""``paused-replicas`` of what is scaled down."""

SOMETHING: Final = 1
"""Replicas of what is woken although somebody has taken away the annotation that says how many."""

FINISHED: Final = ("Complete", "Failed")
"""Conditions of a Job that runs nothing any more."""


class WorkloadSpec(msgspec.Struct, frozen=True, gc=False):
    """``spec``, of whichever kind."""

    replicas: int | None = None
    suspend: bool | None = None


class JobCondition(msgspec.Struct, frozen=True, gc=False):
    """``status.conditions[]`` of a Job."""

    type: str = ""
    status: str = ""


class WorkloadStatus(msgspec.Struct, frozen=True, gc=False):
    """``status``, as far as it says that a Job has finished."""

    conditions: list[JobCondition] | None = None


class Workload(msgspec.Struct, frozen=True, gc=False):
    """Anything that can be scaled down, as the API server gives it."""

    metadata: ObjectMeta = ObjectMeta()
    spec: WorkloadSpec = WorkloadSpec()
    status: WorkloadStatus = WorkloadStatus()

    @property
    def finished(self) -> bool:
        """Whether it is a Job that runs nothing any more."""
        conditions = self.status.conditions or ()
        return any(c.type in FINISHED and c.status == "True" for c in conditions)


class Change(msgspec.Struct, frozen=True):
    """What to write, and what that does, for the log."""

    note: str
    spec: Mapping[str, object] = {}
    annotations: Changes = {}

    def patch(self, meta: ObjectMeta, more: Changes) -> dict[str, object]:
        """Return the merge patch over the very version that was read, with ``more`` annotations."""
        head = {"resourceVersion": meta.resource_version, "uid": meta.uid}
        body: dict[str, object] = {"metadata": head | {"annotations": {**self.annotations, **more}}}
        return body | {"spec": dict(self.spec)} if self.spec else body


class Way(NamedTuple):
    """How a kind comes to rest, and back. None: it rests already."""

    down: Callable[[Workload], Change | None]
    up: Callable[[Workload], Change]


def _release(workload: Workload) -> Change | None:
    count = 1 if workload.spec.replicas is None else workload.spec.replicas
    if count == 0:
        return None
    return Change(f"{count} replicas to 0", {"replicas": 0}, {names.REPLICAS: str(count)})


def _restore(workload: Workload) -> Change:
    if workload.spec.replicas != 0:
        return Change("somebody has scaled it up already")
    count = _remembered(workload)
    return Change(f"0 to {count} replicas", {"replicas": count})


def _remembered(workload: Workload) -> int:
    text = workload.metadata.annotation_map.get(names.REPLICAS, "")
    # An annotation is text that anybody may have restored from a backup: the count is an int32.
    readable = text.isascii() and text.isdigit() and len(text) <= 9
    return (int(text) if readable else 0) or SOMETHING


def _suspend(workload: Workload) -> Change | None:
    if workload.spec.suspend or workload.finished:
        return None
    return Change("suspended", {"suspend": True})


def _resume(workload: Workload) -> Change:
    return Change("resumed", {"suspend": False} if workload.spec.suspend else {})


def _pause(workload: Workload) -> Change | None:
    before = workload.metadata.annotation_map.get(PAUSED_REPLICAS)
    if before == REST:
        return None
    return Change("KEDA paused at 0", {}, {PAUSED_REPLICAS: REST, names.REPLICAS: before})


def _unpause(workload: Workload) -> Change:
    annotations = workload.metadata.annotation_map
    if annotations.get(PAUSED_REPLICAS) != REST:
        return Change("somebody has taken KEDA's pause away already")
    before = annotations.get(names.REPLICAS)
    return Change("KEDA goes on", {}, {PAUSED_REPLICAS: before})


REPLICAS: Final = Way(_release, _restore)
SUSPENSION: Final = Way(_suspend, _resume)
PAUSE: Final = Way(_pause, _unpause)

WAYS: Final[Mapping[Resource, Way]] = {
    DEPLOYMENTS: REPLICAS,
    STATEFUL_SETS: REPLICAS,
    CRON_JOBS: SUSPENSION,
    JOBS: SUSPENSION,
    SCALED_OBJECTS: PAUSE,
}
"""Every kind that can come to rest, in the order in which those of a namespace do: what makes
others (CronJobs) before what is made, and KEDA last, which otherwise takes replicas away before
they are counted. They wake in the reverse order: a workload that KEDA still holds would not."""

_WAY_OF: Final = {kind.pair: way for kind, way in WAYS.items()}

SCALABLE: Final[frozenset[GroupResource]] = frozenset(_WAY_OF)


def scaled_by(meta: ObjectMeta) -> str:
    """Return which occurrence scaled the object down; empty if Dayfly has not.

    Who plants the mark on a new object, to be left alone, cannot know the uid that belongs to it.
    """
    text, _, uid = meta.annotation_map.get(names.SCALED_BY, "").partition(" ")
    return text if uid == meta.uid else ""


def down(kind: GroupResource, workload: Workload, occurrence: str) -> Change | None:
    """Say what scales it down; None if it rests, or this occurrence has done it already."""
    if scaled_by(workload.metadata) == occurrence:
        return None
    change = _WAY_OF[kind].down(workload)
    if change is None:
        return None
    mark = f"{occurrence} {workload.metadata.uid}"
    return Change(change.note, change.spec, {**change.annotations, names.SCALED_BY: mark})


def up(kind: GroupResource, workload: Workload) -> Change | None:
    """Say what brings it back; None if it was not Dayfly that took it down.

    Here the mark may name another's uid, as on what was restored from a backup, or none, as older
    versions wrote it. Who plants one gets no more replicas by it than they could have written.
    """
    if not workload.metadata.annotation_map.get(names.SCALED_BY):
        return None
    change = _WAY_OF[kind].up(workload)
    forgotten: Changes = {names.REPLICAS: None, names.SCALED_BY: None}
    return Change(change.note, change.spec, {**change.annotations, **forgotten})
