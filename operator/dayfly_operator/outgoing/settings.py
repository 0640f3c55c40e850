"""What the command line says about outgoing webhooks."""

import argparse
import re
import ssl
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple

import msgspec

from dayfly_core import grammar
from dayfly_core.outgoing.address_space import Address
from dayfly_core.outgoing.destinations import Rules
from dayfly_core.outgoing.outbox import Retries
from dayfly_kube.destination_flags import add_destinations, rules
from dayfly_kube.flags import Flags, seconds

_NAME = re.compile(grammar.DNS_NAME)


class Pin(NamedTuple):
    """Where a name leads, whatever DNS says; without a port, to that of the URL."""

    address: Address
    port: int | None = None


class WebhookSettings(msgspec.Struct, frozen=True):
    """Where calls may go, and how long and how often they are tried."""

    rules: Rules = msgspec.field(default_factory=Rules)
    pins: Mapping[str, Pin] = {}
    timeout: float = 10.0
    retries: Retries = msgspec.field(default_factory=Retries)
    ca: str | None = None
    service_host: str = ""
    """``KUBERNETES_SERVICE_HOST``: the API server as pods know it."""


def add_webhooks(flags: Flags) -> None:
    """Add the flags."""
    add_destinations(flags)
    flags.add_argument(
        "--webhook-host",
        type=pinned,
        metavar="NAME=ADDRESS[:PORT]",
        action="append",
        default=[],
        help="where outgoing webhooks find a host, instead of asking DNS; the address is judged as "
        "one from DNS would be, and the certificate must be good for NAME; repeatable",
    )
    flags.add_argument(
        "--webhook-timeout",
        type=_timeout,
        metavar="TIME",
        default=10.0,
        help="longest wait for the receiver of an outgoing webhook, from DNS to the end of its "
        "answer (default: 10s)",
    )
    flags.add_argument(
        "--webhook-attempts",
        type=_attempts,
        metavar="N",
        default=6,
        help="how often an outgoing webhook is tried until it is given up (default: %(default)s)",
    )
    flags.add_argument(
        "--webhook-ca",
        type=_authorities,
        metavar="FILE",
        help="PEM certificates of authorities that receivers' certificates may come from, beside "
        "the system's",
    )


def webhook_settings(
    flags: Flags, known: argparse.Namespace, environ: Mapping[str, str]
) -> WebhookSettings:
    """Return what the flags say."""
    return WebhookSettings(
        rules=rules(known),
        pins=_unique(flags, known.webhook_host),
        timeout=known.webhook_timeout,
        retries=Retries(limit=known.webhook_attempts),
        ca=known.webhook_ca,
        service_host=environ.get("KUBERNETES_SERVICE_HOST", ""),
    )


def _unique(flags: Flags, pins: Iterable[tuple[str, Pin]]) -> dict[str, Pin]:
    found = dict[str, Pin]()
    for name, pin in pins:
        if found.setdefault(name, pin) != pin:
            flags.error(f"--webhook-host: {name} is given two addresses; it can have one")
    return found


def pinned(text: str) -> tuple[str, Pin]:
    """``hooks.example.com=10.0.0.7``, ``…=10.0.0.7:8080`` or ``…=[2001:db8::7]:8080``."""
    name, _, place = text.partition("=")
    try:
        if not _NAME.fullmatch(name.lower()):
            raise ValueError(f"{name!r} is no DNS name")
        return name.lower(), _pin(place)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not NAME=ADDRESS[:PORT], for example hooks.example.com=10.0.0.7:8080"
        ) from error


def _pin(place: str) -> Pin:
    if place.startswith("["):
        host, bracket, rest = place[1:].partition("]")
        if not bracket or rest[:1] not in ("", ":"):
            raise ValueError(f"{place!r} is no address in brackets")
        return Pin(IPv6Address(host), _port(rest[1:]) if rest else None)
    if place.count(":") == 1:
        host, _, port = place.partition(":")
        return Pin(IPv4Address(host), _port(port))
    return Pin(ip_address(place))


def _port(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else 0
    if not 0 < number < 2**16:
        raise ValueError(f"{text!r} is no port")
    return number


def _timeout(text: str) -> float:
    time = seconds(text)
    if not 0 < time <= 60:
        raise argparse.ArgumentTypeError(f"{text!r} is not between 0s and 60s, for example 10s")
    return time


def _attempts(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= 100):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 100, for example 6")
    return int(text)


def _authorities(path: str) -> str:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except OSError as error:  # ssl.SSLError is one: a file without a certificate
        raise argparse.ArgumentTypeError(
            f"{path!r} is no file with certificates in PEM ({error.strerror})"
        ) from error
    return path
