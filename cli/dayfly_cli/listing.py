"""``dayfly list``: what ends when, in which order, and by which policy."""

from collections.abc import Sequence

from dayfly_cli import table
from dayfly_cli.cluster import Connection, add_connection, connected
from dayfly_cli.ends import Entry, as_data, in_order
from dayfly_cli.formats import DATA, add_table_output, written
from dayfly_cli.hindrances import annotated
from dayfly_cli.options import Options
from dayfly_cli.survey import Scope, survey
from dayfly_cli.terminal import OK, Terminal
from dayfly_cli.watching import Watching
from dayfly_kube.flags import Flags

EXAMPLES = """examples:
  {prog} list                    in the present namespace
  {prog} list -A --watch         everywhere, and every change from now on
  {prog} list -n shop -l app=web -o wide
  {prog} list -A -o json | jq -r '.items[] | select(.secondsLeft < 3600) | .name'

The end shown is the one that comes first: the object's own or its namespace's. Of an Ephemerator or
NamespaceManager it is the first thing that it does; where no clock tells when, a word stands there:
`when its pods succeed`, `disabled`. --watch does not hear of kinds that are installed meanwhile.
"""


def parse(prog: str, argv: Sequence[str]) -> Options:
    """Read the command line."""
    parsed = command_line(prog).parse_args(argv)
    return Options(
        Connection.of(parsed),
        Scope(parsed.all_namespaces, parsed.selector),
        parsed.output,
        parsed.watch,
    )


def command_line(prog: str) -> Flags:
    """Return the arguments there are; also the source of their reference page."""
    flags = Flags(
        f"{prog} list",
        "Show what Dayfly is going to end, the next one first.",
        EXAMPLES.format(prog=prog),
    )
    flags.add_argument("-A", "--all-namespaces", action="store_true", help="in all namespaces")
    flags.add_argument(
        "-l", "--selector", metavar="LABELS", default="", help="only with these labels"
    )
    add_table_output(flags)
    flags.add_argument("-w", "--watch", action="store_true", help="go on and print every change")
    add_connection(flags)
    return flags


async def run(terminal: Terminal, argv: Sequence[str]) -> int:
    """Print what ends, and with --watch go on until interrupted."""
    options = parse(terminal.prog, argv)
    async with connected(options.connection, terminal.environ) as cluster:
        found = await survey(cluster, options.scope, terminal)
        if options.watch:
            return await Watching(terminal, cluster, options, found).run()
        entries = await annotated(cluster, found.entries, found.resources, terminal.now())
    show(terminal, in_order(entries), options)
    return OK


def show(terminal: Terminal, entries: Sequence[Entry], options: Options) -> None:
    """Print all of them in the format that was asked for."""
    now = terminal.now()
    if options.output in DATA:
        items = [as_data(entry, now) for entry in entries]
        terminal.say(written({"items": items}, options.output))
    elif options.output == "name":
        for entry in entries:
            terminal.say(entry.title)
    elif entries:
        rows = [options.layout.row(entry, now) for entry in entries]
        table.write(terminal.out, options.layout.fitted(rows), rows)
    else:
        place = "any namespace" if options.scope.everywhere else "this namespace; -A looks in all"
        terminal.remark(f"Nothing is going to end in {place}.")
