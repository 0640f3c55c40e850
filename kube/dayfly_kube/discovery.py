"""Which kinds the API server serves, by group and plural.

Of what it does not serve it says ``404 page not found``, as any proxy might. So that a kind is not
there counts only where a list says so that the API server gives: of groups, of a group's versions,
or of a version's kinds.
"""

from typing import NamedTuple, Protocol

import msgspec

from dayfly_core.objects import Resource
from dayfly_kube.errors import ApiError, Unproven
from dayfly_kube.proof import proven


class Getter(Protocol):
    """The reading half of the client."""

    async def get(self, path: str) -> bytes:
        """GET."""
        ...


class GroupVersion(msgspec.Struct, frozen=True):
    """One version that a group is served in."""

    version: str


class Group(msgspec.Struct, frozen=True, rename="camel"):
    """``APIGroup``: versions in the server's order of preference."""

    kind: str = ""
    name: str = ""
    preferred_version: GroupVersion | None = None
    versions: list[GroupVersion] = []


class GroupList(msgspec.Struct, frozen=True):
    """``APIGroupList``: every group but the core's."""

    kind: str = ""
    groups: list[Group] = []


class ServedResource(msgspec.Struct, frozen=True, rename="camel"):
    """``APIResource``: a kind, or with a slash in its name a subresource."""

    name: str
    kind: str
    namespaced: bool = False
    verbs: list[str] = []
    short_names: list[str] = []
    singular_name: str = ""
    categories: list[str] = []


class ResourceList(msgspec.Struct, frozen=True):
    """``APIResourceList`` of one group and version."""

    kind: str = ""
    resources: list[ServedResource] = []


class Served(NamedTuple):
    """A kind and what may be asked of it."""

    resource: Resource
    verbs: frozenset[str]


class Discovery:
    """Finds kinds; what was found is remembered, what was not is asked for again each time."""

    def __init__(self, client: Getter) -> None:
        self._client = client
        self._found: dict[tuple[str, str], Served] = {}
        self._plurals: dict[tuple[str, str], str] = {}

    async def find(self, group: str, plural: str) -> Resource | None:
        """Return the kind in the version that the server prefers; None: not served (yet).

        Raises ``ApiError`` and ``Unreachable``: not knowing is different from not being there.
        """
        served = await self._served(group, plural)
        return served.resource if served else None

    async def verbs(self, group: str, plural: str) -> frozenset[str]:
        """Return what the kind can do at all (``delete``, ``watch``); empty: not served."""
        served = await self._served(group, plural)
        return served.verbs if served else frozenset()

    async def of_kind(self, group: str, version: str, kind: str) -> Resource | None:
        """Return the kind that a manifest names, in the version that the server prefers.

        A version that is no longer served stands for the kind in another one: that is where its
        objects are. None, and errors, as :meth:`find`.
        """
        plural = self._plurals.get((group, kind)) or await self._plural(group, version, kind)
        if not plural:
            return None
        self._plurals[group, kind] = plural
        return await self.find(group, plural)

    def forget(self, group: str, plural: str) -> None:
        """Ask anew next time: a version that answers 404 has been withdrawn."""
        self._found.pop((group, plural), None)

    async def _served(self, group: str, plural: str) -> Served | None:
        known = self._found.get((group, plural))
        if known:
            return known
        for version in await self._versions(group):
            found = await self._in_version(group, version, plural)
            if found:
                self._found[group, plural] = found
                return found
        return None

    async def _plural(self, group: str, version: str, kind: str) -> str:
        versions = await self._versions(group)
        for each in sorted(versions, key=lambda served: served != version):
            for found in await self._listed(group, each):
                if found.kind == kind and "/" not in found.name:
                    return found.name
        return ""

    async def _versions(self, group: str) -> list[str]:
        if not group:
            return ["v1"]
        path = f"/apis/{group}"
        try:
            body = await self._client.get(path)
        except ApiError as error:
            if not error.not_found:
                raise
            if await self._has_group(group):
                raise Unproven(f"GET {path}: {error}; but /apis lists the group") from error
            return []
        return preference(proven(body, Group, path, "APIGroup"))

    async def _has_group(self, group: str) -> bool:
        listed = proven(await self._client.get("/apis"), GroupList, "/apis")
        return any(each.name == group for each in listed.groups)

    async def _in_version(self, group: str, version: str, plural: str) -> Served | None:
        for found in await self._listed(group, version):
            if found.name == plural:
                resource = Resource(group, version, plural, found.kind, found.namespaced)
                return Served(resource, frozenset(found.verbs))
        return None

    async def _listed(self, group: str, version: str) -> list[ServedResource]:
        """Return the kinds of a version that the group has said to have."""
        path = f"/apis/{group}/{version}" if group else f"/api/{version}"
        try:
            body = await self._client.get(path)
        except ApiError as error:
            if error.not_found:
                raise Unproven(f"GET {path}: {error}; but that version is listed") from error
            raise
        return proven(body, ResourceList, path).resources


def preference(group: Group) -> list[str]:
    """All versions of the group, the preferred one first."""
    versions = [served.version for served in group.versions]
    first = group.preferred_version.version if group.preferred_version else ""
    return sorted(versions, key=lambda version: version != first)
