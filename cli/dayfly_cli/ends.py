"""What ends when: objects as a person looks at them. Pure."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from dayfly_core import duration, instant, names
from dayfly_core.claimants import stamped_host_of
from dayfly_core.objects import Key, ObjectMeta, Resource
from dayfly_core.outlook import Next
from dayfly_core.simulation import Event
from dayfly_core.violations import shown
from dayfly_core.wish import Wish, read

NEVER_COMES: Final = datetime.max.replace(tzinfo=UTC)
"""Sorts what has no end behind everything that has one."""
OVERDUE: Final = "overdue"
"""The time left of what should have happened."""


class Awaited(msgspec.Struct, frozen=True):
    """What happens at no instant that is known, or why nothing happens."""

    when: str
    """In place of an instant: ``when its pods succeed``, ``disabled``."""
    what: str
    """What happens then, or what to do about it, in a few words."""
    reason: str
    """The same for programs: ``PodsNotSucceeded``, ``Disabled``."""
    sentence: str
    by: str = ""
    """Whose rule it is; empty where nothing happens."""


class Entry(msgspec.Struct, frozen=True):
    """One object and what decides its end."""

    resource: Resource
    meta: ObjectMeta
    namespace_end: datetime | None = None
    """Its namespace's, if it has one."""
    kept: str = ""
    """Why it stays although its end has passed, as far as somebody looked."""
    managed: Event | None = None
    """What an Ephemerator or a NamespaceManager does first: to this Namespace, or as this object.
    """

    awaited: Awaited | None = None
    """What one of these does once something has happened, or why it does nothing."""
    timeline: tuple[Next, ...] | None = None
    """The step that is next by its policy's timeline, none once all are done; None: it has none.
    """

    @property
    def wish(self) -> Wish:
        """The object's own annotations, read."""
        return read(self.meta)

    @property
    def end(self) -> datetime | None:
        """When it goes: at its own end or at its namespace's, whichever comes first."""
        ends = (self.wish.at, self.namespace_end, self.managed.at if self.managed else None)
        return min((end for end in ends if end), default=None)

    @property
    def goes_with_namespace(self) -> bool:
        """Whether its namespace ends first."""
        own = self.wish.at or NEVER_COMES
        return self.namespace_end is not None and self.namespace_end < own

    @property
    def policy(self) -> str:
        """The policy that stamped it, or nothing."""
        return self.meta.label_map.get(names.POLICY, "")

    @property
    def ended_by(self) -> str:
        """Whose rule its end is: the policy's, or that of whoever comes first."""
        if self.end is None and self.awaited:
            return self.awaited.by
        by_manager = self.managed and self.end == self.managed.at and self.wish.at != self.end
        return self.managed.by if self.managed and by_manager else self.policy

    @property
    def when(self) -> str:
        """When it goes, as it is written in a table: an instant, or what it waits for."""
        return self.awaited.when if self.awaited and not self.end else at(self.end)

    @property
    def host(self) -> str:
        """The host that Dayfly gave it, or nothing."""
        return next((demand.key.value for demand in stamped_host_of(self.meta).demands), "")

    @property
    def title(self) -> str:
        """``deployment.apps/web``, as kubectl writes it."""
        return title(self.resource, self.meta.name)

    @property
    def note(self) -> str:
        """What else is to be known, in a few words."""
        if self.meta.protected:
            return "protected"
        if self.meta.deletion_timestamp:
            return "going"
        if self.goes_with_namespace:
            return "with its namespace"
        said = self._errand() or self._end_note()
        # What waits for its pods may come at any time before the instant that is known.
        comes = self.awaited and self.awaited.by and self.end
        sooner = f"sooner {self.awaited.when}" if self.awaited and comes else ""
        return "; ".join(filter(None, (said, sooner)))

    def _errand(self) -> str:
        """Say what an Ephemerator or NamespaceManager does to something else."""
        own = Key(self.resource, self.meta.namespace, self.meta.name)
        if self.managed is None or self.managed.key == own:
            return ""
        return f"{self.managed.what} {self.managed.key}"

    def _end_note(self) -> str:
        if self.wish.at_problem:
            return f"end unreadable: {shown(self.wish.at_text or '')}"
        return (self.kept or self._next()) if self.end else self._why_no_instant()

    def _next(self) -> str:
        if self.timeline is None or self.ended_by != self.policy:
            return ""
        return f"next: {self.timeline[0].step}" if self.timeline else "all steps are done"

    def left(self, now: datetime) -> str:
        """Write the time left until it ends; once that has passed, until its next step."""
        if self.end is None or (self.end <= now and self.timeline == ()):
            return "-"
        following = self.timeline[0].at if self.timeline else self.end
        return remaining(max(self.end, following) if self.end <= now else self.end, now)

    def _why_no_instant(self) -> str:
        if self.awaited:
            return self.awaited.what
        if self.wish.ttl_problem:
            return f"ttl unreadable: {shown(self.wish.ttl_text or '')}"
        return "never" if self.wish.never else "without an end"


def stamped_end(meta: ObjectMeta) -> datetime | None:
    """Read the end of an object that a policy decides about; without one it has none."""
    return read(meta).at if names.POLICY in meta.label_map else None


def title(resource: Resource, name: str) -> str:
    """``deployment.apps/web``, or ``namespace/team-a`` in the core group."""
    group = f".{resource.group}" if resource.group else ""
    return f"{resource.kind.lower()}{group}/{name}"


def in_order(entries: Iterable[Entry]) -> list[Entry]:
    """Sort by end, what has none last, and by name what ends together."""
    return sorted(entries, key=lambda e: (e.end or NEVER_COMES, e.meta.namespace, e.title))


def remaining(end: datetime, now: datetime) -> str:
    """Write the time left as receipts do: ``12d3h``, ``3h20m``, ``4m10s``, or ``overdue``."""
    return duration.render_left(end - now) if end > now else OVERDUE


def countdown(end: datetime, now: datetime) -> str:
    """Write the time left for a sentence: ``in 3h20m``, ``overdue``."""
    left = remaining(end, now)
    return left if end <= now else f"in {left}"


def at(end: datetime | None) -> str:
    """Write an instant to the second, ``-`` where there is none."""
    return instant.render(end.replace(microsecond=0)) if end else "-"


def as_data(entry: Entry, now: datetime) -> dict[str, Any]:
    """Return what ``-o json`` prints; a field without a value is null."""
    end = entry.end
    return {
        "apiVersion": entry.resource.api_version,
        "kind": entry.resource.kind,
        "namespace": entry.meta.namespace or None,
        "name": entry.meta.name,
        "uid": entry.meta.uid,
        "policy": entry.policy or None,
        "endedBy": entry.ended_by or None,
        "endsAt": instant.render(end) if end else None,
        "awaits": _awaited_data(entry),
        "secondsLeft": round((end - now).total_seconds(), 3) if end else None,
        "expiresAt": entry.wish.at_text,
        "namespaceEndsAt": instant.render(entry.namespace_end) if entry.namespace_end else None,
        "ttl": entry.wish.ttl_text,
        "next": _next_data(entry),
        "host": entry.host or None,
        "createdBy": entry.meta.annotation_map.get(names.CREATED_BY),
        "protected": entry.meta.protected,
    }


def _awaited_data(entry: Entry) -> dict[str, str] | None:
    awaited = entry.awaited
    return {"reason": awaited.reason, "message": awaited.sentence} if awaited else None


def _next_data(entry: Entry) -> dict[str, str] | None:
    if not entry.timeline:
        return None
    following = entry.timeline[0]
    return {"at": instant.render(following.at), "step": following.step}
