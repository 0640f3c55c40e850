"""``dayfly show``: everything Dayfly knows about one object."""

from collections.abc import Sequence

from dayfly_cli import managed
from dayfly_cli.cluster import Cluster, connected
from dayfly_cli.ends import Entry, as_data
from dayfly_cli.formats import DATA, written
from dayfly_cli.hindrances import guard, hindrance
from dayfly_cli.kinds import Target
from dayfly_cli.managed import Foreseen
from dayfly_cli.portrait import Portrait
from dayfly_cli.questions import About, add_about
from dayfly_cli.standing import standing
from dayfly_cli.terminal import OK, Terminal
from dayfly_core.objects import EPHEMERATORS, NAMESPACE_MANAGERS, Key, ObjectMeta
from dayfly_core.policies import Policies
from dayfly_core.simulation import World
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
    if options.output in DATA:
        data = as_data(portrait.entry, terminal.now())
        terminal.say(written({**data, "explained": dict(lines)}, options.output))
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
    policies = await cluster.policies(terminal.warn)
    key = Key(resource, meta.namespace, meta.name)
    known = await guard(cluster)
    found = (await managed.managers(cluster, known, everywhere=False)).only(key)
    objects = await managed.targets(cluster, found.players)
    world = World(terminal.now(), objects, Policies(), known, found.players)
    said = tuple(standing(found, key, world))
    entry = _entry(key, meta, namespace, managed.foreseen(found.events(world)))
    kept = await hindrance(cluster, entry, policies)
    return Portrait(entry, namespace, policies, terminal.now(), kept, said)


def _entry(key: Key, meta: ObjectMeta, namespace: ObjectMeta | None, foreseen: Foreseen) -> Entry:
    if key.resource in (EPHEMERATORS, NAMESPACE_MANAGERS):
        return Entry(key.resource, meta, managed=foreseen.next.get(key))
    if namespace is None:
        return Entry(key.resource, meta, managed=foreseen.ends.get(meta.name))
    return Entry(key.resource, meta, managed.end_of(namespace, foreseen))
