"""Everything with an end, read once: the stamped objects of all kinds that policies name."""

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from dayfly_cli import hindrances, kinds, managed
from dayfly_cli.awaiting import awaited
from dayfly_cli.cluster import Cluster
from dayfly_cli.ends import Entry, stamped_end
from dayfly_cli.managed import Foreseen, Managers
from dayfly_cli.terminal import Failed, Misused, Terminal
from dayfly_core import guard, outlook
from dayfly_core.guard import Guard
from dayfly_core.names import POLICY, SYSTEM_NAMESPACE
from dayfly_core.objects import NAMESPACES, Key, ObjectMeta, Resource
from dayfly_core.outlook import Next
from dayfly_core.policies import Policies
from dayfly_core.simulation import World
from dayfly_kube.discovery import Discovery
from dayfly_kube.errors import ApiError


class Scope(msgspec.Struct, frozen=True):
    """Which objects are looked at."""

    everywhere: bool = False
    labels: str = ""
    """A label selector as the person wrote it."""

    @property
    def selector(self) -> str:
        """The same, limited to what is stamped: the server filters."""
        return ",".join(filter(None, (POLICY, self.labels)))


class Survey(msgspec.Struct):
    """What was found, and of which kinds it may be looked for at all."""

    entries: list[Entry] = []
    resources: list[Resource] = []
    forbidden: list[Resource] = []
    namespaces: dict[str, ObjectMeta] = {}
    namespace_ends: dict[str, datetime | None] = {}
    policies: Policies = msgspec.field(default_factory=Policies)
    guard: Guard = msgspec.field(default_factory=lambda: Guard(SYSTEM_NAMESPACE))
    managers: Managers = msgspec.field(default_factory=Managers)
    """The Ephemerators and NamespaceManagers that are listed."""
    foreseen: Foreseen = msgspec.field(default_factory=Foreseen)
    """What they do first."""

    def foresee(self, world: World) -> None:
        """Find out what managers do, and what they wait for, in this world."""
        awaits = awaited(self.managers, world)
        self.foreseen = managed.foreseen(self.managers.events(world), awaits)

    def errands(self) -> Iterator[Entry]:
        """Yield the managers that have something to do, or that something keeps from it."""
        for player in self.managers.players:
            key, foreseen = player.key, self.foreseen
            event, awaits = foreseen.next.get(key), foreseen.awaited.get(key)
            if event or awaits:
                meta = self.managers.found[key].metadata
                yield Entry(key.resource, meta, managed=event, awaited=awaits)

    def end_of(self, meta: ObjectMeta) -> datetime | None:
        """Return when a namespace ends, by its stamp or by a manager."""
        return managed.end_of(meta, self.foreseen)

    def entry(self, resource: Resource, meta: ObjectMeta) -> Entry:
        """Return an object as it is listed."""
        own = resource == NAMESPACES
        return Entry(
            resource,
            meta,
            None if own else self.namespace_ends.get(meta.namespace),
            managed=self.foreseen.ends.get(meta.name) if own else None,
            awaited=self.foreseen.awaited.get(Key(resource, "", meta.name)) if own else None,
            timeline=steps_to_come(self.policies, meta),
        )


async def survey(cluster: Cluster, scope: Scope, terminal: Terminal) -> Survey:
    """Read it all; raises Failed if none of it may be read, and tells of kinds that may not."""
    found = Survey()
    policies = await cluster.policies(terminal.warn)
    named = await _named(cluster, scope, policies) if policies is not None else None
    found.policies = policies or found.policies
    around = await _managed(found, cluster, scope, terminal)
    found.namespaces = {meta.name: meta for meta in around}
    found.namespace_ends = {meta.name: found.end_of(meta) for meta in around}
    for resource in await _served(cluster, scope) if named is None else named:
        await _add(found, cluster, resource, scope)
    if not scope.labels:
        _add_namespaces(found, around, scope)
    _complain(found, scope, terminal, told=named is not None)
    return found


def _complain(found: Survey, scope: Scope, terminal: Terminal, *, told: bool) -> None:
    if not found.forbidden:
        return
    if not found.resources:
        place = "in all namespaces; -n NAME looks in one" if scope.everywhere else "here"
        raise Failed(
            f"you may not list any of the kinds that end {place}; the ClusterRole view allows it"
        )
    if told:
        withheld = ", ".join(resource.group_resource for resource in found.forbidden)
        terminal.warn(f"not shown, since you may not list them: {withheld}")


async def _add(found: Survey, cluster: Cluster, resource: Resource, scope: Scope) -> None:
    place = "" if scope.everywhere else cluster.namespace
    try:
        metas = await cluster.listed(resource, place, scope.selector)
    except ApiError as error:
        if error.unsupported:
            return
        if error.code == 400 and scope.labels:
            raise Misused(
                f"--selector: {scope.labels!r} is refused: {error}; write for example "
                "app=web,tier!=db or env in (dev,test)"
            ) from error
        if not error.forbidden:
            raise
        found.forbidden.append(resource)
        return
    found.resources.append(resource)
    found.entries += (found.entry(resource, meta) for meta in metas)


def _add_namespaces(found: Survey, around: Sequence[ObjectMeta], scope: Scope) -> None:
    """Add the one that is asked about, or all that a manager ends and no policy lists."""
    listed = {entry.meta.name for entry in found.entries if entry.resource == NAMESPACES}
    here = () if scope.everywhere else (meta.name for meta in around if POLICY in meta.label_map)
    stamped = {*here} - listed
    found.entries += (
        found.entry(NAMESPACES, meta)
        for meta in around
        if meta.name in stamped or (found.foreseen.ending(meta.name) and meta.name not in listed)
    )


def steps_to_come(policies: Policies, meta: ObjectMeta) -> tuple[Next, ...] | None:
    """Return the next step of an object's timeline; none once all are done; None: it has none."""
    policy, end = policies.get(meta.label_map.get(POLICY, "")), stamped_end(meta)
    if policy is None or end is None or not policy.timeline:
        return None
    following = outlook.coming(policy, meta, end)
    return (following,) if following else ()


async def _named(cluster: Cluster, scope: Scope, policies: Policies) -> Sequence[Resource]:
    """Find the kinds that policies name."""
    discovery = Discovery(cluster.client)
    found = [await discovery.find(group, plural) for group, plural in sorted(policies.resources)]
    return [one for one in found if one and _within(scope, one)]


async def _served(cluster: Cluster, scope: Scope) -> Sequence[Resource]:
    """Find every kind that could end: the long way, for who may not read policies."""
    return [
        kind.resource
        for kind in await kinds.served(cluster.client)
        if kind.listable and _within(scope, kind.resource)
        if not guard.off_limits(kind.resource.group, kind.resource.plural)
    ]


def _within(scope: Scope, resource: Resource) -> bool:
    return resource.namespaced or scope.everywhere


async def _managed(
    found: Survey, cluster: Cluster, scope: Scope, terminal: Terminal
) -> Sequence[ObjectMeta]:
    """Ask what managers do; returns the namespaces that they or a policy may end."""
    found.guard = await hindrances.guard(cluster)
    all_of_them = await managed.managers(cluster, found.guard, everywhere=scope.everywhere)
    found.managers = shown = in_scope(all_of_them, cluster, scope)
    around = await _namespaces(cluster, scope, any_=bool(shown.players))
    objects = {Key(NAMESPACES, "", meta.name): meta for meta in around}
    if not scope.everywhere:
        objects |= await managed.targets(cluster, shown.players)
    found.foresee(World(terminal.now(), objects, Policies(), found.guard))
    if not scope.labels:
        found.entries += found.errands()
    return around


def in_scope(managers: Managers, cluster: Cluster, scope: Scope) -> Managers:
    """Leave out those that have nothing to do with the namespace that is looked at."""
    return managers if scope.everywhere else managers.within(cluster.namespace)


async def _namespaces(cluster: Cluster, scope: Scope, *, any_: bool) -> Sequence[ObjectMeta]:
    """Read the namespaces whose ends may come before their objects', as far as that is allowed."""
    if not scope.everywhere:
        meta = await cluster.namespace_meta()
        return [meta] if meta and (any_ or POLICY in meta.label_map) else []
    try:
        return await cluster.listed(NAMESPACES, "", "" if any_ else POLICY)
    except ApiError as error:
        if not error.forbidden:
            raise
        return []
