"""Everything that a decision reads, gathered before it: from memory, or from the API server now."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, Protocol

from msgspec.structs import replace

from dayfly_core import agenda, names, timeline, waking
from dayfly_core.api import Enforcement, StepType
from dayfly_core.ending import plan
from dayfly_core.guard import Guard
from dayfly_core.lifecycle import Record, Result
from dayfly_core.objects import Key, ObjectMeta
from dayfly_core.policies import Policy, fits
from dayfly_core.subject import Plan, Subject
from dayfly_operator.crew import Turn
from dayfly_operator.memory import Memory, Metadata, read
from dayfly_operator.policies import PolicyBook
from dayfly_operator.stamped import Stamped

WITHIN: Final = 1.0
"""Seconds: an act follows a policy, and labels of a namespace, that stood so at most this long ago.
"""


def turn(policy: Policy, meta: ObjectMeta, end: datetime) -> datetime | Turn:
    """Return when an object's next step is due; cheap where nothing is recorded on it."""
    annotations = meta.annotation_map
    if names.WAKE_REQUESTED in annotations and waking.request(meta):
        return Turn.NOW
    warned = names.WARNING in annotations
    if not warned and names.STEPS not in annotations:
        return _next(policy, NOTHING, end)
    records = timeline.of(meta).records
    if warned and not any(name.startswith(StepType.NOTIFY) for name in records):
        return Turn.NOW  # of an end that has been moved
    if any(record.result is Result.PENDING for record in records.values()):
        return Turn.NOW  # when it is tried again depends on what time it is
    return _next(policy, records, end)


NOTHING: Final[Mapping[str, Record]] = {}


def _next(policy: Policy, records: Mapping[str, Record], end: datetime) -> datetime | Turn:
    following = agenda.coming(policy, records, end)
    return following.at if following else Turn.NEVER


class Guards(Protocol):
    """What is out of reach."""

    @property
    def known(self) -> bool:
        """Whether the API server has said so."""
        ...

    def certain(self) -> Guard:
        """Return it; raises Unreachable while it is not known."""
        ...

    def __call__(self) -> Guard:
        """Return it, as far as it is known."""
        ...


class World:
    """Turns a key into a subject, and a subject into a plan."""

    def __init__(
        self,
        book: PolicyBook,
        memory: Memory,
        guard: Guards,
        client: Metadata,
        now: Callable[[], datetime],
    ) -> None:
        self._book = book
        self._memory = memory
        self._guard = guard
        self._client = client
        self._now = now
        self.ageing: Callable[[], None] = lambda: None
        """Called when the policies should be read again before they are needed."""

    def known(self, key: Key) -> Subject | None:
        """Return a stamped object as the watches know it; None if they do not (any more)."""
        found = self._memory.stamped(key)
        if found is None:
            return None
        if not key.namespace:
            return Subject(key, found.meta, None)
        namespace = self._memory.namespace(key.namespace)
        return Subject(key, found.meta, namespace) if namespace else None

    async def read(self, key: Key) -> Subject | None:
        """Read the object, and its namespace if need be, by quorum; None if it is gone.

        Raises ApiError or Unreachable: then nothing is known, and nothing may be decided.
        """
        meta = await read(self._client, key)
        if meta is None or not key.namespace:
            return Subject(key, meta, None) if meta else None
        if self._memory.namespace(key.namespace) is None:
            await self._memory.fresh(key.namespace, WITHIN)
        namespace = self._memory.namespace(key.namespace)
        return Subject(key, meta, namespace) if namespace else None

    def up_to_date(self, key: Key) -> bool:
        """Whether the policies, and the object's namespace, are known well enough to act by them.

        If they soon will not be, they are read again beside the act, so that in a row of ends
        none but the first waits for that.
        """
        if not self._book.is_fresh(WITHIN / 2):
            self.ageing()
        if not self._is_fresh_around(key, WITHIN / 2):
            self._memory.refresh(key.namespace)
        known = self._guard.known and self._book.is_fresh(WITHIN)
        return known and self._is_fresh_around(key, WITHIN)

    async def catch_up(self, key: Key) -> None:
        """Return when :meth:`up_to_date`; raises as :meth:`read`."""
        self._guard.certain()
        policies = self._book.fresh(WITHIN)
        if key.namespace:
            await asyncio.gather(policies, self._memory.fresh(key.namespace, WITHIN))
        else:
            await policies

    def due(self, key: Key, found: Stamped) -> datetime | Turn:
        """Return until when all there is to do is to wait for the next step of the object.

        It may be too early, never too late: whoever looks then judges anew.
        """
        policy = self._book.known.policies.get(found.policy)
        if policy is None or policy.suspended or found.end is None:
            return Turn.NOW
        # What an Audit policy held before has to be handed over.
        acts = policy.enforcement is not Enforcement.AUDIT
        if not acts or found.meta.deletion_timestamp or not self.held(key, found):
            return Turn.NOW
        return turn(policy, found.meta, found.end)

    def held(self, key: Key, found: Stamped) -> bool:
        """Whether the policy that stamped an object still fits it.

        In a namespace that is not known (yet) it counts as held: to read the namespaces of 10,000
        objects at each start would be no better than to judge each when its end comes.
        """
        policy = self._book.known.policies.get(found.policy)
        namespace = self._memory.namespace(key.namespace) if key.namespace else None
        if policy is None or (key.namespace and namespace is None):
            return policy is not None
        labels = namespace.label_map if namespace else None
        return fits(policy, key.resource.pair, found.meta, labels)

    def plan(self, subject: Subject) -> Plan:
        """Judge, by what is known at this moment."""
        namespace = self._memory.namespace(subject.key.namespace) or subject.namespace
        return self._judged(replace(subject, namespace=namespace))

    def wants(self, key: Key, meta: ObjectMeta) -> bool:
        """Whether an object without a stamp would get one, or be complained of; or is in doubt."""
        namespace = self._memory.namespace(key.namespace) if key.namespace else None
        if key.namespace and namespace is None:
            return True
        decided = self._judged(Subject(key, meta, namespace))
        return bool(decided.actions) or decided.unreadable

    def _judged(self, subject: Subject) -> Plan:
        return plan(subject, self._book.known.policies, self._guard(), self._now())

    def _is_fresh_around(self, key: Key, within: float) -> bool:
        return not key.namespace or self._memory.is_fresh(key.namespace, within)
