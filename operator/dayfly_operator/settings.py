"""What the command line says, checked; nothing else in the program reads it."""

import argparse
from collections.abc import Mapping, Sequence

import msgspec

from dayfly_certs.store import service_names
from dayfly_core.api import LabelSelector
from dayfly_core.lease import Timing
from dayfly_core.pace import Pace
from dayfly_kube.flags import Address, Flags, seconds
from dayfly_kube.ingress_flag import add_ingress_hosts
from dayfly_kube.months_flag import add_months
from dayfly_operator.outgoing.settings import WebhookSettings, add_webhooks, webhook_settings
from dayfly_operator.own import originals

DESCRIPTION = """\
Ends what has an end: watches every stamped object, deletes it when its time has come, stamps what
slipped past the webhook, keeps NameClaims, webhook rules and the certificate in step, and reports
in the status of each ExpiryPolicy. Of all replicas one acts, the one that holds the Lease.
"""

EPILOG = """\
examples:
  dayfly operator                                in a pod: everything by default
  dayfly operator --kubeconfig ~/.kube/config --dry-run
                                                 say what would be ended, and write nothing
  dayfly operator --lease-duration 2s --renew-deadline 1.4s --retry-period 0.5s
                                                 another replica takes over within 2 s

No Ephemerator ends the namespaces in $EPHEMERATOR_IGNORE_NAMESPACES: patterns, apart by commas.

The lease times must be in this order: retry period + request time-out < renew deadline < lease
duration, and the deadline longer than 1.2 retry periods. On a slow control plane raise all four,
for example duration 15s, deadline 10s, retry 2s and request time-out 5s.
"""


class Settings(msgspec.Struct, frozen=True):
    """One replica's settings; lengths of time in seconds."""

    kubeconfig: str | None
    namespace: str
    identity: str
    log_level: str
    health_listen: Address
    timing: Timing
    pace: Pace
    workers: int
    dry_run: bool
    serving_names: tuple[str, ...]
    stuck_after: float
    claim_grace: float
    claim_ingress_hosts: LabelSelector | None
    webhooks: WebhookSettings
    ephemerator_months: str
    ephemerator_ignored: tuple[str, ...]
    notes: tuple[str, ...]
    """What the log should say about how it was started."""


def parse(argv: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """Read the flags; a wrong one ends the program with one line and status 2."""
    flags = command_line(environ)
    known = flags.parse_args(argv)
    return Settings(
        kubeconfig=known.kubeconfig,
        namespace=known.namespace,
        identity=known.identity,
        log_level=known.log_level,
        health_listen=known.health_listen,
        timing=_timing(flags, known),
        pace=_pace(flags, known.max_deletes_per_second),
        workers=known.workers,
        dry_run=known.dry_run,
        serving_names=tuple(known.serving_name) or service_names(known.namespace),
        stuck_after=known.stuck_after,
        claim_grace=known.claim_grace,
        claim_ingress_hosts=known.claim_ingress_hosts,
        webhooks=webhook_settings(flags, known, environ),
        ephemerator_months=known.ephemerator_months,
        ephemerator_ignored=originals.ignored_namespaces(environ),
        notes=tuple(originals.notes(environ)),
    )


def _timing(flags: Flags, known: argparse.Namespace) -> Timing:
    try:
        return Timing(
            duration=known.lease_duration,
            deadline=known.renew_deadline,
            retry=known.retry_period,
            request_timeout=known.request_timeout,
        )
    except ValueError as error:
        flags.error(f"lease times: {error}")


def _pace(flags: Flags, rate: float) -> Pace:
    try:
        # A second's worth at once: ends announced for the same moment are the ordinary case.
        return Pace(rate, burst=max(1, int(rate)))
    except ValueError as error:
        flags.error(f"--max-deletes-per-second: {error}")


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= 1000):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 1000, for example 16")
    return int(text)


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = -1
    if not 0 <= rate < float("inf"):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a number of DELETEs a second, for example 50, or 0 for no limit"
        )
    return rate


def _grace(text: str) -> float:
    grace = seconds(text)
    if grace < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is less than 1s; write for example 75s")
    return grace


def command_line(environ: Mapping[str, str]) -> Flags:
    """Return the flags there are; also the source of their reference page."""
    flags = Flags("dayfly operator", DESCRIPTION, EPILOG)
    flags.add_connection(environ)
    flags.add_health()
    _add_lease(flags)
    _add_ends(flags)
    _add_claims(flags)
    add_webhooks(flags)
    add_months(flags)
    flags.add_argument(
        "--serving-name",
        metavar="NAME",
        action="append",
        default=[],
        help="DNS name or IP address for the webhook's certificate; repeatable (default: the "
        "names of the Service)",
    )
    return flags


def _add_lease(flags: Flags) -> None:
    for name, default, help_text in (
        ("--lease-duration", 3.0, "after this without a renewal another replica takes over"),
        ("--renew-deadline", 2.2, "after this without a renewal the leader stops acting"),
        ("--retry-period", 0.6, "pause between renewals"),
        ("--request-timeout", 0.6, "longest wait for the answer to a renewal"),
    ):
        flags.add_argument(
            name,
            type=seconds,
            metavar="TIME",
            default=default,
            help=f"{help_text} (default: {default:g}s)",
        )


def _add_ends(flags: Flags) -> None:
    flags.add_argument(
        "--max-deletes-per-second",
        type=_rate,
        metavar="N",
        default=50.0,
        help="pace of the DELETEs when many ends come at once; 0 means no limit "
        "(default: %(default)g)",
    )
    flags.add_argument(
        "--workers",
        type=_count,
        metavar="N",
        default=16,
        help="objects handled at the same time (default: %(default)s)",
    )
    flags.add_argument(
        "--dry-run",
        action="store_true",
        help="decide and log, write nothing, and leave the Lease to the others",
    )
    flags.add_argument(
        "--stuck-after",
        type=seconds,
        metavar="TIME",
        default=60.0,
        help="report a namespace that is still Terminating after this (default: 60s)",
    )


def _add_claims(flags: Flags) -> None:
    flags.add_argument(
        "--claim-grace",
        type=_grace,
        metavar="TIME",
        default=75.0,
        help="delete a NameClaim whose holder is not there, or no longer has the name, when it has "
        "not changed for this long. Until then a request that was admitted may still be stored: "
        "more than the API server's --request-timeout, which is 60s (default: 75s)",
    )
    add_ingress_hosts(flags)
