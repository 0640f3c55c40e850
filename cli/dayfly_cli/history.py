"""``dayfly history``: what has ended, why, and by which policy, the newest last."""

import argparse
import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from dayfly_cli import kinds, table
from dayfly_cli.cluster import Cluster, Connection, add_connection, connected
from dayfly_cli.ends import at
from dayfly_cli.formats import DATA, add_table_output, written
from dayfly_cli.terminal import OK, Failed, Terminal
from dayfly_core import duration, history, names
from dayfly_core.history import SLOTS, Entry, Page, Record
from dayfly_core.objects import CONFIG_MAPS, NAMESPACES
from dayfly_kube.errors import ApiError
from dayfly_kube.flags import Flags

EXAMPLES = """examples:
  {prog} history                          what ended in the present namespace
  {prog} history -A --since 24h           everywhere, since yesterday
  {prog} history -A --policy previews --kind namespaces -o wide
  {prog} history -A -o json | jq -r '.items[] | select(.result != "Done") | .message'

It goes back some thousand ends; Kubernetes Events tell of the last hour. Who may read it:
  kubectl -n dayfly-system create rolebinding jane-reads-history \\
    --role=dayfly-history-reader --user=jane
"""

NARROW = ("WHEN", "ACTION", "OBJECT", "BY", "RESULT")
WIDE = ("DUE", "UID", "REPLICA", "MESSAGE")


class Options(msgspec.Struct, frozen=True):
    """The command line, read; an empty text asks for all."""

    connection: Connection
    everywhere: bool
    kind: str
    policy: str
    since: timedelta | None
    output: str
    system: str
    """Dayfly's own namespace."""


def parse(prog: str, argv: Sequence[str]) -> Options:
    """Read the command line."""
    parsed = command_line(prog).parse_args(argv)
    return Options(
        Connection.of(parsed),
        parsed.all_namespaces,
        parsed.kind,
        parsed.policy,
        parsed.since,
        parsed.output,
        parsed.system_namespace,
    )


def command_line(prog: str) -> Flags:
    """Return the arguments there are; also the source of their reference page."""
    flags = Flags(
        f"{prog} history",
        "Show what Dayfly has ended, scaled down, woken and called, the newest last.",
        EXAMPLES.format(prog=prog),
    )
    flags.add_argument("-A", "--all-namespaces", action="store_true", help="in all namespaces")
    flags.add_argument("--kind", metavar="KIND", default="", help="only of this kind")
    flags.add_argument(
        "--policy",
        metavar="NAME",
        default="",
        help="only by this ExpiryPolicy, or by what column BY says",
    )
    flags.add_argument(
        "--since", type=_length, metavar="DUR", help="only what happened so long ago: 90s, 8h, 2d"
    )
    add_table_output(flags)
    flags.add_argument(
        "--system-namespace",
        metavar="NAME",
        default=names.SYSTEM_NAMESPACE,
        help="where Dayfly runs (default: %(default)s)",
    )
    add_connection(flags)
    return flags


def _length(text: str) -> timedelta:
    try:
        return duration.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


async def run(terminal: Terminal, argv: Sequence[str]) -> int:
    """Print it."""
    options = parse(terminal.prog, argv)
    async with connected(options.connection, terminal.environ) as cluster:
        record = history.read(await _pages(cluster, options.system))
        kind = await _kind(cluster, options.kind, terminal)
        namespace = "" if options.everywhere else cluster.namespace
    wanted = Wanted(kind, namespace, options.policy, _begin(options, terminal))
    entries = [entry for entry in record.entries if wanted.fits(entry)]
    show(terminal, entries, options)
    _hint(terminal, record, entries, namespace)
    return OK


def _begin(options: Options, terminal: Terminal) -> datetime | None:
    return terminal.now() - options.since if options.since else None


class Wanted(msgspec.Struct, frozen=True):
    """Which entries were asked for."""

    kind: str = ""
    namespace: str = ""
    policy: str = ""
    begin: datetime | None = None

    def fits(self, entry: Entry) -> bool:
        """Whether this is one."""
        return (
            self.kind in ("", entry.kind)
            and self.namespace in ("", _namespace(entry))
            and self.policy in ("", entry.by, entry.by.partition("/")[2])
            and (self.begin is None or entry.at >= self.begin)
        )


def _namespace(entry: Entry) -> str:
    """Return where it was: a Namespace was itself."""
    return entry.name if entry.kind == NAMESPACES.group_resource else entry.namespace


async def _kind(cluster: Cluster, text: str, terminal: Terminal) -> str:
    """Return a kind as the history writes it; one that is not served any more, as it was typed."""
    if not text:
        return ""
    try:
        return kinds.resolve(text, await kinds.served(cluster.client)).group_resource
    except Failed as error:
        terminal.warn(f"{error}; looked for as it is written")
        return text


class _Stored(msgspec.Struct, frozen=True):
    data: Any = None


async def _pages(cluster: Cluster, system: str) -> list[Page]:
    try:
        found = await asyncio.gather(*(_page(cluster, system, slot) for slot in range(SLOTS)))
    except ApiError as error:
        if not error.forbidden:
            raise
        raise Failed(
            "you may not read the history, which names objects of all namespaces; somebody who "
            f"runs the cluster can let you: kubectl -n {system} create rolebinding NAME "
            f"--role={names.HISTORY_READER} --user=YOU"
        ) from error
    pages = [page for page in found if page]
    if not pages:
        raise Failed(f"no history in namespace {system}; --system-namespace names another")
    return pages


async def _page(cluster: Cluster, system: str, slot: int) -> Page | None:
    try:
        body = await cluster.client.get(CONFIG_MAPS.path(system, history.slot_name(slot)))
    except ApiError as error:
        if error.not_found:
            return None
        raise
    return history.page(slot, msgspec.json.decode(body, type=_Stored).data)


def show(terminal: Terminal, entries: Sequence[Entry], options: Options) -> None:
    """Print them in the format that was asked for."""
    if options.output in DATA:
        items = [msgspec.to_builtins(entry) for entry in entries]
        terminal.say(written({"items": items}, options.output))
    elif options.output == "name":
        for entry in entries:
            terminal.say(_printable(_title(entry)))
    elif entries:
        header = (*_place(options), *NARROW, *(WIDE if options.output == "wide" else ()))
        rows = [_row(entry, options) for entry in entries]
        table.write_plain(terminal.out, header, rows)


def _place(options: Options) -> Sequence[str]:
    return ("NAMESPACE",) if options.everywhere else ()


def _title(entry: Entry) -> str:
    return f"{entry.kind}/{entry.name}"


def _row(entry: Entry, options: Options) -> list[str]:
    place = [entry.namespace or "-"] if options.everywhere else []
    narrow = [at(entry.at), entry.action, _title(entry), entry.by, entry.result]
    wide = [at(entry.due), entry.uid or "-", entry.replica or "-", entry.message or "-"]
    cells = [*place, *narrow, *(wide if options.output == "wide" else [])]
    # A message holds what some server answered: what could steer a terminal is escaped.
    return [_printable(cell) for cell in cells]


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _hint(terminal: Terminal, record: Record, entries: Sequence[Entry], namespace: str) -> None:
    if record.unreadable:
        terminal.warn(f"{record.unreadable} entries cannot be read")
    if entries:
        return
    place = f"namespace {namespace}; -A looks in all" if namespace else "any namespace"
    terminal.remark(f"Nothing that fits has happened in {place}.")
    if record.entries:
        terminal.remark(f"The history begins {at(record.entries[0].at)}.")
