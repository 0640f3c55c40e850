"""Flags of ``dayfly admission``, read once, frozen."""

import argparse
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from dayfly_core.api import LabelSelector
from dayfly_core.lifetime import Months
from dayfly_core.outgoing.destinations import Rules
from dayfly_kube.destination_flags import add_destinations, rules
from dayfly_kube.flags import Address, Flags, listen_address, seconds
from dayfly_kube.ingress_flag import add_ingress_hosts
from dayfly_kube.months_flag import add_months

DESCRIPTION = """\
Serve the admission webhooks: stamp the end on objects that a policy covers, refuse what no policy
allows, give each name and host to one object only, tell people when what they deploy ends. Any
number of replicas may run; all are active.
"""

EPILOG = """\
The certificate comes from the Secret dayfly-tls, policies and namespaces from watches; until all
three are there, /readyz says which is missing. All that it writes to the cluster is NameClaims.
Who creates an Ephemerator or a NamespaceManager must be allowed to do by hand what it will do.
Standard output has a line of JSON for each request that was refused, and for a sample of the rest.

example, outside of a cluster:
  dayfly admission --kubeconfig ~/.kube/config --listen 127.0.0.1:9443 --identity me
"""


class Settings(msgspec.Struct, frozen=True):
    """How one replica of the webhook server runs."""

    kubeconfig: str | None
    namespace: str
    identity: str
    listen: Address
    health_listen: Address
    lame_duck: float
    """Seconds between SIGTERM and the end: as long as endpoints take to propagate."""
    log_level: str
    log_sample: int
    """Of so many requests that were allowed one is logged; 0: none. Of those refused all are."""
    claim_ingress_hosts: LabelSelector | None
    """In which namespaces Ingresses and HTTPRoutes claim their hosts; None: in none."""
    allow_any_target: bool
    """Whether an Ephemerator or NamespaceManager may do what its author may not."""
    months: Months
    """How long the months of an Ephemerator are."""
    destinations: Rules
    """Where outgoing webhooks may go, as far as their URLs tell."""


_WRITTEN: Final = frozenset(Settings.__struct_fields__) - {"destinations", "months"}
"""What is what a flag says."""


def parse(argv: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """Read flags; what is wrong ends the process with one line on stderr and status 2."""
    known = command_line(environ).parse_args(argv)
    months = Months(known.ephemerator_months)
    written = {name: value for name, value in vars(known).items() if name in _WRITTEN}
    return Settings(**written, destinations=rules(known), months=months)


def command_line(environ: Mapping[str, str]) -> Flags:
    """Return the flags there are; also the source of their reference page."""
    flags = Flags("dayfly admission", DESCRIPTION, EPILOG)
    flags.add_connection(environ)
    flags.add_argument(
        "--listen",
        type=listen_address,
        metavar="HOST:PORT",
        default=Address("0.0.0.0", 9443),
        help="where the webhooks are served, over TLS (default: %(default)s)",
    )
    flags.add_health()
    flags.add_argument(
        "--lame-duck",
        type=seconds,
        metavar="TIME",
        default=10.0,
        help="how long to go on serving after SIGTERM, not ready (default: 10s)",
    )
    flags.add_argument(
        "--log-sample",
        type=_sample,
        metavar="N",
        default=100,
        help="log one of so many requests that were allowed, 0 for none; those that were refused "
        "are all logged (default: %(default)s)",
    )
    flags.add_argument(
        "--allow-any-target",
        action="store_true",
        help="let whoever may write Ephemerators and NamespaceManagers end, scale down or watch "
        "any namespace by them that is not guarded, as Ephemerate and k8s-namespace-manager do; "
        "without this flag they need the right to do so themselves",
    )
    add_ingress_hosts(flags)
    add_destinations(flags)
    add_months(flags)
    return flags


def _sample(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number; write for example 100, or 0")
    return int(text)
