"""What commands are asked alike: about which object, or how far ahead, and in which format."""

import argparse
from datetime import datetime, timedelta
from typing import Final

import msgspec

from dayfly_cli.cluster import Connection, add_connection
from dayfly_cli.formats import add_output
from dayfly_cli.kinds import Target, parse_target
from dayfly_core import duration

DAY: Final = timedelta(days=1)


class About(msgspec.Struct, frozen=True):
    """A command line about one object, read."""

    connection: Connection
    target: Target
    output: str

    @classmethod
    def of(cls, parsed: argparse.Namespace) -> "About":
        """Take it from the parsed command line; raises Misused."""
        return cls(Connection.of(parsed), parse_target(parsed.target), parsed.output)


def add_about(flags: argparse.ArgumentParser) -> None:
    """Add the arguments of a command about one object."""
    flags.add_argument("target", metavar="KIND/NAME", help="for example deploy/web or ns/team-a")
    add_output(flags)
    add_connection(flags)


class Ahead(msgspec.Struct, frozen=True):
    """A command line about what is to come, read."""

    connection: Connection
    everywhere: bool
    span: timedelta
    output: str

    @classmethod
    def of(cls, parsed: argparse.Namespace) -> "Ahead":
        """Take it from the parsed command line."""
        return cls(Connection.of(parsed), parsed.all_namespaces, parsed.span, parsed.output)

    def until(self, now: datetime) -> datetime:
        """Return the instant up to which to look; the calendar has an end."""
        last = datetime.max.replace(tzinfo=now.tzinfo)
        return now + self.span if self.span < last - now else last


def add_ahead(flags: argparse.ArgumentParser, option: str) -> None:
    """Add the arguments of a command about what is to come; ``option`` says how far."""
    flags.add_argument("-A", "--all-namespaces", action="store_true", help="in all namespaces")
    flags.add_argument(
        option,
        dest="span",
        metavar="DURATION",
        type=_span,
        default=DAY,
        help="how far to look, for example 7d (default: 24h)",
    )
    add_output(flags)
    add_connection(flags)


def _span(text: str) -> timedelta:
    try:
        return duration.parse(text)
    except duration.InvalidDuration as error:
        raise argparse.ArgumentTypeError(str(error)) from error
