"""What is known of the ExpiryPolicies, and since when."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from math import inf
from typing import Protocol

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from dayfly_core import api, instant, reach, timeline
from dayfly_core.objects import EXPIRY_POLICIES, ObjectMeta
from dayfly_core.policies import InvalidPolicy, Policies, Policy, read_policy
from dayfly_core.reach import Reach
from dayfly_kube.errors import ApiError

log = logging.getLogger(__name__)


class Getter(Protocol):
    """The reading half of the client."""

    async def get(self, path: str) -> bytes:
        """GET."""
        ...


class Listed(msgspec.Struct, frozen=True):
    """One policy of a list; spec and status are read one by one: a bad one spoils no other."""

    metadata: ObjectMeta = ObjectMeta()
    spec: msgspec.Raw = msgspec.Raw(b"null")
    status: msgspec.Raw = msgspec.Raw(b"null")


class Listing(msgspec.Struct, frozen=True):
    """``ExpiryPolicyList``."""

    items: list[Listed] = []


class Entry(msgspec.Struct, frozen=True):
    """One stored policy, with what it means or why it means nothing."""

    meta: ObjectMeta
    policy: Policy | None
    fault: str
    status: api.ExpiryPolicyStatus
    reach: Reach | None = None
    """What it does, and since when; None before the book has looked at it."""


class Knowledge(msgspec.Struct, frozen=True):
    """All policies as they were at one moment."""

    entries: Mapping[str, Entry] = {}
    policies: Policies = msgspec.field(default_factory=Policies)
    installed: bool = True
    """False while the API server does not serve the kind."""

    def differing(self, other: "Knowledge") -> frozenset[str]:
        """Names of the policies that mean something else in ``other``, or are not there."""
        names = self.entries.keys() | other.entries.keys()
        return frozenset(name for name in names if self._meaning(name) != other._meaning(name))

    def _meaning(self, name: str) -> tuple[Policy | None, str] | None:
        entry = self.entries.get(name)
        return (entry.policy, entry.fault) if entry else None


class PolicyBook:
    """Keeps the policies by listing them whole: few objects, and one answer is one moment.

    A watch only says *when* to list (``kinds``). So whatever a stream missed is repaired by the
    next list, and an act that needs fresh knowledge has one way to get it.
    """

    def __init__(
        self,
        client: Getter,
        monotonic: Callable[[], float],
        changed: Callable[[Knowledge, Knowledge], None],
        now: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._monotonic = monotonic
        self._changed = changed
        self._now = now
        self._read_at = -inf
        self._reading: asyncio.Task[None] | None = None
        self.known = Knowledge()

    @property
    def loaded(self) -> bool:
        """Whether a list was ever answered."""
        return self._read_at > -inf

    def is_fresh(self, within: float) -> bool:
        """Whether what is known was true at some moment of the last ``within`` seconds."""
        return self._monotonic() - self._read_at <= within

    async def fresh(self, within: float) -> None:
        """Return when :meth:`is_fresh`; any number of callers share a request, and its failure.

        A request that was sent less than ``within`` seconds ago is waited for, even if its answer
        takes longer: what matters is that the answer is not older than the caller wants.
        Raises ApiError or Unreachable: then nothing may be decided.
        """
        since = self._monotonic() - within
        while self._read_at < since:
            if self._reading is None:
                self._reading = asyncio.create_task(self._read())
            await asyncio.shield(self._reading)

    async def refresh(self) -> None:
        """Return when what is known was true at some moment from now on."""
        await self.fresh(0.0)

    async def _read(self) -> None:
        try:
            # The answer is as old as the question; without resourceVersion it is a quorum read.
            asked_at = self._monotonic()
            known = await self._list()
        finally:
            self._reading = None
        previous, self.known, self._read_at = self.known, known, asked_at
        self._changed(previous, known)

    async def _list(self) -> Knowledge:
        try:
            body = await self._client.get(EXPIRY_POLICIES.path())
        except ApiError as error:
            if error.not_found:
                return Knowledge(installed=False)
            raise
        listing = msgspec.json.decode(body, type=Listing)
        entries = {item.metadata.name: self._entry(item) for item in listing.items}
        return Knowledge(entries, Policies(e.policy for e in entries.values() if e.policy))

    def _entry(self, item: Listed) -> Entry:
        status = status_of(item.status)
        old = self.known.entries.get(item.metadata.name)
        if old and _same_spec(old.meta, item.metadata):
            policy, fault = old.policy, old.fault
        else:
            policy, fault = _read(item)
        entry = Entry(item.metadata, policy, fault, status)
        # Whole seconds, as they are written: what is read back must be what was remembered.
        now = self._now().replace(microsecond=0)
        return _sighted(entry, old if old and old.meta.uid == entry.meta.uid else None, now)


def _sighted(entry: Entry, old: Entry | None, now: datetime) -> Entry:
    """Note since when the policy does what it does, and each of its steps is known."""
    present = reach.reach(entry.policy, _reaches(entry, old), now)
    if entry.policy is None:
        return replace(entry, reach=present)
    known = timeline.known_since(entry.policy.steps, _steps(entry, old), now)
    policy = replace(entry.policy, known=known, since=present.since)
    return replace(entry, policy=policy, reach=present)


def _steps(entry: Entry, old: Entry | None) -> timeline.Sightings:
    return timeline.Sightings(
        created=entry.meta.creation_timestamp,
        generation=entry.meta.generation,
        written=_written(entry.status),
        remembered=old.policy.known if old and old.policy else {},
    )


def _reaches(entry: Entry, old: Entry | None) -> reach.Sightings:
    meta = entry.meta
    return reach.Sightings(
        created=meta.creation_timestamp,
        unedited=meta.generation <= 1 or meta.generation == entry.status.observed_generation,
        written=_written_reach(entry.status),
        remembered=old.reach if old else None,
    )


def _same_spec(one: ObjectMeta, other: ObjectMeta) -> bool:
    return (one.uid, one.generation) == (other.uid, other.generation)


def _read(item: Listed) -> tuple[Policy | None, str]:
    try:
        return read_policy(api.StoredPolicy(metadata=item.metadata, spec=item.spec)), ""
    except InvalidPolicy as error:
        log.warning("policy is not usable policy=%s error=%s", item.metadata.name, error)
        return None, str(error)


def _written(status: api.ExpiryPolicyStatus) -> dict[str, datetime]:
    written: dict[str, datetime] = {}
    for known in [] if status.steps is UNSET else status.steps:
        with contextlib.suppress(instant.InvalidInstant):
            written[known.step] = instant.parse(known.since)
    return written


def _written_reach(status: api.ExpiryPolicyStatus) -> Reach | None:
    if status.reach is UNSET:
        return None
    try:
        return Reach(status.reach.digest, instant.parse(status.reach.since))
    except instant.InvalidInstant:
        return None


def status_of(raw: msgspec.Raw) -> api.ExpiryPolicyStatus:
    """Read a policy's status; one that cannot be read (an older Dayfly's) is as good as none."""
    try:
        return msgspec.json.decode(raw, type=api.ExpiryPolicyStatus)
    except msgspec.MsgspecError:
        return api.ExpiryPolicyStatus()
