"""A cluster with one Helm release in it, and leaders that end it: real code over a store."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec.structs import replace

from dayfly_core import ending, instant, names, selectors
from dayfly_core.actions import Action, Delete
from dayfly_core.api import Unit
from dayfly_core.guard import Guard
from dayfly_core.helm import marks as helm
from dayfly_core.helm.marks import ReleaseRef
from dayfly_core.history import Entry
from dayfly_core.objects import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    NAMESPACES,
    SECRETS,
    Key,
    ObjectMeta,
    PartialObject,
    Resource,
)
from dayfly_core.policies import Policies, Policy
from dayfly_core.subject import Plan, Subject
from dayfly_kube.releases import ReleaseReader
from dayfly_operator.helm.acts import ReleaseActs
from dayfly_operator.helm.releases import HelmReleases, Means, Turns
from dayfly_operator.helm.reports import Ears, ReleaseReports
from dayfly_operator.helm.survey import ReleaseSurvey, Sources
from dayfly_operator.members import Keeper
from dayfly_operator.metrics import Metrics
from dayfly_operator.rights import REVIEWS, OwnRights
from dayfly_operator.telling import Teller
from dayfly_operator.writing import Rehearsal
from support.build import NOW, a_policy, in_
from support.fake_store import Json, Store, as_map, field_selects, place_of, selects
from support.helm_secrets import SHOP, a_release, a_secret
from support.mortal import Mortal
from support.shop import AtOnce

SERVICES = Resource("", "v1", "services", "Service", namespaced=True)
ROLES = Resource("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", namespaced=False)
JOBS = Resource("batch", "v1", "jobs", "Job", namespaced=True)
KINDS = (NAMESPACES, SECRETS, CONFIG_MAPS, DEPLOYMENTS, SERVICES, ROLES, JOBS)

WEB = Key(DEPLOYMENTS, "team-a", "web")
SETTINGS = Key(CONFIG_MAPS, "team-a", "settings")
KEPT = Key(CONFIG_MAPS, "team-a", "kept")
SERVICE = Key(SERVICES, "team-a", "web")
ROLE = Key(ROLES, "", "team-a:shop")
STRANGER = Key(CONFIG_MAPS, "team-a", "stranger")
MEMBERS = (WEB, SERVICE, ROLE, SETTINGS, KEPT)
"""What the manifest lists."""

PREVIEWS = replace(
    a_policy(resources=frozenset({("", "configmaps"), ("apps", "deployments")})),
    unit=Unit.RELEASE,
)


def manifest(*keys: Key, stays: Iterable[Key] = (KEPT,)) -> str:
    """Write the objects as Helm's templates would."""
    return "\n".join(_document(key, stays=key in stays) for key in keys)


def _document(key: Key, *, stays: bool) -> str:
    note = "{helm.sh/resource-policy: keep}" if stays else ""
    resource = key.resource
    elsewhere = f"  namespace: {key.namespace}\n" if key.namespace not in ("", "team-a") else ""
    return (
        f"---\n# Source: shop/templates/all.yaml\napiVersion: {resource.api_version}\n"
        f"kind: {resource.kind}\nmetadata:\n  name: {key.name}\n{elsewhere}"
        f"  annotations: {note}\n"
    )


def path(key: Key) -> str:
    return key.resource.path(key.namespace, key.name)


class Served(Mortal):
    """A client whose lists are filtered, which knows kinds by their names, and asks for rights."""

    denied: frozenset[tuple[str, str]] = frozenset()
    """Verbs and plurals that the operator has no right to."""

    async def of_kind(self, group: str, version: str, kind: str) -> Resource | None:
        return next((k for k in self.kinds if (k.group, k.kind) == (group, kind)), None)

    async def create(self, path: str, body: object) -> bytes:
        assert path == REVIEWS
        asked = as_map(as_map(as_map(msgspec.to_builtins(body))["spec"])["resourceAttributes"])
        allowed = (asked["verb"], asked["resource"]) not in self.denied
        return msgspec.json.encode({"status": {"allowed": allowed}})

    def _page(self, path: str, query: Mapping[str, str]) -> Json:
        page = super()._page(path, {})
        items = [
            item
            for item in page["items"]
            if selects(query.get("labelSelector", ""), as_map(item["metadata"].get("labels")))
            and field_selects(query.get("fieldSelector", ""), item)
        ]
        start, limit = int(query.get("continue", "0")), int(query.get("limit", "0")) or len(items)
        rest = str(start + limit) if start + limit < len(items) else ""
        listed = items[start : start + limit]
        return {"kind": "List", "metadata": {"continue": rest}, "items": listed}


@dataclass
class Knowledge:
    """What is known of stamped objects: always the newest."""

    store: Store
    policies: Policies
    now: datetime

    def known(self, key: Key) -> Subject | None:
        item = self.store.objects.get(place_of(path(key)).key)
        return self._subject(key, item) if item else None

    async def read(self, key: Key) -> Subject | None:
        return self.known(key)

    def plan(self, subject: Subject) -> Plan:
        name = subject.key.namespace
        found = self.known(Key(NAMESPACES, "", name)) if name else None
        around = (found.meta if found else ObjectMeta(name=name)) if name else None
        here = replace(subject, namespace=around)
        return ending.plan(here, self.policies, Guard("dayfly-system"), self.now)

    def up_to_date(self, key: Key) -> bool:
        return False

    async def catch_up(self, key: Key) -> None:
        return None

    def _subject(self, key: Key, item: Json) -> Subject:
        return Subject(key, msgspec.convert(item, PartialObject, strict=False).metadata, None)


@dataclass
class Said:
    """Everything that people were told."""

    events: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])
    entries: list[Entry] = field(default_factory=list[Entry])

    def record(self, regarding: Any, *, type: str, reason: str, action: str, note: str) -> None:
        self.events.append((regarding.name, reason, note))

    def note(self, entry: Entry) -> None:
        self.entries.append(entry)


@dataclass
class Held:
    """A breaker that holds back what it is told to."""

    why: str | None = None

    def holds_back(self, action: Action) -> str | None:
        return self.why


@dataclass
class Full:
    """Namespaces of which some hold something protected."""

    protected: dict[str, str] = field(default_factory=dict[str, str])

    async def keeper(self, namespace: str) -> Keeper | None:
        member = self.protected.get(namespace)
        return Keeper(member) if member else None


@dataclass
class Cluster:
    """The store, and what its leaders share with no other process: nothing."""

    store: Store = field(default_factory=Store)
    policies: list[Policy] = field(default_factory=lambda: [PREVIEWS])
    now: datetime = NOW
    said: Said = field(default_factory=Said)
    brakes: Held = field(default_factory=Held)
    full: Full = field(default_factory=Full)
    begun: int = 0
    dry_run: bool = False
    tick: timedelta = timedelta()
    """How far the clock goes whenever somebody looks at it."""

    def put(self, key: Key, ref: ReleaseRef | None = SHOP, **meta: Any) -> Json:
        """Create an object as Helm does; ``at`` is its end, and ``stays`` keeps it."""
        marks = {helm.RELEASE_NAME: ref.name, helm.RELEASE_NAMESPACE: ref.namespace} if ref else {}
        at, labels = meta.pop("at", None), meta.pop("labels", {})
        made = {helm.MANAGED_BY: "Helm"} if ref else {}
        stamp = {names.POLICY: "previews"} if at else {}
        end = {names.EXPIRES_AT: at} if at else {}
        annotations = {**marks, **end, **meta.pop("annotations", {})}
        head = {"name": key.name, "labels": {**made, **stamp, **labels}, "annotations": annotations}
        collection = key.resource.path(key.namespace)
        place = {"namespace": key.namespace} if key.namespace else {}
        item = {"metadata": head | place | meta}
        return self.store.create(place_of(collection), item)

    def install(self, *keys: Key, number: int = 1, status: str = "deployed", **more: Any) -> None:
        """Store a revision of the release ``shop``."""
        hooks = [{"kind": "Job", "name": "migrate"}]
        release = a_release(manifest(*keys), number=number, status=status, hooks=hooks)
        secret = a_secret(release | more)
        secret["metadata"]["creationTimestamp"] = instant.render(self.now)
        self.store.create(place_of(SECRETS.path(release["namespace"])), secret)

    def there(self) -> set[str]:
        """Return what is there, by kind and name."""
        return {key.rsplit("/", 2)[1] + "/" + key.rsplit("/", 1)[1] for key in self.store.objects}

    def meta(self, key: Key) -> ObjectMeta:
        return msgspec.convert(self.store.get(place_of(path(key))), PartialObject).metadata

    def client(self, dies_at: int | None = None) -> Served:
        return Served(self.store, KINDS, dies_at)

    def leader(self, client: Served | None = None, turns: Turns | None = None) -> HelmReleases:
        """Make a leader."""
        client = client or self.client()
        world = Knowledge(self.store, Policies(self.policies), self.now)
        reader = ReleaseReader(client, client)
        sources = Sources(
            reader=reader,
            world=world,
            brakes=self.brakes,
            units=self.full,
            permissions=OwnRights(client),
            guard=lambda: Guard("dayfly-system"),
            members=self.members,
            noted=lambda subject: subject,
            reaches=self._reaches,
            now=lambda: self.now,
        )
        teller = Teller(self.said, lambda name: f"uid-of-{name}")
        means = Means(
            survey=ReleaseSurvey(sources),
            acts=ReleaseActs(Rehearsal() if self.dry_run else client, reader, lambda: self.now),
            reader=reader,
            reports=ReleaseReports(
                Ears(teller, Metrics(), self.said, lambda: None, dry_run=self.dry_run)
            ),
            world=world,
            turns=turns or AtOnce(),
            ends_releases=self._ends_releases,
            now=self._clock,
        )
        return HelmReleases(means, self._note_begun)

    def members(self, ref: ReleaseRef) -> tuple[Key, ...]:
        there = [
            key for key in (*MEMBERS, STRANGER) if place_of(path(key)).key in self.store.objects
        ]
        stamped = [key for key in there if names.POLICY in self.meta(key).label_map]
        return tuple(key for key in stamped if helm.release_of(self.meta(key)) == ref)

    def order(self, key: Key = WEB) -> Delete:
        """Return what the engine orders when the end of a member has come."""
        meta = self.meta(key)
        version = meta.resource_version
        return Delete(key, meta.uid, version, self.now, "previews", release=helm.release_of(meta))

    def _ends_releases(self, policy: str) -> bool:
        return any(p.name == policy and p.unit is Unit.RELEASE for p in self.policies)

    def _reaches(self, policy: str, namespace: ObjectMeta) -> bool:
        selector = Policies(self.policies).get(policy)
        return selector is None or selectors.matches(
            selector.namespace_selector, namespace.label_map
        )

    def _clock(self) -> datetime:
        self.now += self.tick
        return self.now

    def _note_begun(self) -> None:
        self.begun += 1


def shop(**web: Any) -> Cluster:
    """A release whose end has come: one stamped Deployment and four objects without a stamp."""
    cluster = Cluster()
    cluster.put(WEB, SHOP, **{"at": in_("-1m"), **web})
    cluster.put(SERVICE)
    cluster.put(ROLE)
    cluster.put(SETTINGS)
    cluster.put(KEPT, annotations={helm.RESOURCE_POLICY: "keep"})
    cluster.install(*MEMBERS)
    return cluster
