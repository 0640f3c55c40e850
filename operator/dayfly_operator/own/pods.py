"""How far the pods of a namespace have come, read by quorum when somebody depends on it."""

from collections.abc import Mapping
from typing import Final, Protocol

import msgspec

from dayfly_core.objects import PODS
from dayfly_kube.proof import proven

PAGE: Final = 500
"""Pods a request: a page of large ones stays below ten megabytes."""

UNKNOWN: Final = "Unknown"
"""What Kubernetes itself calls a phase that nobody could tell."""


class Lister(Protocol):
    """The reading half of the client, for collections."""

    async def get_list(self, path: str, *, params: dict[str, str]) -> bytes:
        """GET a page, from etcd."""
        ...


class PodStatus(msgspec.Struct, frozen=True):
    """``status``, as far as it says how the pod is."""

    phase: str = UNKNOWN


class Pod(msgspec.Struct, frozen=True):
    """A pod; nothing else of it is decoded."""

    status: PodStatus = PodStatus()


class ListMeta(msgspec.Struct, frozen=True):
    """``metadata`` of a page."""

    rest: str = msgspec.field(name="continue", default="")


class PodPage(msgspec.Struct, frozen=True):
    """A page; an empty one says ``null``."""

    kind: str = ""
    metadata: ListMeta = ListMeta()
    items: list[Pod] | None = None


class Pods:
    """Reads the phases of pods."""

    def __init__(self, client: Lister) -> None:
        self._client = client

    async def phases(self, namespace: str, labels: Mapping[str, str]) -> list[str]:
        """Return the phase of each pod with these labels, of all pods without any.

        Raises ApiError and Unreachable: then nothing is known, which is not "no pods".
        """
        selector = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
        params = {"limit": str(PAGE)} | ({"labelSelector": selector} if selector else {})
        path, phases = PODS.path(namespace), list[str]()
        while True:
            body = await self._client.get_list(path, params=params)
            page = proven(body, PodPage, path)
            phases += (pod.status.phase for pod in page.items or ())
            if not page.metadata.rest:
                return phases
            params = {**params, "continue": page.metadata.rest}
