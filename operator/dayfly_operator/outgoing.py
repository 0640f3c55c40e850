"""Sends one outgoing webhook: to a checked address, once, without following anybody anywhere."""

from dataclasses import dataclass

from dayfly_core.destinations import Rules
from dayfly_core.outbox import Outcome


@dataclass(frozen=True, slots=True)
class Limits:
    """How long one call may take, and how many there may be at once."""

    connect: float = 3.0
    total: float = 10.0
    at_once: int = 16
    per_host: int = 4


class Caller:
    """Sends calls; only the leader's go out (``writing.NotLeading`` otherwise).

    ``send`` waits for its turn and for the receiver, together up to many seconds: whoever serves
    others meanwhile has a ``courier.Courier`` wait instead.
    """

    def __init__(self, rules: Rules, limits: Limits = Limits()) -> None:
        self._rules = rules
        self._limits = limits

    async def send(self, url: str, body: bytes, *, key: str, secret: bytes | None) -> Outcome:
        """POST the body once; ``key`` is the occurrence's id, the secret signs it."""
        raise NotImplementedError
