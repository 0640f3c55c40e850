"""The flags that admission and operator have in common: which addresses webhooks may go to."""

import argparse
from ipaddress import IPv4Network, IPv6Network, ip_network

from dayfly_core.outgoing.destinations import Rules
from dayfly_kube.flags import Flags


def add_destinations(flags: Flags) -> None:
    """Add ``--webhook-deny-private`` and ``--webhook-allow``."""
    flags.add_argument(
        "--webhook-deny-private",
        action="store_true",
        help="send no outgoing webhook to private addresses, such as the cluster's own. Loopback, "
        "link-local and multicast addresses, the metadata services of clouds and the API server "
        "are refused in any case. Admission and operator need the same",
    )
    flags.add_argument(
        "--webhook-allow",
        type=network,
        metavar="CIDR",
        action="append",
        default=[],
        help="vouch for addresses that outgoing webhooks would otherwise not be sent to, for "
        "example 10.1.2.0/24; repeatable. Admission and operator need the same",
    )


def rules(known: argparse.Namespace) -> Rules:
    """Return what the flags say; the API server's addresses are the operator's to add."""
    return Rules(allow=tuple(known.webhook_allow), private=not known.webhook_deny_private)


def network(text: str) -> IPv4Network | IPv6Network:
    """``10.1.2.0/24``, ``2001:db8::/32`` or one address."""
    try:
        return ip_network(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a network, for example 10.1.2.0/24 or 2001:db8::1"
        ) from error
