"""Down to nothing, and back: replicas, CronJobs and Jobs, and what KEDA scales."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from dayfly_core.objects import Key
from dayfly_kube.client import Params
from dayfly_operator.writing import Writer


class Reader(Protocol):
    """The reading half of the client."""

    async def get(self, path: str) -> bytes:
        """GET one object, from etcd."""
        ...

    async def get_list(self, path: str, *, params: Params | None = None) -> bytes:
        """GET a collection, or a page of it."""
        ...


@dataclass(frozen=True, slots=True)
class Selector:
    """Which workloads: of one kind (``Deployment``, in any case), with all of these labels."""

    kind: str
    labels: Mapping[str, str] = field(default_factory=dict[str, str])


class Scaled(NamedTuple):
    """What came of it."""

    done: tuple[Key, ...]
    """Scaled by this occurrence, now or earlier."""
    skipped: tuple[str, ...]
    """What was left alone, each in a sentence with its reason."""


class Scaler:
    """Scales down and wakes, each write over the very version that was read."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    async def down(self, namespace: str, selectors: Sequence[Selector], occurrence: str) -> Scaled:
        """Scale down what the selectors select, one after the other.

        Idempotent over crashes: what carries this ``occurrence`` (annotation ``scaled-by``) is
        done, even if somebody has scaled it up since. What is at 0 already is left alone.
        Raises NotLeading, ApiError, Unreachable: then call it again with the same occurrence.
        """
        raise NotImplementedError

    async def up(self, namespace: str) -> Scaled:
        """Give back everything in the namespace that Dayfly has scaled down; idempotent."""
        raise NotImplementedError
