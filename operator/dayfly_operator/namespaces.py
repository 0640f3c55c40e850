"""Namespaces end with all that is in them: what keeps one from ending, and what from going."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

import msgspec

from dayfly_core import names
from dayfly_core.objects import Key, ObjectMeta, PartialObject, Resource
from dayfly_core.policies import GroupResource
from dayfly_kube.errors import ApiError
from dayfly_operator.stuck import Diagnosis

log = logging.getLogger(__name__)

LOOK_AGAIN: Final = timedelta(seconds=30)
"""Between looks at a namespace that is stuck."""

UNEXPLAINED_AGAIN: Final = timedelta(seconds=2)
"""The same until the namespace controller says why: it does so within seconds."""

USUAL_MEMBERS: Final[tuple[GroupResource, ...]] = (
    ("", "persistentvolumeclaims"),
    ("", "configmaps"),
    ("", "services"),
    ("", "pods"),
    ("apps", "deployments"),
    ("apps", "statefulsets"),
    ("apps", "daemonsets"),
    ("batch", "jobs"),
    ("batch", "cronjobs"),
    ("networking.k8s.io", "ingresses"),
)
"""Kinds searched for protected objects whatever policies name, where the operator may list them."""

PROTECTED_SELECTOR: Final = f"{names.PROTECTED}=true"


class Lister(Protocol):
    """The reading half of the client, for collections."""

    async def get_list(
        self, path: str, *, params: dict[str, str], metadata_only: bool = False
    ) -> bytes:
        """GET a collection."""
        ...


class Finder(Protocol):
    """Which kinds are served."""

    async def find(self, group: str, plural: str) -> Resource | None:
        """Return the kind, None if it is not served."""
        ...


class Doctor(Protocol):
    """Who finds out why a namespace does not go."""

    async def examine(self, meta: ObjectMeta) -> Diagnosis:
        """Read what holds it."""
        ...


class PartialList(msgspec.Struct, frozen=True):
    """``PartialObjectMetadataList``; an empty one says ``null``."""

    items: list[PartialObject] | None = None


class Members:
    """What is in a namespace."""

    def __init__(
        self, client: Lister, finder: Finder, served: Callable[[], Iterable[Resource]]
    ) -> None:
        self._client = client
        self._finder = finder
        self._served = served

    async def protected(self, namespace: str) -> str | None:
        """Name one protected object in it, None if there is none that the operator may list.

        Raises ApiError and Unreachable: not knowing is no reason to end it.
        """
        kinds = await self._kinds()
        # All at once: ten questions one after the other are most of what an end waits for.
        found = await asyncio.gather(*(self._first(resource, namespace) for resource in kinds))
        for resource, first in zip(kinds, found, strict=True):
            if first:
                return str(Key(resource, namespace, first.metadata.name))
        return None

    async def _kinds(self) -> list[Resource]:
        usual = [await self._finder.find(*pair) for pair in USUAL_MEMBERS]
        kinds = {resource for resource in (*usual, *self._served()) if resource}
        return sorted(resource for resource in kinds if resource.namespaced)

    async def _first(self, resource: Resource, namespace: str) -> PartialObject | None:
        try:
            body = await self._client.get_list(
                resource.path(namespace),
                params={"labelSelector": PROTECTED_SELECTOR, "limit": "1"},
                metadata_only=True,
            )
        except ApiError as error:
            if error.forbidden or error.not_found:
                return None  # a kind that we may not list, or that is no longer served
            raise
        return next(iter(msgspec.json.decode(body, type=PartialList).items or ()), None)


@dataclass(frozen=True, slots=True)
class Stuck:
    """A namespace that was to end and does not go."""

    namespace: str
    policy: str
    diagnosis: Diagnosis


class Namespaces:
    """Follows namespaces from the DELETE until they are gone. Nothing is ever forced."""

    def __init__(
        self,
        members: Members,
        doctor: Doctor,
        now: Callable[[], datetime],
        patience: timedelta,
        changed: Callable[[Stuck | None], None],
    ) -> None:
        """Tell ``changed`` each new diagnosis, and None when one is settled."""
        self._members = members
        self._doctor = doctor
        self._now = now
        self._patience = patience
        self._changed = changed
        self._stuck: dict[str, Stuck] = {}

    def stuck(self) -> Iterator[Stuck]:
        """Yield what does not go, by name."""
        return iter([self._stuck[name] for name in sorted(self._stuck)])

    async def protected_member(self, namespace: str) -> str | None:
        """Name an object in the namespace that is protected."""
        return await self._members.protected(namespace)

    async def going(self, meta: ObjectMeta) -> datetime | None:
        """Look at a namespace that is being deleted; returns when to look again."""
        since = meta.deletion_timestamp or self._now()
        if self._now() < since + self._patience:
            return since + self._patience
        found = Stuck(
            meta.name, meta.label_map.get(names.POLICY, ""), await self._doctor.examine(meta)
        )
        known = self._stuck.get(meta.name)
        # When the last thing in it has gone, nobody says why any more: that is no news.
        if found != known and (found.diagnosis.explained or known is None):
            self._stuck[meta.name] = found
            self._changed(found)
        return self._now() + (LOOK_AGAIN if found.diagnosis.explained else UNEXPLAINED_AGAIN)

    def gone(self, namespace: str) -> None:
        """Hear that it is gone, or not ours any more."""
        if self._stuck.pop(namespace, None):
            self._changed(None)
