"""``dayfly simulate``: what would happen for a while if nobody did anything; read-only."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from dayfly_cli import foreseen_releases, keepers, proposal, snapshot
from dayfly_cli.assumptions import Setting, assumptions
from dayfly_cli.cluster import Cluster, connected
from dayfly_cli.ends import at, title
from dayfly_cli.formats import DATA, written
from dayfly_cli.questions import Ahead, add_ahead
from dayfly_cli.terminal import OK, Terminal
from dayfly_core import duration, instant
from dayfly_core.policies import Policy
from dayfly_core.simulated_breakers import Held
from dayfly_core.simulation import NOTE, Event, World, simulate
from dayfly_kube.flags import Flags

EXAMPLES = """examples:
  {prog} simulate                      the next 24 hours in the present namespace
  {prog} simulate -A --for 7d
  {prog} simulate -A --for 7d -f previews.yaml
                                         the same, if this ExpiryPolicy were applied now
  {prog} simulate -A --for 7d -o json | jq -r '.events[] | select(.what == "delete") | .name'

The operator's own decisions, over the cluster as it is now, on a clock that runs ahead. What a
breaker would hold back is counted and named; a Helm release ends with all that it made, if its
policy says so. At the end stands what was taken for granted.
"""


class Options(msgspec.Struct, frozen=True):
    """The command line, read."""

    ahead: Ahead
    proposed: tuple[Policy, ...]


def parse(prog: str, argv: Sequence[str]) -> Options:
    """Read the command line, and the files that it names; raises Misused and Failed."""
    parsed = command_line(prog).parse_args(argv)
    return Options(Ahead.of(parsed), proposal.proposed(parsed.files))


def command_line(prog: str) -> Flags:
    """Return the arguments there are; also the source of their reference page."""
    flags = Flags(
        f"{prog} simulate",
        "Show what Dayfly would do for a while, in order, without doing any of it.",
        EXAMPLES.format(prog=prog),
    )
    flags.add_argument(
        "-f",
        "--filename",
        dest="files",
        metavar="FILE",
        action="append",
        default=[],
        help="as if the ExpiryPolicies in it were applied now; - reads standard input; repeatable",
    )
    add_ahead(flags, "--for")
    return flags


async def run(terminal: Terminal, argv: Sequence[str]) -> int:
    """Read the cluster, run the clock, print what happens."""
    options = parse(terminal.prog, argv)
    ahead = options.ahead
    async with connected(ahead.connection, terminal.environ) as cluster:
        world, setting = await _world(cluster, options, terminal)
    now = world.now
    events = [event for event in simulate(world, ahead.until(now)) if event.what != NOTE]
    held = tuple(world.brakes.held()) if world.brakes else ()
    taken = tuple(assumptions(events, setting))
    if ahead.output in DATA:
        data = {"from": instant.render(now), **_data(events, held, taken)}
        terminal.say(written(data, ahead.output))
        return OK
    for line in lines(events):
        terminal.say(line)
    if not events:
        terminal.remark(f"Nothing happens within {duration.render(ahead.span)}.")
    for line in _conclusion(events, held, taken):
        terminal.say(line)
    return OK


async def _world(cluster: Cluster, options: Options, terminal: Terminal) -> tuple[World, Setting]:
    everywhere = options.ahead.everywhere
    known = await snapshot.rules(cluster, terminal, needed=not options.proposed)
    known = known.with_(options.proposed, terminal.now())
    now = await snapshot.snapshot(cluster, terminal, known, everywhere=everywhere)
    releases = await foreseen_releases.foreseen(cluster, now.world)
    now.world.releases = releases.plans
    now.world.kept = await keepers.protected(cluster, now.world, everywhere=everywhere)
    names = tuple(policy.name for policy in options.proposed)
    return now.world, Setting(everywhere, names, now.awaited, tuple(releases.unread))


def lines(events: Sequence[Event]) -> Iterator[str]:
    """Write events for a person, one a line, in columns; what is held back alike, in one."""
    rows = [("AT", "WHAT", "NAMESPACE", "OBJECT", "RULE")] if events else []
    alike = Counter(event.held for event in events)
    told: set[str] = set()
    for event in events:
        if event.held not in told:
            rows.append(_held_row(event, alike[event.held]) if event.held else _row(event))
            told.update({event.held} - {""})
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "   ".join(cells).rstrip()


Row = tuple[str, str, str, str, str]


def _row(event: Event) -> Row:
    return (at(event.at), event.what, event.key.namespace or "-", _object(event), _rule(event))


def _held_row(event: Event, count: int) -> Row:
    if count == 1:
        return (at(event.at), "held back", event.key.namespace or "-", _object(event), event.held)
    return (at(event.at), "held back", "-", f"{count} objects", event.held)


def _object(event: Event) -> str:
    return title(event.key.resource, event.key.name)


def _rule(event: Event) -> str:
    whole = f", with the Helm release {event.release}" if event.release else ""
    return f"{event.rule} of {event.by}{whole}"


def _conclusion(
    events: Sequence[Event], held: Sequence[Held], taken: Sequence[str]
) -> Iterator[str]:
    counts = Counter("held back" if event.held else event.what for event in events)
    if counts:
        yield ""
        yield "In all: " + ", ".join(f"{count} {what}" for what, count in counts.items())
    for each in held:
        yield f"The breaker of {each.policy} would hold {len(each.acts)} ends: {each.sentence}"
    yield "Taken for granted:"
    yield from (f"  {sentence}" for sentence in taken)


def _data(events: Sequence[Event], held: Sequence[Held], taken: Sequence[str]) -> dict[str, Any]:
    return {
        "events": [as_data(event) for event in events],
        "breakers": [
            {
                "policy": each.policy,
                "openedAt": instant.render(each.since),
                "held": len(each.acts),
                "objects": each.objects,
                "message": each.sentence,
            }
            for each in held
        ],
        "assumptions": list(taken),
    }


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
        "release": event.release or None,
        "held": event.held or None,
    }
