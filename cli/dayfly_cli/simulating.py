"""``dayfly simulate``: what would happen for a while if nobody did anything; read-only."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from dayfly_cli import snapshot
from dayfly_cli.cluster import connected
from dayfly_cli.ends import at, title
from dayfly_cli.questions import Ahead, add_ahead
from dayfly_cli.terminal import OK, Terminal
from dayfly_core import duration, instant
from dayfly_core.simulation import NOTE, Event, simulate
from dayfly_kube.flags import Flags

EXAMPLES = """examples:
  {prog} simulate                      the next 24 hours in the present namespace
  {prog} simulate -A --for 7d
  {prog} simulate -A --for 7d -o json | jq -r '.events[] | select(.what == "delete") | .name'

The operator's own decisions, over the cluster as it is now, on a clock that runs ahead. Every act
is taken to succeed at once; pace and breakers, which only delay, are left out.
"""


def parse(prog: str, argv: Sequence[str]) -> Ahead:
    """Read the command line."""
    return Ahead.of(command_line(prog).parse_args(argv))


def command_line(prog: str) -> Flags:
    """Return the arguments there are; also the source of their reference page."""
    flags = Flags(
        f"{prog} simulate",
        "Show what Dayfly would do for a while, in order, without doing any of it.",
        EXAMPLES.format(prog=prog),
    )
    add_ahead(flags, "--for")
    return flags


async def run(terminal: Terminal, argv: Sequence[str]) -> int:
    """Read the cluster, run the clock, print what happens."""
    options = parse(terminal.prog, argv)
    async with connected(options.connection, terminal.environ) as cluster:
        world = await snapshot.snapshot(cluster, terminal, everywhere=options.everywhere)
    now = world.now
    events = [event for event in simulate(world, options.until(now)) if event.what != NOTE]
    if options.output == "json":
        data = {"from": instant.render(now), "events": [as_data(event) for event in events]}
        terminal.say(json.dumps(data, indent=2))
        return OK
    for line in lines(events):
        terminal.say(line)
    if not events:
        terminal.warn(f"nothing happens within {duration.render(options.span)}")
    return OK


def lines(events: Sequence[Event]) -> Iterator[str]:
    """Write events for a person, one a line, in columns."""
    rows = [("AT", "WHAT", "NAMESPACE", "OBJECT", "RULE")] if events else []
    rows += [
        (at(event.at), event.what, event.key.namespace or "-", _object(event), _rule(event))
        for event in events
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "   ".join(cells).rstrip()


def _object(event: Event) -> str:
    return title(event.key.resource, event.key.name)


def _rule(event: Event) -> str:
    return f"{event.rule} of {event.by}"


def as_data(event: Event) -> dict[str, Any]:
    """Return what ``-o json`` prints of one event."""
    key = event.key
    return {
        "at": instant.render(event.at),
        "what": event.what,
        "apiVersion": key.resource.api_version,
        "kind": key.resource.kind,
        "namespace": key.namespace or None,
        "name": key.name,
        "rule": event.rule,
        "by": event.by,
    }
