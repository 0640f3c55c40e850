"""Flags of ``dayfly admission``, read once, frozen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dayfly_kube.flags import Address, Flags, listen_address, seconds

DESCRIPTION = """\
Serve the admission webhooks: stamp the end on objects that a policy covers, refuse what no policy
allows, tell people when what they deploy ends. Any number of replicas may run; all are active.
"""

EPILOG = """\
The certificate comes from the Secret dayfly-tls, policies and namespaces from watches; until all
three are there, /readyz says which is missing. It never writes to the cluster.

example, outside of a cluster:
  dayfly admission --kubeconfig ~/.kube/config --listen 127.0.0.1:9443 --identity me
"""


@dataclass(frozen=True, slots=True)
class Settings:
    """How one replica of the webhook server runs."""

    kubeconfig: str | None
    namespace: str
    identity: str
    listen: Address
    health_listen: Address
    lame_duck: float
    """Seconds between SIGTERM and the end: as long as endpoints take to propagate."""
    log_level: str


def parse(argv: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """Read flags; what is wrong ends the process with one line on stderr and status 2."""
    return Settings(**vars(command_line(environ).parse_args(argv)))


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
    return flags
