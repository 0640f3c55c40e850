"""What an act will touch, object by object, and what stands in its way: looked up beforehand."""

from datetime import datetime
from typing import Any

import msgspec

from dayfly_cli.cluster import Cluster
from dayfly_cli.ends import title
from dayfly_core import instant, names, scaling
from dayfly_core.api import Unit
from dayfly_core.helm import marks as helm
from dayfly_core.helm.marks import ReleaseRef
from dayfly_core.objects import NAMESPACES, Key, ObjectMeta, Resource
from dayfly_core.policies import Policy
from dayfly_core.simulation import END, SCALE_DOWN, Event, World
from dayfly_kube.discovery import Discovery
from dayfly_kube.errors import ApiError
from dayfly_kube.release_plans import planned
from dayfly_kube.releases import ReleaseReader
from dayfly_operator.members import Members
from dayfly_operator.workloads import Workloads


class Touched(msgspec.Struct, frozen=True):
    """One object that an act ends or scales down."""

    key: Key
    uid: str

    @property
    def text(self) -> str:
        """``deployment.apps/web in shop``."""
        where = f" in {self.key.namespace}" if self.key.namespace else ""
        return title(self.key.resource, self.key.name) + where


class Prospect(msgspec.Struct, frozen=True):
    """One act to come: what it touches, in that order, and what would stop it as things are."""

    event: Event
    objects: tuple[Touched, ...]
    blockers: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def data(self) -> dict[str, Any]:
        """What ``-o json`` prints."""
        key = self.event.key
        return {
            "at": instant.render(self.event.at),
            "what": self.event.what,
            "kind": key.resource.kind,
            "namespace": key.namespace or None,
            "name": key.name,
            "rule": self.event.rule,
            "by": self.event.by,
            "objects": [
                {
                    "apiVersion": each.key.resource.api_version,
                    "kind": each.key.resource.kind,
                    "namespace": each.key.namespace or None,
                    "name": each.key.name,
                    "uid": each.uid,
                }
                for each in self.objects
            ],
            "blockers": list(self.blockers),
            "remarks": list(self.remarks),
        }


class Prospector:
    """Looks acts up, with the rights of the person who asks."""

    def __init__(
        self, cluster: Cluster, world: World, kinds: list[Resource], *, everywhere: bool
    ) -> None:
        discovery = Discovery(cluster.client)
        self._policies = world.policies
        self._guard = world.guard
        self._everywhere = everywhere
        """Whether breakers were judged by all that their policies hold."""
        self._members = Members(cluster.client, discovery, lambda: kinds)
        self._workloads = Workloads(cluster.client, discovery)
        self._releases = ReleaseReader(cluster.client, discovery)

    def release(self, event: Event, meta: ObjectMeta) -> ReleaseRef | None:
        """Return the Helm release that ends with the object, if one does."""
        policy = self._policy(event)
        whole = policy is not None and policy.unit is Unit.RELEASE
        return helm.release_of(meta) if whole and event.what == END else None

    async def look(self, event: Event, meta: ObjectMeta) -> Prospect:
        """Say what one act touches."""
        if ref := self.release(event, meta):
            return await self._release(event, ref)
        own = Touched(event.key, meta.uid)
        if event.key.resource != NAMESPACES:
            return Prospect(event, (own,), self._held(event, meta))
        if event.what == END:
            keeper = await self._members.keeper(event.key.name)
            kept = (f"it stays: {keeper.note}",) if keeper else ()
            remark = ("all that is in it ends with it",)
            return Prospect(event, (own,), (*self._held(event, meta), *kept), remark)
        if event.what == SCALE_DOWN:
            return Prospect(event, await self._running(event.key.name), self._held(event, meta))
        return Prospect(event, (own,))

    async def _running(self, namespace: str) -> tuple[Touched, ...]:
        found: list[Touched] = []
        for kind in scaling.WAYS:
            async for key, workload in self._workloads.all(kind, namespace):
                meta = workload.metadata
                if not (meta.controlled or meta.protected) and scaling.down(
                    kind.pair, workload, occurrence="not yet"
                ):
                    found.append(Touched(key, meta.uid))
        return tuple(found)

    def _held(self, event: Event, meta: ObjectMeta) -> tuple[str, ...]:
        if event.held:
            return (f"held back: {event.held}; see dayfly breaker show, and dayfly simulate",)
        if self._everywhere or names.CAUGHT_UP not in meta.annotation_map:
            return ()
        return (f"nobody asked for this end: {event.by} may hold it back (dayfly breaker show)",)

    def _policy(self, event: Event) -> Policy | None:
        return self._policies.get(event.by.partition("/")[2])

    async def _release(self, event: Event, ref: ReleaseRef) -> Prospect:
        try:
            plan = await planned(self._releases, ref, self._guard, event.at)
        except ApiError as error:
            if not error.forbidden:
                raise
            return Prospect(event, (), (f"you may not read the Helm release {ref}: {error}",))
        remarks = [f"the whole Helm release {ref}"]
        remarks += [f"{kept} stays: its chart says so" for kept in plan.kept]
        if plan.hooks:
            remarks.append(f"hooks are not run: {', '.join(plan.hooks)}")
        objects = tuple(Touched(step.key, step.uid) for step in plan.steps)
        blockers = tuple(blocker.text for blocker in plan.blockers)
        return Prospect(event, objects, blockers, tuple(remarks))


def last_of_release(
    events: list[tuple[Event, ReleaseRef | None]],
) -> list[Event]:
    """Keep of the ends of one release only the last: all of it ends then."""
    last: dict[ReleaseRef, datetime] = {}
    for event, ref in events:
        if ref:
            last[ref] = max(event.at, last.get(ref, event.at))
    kept: list[Event] = []
    told: set[ReleaseRef] = set()
    for event, ref in events:
        if ref is None:
            kept.append(event)
        elif event.at == last[ref] and ref not in told:
            told.add(ref)
            kept.append(event)
    return kept
