"""What is in a namespace that must not end with it."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import aclosing
from functools import partial
from typing import Final, Protocol

import msgspec

from dayfly_core import names
from dayfly_core.objects import Key, PartialObject, Resource
from dayfly_core.policies import GroupResource
from dayfly_core.reasons import Reason
from dayfly_kube.errors import ApiError, Unproven
from dayfly_kube.paging import items

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

PAGE: Final = 100
"""Protected objects read at once: of those that a controller made, there may be many."""

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

    def forget(self, group: str, plural: str) -> None:
        """Ask anew next time."""
        ...


class Keeper(msgspec.Struct, frozen=True):
    """What keeps a namespace from its end: one or the other."""

    member: str = ""
    """What is protected in it: ``configmaps/team/keep``."""
    doubt: str = ""
    """Why nobody can say whether something is."""

    @property
    def reason(self) -> str:
        """In one word."""
        return Reason.PROTECTED if self.member else Reason.MEMBERS_UNKNOWN

    @property
    def note(self) -> str:
        """In a sentence."""
        if self.member:
            return f"{self.member} is protected"
        return f"it is not known whether it holds something protected: {self.doubt}"


class Members:
    """What is in a namespace."""

    def __init__(
        self, client: Lister, finder: Finder, served: Callable[[], Iterable[Resource]]
    ) -> None:
        self._client = client
        self._finder = finder
        self._served = served

    async def keeper(self, namespace: str) -> Keeper | None:
        """Name one protected object, of the kinds that the operator may list; None: it has none.

        What cannot be found out keeps it, too. Raises ApiError and Unreachable where asking again
        is likely to help.
        """
        try:
            member = await self._protected(namespace)
        except Unproven as error:
            return Keeper(doubt=str(error))
        return Keeper(member=str(member)) if member else None

    async def _protected(self, namespace: str) -> Key | None:
        kinds = await self._kinds()
        # All at once: ten questions one after the other are most of what an end waits for.
        found = await asyncio.gather(*(self._first(resource, namespace) for resource in kinds))
        for resource, first in zip(kinds, found, strict=True):
            if first:
                return Key(resource, namespace, first.metadata.name)
        return None

    async def _kinds(self) -> list[Resource]:
        usual = [await self._finder.find(*pair) for pair in USUAL_MEMBERS]
        kinds = {resource for resource in (*usual, *self._served()) if resource}
        return sorted(resource for resource in kinds if resource.namespaced)

    async def _first(self, resource: Resource, namespace: str) -> PartialObject | None:
        try:
            return await self._listed(resource, namespace)
        except ApiError as error:
            if error.forbidden:
                return None  # a kind that we may not list
            if not error.not_found:
                error.add_note(f"GET {resource.path(namespace)}")
                raise
            refusal = error
        # Anybody may have answered so. Another version may be served, or none: discovery knows.
        self._finder.forget(resource.group, resource.plural)
        served = await self._finder.find(resource.group, resource.plural)
        if served == resource:
            raise Unproven(f"{resource.group_resource}: {refusal}; but it is served")
        return await self._first(served, namespace) if served else None

    async def _listed(self, resource: Resource, namespace: str) -> PartialObject | None:
        path = resource.path(namespace)
        params = {"labelSelector": PROTECTED_SELECTOR, "limit": str(PAGE)}
        fetch = partial(self._client.get_list, metadata_only=True)
        async with aclosing(items(fetch, path, PartialObject, params)) as found:
            # What a controller makes has the labels of a template, which anybody may write: nobody
            # was asked whether they may protect. Who may, labels what the controller serves.
            return await anext((one async for one in found if not one.metadata.controlled), None)
