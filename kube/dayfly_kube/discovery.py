"""Which kinds the API server serves, by group and plural."""

from typing import NamedTuple

import msgspec

from dayfly_core.objects import Resource
from dayfly_kube.client import Client
from dayfly_kube.errors import ApiError


class GroupVersion(msgspec.Struct, frozen=True):
    """One version that a group is served in."""

    version: str


class Group(msgspec.Struct, frozen=True, rename="camel"):
    """``APIGroup``: versions in the server's order of preference."""

    name: str = ""
    preferred_version: GroupVersion | None = None
    versions: list[GroupVersion] = []


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

    resources: list[ServedResource] = []


class Served(NamedTuple):
    """A kind and what may be asked of it."""

    resource: Resource
    verbs: frozenset[str]


class Discovery:
    """Finds kinds; what was found is remembered, what was not is asked for again each time."""

    def __init__(self, client: Client) -> None:
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
        for each in dict.fromkeys((version, *await self._versions(group))):
            for found in await self._listed(group, each):
                if found.kind == kind and "/" not in found.name:
                    return found.name
        return ""

    async def _versions(self, group: str) -> list[str]:
        if not group:
            return ["v1"]
        body = await self._read(f"/apis/{group}")
        return preference(msgspec.json.decode(body, type=Group)) if body else []

    async def _in_version(self, group: str, version: str, plural: str) -> Served | None:
        for found in await self._listed(group, version):
            if found.name == plural:
                resource = Resource(group, version, plural, found.kind, found.namespaced)
                return Served(resource, frozenset(found.verbs))
        return None

    async def _listed(self, group: str, version: str) -> list[ServedResource]:
        body = await self._read(f"/apis/{group}/{version}" if group else f"/api/{version}")
        return msgspec.json.decode(body, type=ResourceList).resources if body else []

    async def _read(self, path: str) -> bytes:
        try:
            return await self._client.get(path)
        except ApiError as error:
            if error.not_found:
                return b""
            raise


def preference(group: Group) -> list[str]:
    """All versions of the group, the preferred one first."""
    versions = [served.version for served in group.versions]
    first = group.preferred_version.version if group.preferred_version else ""
    return sorted(versions, key=lambda version: version != first)
