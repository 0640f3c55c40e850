"""Callers of webhooks, and names that lead where a test wants them to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from pathlib import Path

from dayfly_core.outgoing.address_space import Address
from dayfly_core.outgoing.destinations import Rules
from dayfly_operator.outgoing.addressing import Addressing, ApiServer
from dayfly_operator.outgoing.caller import Caller, Desk, Limits
from dayfly_operator.outgoing.lookups import Lookups
from dayfly_operator.outgoing.settings import Pin

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LOCAL = Rules(allow=(ip_network("127.0.0.1/32"),))
"""One address is vouched for; the rest of loopback is not."""

BRIEF = Limits(connect=0.5, total=0.5)


def leading() -> None:
    """Permit everything."""


@dataclass(slots=True)
class Calling:
    """Everything about a caller that a test may want otherwise."""

    names: Mapping[str, str] = field(default_factory=dict[str, str])
    """Addresses by name, with spaces between several."""
    rules: Rules = LOCAL
    pins: Mapping[str, Pin] = field(default_factory=dict[str, Pin])
    server: ApiServer = field(default_factory=ApiServer)
    limits: Limits = BRIEF
    permit: Callable[[], None] = leading
    ca: Path | None = None
    asked: list[str] = field(default_factory=list[str])
    results: list[str] = field(default_factory=list[str])

    def caller(self) -> Caller:
        """Make it."""
        addressing = Addressing(Lookups(self._ask), self.rules, self.pins, self.server)
        desk = Desk(lambda: NOON, self.permit, self.results.append, str(self.ca or "") or None)
        return Caller(addressing, desk, self.limits)

    def patient(self) -> "Calling":
        """Return the same with time enough for a busy machine."""
        return replace(self, limits=Limits())

    def _ask(self, name: str) -> tuple[Address, ...]:
        self.asked.append(name)
        if name not in self.names:
            raise OSError(f"{name}: Name or service not known")
        return tuple(ip_address(text) for text in self.names[name].split())
