"""An API server that answers everything with the same."""

import json
from collections.abc import Callable
from typing import Any

from dayfly_core.guard import Guard
from dayfly_core.objects import NAMESPACES, Key, ObjectMeta, Resource
from dayfly_kube.errors import ApiError, Status, StatusDetails
from dayfly_operator.members import Members
from dayfly_operator.own.namespace_end import NamespaceEnd
from support.build import NOW
from support.subjects import GUARD

UNIT = Key(NAMESPACES, "", "shop")
SHOP = ObjectMeta(name="shop", uid="u", resource_version="1")
MAPS = Resource("", "v1", "configmaps", "ConfigMap", namespaced=True)
ABSENT = ApiError(Status(404, "NotFound", "not found", StatusDetails(name="shop")))
SOMEBODY_ELSES = ApiError(Status(404, "", "<html>404 page not found</html>"))
FORBIDDEN = ApiError(Status(403, "Forbidden"))
AWAY = ApiError(Status(503, "ServiceUnavailable"))


class Server:
    """Answers everything with the same."""

    def __init__(self, answer: Exception | dict[str, Any]) -> None:
        self.answer = answer
        self.written = list[str]()

    async def get(self, path: str, *, metadata_only: bool = False) -> bytes:
        return self._answered()

    async def get_list(self, path: str, **_: object) -> bytes:
        return self._answered()

    async def find(self, group: str, plural: str) -> Resource | None:
        return MAPS if plural == "configmaps" else None

    def forget(self, group: str, plural: str) -> None:
        raise AssertionError(plural)

    async def turn(self) -> float:
        return 0.0

    async def create(self, path: str, body: object) -> bytes:
        raise AssertionError(path)

    async def apply(self, path: str, body: object, *, manager: str, force: bool = True) -> bytes:
        raise AssertionError(path)

    async def merge_patch(self, path: str, body: object) -> bytes:
        self.written.append(path)
        return b"{}"

    async def delete(self, path: str, **_: object) -> bytes:
        self.written.append(path)
        return b"{}"

    def _answered(self) -> bytes:
        if isinstance(self.answer, Exception):
            raise self.answer
        return json.dumps(self.answer).encode()


def members(server: Server) -> Members:
    return Members(server, server, lambda: ())


def ending(server: Server, guard: Callable[[], Guard] = lambda: GUARD) -> NamespaceEnd:
    return NamespaceEnd(server, server, guard, members(server), server, lambda: NOW)
