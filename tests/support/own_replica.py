"""One replica of the desks of our own kinds, and what it meets besides the API server."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from dayfly_core.outgoing.outbox import Delivered, Outcome
from dayfly_kube.events import Regarding
from dayfly_operator.outgoing.courier import Parcel
from dayfly_operator.own.parts import OwnKindParts
from support.fake_store import place_of

Fault = Literal["before", "after", "unreachable", "lost"]
"""The replica dies before or after it is stored; or nothing, or no answer, comes through."""


@dataclass
class Write:
    """One write that was stored: ``DELETE namespaces/team``."""

    verb: str
    path: str
    body: Any
    at: float

    @property
    def text(self) -> str:
        place = place_of(self.path)
        status = "/status" if place.subresource else ""
        return f"{self.verb} {place.plural}/{place.name}{status}"


@dataclass
class Receiver:
    """Takes calls, and answers what it is told to."""

    answers: list[Outcome] = field(default_factory=list[Outcome])
    calls: list[Parcel] = field(default_factory=list[Parcel])

    def answer(self, parcel: Parcel) -> Outcome:
        self.calls.append(parcel)
        return self.answers.pop(0) if self.answers else Delivered(200)


class Post:
    """Carries the calls of one replica; what it knows ends with it."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._outcomes: dict[tuple[str, int], Outcome] = {}

    def collect(self, parcel: Parcel, arrived: Callable[[], None]) -> Outcome | None:
        known = self._outcomes.get((parcel.id, parcel.attempt))
        if known is None:
            self._outcomes[parcel.id, parcel.attempt] = self._receiver.answer(parcel)
            asyncio.get_running_loop().call_later(0.1, arrived)
        return known


@dataclass
class Gate:
    open: bool = True

    def holds(self) -> bool:
        return self.open


@dataclass
class Replica:
    """One process: its own memory, its own gate."""

    parts: OwnKindParts
    gate: Gate
    work: asyncio.Task[None]


class Recorder:
    """Keeps the Events."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str, str]] = []

    def record(
        self, regarding: Regarding, *, type: str, reason: str, action: str, note: str
    ) -> None:
        self.events.append((f"{regarding.kind}/{regarding.name}", reason, note))
