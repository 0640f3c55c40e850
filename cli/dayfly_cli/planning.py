"""``dayfly plan``: the next acts, each with every object that it touches and what is in its way."""

from argparse import ArgumentTypeError
from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from dayfly_cli import snapshot
from dayfly_cli.cluster import connected
from dayfly_cli.ends import at, remaining, title
from dayfly_cli.formats import DATA, written
from dayfly_cli.prospects import Prospect, Prospector, last_of_release
from dayfly_cli.questions import Ahead, add_ahead
from dayfly_cli.terminal import OK, Terminal
from dayfly_core import duration, instant
from dayfly_core.objects import Key, ObjectMeta
from dayfly_core.simulation import NOTE, Event, World, simulate
from dayfly_kube.flags import Flags

EXAMPLES = """examples:
  {prog} plan                     the next acts in the present namespace
  {prog} plan -A --within 1h
  {prog} plan -n shop -o json | jq '.acts[] | select(.blockers != [])'

An act that has a blocker does not happen as things are, and is tried again. Nothing is written.
"""

STAMP = "stamp"


class Options(msgspec.Struct, frozen=True):
    """The command line, read."""

    ahead: Ahead
    limit: int


def parse(prog: str, argv: Sequence[str]) -> Options:
    """Read the command line."""
    parsed = command_line(prog).parse_args(argv)
    return Options(Ahead.of(parsed), parsed.limit)


def command_line(prog: str) -> Flags:
    """Return the arguments there are; also the source of their reference page."""
    flags = Flags(
        f"{prog} plan",
        "Show what Dayfly is about to do: each act with the objects it touches, in order.",
        EXAMPLES.format(prog=prog),
    )
    flags.add_argument(
        "--limit", metavar="N", type=_count, default=20, help="at most so many acts (default: 20)"
    )
    add_ahead(flags, "--within")
    return flags


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text)):
        raise ArgumentTypeError(f"{text!r} is not a number of 1 or more, for example 20")
    return int(text)


async def run(terminal: Terminal, argv: Sequence[str]) -> int:
    """Look, look up, print."""
    options = parse(terminal.prog, argv)
    async with connected(options.ahead.connection, terminal.environ) as cluster:
        everywhere = options.ahead.everywhere
        known = await snapshot.rules(cluster, terminal)
        world = (await snapshot.snapshot(cluster, terminal, known, everywhere=everywhere)).world
        now, metas = world.now, dict(world.objects)
        kinds = sorted({key.resource for key in metas})
        prospector = Prospector(cluster, world, kinds, everywhere=everywhere)
        events = _acts(world, metas, prospector, options.ahead.until(now))
        found = [
            await prospector.look(event, metas[event.key]) for event in events[: options.limit]
        ]
    if options.ahead.output in DATA:
        data = {"at": instant.render(now), "acts": [each.data for each in found]}
        terminal.say(written(data, options.ahead.output))
        return OK
    for line in _lines(found, now):
        terminal.say(line)
    if not found:
        terminal.remark(f"Nothing is to be done within {duration.render(options.ahead.span)}.")
    if len(events) > options.limit:
        terminal.warn(f"{len(events) - options.limit} more acts follow; --limit shows more")
    return OK


def _acts(
    world: World, metas: dict[Key, ObjectMeta], prospector: Prospector, until: datetime
) -> list[Event]:
    simulated = (event for event in simulate(world, until) if event.what not in (NOTE, STAMP))
    seen = [event for event in simulated if event.key in metas]
    return last_of_release([(event, prospector.release(event, metas[event.key])) for event in seen])


def _lines(found: Sequence[Prospect], now: datetime) -> Iterator[str]:
    for each in found:
        event = each.event
        where = f" in {event.key.namespace}" if event.key.namespace else ""
        due = f"in {remaining(event.at, now)}" if event.at > now else "now"
        what = f"{event.what} {title(event.key.resource, event.key.name)}{where}"
        yield f"{at(event.at)} ({due})  {what}  [{event.rule} of {event.by}]"
        yield from (f"    {touched.text}  uid {touched.uid}" for touched in each.objects)
        yield from (f"    {remark}" for remark in each.remarks)
        yield from (f"    ! {blocker}" for blocker in each.blockers)
