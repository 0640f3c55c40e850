"""What is done about one Ephemerator or NamespaceManager: read, judge, record, act, record.

::

    quorum read ──> plan ──> status, annotations (CAS) ──> act ──> what came of it (CAS) ──> again

What is begun is on record before it is done, and each write is over the version that was judged: a
successor finds out what was begun, and two leaders cannot both begin.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, Protocol

import msgspec
from msgspec.structs import replace

from dayfly_core.errand import Act, DeleteItself, Outcome, Plan, as_map
from dayfly_core.objects import EPHEMERATORS, NAMESPACE_MANAGERS, NAMESPACES, Key, ObjectMeta
from dayfly_core.reasons import Reason
from dayfly_kube.errors import ApiError
from dayfly_operator.memory import read
from dayfly_operator.own.acts import Acts, Order
from dayfly_operator.own.kinds import OwnKinds, OwnObject
from dayfly_operator.own.queue import NotKept, Resting
from dayfly_operator.own.reports import Author
from dayfly_operator.writing import NOTHING, Outdated, Writer

TOLD: Final = (Reason.GUARDED, Reason.PROTECTED, Reason.INVALID_SPEC)
"""Why a namespace that should end, or come to rest, is left alone: somebody should hear of it."""


COMPONENTS: Final = {EPHEMERATORS: "ephemerator", NAMESPACE_MANAGERS: "namespace-manager"}
"""Which component of the manifests has the definition of a kind."""


class Reader(Protocol):
    """The reading half of the client."""

    async def get(self, path: str, *, metadata_only: bool = False) -> bytes:
        """GET one object, from etcd."""
        ...


class Namespaces(Protocol):
    """What the watch of namespaces knows."""

    def remembered(self, name: str) -> ObjectMeta | None:
        """Return a namespace as it was last heard of."""
        ...


class Judge(Protocol):
    """What is particular about a kind; judges, and remembers between judgements."""

    def target(self, found: OwnObject) -> str:
        """Return the namespace that it is about; empty if that cannot be read."""
        ...

    def glance(self, found: OwnObject, namespace: ObjectMeta | None) -> Plan | None:
        """Decide by what is known already; None if something has to be read first."""
        ...

    async def plan(self, found: OwnObject, namespace: ObjectMeta | None) -> Plan:
        """Decide; reads what else it depends on."""
        ...

    def settle(self, found: OwnObject, outcome: Outcome) -> Plan:
        """Decide what follows from what came of the act."""
        ...

    def forget(self, key: Key) -> None:
        """Hear that an object is gone."""
        ...


class Office(msgspec.Struct, frozen=True):
    """What the desks of both kinds have in common."""

    client: Reader
    writer: Writer
    known: OwnKinds
    namespaces: Namespaces
    acts: Acts
    now: Callable[[], datetime]


class OwnDesk:
    """Handles one key at a time."""

    def __init__(self, office: Office, judge: Judge, again: Callable[[Key], None]) -> None:
        """``again`` has a key looked at soon: something has arrived for it."""
        self._office = office
        self._judge = judge
        self._again = again

    def rests(self, key: Key) -> Resting | None:
        """Return until when nothing is to be done, by what is known; asks nobody."""
        found = self._office.known.get(key)
        if found is None:
            return None
        namespace = self._office.namespaces.remembered(self._judge.target(found))
        plan = self._judge.glance(found, namespace)
        if plan is None or _stirs(plan) or (plan.again and plan.again <= self._office.now()):
            return None
        return Resting(plan.again)

    async def tend(self, key: Key) -> datetime | None:
        """Do what is to be done now; returns when to look again if nothing changes before."""
        found = await self._read(key)
        if found is None:
            self.forget(key)
            return None
        try:
            return await self._tend(key, found)
        except NotKept:
            # What is not on record is not begun: the next leader could not know of it.
            author = Author(key, found.metadata.uid)
            self._office.acts.reports.withheld(author, Reason.STATUS_NOT_KEPT, _not_kept(key))
            raise

    async def _tend(self, key: Key, found: OwnObject) -> datetime | None:
        target = await self._target(found)
        plan = await self._judge.plan(found, target)
        if plan.reason in TOLD:
            author = Author(key, found.metadata.uid)
            self._office.acts.reports.withheld(author, plan.reason, plan.note)
        written = await self._write(key, found, plan)
        if written is None or plan.act is None:
            return plan.again if written else None
        return await self._act(self._order(key, written, target, plan.act), written, plan.again)

    def forget(self, key: Key) -> None:
        """Hear that an object is gone."""
        self._judge.forget(key)

    def failing(self, key: Key, error: ApiError) -> None:
        """Say that the API server forbids, or fails at, what an object needs."""
        found = self._office.known.get(key)
        author = Author(key, found.metadata.uid if found else "")
        reason = Reason.MISSING_RIGHTS if error.refused else Reason.REQUEST_FAILS
        self._office.acts.reports.withheld(author, reason, str(error))

    async def _act(self, order: Order, found: OwnObject, again: datetime | None) -> datetime | None:
        outcome = await self._office.acts.carry_out(order)
        if outcome is None:
            return again  # under way: when there is an answer, it is looked at again
        if isinstance(order.act, DeleteItself):
            self._office.acts.reports.came(order.author, outcome, "")
            return None
        after = self._judge.settle(found, outcome)
        self._office.acts.reports.came(order.author, outcome, after.note)
        if not await self._write(order.author.key, found, after):
            return None
        if after.reason == Reason.GIVEN_UP:
            self._office.acts.reports.given_up(order.author, order.act, after.note)
        return after.again

    def _order(self, key: Key, found: OwnObject, target: ObjectMeta | None, act: Act) -> Order:
        meta = found.metadata

        async def wanted() -> bool:
            newest = await read(self._office.client, key)
            return newest is not None and newest.resource_version == meta.resource_version

        def still() -> bool:
            known = self._office.known.get(key)
            return known is not None and known.metadata.generation <= meta.generation

        def arrived() -> None:
            self._again(key)

        author = Author(key, meta.uid)
        return Order(author, act, target, meta.resource_version, wanted, still, arrived)

    async def _read(self, key: Key) -> OwnObject | None:
        try:
            body = await self._office.client.get(key.resource.path(key.namespace, key.name))
        except ApiError as error:
            if error.absent:
                return None
            raise  # also a 404 that does not name it: it may be there, and must not be forgotten
        return msgspec.json.decode(body, type=OwnObject)

    async def _target(self, found: OwnObject) -> ObjectMeta | None:
        name = self._judge.target(found)
        return await read(self._office.client, Key(NAMESPACES, "", name)) if name else None

    async def _write(self, key: Key, found: OwnObject, plan: Plan) -> OwnObject | None:
        """Write what the plan says, over this version; returns what it is then, None if gone."""
        try:
            if plan.status:
                found = await self._record(key, found, plan.status)
            if plan.metadata or plan.deactivate:
                found = await self._mark(key, found, plan)
        except ApiError as error:
            if error.conflict:
                raise Outdated from error
            if error.not_found:
                return None
            raise
        return found

    async def _mark(self, key: Key, found: OwnObject, plan: Plan) -> OwnObject:
        """Write what is not status. Annotations that it does not take keep nothing from going on.

        They are for people, and what they say is in the status as well.
        """
        path = key.resource.path(key.namespace, key.name)
        spec = {"spec": {"deactivated": True}} if plan.deactivate else {}
        try:
            marked = await self._patch(path, found, {"metadata": plan.metadata, **spec})
        except ApiError as error:
            if not (error.refused and plan.metadata):
                raise
            author = Author(key, found.metadata.uid)
            self._office.acts.reports.withheld(author, Reason.NOT_RECORDED, str(error))
            return await self._patch(path, found, spec) if spec else found
        return await self._record(key, marked, plan.concluded) if plan.concluded else marked

    async def _record(self, key: Key, found: OwnObject, status: Mapping[str, Any]) -> OwnObject:
        """Write the status; raises NotKept if the definition of the kind has no place for it."""
        path = f"{key.resource.path(key.namespace, key.name)}/status"
        try:
            after = await self._patch(path, found, {"status": status})
        except ApiError as error:
            # Of a status that is not served, the API server says that the object is not found.
            if error.not_found and await self._is_there(key, found):
                raise NotKept from error
            raise
        if any(value and name not in as_map(after.status) for name, value in status.items()):
            raise NotKept
        return after

    async def _is_there(self, key: Key, found: OwnObject) -> bool:
        newest = await self._read(key)
        return newest is not None and newest.metadata.uid == found.metadata.uid

    async def _patch(self, path: str, found: OwnObject, body: dict[str, Any]) -> OwnObject:
        meta = found.metadata
        head = {**body.get("metadata", {}), "uid": meta.uid}
        body = {**body, "metadata": {**head, "resourceVersion": meta.resource_version}}
        answer = await self._office.writer.merge_patch(path, body)
        if answer == NOTHING:  # a rehearsal: as if it had been written
            return replace(found, status={**as_map(found.status), **body.get("status", {})})
        return msgspec.json.decode(answer, type=OwnObject)


def _not_kept(key: Key) -> str:
    kind, component = key.resource.group_resource, COMPONENTS[key.resource]
    return (
        f"the definition of {kind} keeps no status, in which Dayfly records what it begins: "
        "nothing is done; it is not Dayfly's own (the original's perhaps, applied again); "
        f"apply manifests/components/{component}/crd.yaml"
    )


def _stirs(plan: Plan) -> bool:
    return bool(plan.act or plan.status or plan.metadata or plan.deactivate)
