"""What the command lines of all programs share: errors in one line, common flags, logs."""

import argparse
import difflib
import logging
import re
import socket
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, NoReturn

from dayfly_core import names

LEVELS: Final = ("debug", "info", "warning", "error")
UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "": 1.0}
NEGATIVE: Final = re.compile(r"-\d")
REQUIRED: Final = "the following arguments are required: "
"""How argparse begins to say that something is missing."""
SECONDS: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)?", re.ASCII)


class Address(NamedTuple):
    """Where a server listens; port 0 lets the kernel choose."""

    host: str
    port: int

    def __str__(self) -> str:
        """``0.0.0.0:9443`` or ``[::]:9443``."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def listen_address(text: str) -> Address:
    """``HOST:PORT``; an empty host means all addresses."""
    host, colon, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not colon or not _is_port(port) or (":" in host and not bracketed):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not HOST:PORT, for example 0.0.0.0:9443 or [::]:9443"
        )
    return Address(host[1:-1] if bracketed else host or "0.0.0.0", int(port))


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5 and int(text) < 2**16


def seconds(text: str) -> float:
    """``3``, ``2.2s``, ``600ms``, ``5m`` or ``1h``, in seconds."""
    found = SECONDS.fullmatch(text)
    if not found:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a length of time, for example 3, 2.2s, 600ms or 5m"
        )
    return float(found[1]) * UNITS[found[2] or ""]


class Flags(argparse.ArgumentParser):
    """An argument parser that says what is wrong in one line and ends with status 2."""

    def __init__(self, prog: str, description: str, epilog: str = "") -> None:
        super().__init__(
            prog=prog,
            description=description,
            epilog=epilog or None,
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        # `-1h` is a value that its flag refuses, and says why: no flag begins with a digit.
        self._negative_number_matcher = NEGATIVE

    def error(self, message: str) -> NoReturn:
        """Print ``dayfly admission: --listen: 'x' is not HOST:PORT, …`` and exit."""
        said = message.removeprefix("argument ")
        if said.startswith(REQUIRED):
            said = f"{said.removeprefix(REQUIRED)} is missing{self._example()}"
        self.exit(2, f"{self.prog}: {said}; see {self.prog} --help\n")

    def parse_args(  # type: ignore[override]  # no caller here gives a namespace to fill
        self, args: Sequence[str] | None = None, namespace: None = None
    ) -> argparse.Namespace:
        """Parse all; a misspelt flag is answered with the one that was probably meant."""
        known, unknown = self.parse_known_args(args, namespace)
        self._refuse(unknown)
        return known

    def parse_mixed(self, args: Sequence[str]) -> argparse.Namespace:
        """Parse all, also where flags stand between the positional arguments."""
        known, unknown = self.parse_known_intermixed_args(args)
        self._refuse(unknown)
        return known

    @property
    def arguments(self) -> tuple[argparse.Action, ...]:
        """All there are, for whoever completes a command line."""
        return tuple(self._actions)

    def rows(self) -> Iterator[tuple[str, str]]:
        """Yield each argument as it is written and what it means, for reference pages."""
        for action in self._actions:
            if "--help" not in action.option_strings:
                yield _spelled(action), (action.help or "") % vars(action)

    def _refuse(self, unknown: Sequence[str]) -> None:
        wrong = next((each for each in unknown if each.startswith("-")), None)
        if wrong:
            self.error(f"unknown flag {wrong!r}{self._meant(wrong)}")
        if unknown:
            self.error(f"{unknown[0]!r} is one word too many{self._example()}")

    def _example(self) -> str:
        """Return the first example of the help, if there is one, without its comment."""
        _, found, rest = (self.epilog or "").partition("examples:\n")
        first = rest.partition("\n")[0].strip().partition("   ")[0]
        return f", for example: {first}" if found and first else ""

    def _meant(self, wrong: str) -> str:
        known = [flag for action in self._actions for flag in action.option_strings]
        close = difflib.get_close_matches(wrong.partition("=")[0], known, n=1)
        return f"; did you mean {close[0]}?" if close else ""

    def add_connection(self, environ: Mapping[str, str]) -> None:
        """Add the flags of every program that speaks to the API server as a part of Dayfly."""
        self.add_argument(
            "--kubeconfig",
            metavar="PATH",
            help="how to reach the API server (default: $KUBECONFIG, the pod's own account, "
            "~/.kube/config)",
        )
        self.add_argument(
            "--namespace",
            metavar="NAME",
            default=environ.get("POD_NAMESPACE") or names.SYSTEM_NAMESPACE,
            help="Dayfly's own namespace (default: $POD_NAMESPACE, else %(default)s)",
        )
        self.add_argument(
            "--identity",
            metavar="NAME",
            default=environ.get("POD_NAME") or socket.gethostname(),
            help="this replica's name in leases, logs and the audit log (default: $POD_NAME, "
            "else the host's name)",
        )
        self.add_argument(
            "--log-level",
            choices=LEVELS,
            default="info",
            help="least severe records to log (default: %(default)s)",
        )

    def add_health(self) -> None:
        """Add where a program answers kubelet and Prometheus."""
        self.add_argument(
            "--health-listen",
            type=listen_address,
            metavar="HOST:PORT",
            default=Address("0.0.0.0", 8081),
            help="where /healthz, /readyz and /metrics are served (default: %(default)s)",
        )


def _spelled(action: argparse.Action) -> str:
    """``-o, --output text|json`` or ``KIND/NAME``."""
    choices = "|".join(map(str, action.choices)) if action.choices else ""
    value = choices or str(action.metavar or action.dest)
    takes = action.nargs != 0
    return " ".join(filter(None, (", ".join(action.option_strings), value if takes else "")))


ORDINARY: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime"}


class OneLine(logging.Formatter):
    """``time level logger message key=value``, the keys from ``extra``; never a second line."""

    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    @staticmethod
    def converter(seconds: float | None) -> time.struct_time:
        """Write UTC, in whatever zone the replica runs."""
        return time.gmtime(seconds)

    def format(self, record: logging.LogRecord) -> str:
        """Escape what would break the line: names and messages come from anybody's objects."""
        fields = [
            f"{key}={_value(record.__dict__[key])}" for key in record.__dict__.keys() - ORDINARY
        ]
        head = (self.formatTime(record), record.levelname.lower(), record.name, record.getMessage())
        trace = [self.formatException(record.exc_info)] if record.exc_info else []
        return _escaped(" ".join([*head, *sorted(fields), *trace]))


def _value(value: Any) -> str:
    text = str(value)
    return repr(text) if not text or " " in text else text


def _escaped(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def configure_logging(level: str) -> None:
    """Log to standard error, one line a record, at ``level`` and above."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
