"""``dayfly extend``: moves the end of one object, as the person who asks for it."""

from argparse import Namespace
from collections.abc import Sequence
from typing import Final

import msgspec

from dayfly_cli import staying
from dayfly_cli.cluster import Cluster, Connection, add_connection, connected
from dayfly_cli.ends import Entry, as_data, at, countdown, stamped_end
from dayfly_cli.extension import By, Extension, Until, new_end
from dayfly_cli.formats import DATA, add_output, written
from dayfly_cli.kinds import Target, parse_target
from dayfly_cli.terminal import OK, Failed, Misused, Terminal
from dayfly_core import duration, instant, names
from dayfly_core.objects import PartialObject, Resource
from dayfly_kube.errors import ApiError
from dayfly_kube.flags import Flags

SOONER: Final = "to end it sooner, write the new end: --until 2026-12-24T18:00:00Z"
ATTEMPTS = 5
"""Against writers that touch the object between our read and our write."""

EXAMPLES = """examples:
  {prog} extend deploy/web 2d               two days more than it has
  {prog} extend ns/shop-pr-17 8h            the namespace, and so all that is in it
  {prog} extend job/import 1h --from now    an hour from now, be it earlier or later
  {prog} extend deploy/web --until 2026-12-24T18:00:00+01:00
"""


class Options(msgspec.Struct, frozen=True):
    """The command line, read."""

    connection: Connection
    target: Target
    extension: Extension
    dry_run: bool
    output: str


def parse(prog: str, argv: Sequence[str]) -> Options:
    """Read the command line; raises Misused."""
    parsed = command_line(prog).parse_mixed(argv)
    return Options(
        Connection.of(parsed),
        parse_target(parsed.target),
        _extension(parsed),
        parsed.dry_run,
        parsed.output,
    )


def command_line(prog: str) -> Flags:
    """Return the arguments there are; also the source of their reference page."""
    flags = Flags(
        f"{prog} extend",
        "Give one object more time: its end, or now if that has passed, plus a length of time.",
        EXAMPLES.format(prog=prog),
    )
    flags.add_argument("target", metavar="KIND/NAME", help="what to extend, for example deploy/web")
    flags.add_argument("length", metavar="DURATION", nargs="?", help="how much: 90s, 8h, 1d12h, 2w")
    flags.add_argument("--until", metavar="INSTANT", help="the new end itself, RFC 3339")
    flags.add_argument("--from", dest="start", choices=("end", "now"), help="default: end")
    flags.add_argument("--dry-run", action="store_true", help="ask the server, change nothing")
    add_output(flags)
    add_connection(flags)
    return flags


def _extension(parsed: Namespace) -> Extension:
    if (parsed.length is None) == (parsed.until is None):
        raise Misused("give either a DURATION, for example 2d, or --until INSTANT")
    if parsed.until is not None and parsed.start:
        raise Misused("--from goes with a DURATION; --until says the new end itself")
    if parsed.length and parsed.length.startswith("-"):
        raise Misused(f"{parsed.length!r} is no extension; {SOONER}")
    try:
        if parsed.until is not None:
            return Until(instant.parse(parsed.until))
        length = duration.parse(parsed.length)
    except (duration.InvalidDuration, instant.InvalidInstant) as error:
        raise Misused(str(error)) from error
    if not length:
        raise Misused(f"{parsed.length!r} is no time at all; {duration.EXAMPLES}")
    return By(length, from_now=parsed.start == "now")


async def run(terminal: Terminal, argv: Sequence[str]) -> int:
    """Move the end and say from where to where."""
    options = parse(terminal.prog, argv)
    async with connected(options.connection, terminal.environ) as cluster:
        before, after = await _extend(cluster, options, terminal)
    if options.output in DATA:
        data = {"expiresAtBefore": before.wish.at_text, **as_data(after, terminal.now())}
        terminal.say(written(data, options.output))
        return OK
    terminal.say(_told(before, after, terminal) + (" (dry run)" if options.dry_run else ""))
    for warning in cluster.heard or _warnings(after, terminal.prog):
        terminal.warn(warning)
    return OK


async def _extend(cluster: Cluster, options: Options, terminal: Terminal) -> tuple[Entry, Entry]:
    resource = await cluster.find(options.target)
    for _ in range(ATTEMPTS):
        entry = await _read(cluster, resource, options.target.name)
        end = instant.render(new_end(entry, options.extension, terminal.now()))
        try:
            return entry, await _write(cluster, entry, end, dry_run=options.dry_run)
        except ApiError as error:
            if staying.may_stand_in(resource, error):
                return entry, await _by_stay(cluster, entry, end, options, terminal)
            if not error.conflict:
                raise
    raise Failed(f"others change {options.target.name} all the time; try again")


async def _by_stay(
    cluster: Cluster, entry: Entry, end: str, options: Options, terminal: Terminal
) -> Entry:
    name = entry.meta.name
    stay = await staying.ask(cluster, name, {"until": end}, dry_run=options.dry_run)
    terminal.warn(f"you may not change {name} itself: asked by stay/{stay} in it")
    return await _read(cluster, entry.resource, name)


async def _read(cluster: Cluster, resource: Resource, name: str) -> Entry:
    meta = await cluster.read(resource, name)
    around = await cluster.namespace_meta() if meta.namespace else None
    return Entry(resource, meta, stamped_end(around) if around else None)


async def _write(cluster: Cluster, entry: Entry, end: str, *, dry_run: bool) -> Entry:
    """Write the end over the version that was read, so that nobody's later word is lost."""
    meta = entry.meta
    body = {
        "metadata": {
            "resourceVersion": meta.resource_version,
            "annotations": {names.EXPIRES_AT: end},
        }
    }
    params = {"dryRun": "All"} if dry_run else {}
    cluster.heard.clear()  # what was said of reading is of no interest
    path = entry.resource.path(meta.namespace, meta.name)
    answer = await cluster.client.merge_patch(path, body, params=params)
    written = msgspec.json.decode(answer, type=PartialObject).metadata
    return Entry(entry.resource, written, entry.namespace_end)


def _told(before: Entry, after: Entry, terminal: Terminal) -> str:
    end = after.wish.at
    left = f" ({countdown(end, terminal.now())})" if end else ""
    had = f", before: {at(before.wish.at)}" if before.wish.at else ""
    return f"{after.title} ends {at(end)}{left}{had}"


def _warnings(after: Entry, prog: str) -> list[str]:
    found: list[str] = []
    if not after.policy:
        found.append(f"no policy covers {after.title}: as long as none does, it does not end")
    if after.goes_with_namespace:
        found.append(
            f"its namespace ends first, {at(after.namespace_end)}; "
            f"to extend that: {prog} extend ns/{after.meta.namespace} DURATION"
        )
    return found
