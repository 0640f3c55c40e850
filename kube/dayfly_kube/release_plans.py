"""What the end of a Helm release would do, for whoever only wants to see it."""

from datetime import datetime

from dayfly_core.guard import Guard
from dayfly_core.helm import storage as helm_storage
from dayfly_core.helm.marks import ReleaseRef
from dayfly_core.helm.release import Blocker, ReleasePlan, Surroundings, judge, marked, of_records
from dayfly_core.helm.storage import UnreadableRelease
from dayfly_core.reasons import Reason
from dayfly_kube.releases import ReleaseReader


async def planned(
    reader: ReleaseReader, ref: ReleaseRef, guard: Guard, end: datetime
) -> ReleasePlan:
    """Judge a release as it is now for an end that comes then, and write nothing.

    What the reader may not see, or what only the operator knows (its rights, what it waits for), is
    no part of it. Raises ApiError and Unreachable.
    """
    known = await reader.revisions(ref)
    if not known or known[-1].status == helm_storage.UNINSTALLED:
        note = f"no Secret holds the Helm release {ref}"
        return stopped(ref, Reason.RELEASE_NOT_STORED, note)
    if helm_storage.at_work_until(known[-1], end):
        return stopped(ref, Reason.RELEASE_WAITS, at_work(ref, known[-1].status))
    try:
        content = await reader.content(ref, helm_storage.told(known))
    except UnreadableRelease as error:
        return stopped(ref, Reason.RELEASE_UNREADABLE, unreadable(ref, error))
    sightings = await reader.sightings(ref, content.listed)
    others = await reader.others(ref, marked(ref, sightings))
    around = Surroundings(guard, others, records=of_records(known, guard))
    return judge(ref, sightings, around, content.hooks)


def stopped(ref: ReleaseRef, reason: str, note: str) -> ReleasePlan:
    """Return a plan that does nothing, and why."""
    return ReleasePlan(ref, blockers=(Blocker(reason, note),))


def at_work(ref: ReleaseRef, status: str) -> str:
    """Say that Helm changes the release at this moment."""
    return f"Helm is at work on the release {ref} ({status})"


def unreadable(ref: ReleaseRef, error: UnreadableRelease) -> str:
    """Say what is wrong with what is stored."""
    return f"what Helm has stored of the release {ref} {error}"
