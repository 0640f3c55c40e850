"""Everything that a decision reads, gathered before it: from memory, or from the API server now."""

from collections.abc import Callable
from datetime import datetime
from typing import Final, Protocol

import msgspec

from dayfly_core.api import Enforcement
from dayfly_core.guard import Guard
from dayfly_core.lifecycle import Plan, Subject, plan
from dayfly_core.objects import NAMESPACES, Key, ObjectMeta, PartialObject
from dayfly_kube.errors import ApiError
from dayfly_operator.policies import PolicyBook
from dayfly_operator.watching import Stamped

POLICIES_WITHIN: Final = 1.0
"""Seconds: an end is executed only by a policy that stood so at most this long ago."""


class Metadata(Protocol):
    """The reading half of the client, for metadata."""

    async def get(self, path: str, *, metadata_only: bool = False) -> bytes:
        """GET one object, from etcd."""
        ...


class Memory(Protocol):
    """What the watches have seen."""

    def stamped(self, key: Key) -> Stamped | None:
        """Return one stamped object."""
        ...

    def namespace(self, name: str) -> ObjectMeta | None:
        """Return a namespace if what is known of it is fresh."""
        ...


class World:
    """Turns a key into a subject, and a subject into a plan."""

    def __init__(
        self,
        book: PolicyBook,
        memory: Memory,
        guard: Callable[[], Guard],
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
        meta = await self._get(key)
        if meta is None or not key.namespace:
            return Subject(key, meta, None) if meta else None
        namespace = self._memory.namespace(key.namespace)
        namespace = namespace or await self._get(Key(NAMESPACES, "", key.namespace))
        return Subject(key, meta, namespace) if namespace else None

    def up_to_date(self) -> bool:
        """Whether the policies are known well enough to act by them.

        If they soon will not be, they are read again beside the act, so that in a row of ends
        none but the first waits for that.
        """
        if not self._book.is_fresh(POLICIES_WITHIN / 2):
            self.ageing()
        return self._book.is_fresh(POLICIES_WITHIN)

    async def catch_up(self) -> None:
        """Return when :meth:`up_to_date`; raises as :meth:`read`."""
        await self._book.fresh(POLICIES_WITHIN)

    def routine(self, found: Stamped) -> bool:
        """Whether all there is to do for a stamped object is to wait for its end."""
        policy = self._book.known.policies.get(found.policy)
        active = policy is not None and not policy.suspended
        # What an Audit policy held before has to be handed over.
        acts = policy is not None and policy.enforcement is not Enforcement.AUDIT
        return active and acts and found.end is not None and found.meta.deletion_timestamp is None

    def plan(self, subject: Subject) -> Plan:
        """Judge, by what is known at this moment."""
        return plan(subject, self._book.known.policies, self._guard(), self._now())

    def wants(self, key: Key, meta: ObjectMeta) -> bool:
        """Whether an object without a stamp would get one, or be complained of; or is in doubt."""
        namespace = self._memory.namespace(key.namespace) if key.namespace else None
        if key.namespace and namespace is None:
            return True
        decided = self.plan(Subject(key, meta, namespace))
        return bool(decided.actions) or decided.unreadable

    async def _get(self, key: Key) -> ObjectMeta | None:
        path = key.resource.path(key.namespace, key.name)
        try:
            body = await self._client.get(path, metadata_only=True)
        except ApiError as error:
            if error.not_found:
                return None
            raise
        return msgspec.json.decode(body, type=PartialObject).metadata
