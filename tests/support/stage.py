"""The real engine over a cluster in memory, in virtual time: what it does, and when.

The API server here knows metadata only, and takes merge patches as RFC 7386 says, over the version
that they name; it shares no code with the simulation that it is compared with.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from msgspec.structs import replace as changed

from dayfly_core import ending, names
from dayfly_core.actions import Action, Annotate, Call, Delete, ScaleDown, Stamp, Wake
from dayfly_core.api import Enforcement
from dayfly_core.guard import Guard
from dayfly_core.lifecycle import Result
from dayfly_core.objects import NAMESPACES, Key, ObjectMeta, PartialObject
from dayfly_core.policies import Policies, fits
from dayfly_core.simulation import Event, described
from dayfly_core.stamps import Changes
from dayfly_core.subject import Plan, Subject
from dayfly_kube.errors import ApiError
from dayfly_operator.crew import Around, Crew, Turn
from dayfly_operator.engine import Engine
from dayfly_operator.members import Keeper
from dayfly_operator.stamped import Stamped, trimmed
from dayfly_operator.world import turn
from dayfly_operator.writing import Outdated
from support.nobody import NoBrakes, NoReleases


@dataclass
class Cluster:
    """Objects by key, the rules, and what was done to whom."""

    start: datetime
    objects: dict[Key, ObjectMeta]
    policies: Policies
    guard: Guard
    events: list[Event] = field(default_factory=list[Event])

    def now(self) -> datetime:
        """Return the time, as the event loop has it."""
        return self.start + timedelta(seconds=asyncio.get_running_loop().time())

    def stamped(self) -> dict[Key, Stamped]:
        """Return what the watch of stamped objects has."""
        found = {key: self.seen(key) for key in self.objects}
        return {key: each for key, each in found.items() if each}

    def seen(self, key: Key) -> Stamped | None:
        """Return what the watch of stamped objects has of one."""
        meta = self.objects.get(key)
        found = trimmed(PartialObject(metadata=meta)) if meta else None
        return found if found and found.policy else None


@dataclass
class Knowledge:
    """``World`` of the engine: knows everything at once."""

    cluster: Cluster

    def known(self, key: Key) -> Subject | None:
        """Return a stamped object, as far as it is kept in memory."""
        found = self.cluster.seen(key)
        return self._subject(key, found.meta) if found else None

    async def read(self, key: Key) -> Subject | None:
        """Return any object."""
        meta = self.cluster.objects.get(key)
        return self._subject(key, meta) if meta else None

    def up_to_date(self, key: Key) -> bool:
        """Return True."""
        return True

    async def catch_up(self, key: Key) -> None:
        """Return."""

    def due(self, key: Key, found: Stamped) -> datetime | Turn:
        """Return when the object's next step is due, as the operator computes it."""
        policy = self.cluster.policies.get(found.policy)
        if policy is None or policy.suspended or found.end is None:
            return Turn.NOW
        subject = self._subject(key, found.meta)
        kind, labels = subject.group_resource, subject.namespace_labels
        if policy.enforcement is Enforcement.AUDIT or not fits(policy, kind, found.meta, labels):
            return Turn.NOW
        return turn(policy, found.meta, found.end)

    def plan(self, subject: Subject) -> Plan:
        """Judge."""
        cluster = self.cluster
        return ending.plan(subject, cluster.policies, cluster.guard, cluster.now())

    def _subject(self, key: Key, meta: ObjectMeta) -> Subject:
        around = self.cluster.objects.get(Key(NAMESPACES, "", key.namespace))
        return Subject(key, meta, around)


class Listener(Protocol):
    """Who hears of changes."""

    def stamped(self, key: Key, found: Stamped | None) -> None:
        """Hear of a stamped object."""
        ...


class Hands:
    """Writes, and tells the watches."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.engine: Listener | None = None

    async def carry_out(self, action: Action, around: Around) -> ObjectMeta | None:
        """Do it over the version that was judged."""
        meta = self._cluster.objects.get(action.key)
        judged = action.uid, action.resource_version
        if meta is None or (meta.uid, meta.resource_version) != judged:
            raise Outdated
        self._cluster.events.append(described(action, self._cluster.now()))
        if isinstance(action, Delete):
            self._delete(action.key)
            return None
        return self._write(action.key, meta, action)

    def _write(self, key: Key, meta: ObjectMeta, action: Action) -> ObjectMeta:
        after = changed(
            meta,
            annotations=_merged(meta.annotations, _annotations(action, self._cluster.now())),
            labels=_merged(meta.labels, action.stamps.labels if isinstance(action, Stamp) else {}),
            resource_version=str(int(meta.resource_version) + 1),
        )
        self._cluster.objects[key] = after
        self._tell(key)
        return after

    def _delete(self, key: Key) -> None:
        gone = [key]
        if key.resource == NAMESPACES:
            gone += [each for each in self._cluster.objects if each.namespace == key.name]
        for each in gone:
            del self._cluster.objects[each]
        for each in gone:
            self._tell(each)

    def _tell(self, key: Key) -> None:
        assert self.engine
        self.engine.stamped(key, self._cluster.seen(key))


def _annotations(action: Action, now: datetime) -> Changes:
    match action:
        case Stamp():
            return action.stamps.annotations
        case Annotate() | Wake():
            return action.annotations
        case ScaleDown():
            return {names.STEPS: action.steps}
        case Call():
            return {names.STEPS: action.ledger.ended(action.step, Result.DONE, now).text}
        case Delete():
            raise AssertionError(action)


def _merged(present: Mapping[str, str] | None, patch: Changes) -> dict[str, str]:
    merged = dict(present or {})
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = value
    return merged


class Bystanders:
    """Turns that come at once, namespaces that hold nothing protected, nobody to complain to."""

    async def turn(self) -> float:
        """Return at once."""
        return 0.0

    async def keeper(self, namespace: str) -> None:
        """Name nothing."""

    async def going(self, meta: ObjectMeta) -> datetime | None:
        """Never again."""
        return None

    def gone(self, namespace: str) -> None:
        """Take note."""

    def refused(self, action: Action, error: ApiError) -> None:
        """Fail: nothing is refused here."""
        raise AssertionError(action)

    def unrecorded(self, action: Action, error: ApiError) -> None:
        """Fail: everything is taken note of here."""
        raise AssertionError(action)

    def blocked(self, order: Delete, keeper: Keeper) -> None:
        """Fail: nothing is protected here."""
        raise AssertionError(order)

    def failing(self, subject: Subject, error: str) -> None:
        """Fail: the API server answers here."""
        raise AssertionError(subject)

    def ignored(self, subject: Subject, plan: Plan) -> None:
        """Take note."""

    def held_back(self, action: Action, why: str) -> None:
        """Fail: there is no breaker here."""
        raise AssertionError(action)

    def release_stays(self, order: Delete, why: str) -> None:
        """Fail: there are no releases here."""
        raise AssertionError(order)

    def holds(self) -> bool:
        """Lead."""
        return True


async def executed(cluster: Cluster, length: timedelta) -> list[Event]:
    """Return what the engine does, for so long from the beginning."""
    hands, others = Hands(cluster), Bystanders()
    crew = Crew(Knowledge(cluster), hands, others, others, others, NoBrakes(), NoReleases())
    engine = hands.engine = Engine(crew, others, cluster.now)
    work = asyncio.create_task(engine.queue.run())
    stamped = cluster.stamped()
    await engine.look_at_all(
        stamped.items(), [key for key in cluster.objects if key not in stamped]
    )
    await asyncio.sleep(length.total_seconds())
    engine.deadlines.close()
    engine.queue.stop()
    await work
    return cluster.events
