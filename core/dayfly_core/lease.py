"""Who may act: one step of leader election over a ``coordination.k8s.io/v1`` Lease.

Pure; the shell sends and receives. Two clocks never mix: what is *written* is UTC for people, what
is *decided* uses this process's monotonic clock alone. The argument for one leader at a time:

* a write of the holder was applied at some instant w, after its request started;
* the holder acts until ``start of that request + deadline``, hence before w + deadline;
* nobody else's write is applied before w + duration: a follower counts the duration from when it
  *received* that version, which is after w, and its write is refused if there is a newer version;
* ``deadline < duration``.

No host trusts another host's time, so clocks may differ by any amount; their rates may not.
"""

from datetime import UTC, datetime

import msgspec


class Timing(msgspec.Struct, frozen=True):
    """How fast leadership moves, in seconds; a ``ValueError`` names the relation that is broken."""

    duration: float = 3.0
    """Whole seconds (the Lease stores an integer) that followers wait after the last renewal."""
    deadline: float = 2.2
    """How long after the start of its last successful renewal a leader may act."""
    retry: float = 0.6
    """Time between renewals, and between a follower's looks."""
    request_timeout: float = 0.6
    """Bound of one request."""

    def __post_init__(self) -> None:
        for broken, sentence in self._rules():
            if broken:
                raise ValueError(sentence)

    def _rules(self) -> tuple[tuple[bool, str], ...]:
        return (
            (
                not (self.duration >= 1 and float(self.duration).is_integer()),
                f"lease duration {self.duration:g}s is not a whole number of seconds, at least 1",
            ),
            (
                not self.duration > self.deadline,
                f"renew deadline {self.deadline:g}s must be shorter than the lease duration "
                f"{self.duration:g}s: the old leader has to stop before the new one starts",
            ),
            (
                not (self.retry > 0 and self.request_timeout > 0),
                "retry period and request time-out must be longer than 0s",
            ),
            (
                # client-go's relation: its retries are jittered by up to a fifth.
                not self.deadline > 1.2 * self.retry,
                f"renew deadline {self.deadline:g}s must be longer than 1.2 times the retry "
                f"period {self.retry:g}s",
            ),
            (
                not self.retry + self.request_timeout < self.deadline,
                f"retry period {self.retry:g}s and request time-out {self.request_timeout:g}s "
                f"together must be shorter than the renew deadline {self.deadline:g}s: after one "
                "hung request there must be time for a second",
            ),
        )

    def valid_until(self, started: float) -> float:
        """End of the right to act that a successful write gives; ``started``: before its request.

        Counted from before the request: the answer may have been on its way for any time.
        """
        return started + self.deadline


class LeaseRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """``spec`` of a Lease. Everything may be missing; times are text because nobody reads them."""

    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    acquire_time: str | None = None
    renew_time: str | None = None
    lease_transitions: int | None = None

    @property
    def holder(self) -> str:
        """Who holds it, ``""`` when nobody does."""
        return self.holder_identity or ""

    @property
    def transitions(self) -> int:
        """How often it changed hands: the number of the term."""
        return self.lease_transitions or 0


class LeaseMeta(msgspec.Struct, frozen=True, rename="camel"):
    """The one field of ``metadata`` that an elector needs."""

    resource_version: str = ""


class Lease(msgspec.Struct, frozen=True, rename="camel"):
    """A Lease as the API server stores it; ``spec`` may be absent or null."""

    metadata: LeaseMeta = LeaseMeta()
    spec: LeaseRecord | None = None


class Sighting(msgspec.Struct, frozen=True):
    """What this process knows of the Lease, and since when on its own monotonic clock."""

    version: str
    """``resourceVersion``; ``""`` when there is no such object."""
    record: LeaseRecord
    """Its record; of an object that went away, the last one seen."""
    since: float
    """When an answer or a watch event first brought this version here: the time of *arrival*."""
    deleted: bool = False
    """Whether the object went away under this process's eyes: its holder may still be acting."""


class Claim(msgspec.Struct, frozen=True):
    """Write :func:`claimed` with this ``resourceVersion``; ``""``: create the Lease."""

    version: str


class Wait(msgspec.Struct, frozen=True):
    """Nothing to do before this monotonic instant, unless the Lease changes."""

    until: float


class StepDown(msgspec.Struct, frozen=True):
    """Somebody else holds it: stop for good, wait for the work to end, go on as a follower."""

    holder: str


Step = Claim | Wait | StepDown


def sight(before: Sighting | None, lease: Lease | None, now: float) -> Sighting:
    """Take in an answer or event (None: not found); ``now``: read after it arrived.

    A known version keeps its time. When somebody deletes the Lease, its holder goes on for a
    while, and it need not be the one seen last: so all wait as if it had been renewed just then.
    (A process that starts at that moment cannot know; there the preconditions of each DELETE are
    what remains.)
    """
    version = lease.metadata.resource_version if lease else ""
    if before and before.version == version:
        return before
    if lease:
        return Sighting(version, lease.spec or LeaseRecord(), now)
    if before:
        return Sighting("", before.record, now, deleted=True)
    return Sighting("", LeaseRecord(), now)


def step(me: str, seen: Sighting, renewed: float | None, now: float, timing: Timing) -> Step:
    """Decide what this process does next.

    ``me`` must be unique to this run of the process. ``renewed``: when the request of its last
    successful claim started, None for a follower. Past ``valid_until`` a leader still renews: if
    nobody took over meanwhile, its term goes on.
    """
    # Of a deleted Lease only the holder whose gate is open knows that nobody else took it before.
    acting = renewed is not None and now < timing.valid_until(renewed)
    holder = seen.record.holder
    if holder == me and (acting or not seen.deleted):
        due = now if renewed is None else renewed + timing.retry
        return Claim(seen.version) if now >= due else Wait(due)
    if renewed is not None:
        return StepDown(holder)
    free = now
    if holder or seen.deleted:
        free = seen.since + _duration(seen.record, timing)
    return Claim(seen.version) if now >= free else Wait(min(free, now + timing.retry))


def _duration(record: LeaseRecord, timing: Timing) -> float:
    """Take the holder's own promise, not ours, unless it made none that can be kept."""
    promised = record.lease_duration_seconds or 0
    # A release promises one second and names nobody: no measure for a later holder's.
    return promised if promised > 0 and record.holder else timing.duration


def claimed(me: str, seen: Sighting, wall: datetime, timing: Timing) -> LeaseRecord:
    """Build the record of a claim, or of a renewal if ``me`` holds it already; ``wall`` is UTC."""
    before, written = seen.record, _micro_time(wall)
    fresh = before == LeaseRecord() and not seen.version
    mine = before.holder == me
    return LeaseRecord(
        holder_identity=me,
        lease_duration_seconds=int(timing.duration),
        acquire_time=before.acquire_time if mine and before.acquire_time else written,
        renew_time=written,
        lease_transitions=before.transitions + (0 if mine or fresh else 1),
    )


def released(record: LeaseRecord, wall: datetime) -> LeaseRecord:
    """Build the record that lets a follower in at once; only when all guarded work has ended."""
    return LeaseRecord(
        holder_identity="",
        lease_duration_seconds=1,
        acquire_time=_micro_time(wall),
        renew_time=_micro_time(wall),
        lease_transitions=record.transitions,
    )


def manifest(namespace: str, name: str, version: str, record: LeaseRecord) -> dict[str, object]:
    """Body of the POST (no version) or PUT that writes a record."""
    metadata = {"namespace": namespace, "name": name}
    if version:
        metadata["resourceVersion"] = version
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": metadata,
        "spec": record,
    }


def _micro_time(wall: datetime) -> str:
    # MicroTime is parsed with exactly six digits; isoformat() drops them when they are zero.
    return wall.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
