"""Carries webhooks beside the engine, so that no worker waits for a receiver."""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from dayfly_core.outgoing.outbox import Failed, Outcome, SecretRef
from dayfly_operator.writing import NotLeading

REMEMBERED: Final = 4096
"""Outcomes kept for who has not asked again yet, or never will because the object is gone."""


class Parcel(msgspec.Struct, frozen=True):
    """One attempt to make one call."""

    id: str
    """The occurrence's: also the ``Idempotency-Key``."""
    attempt: int
    """Tells a new attempt from a second question about the last one."""
    url: str
    body: bytes
    secret: SecretRef | None = None


class Calls(Protocol):
    """What engine and desks see of the :class:`Courier`."""

    def collect(self, parcel: Parcel, arrived: Callable[[], None]) -> Outcome | None:
        """Return what came of the attempt, each time the same; None while it is under way.

        Starts it if nobody has yet. ``arrived`` is called, in the event loop, when there is
        something to collect: then look at the object again. It never blocks, and what it knows
        ends with the process: a leader that finds a call pending makes that attempt again.
        """
        ...


class Sender(Protocol):
    """What sends a call: :class:`dayfly_operator.outgoing.caller.Caller`."""

    async def send(self, url: str, body: bytes, *, key: str, secret: bytes | None) -> Outcome:
        """POST the body once."""
        ...


class Signers(Protocol):
    """What knows the secrets: :class:`dayfly_operator.outgoing.signing.Keys`."""

    async def hmac(self, ref: SecretRef) -> bytes | Failed:
        """Return the secret, or why there is none."""
        ...


class Courier:
    """Makes each attempt in a task of its own."""

    def __init__(self, sender: Sender, signers: Signers) -> None:
        self._sender = sender
        self._signers = signers
        self._waiting = asyncio.Queue[tuple[Parcel, Callable[[], None]]]()
        self._under_way = set[str]()
        self._outcomes: dict[str, tuple[int, Outcome]] = {}

    def collect(self, parcel: Parcel, arrived: Callable[[], None]) -> Outcome | None:
        """Return what came of the attempt; None while it is under way."""
        attempt, outcome = self._outcomes.get(parcel.id, (None, None))
        if attempt == parcel.attempt:
            return outcome
        if parcel.id not in self._under_way:
            self._under_way.add(parcel.id)
            self._waiting.put_nowait((parcel, arrived))
        return None

    async def run(self) -> None:
        """Carry what is handed over, for ever."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                parcel, arrived = await self._waiting.get()
                tasks.create_task(self._carry(parcel, arrived))

    async def _carry(self, parcel: Parcel, arrived: Callable[[], None]) -> None:
        try:
            outcome = await self._sent(parcel)
        except NotLeading:
            return  # nothing was sent, and whoever leads now knows that it is pending
        finally:
            self._under_way.discard(parcel.id)
        self._remember(parcel, outcome)
        arrived()

    async def _sent(self, parcel: Parcel) -> Outcome:
        secret = await self._signers.hmac(parcel.secret) if parcel.secret else None
        if isinstance(secret, Failed):
            return secret
        return await self._sender.send(parcel.url, parcel.body, key=parcel.id, secret=secret)

    def _remember(self, parcel: Parcel, outcome: Outcome) -> None:
        self._outcomes.pop(parcel.id, None)
        self._outcomes[parcel.id] = parcel.attempt, outcome
        if len(self._outcomes) > REMEMBERED:
            del self._outcomes[next(iter(self._outcomes))]
