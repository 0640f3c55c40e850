"""The cluster as it is now, for what is decided about it: what ``explain`` and ``simulate`` ask."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from dayfly_cli import hindrances, managed
from dayfly_cli.awaiting import awaited
from dayfly_cli.cluster import Cluster
from dayfly_cli.ends import Awaited
from dayfly_cli.proposal import Rules
from dayfly_cli.terminal import Failed, Terminal
from dayfly_core import api, instant
from dayfly_core.breaker import Standing, reset_of
from dayfly_core.objects import NAMESPACES, Key, ObjectMeta, Resource
from dayfly_core.policies import Policies
from dayfly_core.simulated_breakers import Brakes
from dayfly_core.simulation import World
from dayfly_kube.discovery import Discovery
from dayfly_kube.errors import ApiError
from dayfly_operator.policies import Entry, Knowledge, PolicyBook

NOT_TOLD: Final = (
    "you may not read ExpiryPolicies, from which all follows; the ClusterRole dayfly-view allows it"
)

NOT_INSTALLED: Final = "Dayfly is not installed here: no ExpiryPolicies"


async def policies(cluster: Cluster, terminal: Terminal) -> Policies:
    """Read the policies as the operator does, with since when it knows their steps."""
    return (await rules(cluster, terminal)).policies


async def rules(cluster: Cluster, terminal: Terminal, *, needed: bool = True) -> Rules:
    """Read the policies, and what is written of their breakers.

    Raises Failed where Dayfly is not installed, unless that is not ``needed``: what it would do can
    be asked before.
    """
    known = await _known(cluster, terminal)
    if not known.installed:
        if needed:
            raise Failed(NOT_INSTALLED)
        terminal.warn(f"{NOT_INSTALLED}: shown is what would happen if it were")
    for name, entry in known.entries.items():
        if entry.fault:
            terminal.warn(f"ExpiryPolicy {name} is not in force: {entry.fault}")
    standings = {name: _standing(entry) for name, entry in known.entries.items()}
    return Rules(known.policies, standings, {n: e.meta for n, e in known.entries.items()})


async def _known(cluster: Cluster, terminal: Terminal) -> Knowledge:
    book = PolicyBook(
        cluster.client, terminal.monotonic, lambda _before, _known: None, terminal.now
    )
    try:
        await book.refresh()
    except ApiError as error:
        if error.forbidden:
            raise Failed(NOT_TOLD) from error
        raise
    return book.known


def _standing(entry: Entry) -> Standing:
    """Return what was decided of a policy's breaker; what cannot be read is as good as nothing."""
    reset_at, written = reset_of(entry.meta), entry.status.breaker
    try:
        since = instant.parse(written.opened_at) if isinstance(written, api.Breaker) else None
    except instant.InvalidInstant:
        since = None
    return Standing(since, reset_at)


class Snapshot(msgspec.Struct, frozen=True):
    """The cluster as it is now."""

    world: World
    awaited: Mapping[Key, Awaited]
    """What managers do at no instant that is known."""


async def snapshot(
    cluster: Cluster, terminal: Terminal, known: Rules, *, everywhere: bool
) -> Snapshot:
    """Read everything that may end, in one namespace or in all; says what may not be read."""
    objects = {
        Key(NAMESPACES, "", meta.name): meta for meta in await _namespaces(cluster, everywhere)
    }
    for resource in await _kinds(cluster, known.policies.resources, everywhere=everywhere):
        objects |= await _listed(cluster, resource, terminal, everywhere=everywhere)
    guard = await hindrances.guard(cluster)
    found = await managed.managers(cluster, guard, everywhere=everywhere)
    if not everywhere:
        found = found.only(Key(NAMESPACES, "", cluster.namespace))
    now = terminal.now()
    brakes = Brakes(known.policies, guard, known.standings, now)
    world = World(now, objects, known.policies, guard, found.players, brakes)
    return Snapshot(world, awaited(found, world))


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
