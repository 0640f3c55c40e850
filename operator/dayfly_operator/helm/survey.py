"""Looks at a Helm release before its end: has it come for all of it, and what would be deleted."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, Protocol

import msgspec
from msgspec.structs import replace

from dayfly_core.actions import Action, Delete
from dayfly_core.guard import Guard
from dayfly_core.helm import marks as helm
from dayfly_core.helm import storage as helm_storage
from dayfly_core.helm.marks import ReleaseRef
from dayfly_core.helm.release import (
    Blocker,
    Hold,
    ReleasePlan,
    Sighting,
    Surroundings,
    holding,
    judge,
    marked,
    of_records,
)
from dayfly_core.helm.storage import Revision, UnreadableRelease
from dayfly_core.names import POLICY
from dayfly_core.objects import NAMESPACES, SECRETS, Key, ObjectMeta, Resource
from dayfly_core.reasons import Reason
from dayfly_core.subject import Plan, Subject
from dayfly_core.triggers import LAST
from dayfly_kube.errors import ApiError
from dayfly_kube.release_plans import at_work, stopped, unreadable
from dayfly_kube.releases import Content, ReleaseReader
from dayfly_operator.members import Keeper

GRANT: Final = "apply manifests/components/helm, or a ClusterRole like the one in it"

RBAC_GROUP: Final = "rbac.authorization.k8s.io"


class Waits(msgspec.Struct, frozen=True):
    """It is not time yet: a member ends later, or Helm is at work."""

    note: str
    until: datetime | None = None
    newest: Revision | None = None
    forsaken: bool = False
    """Whether it waits for what nobody will end: somebody should hear of it as long as it lasts."""

    @classmethod
    def of(cls, hold: Hold, newest: Revision | None = None) -> "Waits":
        """Wait for a member."""
        return cls(hold.text, hold.until, newest, hold.forsaken)


class Stranger(msgspec.Struct, frozen=True):
    """The object says that it is of the release, whose manifest does not list it."""


class Stays(msgspec.Struct, frozen=True):
    """The object outlives its release, by the chart's wish, and has done so."""


class Gone(msgspec.Struct, frozen=True):
    """There is no such release; nobody asks for the sake of an object."""


class Due(msgspec.Struct, frozen=True):
    """The end has come for all of it; what it does, unless the plan has blockers."""

    plan: ReleasePlan
    newest: Revision | None = None


Look = Waits | Stranger | Stays | Gone | Due


class Knowledge(Protocol):
    """What decides about stamped objects."""

    def known(self, key: Key) -> Subject | None:
        """Return the subject as the watches know it."""
        ...

    async def read(self, key: Key) -> Subject | None:
        """Return the subject by a quorum read; None if it is gone."""
        ...

    def plan(self, subject: Subject) -> Plan:
        """Judge, by what is known at this moment."""
        ...

    def up_to_date(self, key: Key) -> bool:
        """Whether what an act on this object depends on is known well enough."""
        ...

    async def catch_up(self, key: Key) -> None:
        """Return when it is."""
        ...


class Brakes(Protocol):
    """What may hold an end back although it has come."""

    def holds_back(self, action: Action) -> str | None:
        """Say why; None if it may happen."""
        ...


class Units(Protocol):
    """Namespaces, which end with all that is in them."""

    async def keeper(self, namespace: str) -> Keeper | None:
        """Say what in the namespace keeps it from its end."""
        ...


class Permissions(Protocol):
    """What the operator may do."""

    async def lacking(
        self, resource: Resource, namespace: str, verbs: Iterable[str]
    ) -> tuple[str, ...]:
        """Return those of the verbs that are forbidden."""
        ...


class Sources(msgspec.Struct, frozen=True):
    """Where everything is asked."""

    reader: ReleaseReader
    world: Knowledge
    brakes: Brakes
    units: Units
    permissions: Permissions
    guard: Callable[[], Guard]
    members: Callable[[ReleaseRef], Iterable[Key]]
    noted: Callable[[Subject], Subject]
    """With what a member has not taken note of."""
    reaches: Callable[[str, ObjectMeta], bool]
    """Whether the policy of that name is about what is in a namespace."""
    now: Callable[[], datetime]


class ReleaseSurvey:
    """Observes; decides nothing that :mod:`dayfly_core.helm.release` does not decide."""

    def __init__(self, sources: Sources) -> None:
        self._from = sources

    def remembered(self, ref: ReleaseRef) -> Hold | None:
        """Name a stamped member whose end has not come, as the watches know it.

        Only what is in the release's own namespace counts before the manifest is read: anybody may
        write on an object elsewhere that it is of this release.
        """
        inside = (key for key in self._from.members(ref) if key.namespace == ref.namespace)
        known = (self._from.world.known(key) for key in inside)
        return self._first_hold(subject for subject in known if subject)

    def asked(self, ref: ReleaseRef) -> bool:
        """Whether the end of a stamped member has come, or may have, by what the watches know."""
        known = [self._from.world.known(key) for key in self._from.members(ref)]
        return any(subject is None or self._asks(subject, ref) for subject in known)

    def _asks(self, subject: Subject, ref: ReleaseRef) -> bool:
        acts = self._from.world.plan(subject).actions
        return any(isinstance(action, Delete) and action.release == ref for action in acts)

    async def begun(self) -> tuple[ObjectMeta, ...]:
        """Return the Secrets of all releases whose end was begun; raises as :meth:`look`.

        Without manifests/components/helm none ever was, and Secrets are not even asked for.
        """
        if await self._from.permissions.lacking(SECRETS, "", ("list",)):
            return ()
        return await self._from.reader.begun()

    async def look(self, ref: ReleaseRef, asking: Key | None, policy: str) -> Look:
        """Read everything by quorum. ``asking`` is the member whose end has come, if one has.

        Raises ApiError and Unreachable.
        """
        try:
            look = await self._look(ref, asking)
            return await self._within_reach(ref, policy, look) if isinstance(look, Due) else look
        except ApiError as error:
            if not error.forbidden:
                raise
            note = f"the Helm release {ref} cannot be read: {error}; {GRANT}"
            return Due(stopped(ref, Reason.MISSING_RIGHTS, note))

    async def _look(self, ref: ReleaseRef, asking: Key | None) -> Look:
        known = await self._from.reader.revisions(ref)
        newest = known[-1] if known else None
        if newest is None or newest.status == helm_storage.UNINSTALLED:
            return await self._not_stored(ref, asking)
        working = helm_storage.at_work_until(newest, self._from.now())
        if working:
            return Waits(at_work(ref, newest.status), working, newest)
        try:
            content = await self._from.reader.content(ref, helm_storage.told(known))
        except UnreadableRelease as error:
            return Due(stopped(ref, Reason.RELEASE_UNREADABLE, unreadable(ref, error)), newest)
        return await self._judged(ref, asking, content, known)

    async def _within_reach(self, ref: ReleaseRef, policy: str, due: Due) -> Due:
        """Stop a policy that is not about the release's namespace.

        Whoever may give one object elsewhere an end could have the whole release go by it.
        """
        found = await self._from.world.read(Key(NAMESPACES, "", ref.namespace))
        if found is None or self._from.reaches(policy, found.meta):
            return due
        note = (
            f"it is stored in namespace {ref.namespace}, which ExpiryPolicy {policy} does not reach"
        )
        return replace(due, plan=stopped(ref, Reason.RELEASE_OUT_OF_REACH, note))

    async def _judged(
        self, ref: ReleaseRef, asking: Key | None, content: Content, known: Sequence[Revision]
    ) -> Look:
        newest = known[-1]
        sightings = await self._from.reader.sightings(ref, content.listed)
        if asking and asking not in {sighting.key for sighting in sightings}:
            return Stranger()
        hold = self._first_hold([subject async for subject in self._stamped(sightings)])
        if hold:
            return Waits.of(hold, newest)
        around = await self._around(ref, sightings, known)
        return Due(judge(ref, sightings, around, content.hooks), newest)

    async def _not_stored(self, ref: ReleaseRef, asking: Key | None) -> Look:
        subject = await self._from.world.read(asking) if asking else None
        if subject is None:
            return Gone()
        if helm.stays(subject.meta.annotation_map):
            return Stays()
        note = (
            f"is of the Helm release {ref}, which no Secret holds: it is stored by another driver, "
            "or has been uninstalled"
        )
        blocker = Blocker(Reason.RELEASE_NOT_STORED, note, asking, subject.meta.uid)
        return Due(ReleasePlan(ref, blockers=(blocker,)))

    async def _stamped(self, sightings: Iterable[Sighting]) -> AsyncIterator[Subject]:
        world = self._from.world
        for seen in sightings:
            if seen.key and seen.meta and not _outlives(seen) and POLICY in seen.meta.label_map:
                if not world.up_to_date(seen.key):
                    await world.catch_up(seen.key)
                yield Subject(seen.key, seen.meta, None)

    def _first_hold(self, subjects: Iterable[Subject]) -> Hold | None:
        """Name the member that ends last, or never."""
        holds = filter(None, map(self._hold, subjects))
        return max(holds, key=lambda hold: hold.until or LAST, default=None)

    def _hold(self, subject: Subject) -> Hold | None:
        if helm.stays(subject.meta.annotation_map):
            return None
        plan = self._from.world.plan(self._from.noted(subject))
        ends = (action for action in plan.actions if isinstance(action, Delete))
        brake = next(filter(None, map(self._from.brakes.holds_back, ends)), None)
        return holding(subject.key, plan, self._from.now(), brake)

    async def _around(
        self, ref: ReleaseRef, sightings: Iterable[Sighting], known: Sequence[Revision]
    ) -> Surroundings:
        leaving = [
            seen
            for seen in sightings
            if seen.meta and not _outlives(seen) and not seen.meta.deletion_timestamp
        ]
        ending = [(seen.key, seen.meta) for seen in leaving if seen.key and seen.meta]
        others = await self._from.reader.others(ref, marked(ref, leaving))
        guard = self._from.guard()
        records = [*of_records(known, guard), *await self._unwritable(ref)]
        return Surroundings(guard, others, await self._obstacles(ending), records)

    async def _unwritable(self, ref: ReleaseRef) -> tuple[Blocker, ...]:
        """Say what right is missing to end the Secrets, and to record that the release ends."""
        denied = await self._denied(SECRETS, ref.namespace)
        return (Blocker(Reason.MISSING_RIGHTS, f"it {denied}"),) if denied else ()

    async def _obstacles(self, ending: Iterable[tuple[Key, ObjectMeta]]) -> Mapping[Key, Blocker]:
        denied: dict[tuple[Resource, str], str] = {}
        found: dict[Key, Blocker] = {}
        for key, meta in ending:
            kind = key.resource, key.namespace
            if kind not in denied:
                denied[kind] = await self._denied(*kind)
            if denied[kind]:
                found[key] = Blocker(Reason.MISSING_RIGHTS, denied[kind], key, meta.uid)
            elif key.resource == NAMESPACES:
                keeper = await self._from.units.keeper(key.name)
                if keeper:
                    note = f"stays: {keeper.note}"
                    found[key] = Blocker(keeper.reason, note, key, meta.uid)
        return found

    async def _denied(self, resource: Resource, namespace: str) -> str:
        lacking = await self._from.permissions.lacking(resource, namespace, needed(resource))
        if not lacking:
            return ""
        verbs = ", ".join(lacking)
        return f"cannot end: Dayfly may not {verbs} {resource.group_resource}; {GRANT}"


def needed(resource: Resource) -> tuple[str, ...]:
    """Return the verbs that it takes to end an object of a release."""
    return ("delete",) if unmarkable(resource) else ("patch", "delete")


def unmarkable(resource: Resource) -> bool:
    """Whether to write on an object would take more rights than to delete it.

    Whoever changes a role, if only its annotations, has to have every right that it grants.
    """
    return resource.group == RBAC_GROUP


def _outlives(seen: Sighting) -> bool:
    return seen.document.stays or helm.stays(seen.meta.annotation_map if seen.meta else {})
