"""What the end of each Helm release would take along: read before a simulation's clock runs."""

import asyncio
from collections.abc import Iterator
from datetime import datetime
from typing import Final

import msgspec

from dayfly_cli.cluster import Cluster
from dayfly_core.api import Unit
from dayfly_core.helm.marks import ReleaseRef, release_of
from dayfly_core.helm.release import ReleasePlan
from dayfly_core.names import POLICY
from dayfly_core.simulation import World
from dayfly_core.wish import read as read_wish
from dayfly_kube.discovery import Discovery
from dayfly_kube.errors import ApiError
from dayfly_kube.release_plans import planned
from dayfly_kube.releases import ReleaseReader

AT_ONCE: Final = 8
"""Releases read at the same time: each takes a request for each of its objects."""


class Foreseen(msgspec.Struct):
    """What was found out."""

    plans: dict[ReleaseRef, ReleasePlan] = {}
    unread: list[ReleaseRef] = []
    """Those that one may not read."""


async def foreseen(cluster: Cluster, world: World) -> Foreseen:
    """Read every release that ends as one, with the rights of the person who asks."""
    reader = ReleaseReader(cluster.client, Discovery(cluster.client))
    found, turns = Foreseen(), asyncio.Semaphore(AT_ONCE)

    async def read(ref: ReleaseRef, end: datetime) -> None:
        try:
            async with turns:
                found.plans[ref] = await planned(reader, ref, world.guard, end)
        except ApiError as error:
            if not error.forbidden:
                raise
            found.unread.append(ref)

    lasting: dict[ReleaseRef, datetime] = {}
    for ref, end in _ending(world):
        lasting[ref] = max(end, lasting.get(ref, end))
    await asyncio.gather(*(read(ref, end) for ref, end in sorted(lasting.items())))
    return found


def _ending(world: World) -> Iterator[tuple[ReleaseRef, datetime]]:
    """Yield each member under a policy that ends releases: its release, and its end."""
    whole = {policy.name: policy for policy in world.policies if policy.unit is Unit.RELEASE}
    for key, meta in world.objects.items() if whole else ():
        if (ref := release_of(meta)) and (subject := world.subject(key)):
            label = meta.label_map.get(POLICY)
            decides = world.policies.deciding(
                subject.group_resource, meta, subject.namespace_labels
            )
            if label in whole or (decides and decides.name in whole):
                yield ref, max(read_wish(meta).at or world.now, world.now)
