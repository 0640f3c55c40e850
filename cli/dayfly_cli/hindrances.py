"""What keeps an object from ending although its end is written: guard, protected member, breaker.

The operator's own rules, asked with the rights of the person who wants to know.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

import msgspec
from msgspec.structs import replace

from dayfly_cli.cluster import Cluster
from dayfly_cli.ends import OVERDUE, Entry
from dayfly_core import instant, names
from dayfly_core.api import ExpiryPolicyStatus
from dayfly_core.guard import Guard
from dayfly_core.objects import EXPIRY_POLICIES, NAMESPACES, ObjectMeta, Resource
from dayfly_core.policies import Policies
from dayfly_core.triggers import FIRST, LAST
from dayfly_kube.discovery import Discovery
from dayfly_kube.errors import ApiError
from dayfly_kube.guarding import CONFIG_MAPS, ConfigMap
from dayfly_kube.paging import Page
from dayfly_operator.members import Keeper, Members
from dayfly_operator.policies import status_of


class Listed(msgspec.Struct, frozen=True):
    """One ExpiryPolicy."""

    metadata: ObjectMeta = ObjectMeta()
    status: msgspec.Raw = msgspec.Raw(b"null")


class Hindrance(msgspec.Struct, frozen=True):
    """Why an object does not end; each is empty where there is no such reason."""

    guarded: str = ""
    """The guard's sentence."""
    keeper: Keeper | None = None
    """What is in a namespace, or may be."""

    @property
    def note(self) -> str:
        """The same in a few words."""
        if self.guarded:
            return "guarded"
        if self.keeper is None:
            return ""
        return f"held by {self.keeper.member}" if self.keeper.member else self.keeper.note


FREE: Final = Hindrance()
"""Nothing keeps it."""


async def hindrance(cluster: Cluster, entry: Entry, policies: Policies | None) -> Hindrance:
    """Find what keeps one object; raises ApiError and Unreachable."""
    discovery = Discovery(cluster.client)
    named = sorted(policies.resources) if policies else []
    found = [await discovery.find(*pair) for pair in named]
    return await _of(cluster, await guard(cluster), entry, [one for one in found if one])


async def annotated(
    cluster: Cluster, entries: Iterable[Entry], kinds: Iterable[Resource], now: datetime
) -> list[Entry]:
    """Note on each entry that is overdue what keeps it; the others cost no request."""
    noted, served = list(entries), list(kinds)
    late = [i for i, e in enumerate(noted) if _is_late(e, now)]
    if not late:
        return noted
    known, brakes = await guard(cluster), await open_breakers(cluster)
    for i in late:
        kept = await _of(cluster, known, noted[i], served)
        noted[i] = replace(noted[i], kept=kept.note or _braked(noted[i], brakes))
    return noted


def _is_late(entry: Entry, now: datetime) -> bool:
    """Whether it should have happened, and nothing that is known of it says why it has not."""
    return entry.left(now) == OVERDUE and not replace(entry, timeline=None).note


def _braked(entry: Entry, brakes: Mapping[str, datetime]) -> str:
    since = brakes.get(entry.policy)
    if since is None:
        return ""
    due = entry.timeline[0].at if entry.timeline else entry.wish.at or LAST
    surprising = names.CAUGHT_UP in entry.meta.annotation_map or due <= since
    return "held by the breaker" if surprising else ""


async def open_breakers(cluster: Cluster) -> Mapping[str, datetime]:
    """Return the policies whose breaker is open, and since when each does what it does.

    Who may not look knows of none.
    """
    try:
        body = await cluster.client.get_list(EXPIRY_POLICIES.path())
    except ApiError as error:
        if not (error.forbidden or error.not_found):
            raise
        return {}
    found = msgspec.json.decode(body, type=Page[Listed]).items or ()
    statuses = {each.metadata.name: status_of(each.status) for each in found}
    return {name: _since(status) for name, status in statuses.items() if status.breaker}


def _since(status: ExpiryPolicyStatus) -> datetime:
    try:
        return instant.parse(status.reach.since if status.reach else "")
    except instant.InvalidInstant:
        return FIRST


async def guard(cluster: Cluster) -> Guard:
    """Read what is guarded; who may not look knows what always is."""
    try:
        body = await cluster.client.get(
            CONFIG_MAPS.path(names.SYSTEM_NAMESPACE, names.GUARD_CONFIG_MAP)
        )
    except ApiError as error:
        if not (error.forbidden or error.not_found):
            raise
        return Guard(names.SYSTEM_NAMESPACE)
    written = msgspec.json.decode(body, type=ConfigMap).data or {}
    return Guard.parse(names.SYSTEM_NAMESPACE, written)


async def _of(cluster: Cluster, known: Guard, entry: Entry, kinds: list[Resource]) -> Hindrance:
    meta = entry.meta
    if refusal := known.refuses(entry.resource, meta.namespace, meta.name):
        return Hindrance(guarded=refusal)
    ends = entry.end and not (meta.protected or meta.deletion_timestamp)
    if entry.resource != NAMESPACES or not ends:
        return FREE
    members = Members(cluster.client, Discovery(cluster.client), lambda: kinds)
    return Hindrance(keeper=await members.keeper(meta.name))
