"""What is protected in namespaces, and so keeps them: read before a simulation's clock runs."""

import asyncio
from collections.abc import Mapping

from dayfly_cli.cluster import Cluster
from dayfly_core.objects import Key, Resource
from dayfly_core.simulation import World
from dayfly_kube.discovery import Discovery
from dayfly_kube.errors import ApiError
from dayfly_operator.members import PROTECTED_SELECTOR, USUAL_MEMBERS


async def protected(cluster: Cluster, world: World, *, everywhere: bool) -> Mapping[str, str]:
    """Name one object for each namespace that holds any, of the kinds that the operator looks at.

    What one may not list is as good as not there, as it is for the operator.
    """
    discovery = Discovery(cluster.client)
    pairs = sorted({*USUAL_MEMBERS, *world.policies.resources})
    found = [await discovery.find(*pair) for pair in pairs]
    place = "" if everywhere else cluster.namespace
    kinds = sorted(one for one in found if one and one.namespaced)
    members = await asyncio.gather(*(_of(cluster, kind, place) for kind in kinds))
    # The first of the kinds has the word, as in the operator.
    return {key.namespace: str(key) for keys in reversed(members) for key in reversed(keys)}


async def _of(cluster: Cluster, kind: Resource, place: str) -> list[Key]:
    try:
        metas = await cluster.listed(kind, place, PROTECTED_SELECTOR)
    except ApiError as error:
        if not (error.forbidden or error.unsupported):
            raise
        return []
    return [Key(kind, meta.namespace, meta.name) for meta in metas]
