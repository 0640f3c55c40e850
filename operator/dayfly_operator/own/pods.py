"""How far the pods of a namespace have come, read by quorum when somebody depends on it."""

from collections.abc import Mapping
from typing import Final, Protocol

import msgspec

from dayfly_core.objects import PODS
from dayfly_kube.paging import items

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
        path = PODS.path(namespace)
        pods = items(self._client.get_list, path, Pod, params)
        return [pod.status.phase async for pod in pods]
