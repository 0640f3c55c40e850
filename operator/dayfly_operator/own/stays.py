"""Carries out Stays: what a tenant asks for, written on the namespace by those who may.

::

    quorum reads ──> decide ──> namespace (CAS) ──> status of the Stay (CAS)

A leader that dies between the two writes leaves a namespace that has what was asked: its successor
finds nothing to write there, and says so in the status.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

import msgspec

from dayfly_core import patch, reasons, stays
from dayfly_core.api import Stay
from dayfly_core.objects import NAMESPACES, Key, ObjectMeta
from dayfly_core.policies import Policies
from dayfly_core.reasons import Reason
from dayfly_core.stamps import Stamps
from dayfly_core.stays import Decision, Denied, Grant
from dayfly_kube.errors import ApiError
from dayfly_operator.memory import read
from dayfly_operator.own.kinds import OwnKinds, OwnObject
from dayfly_operator.own.queue import Resting
from dayfly_operator.telling import Teller
from dayfly_operator.writing import Outdated, Writer

log = logging.getLogger(__name__)

WITHIN = 1.0
"""Seconds: a Stay is granted by policies that stood so at most this long ago."""


class Reader(Protocol):
    """The reading half of the client."""

    async def get(self, path: str, *, metadata_only: bool = False) -> bytes:
        """GET one object, from etcd."""
        ...


class Knowledge(Protocol):
    """What is known of the policies."""

    @property
    def policies(self) -> Policies:
        """All that are usable."""
        ...


class Book(Protocol):
    """The policies, as fresh as one needs them."""

    @property
    def known(self) -> Knowledge:
        """What is known of them."""
        ...

    async def fresh(self, within: float) -> None:
        """Return when what is known is not older; raises ApiError, Unreachable."""
        ...


def target(found: OwnObject) -> str:
    """Return the namespace that a Stay is about: its own."""
    return found.metadata.namespace


class StayDesk:
    """Handles one Stay at a time; what is settled is never looked at again."""

    def __init__(
        self,
        reader: Reader,
        writer: Writer,
        book: Book,
        teller: Teller,
        now: Callable[[], datetime],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._book = book
        self._teller = teller
        self._now = now
        self.known: OwnKinds | None = None
        """What kopf has told; without it every Stay is read."""

    def rests(self, key: Key) -> Resting | None:
        """Say of a Stay that is settled that nothing is to be done."""
        found = self.known.get(key) if self.known else None
        return Resting(None) if found and _settled(found) else None

    def forget(self, key: Key) -> None:
        """Hear that a Stay is gone: what it has given stays."""
        self._teller.settled(key)

    def failing(self, key: Key, error: ApiError) -> None:
        """Say on a Stay that the API server forbids, or fails at, what it was granted."""
        reason = Reason.MISSING_RIGHTS if error.refused else Reason.REQUEST_FAILS
        self._complain(key, reason, str(error))

    def _complain(self, key: Key, reason: str, note: str) -> None:
        if self._teller.news(key, note):
            log.warning("stay not carried out stay=%s reason=%s note=%s", key, reason, note)
            found = self.known.get(key) if self.known else None
            self._teller.warn(key, found.metadata.uid if found else "", reason, note)

    async def tend(self, key: Key) -> None:
        """Carry it out, if it is not settled; raises ApiError, Unreachable, Outdated."""
        stay = await self._read(key)
        if stay is None or stay.metadata.deletion_timestamp or stays.settled(stay):
            return
        await self._book.fresh(WITHIN)
        namespace = await read(self._reader, Key(NAMESPACES, "", key.namespace))
        if namespace is None:
            return  # and the Stay with it
        decision = stays.decide(stay, namespace, self._book.known.policies, self._now())
        try:
            if isinstance(decision, Grant):
                await self._give(decision, namespace)
            await self._conclude(key, stay, decision)
        except ApiError as error:
            if error.conflict:
                raise Outdated from error
            if not error.not_found:
                raise

    async def _read(self, key: Key) -> Stay | None:
        try:
            body = await self._reader.get(key.resource.path(key.namespace, key.name))
            return msgspec.json.decode(body, type=Stay)
        except ApiError as error:
            if error.not_found:
                return None
            raise
        except msgspec.ValidationError as error:
            self._complain(key, Reason.INVALID_SPEC, f"it cannot be read: {error}")
            return None

    async def _give(self, grant: Grant, namespace: ObjectMeta) -> None:
        body = patch.merge_patch(Stamps(grant.changes), namespace.resource_version, namespace.uid)
        await self._writer.merge_patch(NAMESPACES.path(name=namespace.name), body)

    async def _conclude(self, key: Key, stay: Stay, decision: Decision) -> None:
        status = stays.status(stay, decision, self._now())
        meta = stay.metadata
        body = {
            "metadata": {"uid": meta.uid, "resourceVersion": meta.resource_version},
            "status": msgspec.to_builtins(status),
        }
        path = key.resource.path(key.namespace, key.name)
        await self._writer.merge_patch(f"{path}/status", body)
        self._tell(key, meta.uid, status.conditions[-1].message, decision)

    def _tell(self, key: Key, uid: str, note: str, decision: Decision) -> None:
        self._teller.settled(key)
        if isinstance(decision, Denied):
            log.info("stay denied stay=%s reason=%s note=%s", key, decision.reason, note)
            self._teller.warn(key, uid, decision.reason, note)
            return
        log.info("stay granted stay=%s note=%s", key, note)
        self._teller.tell(key, uid, Reason.GRANTED, note)


class Condition(msgspec.Struct, frozen=True):
    """One of ``status.conditions``."""

    type: str = ""


class Conditions(msgspec.Struct, frozen=True):
    """``status``, as far as it says that a Stay is settled."""

    conditions: list[Condition] = []


def _settled(found: OwnObject) -> bool:
    try:
        said = msgspec.convert(found.status or {}, Conditions).conditions
    except msgspec.ValidationError:
        return False
    return any(condition.type == reasons.Condition.GRANTED for condition in said)
