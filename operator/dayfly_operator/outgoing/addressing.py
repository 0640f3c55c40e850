"""Where a call really goes: the addresses of its destination, every one of them judged."""

from collections.abc import Iterable, Mapping
from ipaddress import ip_address, ip_network
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from dayfly_core.outgoing.address_space import Address, effective
from dayfly_core.outgoing.destinations import Destination, Rules, judge
from dayfly_operator.outgoing.lookups import Lookups
from dayfly_operator.outgoing.settings import Pin


class Place(NamedTuple):
    """Addresses that may be connected to, in the order in which they should be tried."""

    addresses: tuple[Address, ...]
    port: int


class ApiServer(msgspec.Struct, frozen=True):
    """Where the API server is, by its own account: never a receiver, unless vouched for."""

    addresses: tuple[Address, ...] = ()
    names: tuple[str, ...] = ()


def api_server(*hosts: str) -> ApiServer:
    """Tell addresses from names; what is empty is left out."""
    addresses, names = list[Address](), list[str]()
    for host in dict.fromkeys(filter(None, hosts)):
        try:
            addresses.append(ip_address(host))
        except ValueError:
            names.append(host)
    return ApiServer(tuple(addresses), tuple(names))


class Addressing:
    """Finds the place of a destination."""

    def __init__(
        self, lookups: Lookups, rules: Rules, pins: Mapping[str, Pin], server: ApiServer
    ) -> None:
        self._lookups = lookups
        self._rules = _denying(rules, server.addresses)
        self._pins = pins
        self._server = server.names

    async def place(self, destination: Destination) -> Place:
        """Return where to connect to, at once and without asking again.

        One bad address spoils all: which of them a name leads to is up to whoever owns the name.
        Raises ForbiddenDestination, and OSError for a name that has no address.
        """
        rules = self._rules
        for name in self._server:
            rules = _denying(rules, await self._lookups.addresses(name))
        found = await self._find(destination)
        for address in found.addresses:
            judge(address, destination.host, rules)
        return found

    async def _find(self, destination: Destination) -> Place:
        if destination.address:
            return Place((destination.address,), destination.port)
        pin = self._pins.get(destination.host)
        if pin:
            return Place((pin.address,), pin.port or destination.port)
        return Place(await self._lookups.addresses(destination.host), destination.port)


def _denying(rules: Rules, addresses: Iterable[Address]) -> Rules:
    return replace(
        rules, deny=(*rules.deny, *(ip_network(effective(address)) for address in addresses))
    )
