"""Labels of namespaces: from the watch, or by one GET for a namespace that was just created."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Protocol

import msgspec

from dayfly_core.objects import NAMESPACES, ObjectMeta, PartialObject
from dayfly_kube.errors import ApiError, Unreachable

log = logging.getLogger(__name__)


class Reader(Protocol):
    """The one verb that is needed of the API server."""

    async def get(
        self,
        path: str,
        *,
        metadata_only: bool,
        timeout: float,  # noqa: ASYNC109  # as the client has it
    ) -> bytes:
        """Read one object within ``timeout`` seconds."""
        ...


class Namespaces:
    """Namespaces by name; ``seen`` is what a watch keeps current."""

    def __init__(self, seen: Mapping[tuple[str, str], ObjectMeta], reader: Reader) -> None:
        self._seen = seen
        self._reader = reader
        self._asked: dict[str, asyncio.Task[ObjectMeta | None]] = {}

    def known(self, name: str) -> ObjectMeta | None:
        """Look it up where it costs nothing."""
        return self._seen.get(("", name))

    async def ask(self, name: str, seconds: float) -> ObjectMeta | None:
        """Ask the API server; None when it is not there, or no answer came in time.

        Requests that miss the same namespace share one question: a chart's fifty objects come at
        once with their new namespace.
        """
        task = self._asked.get(name)
        if task is None:
            task = asyncio.create_task(self._get(name, seconds))
            self._asked[name] = task
            task.add_done_callback(lambda _: self._asked.pop(name, None))
        done, _ = await asyncio.wait([task], timeout=seconds)
        return task.result() if done else None

    async def _get(self, name: str, seconds: float) -> ObjectMeta | None:
        try:
            body = await self._reader.get(
                NAMESPACES.path(name=name), metadata_only=True, timeout=seconds
            )
            return msgspec.json.decode(body, type=PartialObject).metadata
        except (ApiError, Unreachable, msgspec.MsgspecError) as error:
            log.warning("namespace is unknown name=%s error=%s", name, error)
            return None


def keep(namespace: PartialObject) -> ObjectMeta:
    """Keep of a watched namespace what selectors and Stays read."""
    meta = namespace.metadata
    return ObjectMeta(
        name=meta.name,
        uid=meta.uid,
        labels=meta.labels,
        annotations=_ours(meta.annotations),
        creation_timestamp=meta.creation_timestamp,
        deletion_timestamp=meta.deletion_timestamp,
    )


def _ours(annotations: dict[str, str] | None) -> dict[str, str] | None:
    # Other annotations may be hundreds of kilobytes, times ten thousand namespaces.
    ours = {k: v for k, v in (annotations or {}).items() if k.startswith("dayfly.dev/")}
    return ours or None
