"""``dayfly show``: everything Dayfly knows about one object."""

import json
from collections.abc import Sequence

from dayfly_cli.cluster import Cluster, connected
from dayfly_cli.ends import Entry, as_data, stamped_end
from dayfly_cli.hindrances import hindrance
from dayfly_cli.kinds import Target
from dayfly_cli.portrait import Portrait
from dayfly_cli.questions import About, add_about
from dayfly_cli.terminal import OK, Terminal
from dayfly_kube.flags import Flags

EXAMPLES = """examples:
  {prog} show deploy/web
  {prog} show ns/shop-pr-17 -o json
"""


def parse(prog: str, argv: Sequence[str]) -> About:
    """Read the command line; raises Misused."""
    return About.of(command_line(prog).parse_args(argv))


def command_line(prog: str) -> Flags:
    """Return the arguments there are; also the source of their reference page."""
    flags = Flags(
        f"{prog} show",
        "Show when one object ends, why, and what can move that.",
        EXAMPLES.format(prog=prog),
    )
    add_about(flags)
    return flags


async def run(terminal: Terminal, argv: Sequence[str]) -> int:
    """Print it."""
    options = parse(terminal.prog, argv)
    async with connected(options.connection, terminal.environ) as cluster:
        portrait = await _portray(cluster, options.target, terminal)
    lines = list(portrait.lines())
    if options.output == "json":
        data = as_data(portrait.entry, terminal.now())
        terminal.say(json.dumps({**data, "explained": dict(lines)}, indent=2))
        return OK
    meta = portrait.entry.meta
    terminal.say(portrait.entry.title + (f" in {meta.namespace}" if meta.namespace else ""))
    for what, value in lines:
        terminal.say(f"  {what:<12}{value}")
    return OK


async def _portray(cluster: Cluster, target: Target, terminal: Terminal) -> Portrait:
    resource = await cluster.find(target)
    meta = await cluster.read(resource, target.name)
    namespace = await cluster.namespace_meta() if meta.namespace else None
    end = stamped_end(namespace) if namespace else None
    policies = await cluster.policies(terminal.warn)
    entry = Entry(resource, meta, end)
    kept = await hindrance(cluster, entry, policies)
    return Portrait(entry, namespace, policies, terminal.now(), kept)
