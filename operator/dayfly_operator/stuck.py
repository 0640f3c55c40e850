"""Why a namespace does not go: which object, which finalizer, since when."""

import re
from datetime import datetime
from typing import Final, Protocol

import msgspec

from dayfly_core import instant
from dayfly_core.objects import NAMESPACES, Key, ObjectMeta, Resource
from dayfly_kube.errors import ApiError

REMAINING: Final = re.compile(r"([a-z0-9-]+)\.([a-z0-9.-]*) has ([0-9]+) resource instances")
"""The namespace controller's words in ``NamespaceContentRemaining``: ``configmaps. has 1 …``."""

PAGE: Final = "50"
"""Objects of a kind that are searched for one with a finalizer."""


class Diagnosis(msgspec.Struct, frozen=True):
    """What holds a namespace; ``text`` carries no ages, so that it does not change by itself."""

    text: str
    explained: bool = True
    """False while neither an object nor the namespace controller says why."""


class Head(msgspec.Struct, frozen=True):
    """``metadata``, as far as it can hold an object."""

    name: str = ""
    finalizers: list[str] = []


class Held(msgspec.Struct, frozen=True):
    """An object in the namespace."""

    metadata: Head = Head()


class HeldList(msgspec.Struct, frozen=True):
    """A collection in the namespace."""

    items: list[Held] | None = None


class Condition(msgspec.Struct, frozen=True):
    """``status.conditions[]`` of a namespace."""

    type: str = ""
    status: str = ""
    message: str = ""


class NamespaceStatus(msgspec.Struct, frozen=True):
    """``status`` of a namespace."""

    conditions: list[Condition] = []


class Namespace(msgspec.Struct, frozen=True):
    """A namespace that is being deleted."""

    metadata: Head = Head()
    status: NamespaceStatus = NamespaceStatus()


class Reader(Protocol):
    """The reading half of the client."""

    async def get(self, path: str) -> bytes:
        """GET one object."""
        ...

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


class Examiner:
    """Reads what the namespace controller says, and names the first object that it waits for."""

    def __init__(self, client: Reader, finder: Finder) -> None:
        self._client = client
        self._finder = finder

    async def examine(self, meta: ObjectMeta) -> Diagnosis:
        """Find what holds the namespace; raises ApiError and Unreachable."""
        body = await self._client.get(NAMESPACES.path(name=meta.name))
        namespace = msgspec.json.decode(body, type=Namespace)
        said = [c.message for c in namespace.status.conditions if c.status == "True"]
        culprit = await self._culprit(meta.name, " ".join(said))
        return diagnosis(namespace, meta.deletion_timestamp, culprit)

    async def _culprit(self, namespace: str, said: str) -> str:
        for plural, group, _ in REMAINING.findall(said):
            resource = await self._finder.find(group, plural)
            held = await self._held(resource, namespace) if resource else None
            if resource and held:
                key = Key(resource, namespace, held.name)
                return f"{key} keeps finalizer {', '.join(held.finalizers)}"
        return ""

    async def _held(self, resource: Resource, namespace: str) -> Head | None:
        try:
            body = await self._client.get_list(
                resource.path(namespace), params={"limit": PAGE}, metadata_only=True
            )
        except ApiError as error:
            if error.forbidden or error.not_found:
                return None  # the controller's own words have to do
            raise
        items = msgspec.json.decode(body, type=HeldList).items or []
        return next((held.metadata for held in items if held.metadata.finalizers), None)


def diagnosis(namespace: Namespace, since: datetime | None, culprit: str) -> Diagnosis:
    """Say what holds the namespace: an object, its own finalizers, or what the controller says."""
    start = f"namespace {namespace.metadata.name} is Terminating"
    start += f" since {instant.render(since)}" if since else ""
    own = ", ".join(namespace.metadata.finalizers)
    said = "; ".join(c.message for c in namespace.status.conditions if c.status == "True")
    why = culprit or (f"it keeps finalizer {own} itself" if own and not said else said)
    return Diagnosis(f"{start}: {why or 'the namespace controller has not said why'}", bool(why))
