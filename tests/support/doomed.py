"""What a run of the kill series sows: an object for every action, all due at the same moment."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final, TypeVar

import msgspec

from dayfly_core import instant
from dayfly_core.helm.marks import ReleaseRef
from dayfly_core.objects import (
    CONFIG_MAPS,
    CRON_JOBS,
    DEPLOYMENTS,
    EPHEMERATORS,
    NAMESPACE_MANAGERS,
    NAMESPACES,
    SECRETS,
    Resource,
)
from dayfly_kube.client import Client
from support.fates import (
    Deal,
    Fate,
    Hope,
    Sleeper,
    goes_on,
    has_acted,
    has_done,
    is_awake,
    is_gone,
    is_resting,
    is_suspended,
)
from support.helm_secrets import a_release, a_secret
from support.kill_places import HOOK, Json, create, of, place, workload
from support.own_manifests import a_manager, a_policy, an_ephemerator
from support.plots import AT_ONCE, ending, in_time, now

T = TypeVar("T")

AHEAD: Final = timedelta(seconds=2.5)
"""From being sown to being due: about as long as the next leader needs."""

HOME: Final = place("home")
"""Where the NamespaceManagers are."""

COSTLY: Final = ("over", "eph", "mover")
"""Roles whose namespaces end: Kubernetes asks some seventy times what was in each."""

SERVICES: Final = Resource("", "v1", "services", "Service", namespaced=True)


@dataclass(slots=True)
class Sower:
    """Creates the objects of one run."""

    client: Client
    run: int
    due: datetime
    fate: Fate
    omitted: frozenset[str] = frozenset()
    """Roles that this run goes without."""
    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def sow(self) -> None:
        """Create all of it."""
        kinds: list[Callable[[str], Awaitable[None]]] = [
            *[self.plain] * 4,
            *[self.warn] * 2,
            *[self.tell] * 2,
            *[self.call] * 3,
            *[self.rest] * 3,
            *(self.asleep, self.over, self.release, self.eph),
            *(self.mover, self.mrest, self.mcall, self.mwarn),
        ]
        async with asyncio.TaskGroup() as tasks:
            for number, make in enumerate(kinds):
                if make.__name__ in self.omitted:
                    continue
                name = f"{make.__name__}-{self.run:04}"
                several = kinds.count(make) > 1
                tasks.create_task(self._made(make, f"{name}-{number % 10}" if several else name))

    async def _made(self, make: Callable[[str], Awaitable[None]], actor: str) -> None:
        async with self.places:
            await make(actor)

    async def _ending(self, make: Callable[[Json], Awaitable[T]]) -> T:
        """Make something with these annotations, by which it is due as what else is sown."""
        # On a machine that is busy with other things the sowing takes longer than that.
        due = max(self.due, now() + AHEAD)
        return await in_time(due, lambda end: make(ending(end)), AHEAD)

    async def plain(self, actor: str) -> None:
        """Sow what is deleted at its end."""
        uid = await self._configmap("plain", actor)
        self._deleted(uid, actor, CONFIG_MAPS, place("plain"))

    async def call(self, actor: str) -> None:
        """Sow what is deleted when somebody has been told."""
        uid = await self._configmap("call", actor)
        self.fate.called.add(actor)
        self.fate.told[uid, "WEBHOOK"] = Deal(actor, "outcome configmaps")
        self._deleted(uid, actor, CONFIG_MAPS, place("call"))

    async def warn(self, actor: str) -> None:
        """Sow what is warned."""
        uid = await self._configmap("warn", actor)
        self.fate.warned[uid] = actor
        self.fate.hope(CONFIG_MAPS.path(place("warn"), actor), has_done("NOTIFY@0s"))

    async def tell(self, actor: str) -> None:
        """Sow what is warned, and somebody told."""
        uid = await self._configmap("tell", actor)
        self.fate.warned[uid] = actor
        self.fate.called.add(actor)
        self.fate.told[uid, "WEBHOOK"] = Deal(actor, "outcome configmaps")
        self.fate.hope(CONFIG_MAPS.path(place("tell"), actor), has_done("NOTIFY@0s"))

    async def rest(self, actor: str) -> None:
        """Sow a workload that is scaled down."""
        uid = await self._ending(partial(self._deployment, actor, place("rest"), actor))
        self.fate.told[uid, "SCALE_DOWN"] = Deal(actor, "rest deployments")
        path = DEPLOYMENTS.path(place("rest"), actor)
        later = {uid: Hope(path, is_awake)}
        self.fate.sleepers[actor] = Sleeper(uid, path, is_resting, later, "wake deployments")

    async def asleep(self, actor: str) -> None:
        """Sow a namespace whose workloads are."""
        uid = await self._namespace(actor, kills="asleep")
        later = {
            await self._deployment(name, actor, actor): Hope(
                DEPLOYMENTS.path(actor, name), is_awake
            )
            for name in ("api", "web")
        }
        nightly = {"metadata": {"name": "nightly"}, "spec": _schedule()}
        job, path = await create(self.client, CRON_JOBS, actor, nightly), CRON_JOBS.path(actor)
        later[job] = Hope(f"{path}/nightly", goes_on)
        self.fate.rested[job] = actor
        self.fate.hope(f"{path}/nightly", is_suspended)
        self.fate.told[uid, "SCALE_DOWN"] = Deal(actor, "outcome namespaces")
        path, rests = NAMESPACES.path(name=actor), has_done("SCALE_DOWN@0s")
        # It is due when all that is to rest is there, however long that took.
        await self._ending(
            lambda notes: self.client.merge_patch(path, {"metadata": {"annotations": notes}})
        )
        self.fate.hope(path, rests)
        self.fate.sleepers[actor] = Sleeper(uid, path, rests, later, "woken namespaces")

    async def over(self, actor: str) -> None:
        """Sow a namespace that ends by a policy."""
        uid = await self._ending(lambda notes: self._namespace(actor, notes, kills="over"))
        self._deleted(uid, actor, NAMESPACES)

    async def release(self, actor: str) -> None:
        """Sow a Helm release with four objects."""
        home = place("release")
        helm = {"meta.helm.sh/release-name": actor, "meta.helm.sh/release-namespace": home}
        kinds: dict[Resource, Json] = {
            CONFIG_MAPS: {},
            SERVICES: {"spec": {"ports": [{"port": 80}]}},
            DEPLOYMENTS: {"spec": workload()},
        }
        manifest = (of(kind, {"metadata": {"name": actor}}) for kind in kinds)
        text = "\n---\n".join(msgspec.json.encode(item).decode() for item in manifest)
        secret = a_secret(a_release(text, ReleaseRef(home, actor)))
        uid = await create(self.client, SECRETS, home, secret)
        self._gone(uid, actor, SECRETS.path(home, secret["metadata"]["name"]))

        async def member(kind: Resource, notes: Json) -> None:
            head = _head(helm | notes, actor, **{"app.kubernetes.io/managed-by": "Helm"})
            uid = await create(self.client, kind, home, head | kinds[kind])
            self._deleted(uid, actor, kind, home)

        await member(CONFIG_MAPS, {})
        await member(SERVICES, {})
        # It is due when all that is to go with it is there, however long that took.
        await self._ending(partial(member, DEPLOYMENTS))

    async def eph(self, actor: str) -> None:
        """Sow an Ephemerator and its namespace."""
        uid = await self._namespace(actor)
        self._deleted(uid, actor, NAMESPACES)
        seconds = max(1, round((self.due - now()).total_seconds()))
        item = an_ephemerator(actor, {"duration": {"seconds": seconds}})
        item["metadata"]["name"] = actor
        uid = await create(self.client, EPHEMERATORS, "", item)
        self._gone(uid, actor, EPHEMERATORS.path(name=actor))

    async def mover(self, actor: str) -> None:
        """Sow a NamespaceManager that deletes its namespace."""
        uid = await self._namespace(actor)
        self._deleted(uid, actor, NAMESPACES)
        await self._manager(actor, "DELETE")

    async def mrest(self, actor: str) -> None:
        """Sow one that scales its namespace down."""
        uid = await self._namespace(actor)
        for name in ("api", "web"):
            await self._deployment(name, actor, actor)
        self.fate.told[uid, "SCALE_DOWN"] = Deal(actor, "status Done namespacemanagers")
        await self._manager(actor, "SCALE_DOWN")

    async def mcall(self, actor: str) -> None:
        """Sow one that tells somebody."""
        self.fate.called.add(actor)
        await self._manager(actor, "WEBHOOK", HOME, url=HOOK["url"])

    async def mwarn(self, actor: str) -> None:
        """Sow one that warns its namespace."""
        uid = await self._namespace(actor)
        self.fate.warned[uid] = actor
        await self._manager(actor, "NOTIFY")

    async def _manager(self, actor: str, action: str, target: str = "", **params: str) -> None:
        rule = a_policy(
            action, "UNTIL", condition_params={"until": instant.render(self.due)}, **params
        )
        item = a_manager(rule, target=target or actor, inside=HOME, name=actor)
        await create(self.client, NAMESPACE_MANAGERS, HOME, item)
        self.fate.hope(NAMESPACE_MANAGERS.path(HOME, actor), has_acted)

    async def _configmap(self, role: str, actor: str) -> str:
        at = place(role)
        return await self._ending(
            lambda notes: create(self.client, CONFIG_MAPS, at, _head(notes, actor))
        )

    async def _namespace(self, name: str, notes: Json | None = None, **labels: str) -> str:
        uid = await create(self.client, NAMESPACES, "", _head(notes or {}, name, **labels))
        self.fate.spaces[uid] = name
        return uid

    async def _deployment(
        self, name: str, namespace: str, actor: str, notes: Json | None = None
    ) -> str:
        item = _head(notes or {}, name) | {"spec": workload()}
        uid = await create(self.client, DEPLOYMENTS, namespace, item)
        self.fate.rested[uid] = actor
        self.fate.hope(DEPLOYMENTS.path(namespace, name), is_resting)
        return uid

    def _deleted(self, uid: str, actor: str, kind: Resource, namespace: str = "") -> None:
        self.fate.told[uid, "DELETE"] = Deal(actor, f"delete {kind.plural}")
        self._gone(uid, actor, kind.path(namespace, actor))

    def _gone(self, uid: str, actor: str, path: str) -> None:
        self.fate.deleted[uid] = actor
        self.fate.hope(path, is_gone)


def _head(notes: Json, name: str, **labels: str) -> Json:
    return {"metadata": {"name": name, "annotations": notes, "labels": labels}}


def _schedule() -> Json:
    """Return the spec of a CronJob that is never due."""
    pod = {"restartPolicy": "Never", "containers": [{"name": "a", "image": "a"}]}
    return {"schedule": "0 3 30 2 *", "jobTemplate": {"spec": {"template": {"spec": pod}}}}
