"""Everything with an end, read once: the stamped objects of all kinds that policies name."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from dayfly_cli.cluster import Cluster
from dayfly_cli.ends import Entry, stamped_end
from dayfly_cli.terminal import Terminal
from dayfly_core import names
from dayfly_core.objects import NAMESPACES, ObjectMeta, Resource
from dayfly_kube.discovery import Discovery
from dayfly_kube.errors import ApiError


@dataclass(frozen=True, slots=True)
class Scope:
    """Which objects are looked at."""

    everywhere: bool = False
    labels: str = ""
    """A label selector as the person wrote it."""

    @property
    def selector(self) -> str:
        """The same, limited to what is stamped: the server filters."""
        return ",".join(filter(None, (names.POLICY, self.labels)))


@dataclass(slots=True)
class Survey:
    """What was found, and of which kinds it may be looked for at all."""

    entries: list[Entry] = field(default_factory=list[Entry])
    resources: list[Resource] = field(default_factory=list[Resource])
    namespace_ends: dict[str, datetime | None] = field(default_factory=dict[str, datetime | None])


async def survey(cluster: Cluster, scope: Scope, terminal: Terminal) -> Survey:
    """Read it all; kinds that the person may not list are told of and left out."""
    found = Survey()
    for meta in await _namespaces(cluster, scope, terminal):
        found.namespace_ends[meta.name] = stamped_end(meta)
    for resource in await _kinds(cluster, scope, terminal):
        metas = await _listed(cluster, resource, scope, terminal)
        if metas is None:
            continue
        found.resources.append(resource)
        found.entries += (
            Entry(resource, meta, found.namespace_ends.get(meta.namespace)) for meta in metas
        )
    if not scope.everywhere and not scope.labels:
        found.entries += await _own_namespace(cluster)
    return found


async def _kinds(cluster: Cluster, scope: Scope, terminal: Terminal) -> Sequence[Resource]:
    """Find the kinds that policies name; those in no namespace only if all are looked at."""
    named = (await cluster.policies(terminal.warn)).resources
    discovery = Discovery(cluster.client)
    found = [await discovery.find(group, plural) for group, plural in sorted(named)]
    return [one for one in found if one and (one.namespaced or scope.everywhere)]


async def _namespaces(cluster: Cluster, scope: Scope, terminal: Terminal) -> Sequence[ObjectMeta]:
    """Read the namespaces whose ends may come before their objects'."""
    if not scope.everywhere:
        return [entry.meta for entry in await _own_namespace(cluster)]
    return await _listed(cluster, NAMESPACES, Scope(everywhere=True), terminal) or ()


async def _own_namespace(cluster: Cluster) -> list[Entry]:
    meta = await cluster.namespace_meta()
    return [Entry(NAMESPACES, meta)] if meta and names.POLICY in meta.label_map else []


async def _listed(
    cluster: Cluster, resource: Resource, scope: Scope, terminal: Terminal
) -> list[ObjectMeta] | None:
    place = "" if scope.everywhere else cluster.namespace
    try:
        return await cluster.listed(resource, place, scope.selector)
    except ApiError as error:
        if not error.forbidden:
            raise
        terminal.warn(f"{resource.group_resource} are not shown: {error.message}")
        return None
