"""Where an outgoing webhook may go: one parser for its URL, one rule for its address.

The URL is people's, the network is the operator's: whoever may write a URL must not get further by
it than they could themselves (server-side request forgery). What the text says is checked here;
what its name resolves to, by ``refused``, for every address, after the last look at DNS.
"""

import re
from ipaddress import IPv4Address, IPv6Address
from typing import Final, NoReturn

import msgspec

from dayfly_core import grammar
from dayfly_core.hosts import LONGEST_NAME
from dayfly_core.outgoing.address_space import (
    METADATA,
    PRIVATE,
    SPECIAL,
    Address,
    Network,
    effective,
    unassigned,
    within,
)
from dayfly_core.violations import shown

EXAMPLE: Final = "write for example https://hooks.example.com/dayfly"
LONGEST_URL: Final = 2048
DEFAULT_PORTS: Final = {"http": 80, "https": 443}

NODE_PORTS: Final = frozenset({2379, 2380, 10248, 10249, 10250, 10255, 10256, 10257, 10259})
"""etcd, the kubelet and the parts of a control plane, on whatever address a node has."""

_ALLOWED: Final = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:/?#[]@!$&'()*+,;=%"
)
"""What RFC 3986 knows. All else (controls, spaces, backslashes, other scripts) is what two parsers
read differently."""

_NAME = re.compile(grammar.DNS_NAME)
_HEXADECIMAL: Final = frozenset("0123456789abcdef")


class ForbiddenDestination(ValueError):
    """No webhook is sent there; the text says why, and not what is there."""


class Destination(msgspec.Struct, frozen=True):
    """A URL, taken apart once; nobody parses its text again."""

    scheme: str
    host: str
    """A DNS name in lower case, or an address as it is usually written, without brackets."""
    port: int
    target: str
    """Path and query, as they were written."""
    address: Address | None
    """If the host is one: then no DNS is asked."""

    @property
    def origin(self) -> str:
        """Write all but the target, which may hold a secret: this is fit for logs."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}"

    @property
    def url(self) -> str:
        """Write it in its one spelling."""
        return self.origin + self.target


class Rules(msgspec.Struct, frozen=True):
    """Which addresses may be reached, beside those that never may."""

    allow: tuple[Network, ...] = ()
    """What somebody vouches for, whatever else is said about it."""
    deny: tuple[Network, ...] = ()
    """The API server's own addresses."""
    private: bool = True
    """Whether receivers may be in private networks, such as the cluster's."""


def refused(address: Address, rules: Rules) -> str | None:
    """Say what speaks against an address, or None; never ask about the text of one."""
    found = effective(address)
    if any(found in network for network in rules.allow):
        return None
    if any(found in network for network in rules.deny):
        return "the API server"
    what = within(found, METADATA) or within(found, SPECIAL)
    private = within(found, PRIVATE)
    if what or (private and rules.private):
        return what
    return private or ("reserved" if unassigned(found) else None)


def check(text: str, rules: Rules) -> Destination:
    """Parse a URL, and judge its address if it says one; of a name only DNS can tell.

    Raises ForbiddenDestination, and nothing else.
    """
    destination = parse_url(text)
    if destination.address:
        judge(destination.address, destination.host, rules)
    return destination


def judge(address: Address, host: str, rules: Rules) -> None:
    """Raise ForbiddenDestination for an address that may not be reached."""
    what = refused(address, rules)
    if what:
        raise ForbiddenDestination(f"no webhook is sent to {host}: its address is {what}")


def parse_url(text: str) -> Destination:
    """Take a URL apart; raises ForbiddenDestination, and nothing else."""
    if len(text) > LONGEST_URL:
        _refuse(text, f"is longer than {LONGEST_URL} characters")
    if not _ALLOWED.issuperset(text):
        _refuse(text, "has a character that no URL has: percent-encode it, write a name as xn--")
    if "#" in text:
        _refuse(text, "has a fragment")
    scheme, found, rest = text.partition("://")
    scheme = scheme.lower()
    if not found or scheme not in DEFAULT_PORTS:
        _refuse(text, "is not a URL with http:// or https://")
    authority, target = _split(rest)
    if "@" in authority:
        _refuse(text, "has a user or password: sign with a Secret instead")
    host, port = _host_and_port(text, authority)
    number = _port(text, port, scheme)
    name, address = _host(text, host)
    return Destination(scheme, name, number, _target(text, target), address)


def _split(rest: str) -> tuple[str, str]:
    """Cut where the authority ends: at the first of "/" and "?"."""
    ends = [at for at in (rest.find("/"), rest.find("?")) if at >= 0]
    end = min(ends, default=len(rest))
    return rest[:end], rest[end:]


def _host_and_port(text: str, authority: str) -> tuple[str, str | None]:
    """Cut at the last colon outside of brackets; an absent port is None, an empty one is ""."""
    bracket = authority.rfind("]")
    host, colon, port = authority[bracket + 1 :].partition(":")
    if bracket >= 0 and host:
        _refuse(text, "has text after its address in brackets")
    return authority[: bracket + 1] + host, port if colon else None


def _port(text: str, port: str | None, scheme: str) -> int:
    if port is None:
        return DEFAULT_PORTS[scheme]
    number = int(port) if port.isdigit() and len(port) <= 5 else 0
    if not 0 < number < 2**16:
        _refuse(text, "has no port from 1 to 65535 after its colon")
    if number in NODE_PORTS:
        _refuse(text, f"has port {number}, where a node serves the control plane")
    return number


def _host(text: str, host: str) -> tuple[str, Address | None]:
    if not host:
        _refuse(text, "has no host")
    if "[" in host or "]" in host:
        address: Address = _ipv6(text, host)
        return str(address), address
    name = host.lower()
    if name.endswith("."):
        _refuse(text, "has a host that ends in a dot")
    if _numeric(name):
        address = _ipv4(text, name)
        return str(address), address
    if len(name) > LONGEST_NAME or not _NAME.fullmatch(name):
        _refuse(text, "has a host that is not a DNS name")
    return name, None


def _ipv6(text: str, host: str) -> IPv6Address:
    try:
        if not (host.startswith("[") and host.endswith("]")) or "%" in host:
            raise ValueError("not in brackets, or with a zone")
        return IPv6Address(host[1:-1])
    except ValueError:
        _refuse(text, "has no IPv6 address in its brackets, as in [2001:db8::1]")


def _numeric(name: str) -> bool:
    """Whether a resolver might take the name for a number: its last label is one.

    No top-level domain is; ``inet_aton`` takes ``2130706433``, ``0x7f.1`` and ``0177.0.0.1``.
    """
    last = name.rpartition(".")[2]
    return last.isdigit() or (last.startswith("0x") and _HEXADECIMAL.issuperset(last[2:]))


def _ipv4(text: str, name: str) -> IPv4Address:
    try:
        return IPv4Address(name)
    except ValueError:
        _refuse(text, "has a number for a host that is not four decimal ones, as in 192.0.2.1")


def _target(text: str, target: str) -> str:
    """Return path and query; a "%" stands before two hexadecimal digits or nowhere."""
    escapes = target.lower().split("%")[1:]
    if any(len(part) < 2 or not _HEXADECIMAL.issuperset(part[:2]) for part in escapes):
        _refuse(text, "has a % that is not followed by two hexadecimal digits")
    return target if target.startswith("/") else f"/{target}"


def _refuse(text: str, problem: str) -> NoReturn:
    raise ForbiddenDestination(f"'{shown(text)}' {problem}; {EXAMPLE}")
