"""Carries webhooks beside the engine, so that no worker waits for a receiver."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from dayfly_core.outbox import Outcome


@dataclass(frozen=True, slots=True)
class SecretRef:
    """The Secret whose key ``hmac`` signs a call."""

    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Parcel:
    """One attempt to make one call."""

    id: str
    """The occurrence's: also the ``Idempotency-Key``."""
    url: str
    body: bytes
    secret: SecretRef | None = None


class Calls(Protocol):
    """What engine and desks see of the :class:`Courier`."""

    def collect(self, parcel: Parcel, arrived: Callable[[], None]) -> Outcome | None:
        """Return what came of the attempt, once; None while it is under way.

        Starts it if nobody has yet. ``arrived`` is called, in the event loop, when there is
        something to collect: then look at the object again. It never blocks. What nobody collects
        is forgotten with the process, and sent again by whoever finds it pending.
        """
        ...
