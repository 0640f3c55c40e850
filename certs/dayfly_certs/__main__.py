"""``dayfly certs``: fills and shows the two Secrets by hand."""

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from dayfly_certs import secrets, store
from dayfly_certs.report import Report, as_text, report
from dayfly_core import __version__, names
from dayfly_kube import config
from dayfly_kube.client import Client
from dayfly_kube.errors import ApiError, Unreachable
from dayfly_kube.flags import Flags

DESCRIPTION = """\
The CA and the serving certificate of the webhooks, in the Secrets dayfly-ca and dayfly-tls.

  ensure  make what is missing, wrong or at half of its life; then show it
  show    show it; exit status 1 when something has to be made anew
"""

EPILOG = """\
The operator does this by itself, at its start and every ten minutes; by hand it is for looking,
and for clusters where no operator runs yet.

examples:
  dayfly certs show
  dayfly certs show --output json
  dayfly certs ensure --serving-name admission.example.com --serving-name 10.0.0.7
"""


class Settings(msgspec.Struct, frozen=True):
    """What is asked, and of which cluster."""

    command: str
    output: str
    kubeconfig: str | None
    namespace: str
    serving_names: tuple[str, ...]


def parse(argv: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """Read flags; what is wrong ends the process with one line on stderr and status 2."""
    given = command_line(environ).parse_args(argv)
    serving = tuple(given.serving_name or store.service_names(given.namespace))
    return Settings(given.command, given.output, given.kubeconfig, given.namespace, serving)


def command_line(environ: Mapping[str, str]) -> Flags:
    """Return the arguments there are; also the source of their reference page."""
    flags = Flags("dayfly certs", DESCRIPTION, EPILOG)
    flags.add_argument("command", choices=["ensure", "show"], help="what to do")
    flags.add_connection(environ)
    flags.add_argument(
        "--output", "-o", choices=["text", "json"], default="text", help="default: %(default)s"
    )
    flags.add_argument(
        "--serving-name",
        action="append",
        metavar="NAME",
        help="a DNS name or IP address that the certificate must be good for; may be repeated "
        "(default: the names of the Service dayfly-admission)",
    )
    return flags


def run(argv: Sequence[str]) -> int:
    """Do what the arguments say; return the exit status."""
    settings = parse(argv, os.environ)
    try:
        shown = asyncio.run(_reported(settings, datetime.now(UTC)))
    except (store.NotInstalled, TimeoutError, ApiError, Unreachable, config.ConfigError) as error:
        print(f"dayfly certs: {error}", file=sys.stderr)
        return 1
    json = settings.output == "json"
    print(msgspec.json.format(msgspec.json.encode(shown)).decode() if json else as_text(shown))
    return 0 if shown.good else 1


async def _reported(settings: Settings, now: datetime) -> Report:
    where = config.load(settings.kubeconfig, os.environ)
    async with Client(where, user_agent=f"dayfly-cli/{__version__}") as client:
        if settings.command == "ensure":
            await store.ensure(client, settings.namespace, settings.serving_names, now)
        ca = await store.read(client, settings.namespace, names.CA_SECRET)
        tls = await store.read(client, settings.namespace, names.TLS_SECRET)
    return report(
        (names.CA_SECRET, secrets.authority(ca.contents)),
        (names.TLS_SECRET, secrets.bundle(tls.contents)),
        now,
    )


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
