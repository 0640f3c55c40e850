"""Which Internet addresses lead where, as far as it must be known before something is sent there.

``ipaddress`` does not do: to it 168.63.129.16, 64:ff9b::a9fe:a9fe, fec0::1 and all of multicast are
global, and its answers differ between versions of Python.
"""

from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_network,
)
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def _networks(*rows: tuple[str, str]) -> tuple[tuple[Network, str], ...]:
    return tuple((ip_network(network), what) for what, texts in rows for network in texts.split())


METADATA: Final = _networks(
    ("the metadata service of a cloud", "169.254.169.254 169.254.170.2 169.254.170.23"),
    ("the metadata service of a cloud", "169.254.0.23 168.63.129.16 100.100.100.200 192.0.0.192"),
    ("the metadata service of a cloud", "fd00:ec2::/32 fd20:ce::254 fd00:42::42 fd00:c1::/32"),
)
"""AWS (also of ECS and EKS), Google, Azure, Alibaba, Oracle, Tencent and Scaleway. Whoever may ask
there is the machine."""

SPECIAL: Final = _networks(
    ("this host", "0.0.0.0/8 ::/128"),
    ("loopback", "127.0.0.0/8 ::1/128"),
    ("link-local", "169.254.0.0/16 fe80::/10"),
    ("multicast", "224.0.0.0/4 ff00::/8"),
    ("broadcast", "255.255.255.255/32"),
    ("reserved", "192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 198.18.0.0/15 198.51.100.0/24"),
    ("reserved", "203.0.113.0/24 240.0.0.0/4 2001:db8::/32 3fff::/20 5f00::/16 100::/64"),
    ("an address inside another", "::/96 2001::/32 2002::/16 64:ff9b:1::/48"),
    ("site-local", "fec0::/10"),
    ("reserved", "2001::/23"),
)
"""Where nobody's receiver is. Embedded addresses that cannot be looked into are among them."""

PRIVATE: Final = _networks(
    ("private", "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 100.64.0.0/10 fc00::/7"),
)
"""The cluster's own networks, and those of the company around it."""

_NAT64: Final = IPv6Network("64:ff9b::/96")
_GLOBAL: Final = IPv6Network("2000::/3")


def effective(address: Address) -> Address:
    """Return the address that a packet really goes to: IPv4 that is written as IPv6 is IPv4."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped:
        return address.ipv4_mapped
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return IPv6Address(int(address))  # without a zone, which no rule looks at


def within(address: Address, table: tuple[tuple[Network, str], ...]) -> str | None:
    """Say what the address is, by the first row that it lies in."""
    return next((what for network, what in table if address in network), None)


def unassigned(address: Address) -> bool:
    """Whether nobody can have the address yet: of IPv6 only an eighth is given out."""
    return address.version == 6 and address not in _GLOBAL
