"""The cluster as it is now, for what is decided about it: what ``explain`` and ``simulate`` ask."""

from collections.abc import Iterable
from typing import Final

from dayfly_cli import hindrances, managed
from dayfly_cli.cluster import Cluster
from dayfly_cli.terminal import Failed, Terminal
from dayfly_core.objects import NAMESPACES, Key, ObjectMeta, Resource
from dayfly_core.policies import Policies
from dayfly_core.simulation import World
from dayfly_kube.discovery import Discovery
from dayfly_kube.errors import ApiError
from dayfly_operator.policies import PolicyBook

NOT_TOLD: Final = (
    "you may not read ExpiryPolicies, from which all follows; the ClusterRole dayfly-view allows it"
)


async def policies(cluster: Cluster, terminal: Terminal) -> Policies:
    """Read the policies as the operator does, with since when it knows their steps."""
    book = PolicyBook(
        cluster.client, terminal.monotonic, lambda _before, _known: None, terminal.now
    )
    try:
        await book.refresh()
    except ApiError as error:
        if error.forbidden:
            raise Failed(NOT_TOLD) from error
        raise
    if not book.known.installed:
        raise Failed("Dayfly is not installed here: no ExpiryPolicies")
    for name, entry in book.known.entries.items():
        if entry.fault:
            terminal.warn(f"ExpiryPolicy {name} is not in force: {entry.fault}")
    return book.known.policies


async def snapshot(cluster: Cluster, terminal: Terminal, *, everywhere: bool) -> World:
    """Read everything that may end, in one namespace or in all; says what may not be read."""
    known = await policies(cluster, terminal)
    objects = {
        Key(NAMESPACES, "", meta.name): meta for meta in await _namespaces(cluster, everywhere)
    }
    for resource in await _kinds(cluster, known.resources, everywhere=everywhere):
        objects |= await _listed(cluster, resource, terminal, everywhere=everywhere)
    guard = await hindrances.guard(cluster)
    found = await managed.managers(cluster, guard, everywhere=everywhere)
    players = [each for each in found.players if everywhere or each.target == cluster.namespace]
    return World(terminal.now(), objects, known, guard, players)


async def _namespaces(cluster: Cluster, everywhere: bool) -> list[ObjectMeta]:
    if everywhere:
        return await cluster.listed(NAMESPACES, "", "")
    meta = await cluster.namespace_meta()
    if meta is None:
        raise Failed(
            f"you may not read namespace {cluster.namespace}, whose labels policies ask for"
        )
    return [meta]


async def _kinds(
    cluster: Cluster, named: Iterable[tuple[str, str]], *, everywhere: bool
) -> list[Resource]:
    discovery = Discovery(cluster.client)
    found = [await discovery.find(group, plural) for group, plural in sorted(named)]
    return [one for one in found if one and one != NAMESPACES and (one.namespaced or everywhere)]


async def _listed(
    cluster: Cluster, resource: Resource, terminal: Terminal, *, everywhere: bool
) -> dict[Key, ObjectMeta]:
    try:
        metas = await cluster.listed(resource, "" if everywhere else cluster.namespace, "")
    except ApiError as error:
        if not (error.forbidden or error.unsupported):
            raise
        terminal.warn(f"left out, since you may not list them: {resource.group_resource}")
        return {}
    return {Key(resource, meta.namespace, meta.name): meta for meta in metas}
