"""``dayfly breaker``: what is held back because nobody has announced it, and how it goes on."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from dayfly_cli import table
from dayfly_cli.cluster import Cluster, Connection, add_connection, connected
from dayfly_cli.ends import at
from dayfly_cli.formats import DATA, add_output, written
from dayfly_cli.terminal import OK, Failed, Misused, Terminal
from dayfly_core import api, instant, names
from dayfly_core.breaker import WINDOW, reset_of
from dayfly_core.instant import InvalidInstant
from dayfly_core.objects import EXPIRY_POLICIES, ObjectMeta
from dayfly_kube.errors import ApiError
from dayfly_kube.flags import Flags
from dayfly_operator.policies import status_of

FEW: Final = 10
"""So many objects are released without ``--yes``: they are named when it is done."""

ATTEMPTS: Final = 5
"""Times that the operator may write the policy's status between our reading and our writing."""

EXAMPLES = """examples:
  {prog} breaker show                     every policy whose breaker is open, and what it holds
  {prog} breaker show previews -o json
  {prog} breaker reset previews           let happen what it holds back; more than 10 need --yes

A breaker opens when so many objects of a policy would end at once, and their authors were not told,
that it may be a mistake. To correct the policy is the other way: then nothing of it happens.
The same reset by kubectl:
  kubectl annotate expirypolicy previews --overwrite dayfly.dev/breaker-reset="$(date -u +%FT%TZ)"
"""


class Options(msgspec.Struct, frozen=True):
    """The command line, read."""

    connection: Connection
    verb: str
    policy: str
    yes: bool
    dry_run: bool
    output: str


def parse(prog: str, argv: Sequence[str]) -> Options:
    """Read the command line; raises Misused."""
    parsed = command_line(prog).parse_mixed(argv)
    if parsed.verb == "reset" and not parsed.policy:
        raise Misused(f"reset needs the name of a policy; `{prog} breaker show` lists them")
    return Options(
        Connection.of(parsed),
        parsed.verb,
        parsed.policy or "",
        parsed.yes,
        parsed.dry_run,
        parsed.output,
    )


def command_line(prog: str) -> Flags:
    """Return the arguments there are; also the source of their reference page."""
    flags = Flags(
        f"{prog} breaker",
        "Show which ends are held back because they come as a surprise, or let them happen.",
        EXAMPLES.format(prog=prog),
    )
    flags.add_argument("verb", choices=("show", "reset"), metavar="show|reset", help="what to do")
    flags.add_argument("policy", metavar="POLICY", nargs="?", help="an ExpiryPolicy")
    flags.add_argument("--yes", action="store_true", help=f"release more than {FEW} objects")
    flags.add_argument("--dry-run", action="store_true", help="ask the server, change nothing")
    add_output(flags)
    add_connection(flags)
    return flags


class Found(msgspec.Struct, frozen=True):
    """A policy, as far as it matters here."""

    metadata: ObjectMeta = ObjectMeta()
    status: msgspec.Raw = msgspec.Raw(b"null")

    @property
    def name(self) -> str:
        """Its name."""
        return self.metadata.name

    @property
    def open(self) -> api.Breaker | None:
        """What its breaker holds back; None while it is closed."""
        breaker = status_of(self.status).breaker
        return breaker if isinstance(breaker, api.Breaker) else None


class Listed(msgspec.Struct, frozen=True):
    """All policies."""

    items: list[Found] = []


async def run(terminal: Terminal, argv: Sequence[str]) -> int:
    """Show, or reset."""
    options = parse(terminal.prog, argv)
    async with connected(options.connection, terminal.environ) as cluster:
        if options.verb == "reset":
            return await _reset(terminal, cluster, options)
        if options.policy:
            _show(terminal, [await _read(cluster, options.policy)], options)
        else:
            _show(terminal, await _list(cluster), options)
    return OK


async def _list(cluster: Cluster) -> list[Found]:
    try:
        body = await cluster.client.get_list(EXPIRY_POLICIES.path())
    except ApiError as error:
        if error.not_found:
            raise Failed("Dayfly is not installed here: no ExpiryPolicies") from error
        raise
    return msgspec.json.decode(body, type=Listed).items


async def _read(cluster: Cluster, policy: str) -> Found:
    try:
        body = await cluster.client.get(EXPIRY_POLICIES.path(name=policy))
    except ApiError as error:
        if error.not_found:
            raise Failed(
                f"no ExpiryPolicy {policy}; `kubectl get expirypolicies` lists all"
            ) from error
        raise
    return msgspec.json.decode(body, type=Found)


def _show(terminal: Terminal, found: Sequence[Found], options: Options) -> None:
    if options.output in DATA:
        items = [as_data(each) for each in found]
        shown: Any = items[0] if options.policy else {"items": items}
        terminal.say(written(shown, options.output))
        return
    held = [(each, breaker) for each in found if (breaker := each.open)]
    if options.policy and not held:
        terminal.say(f"The breaker of {options.policy} is closed: nothing is held back.")
    elif not held:
        terminal.say("All breakers are closed: nothing is held back.")
    elif options.policy:
        _show_one(terminal, *held[0])
    else:
        rows = [[each.name, _since(breaker), str(breaker.held)] for each, breaker in held]
        table.write_plain(terminal.out, ("POLICY", "OPEN SINCE", "HELD"), rows)
        terminal.say("")
        for each, breaker in held:
            terminal.say(f"{each.name}: {breaker.message}")


def _show_one(terminal: Terminal, found: Found, breaker: api.Breaker) -> None:
    terminal.say(f"The breaker of {found.name} is open since {_since(breaker)}.")
    terminal.say(f"  {breaker.message}")
    for line in _first(breaker):
        terminal.say(line)


def _since(breaker: api.Breaker) -> str:
    """Write when it opened to the second; what cannot be read as it is written."""
    try:
        return at(instant.parse(breaker.opened_at))
    except InvalidInstant:
        return breaker.opened_at


def _first(breaker: api.Breaker) -> list[str]:
    more = breaker.held - len(breaker.first)
    return [f"  {name}" for name in breaker.first] + ([f"  and {more} more"] if more > 0 else [])


def as_data(found: Found) -> dict[str, Any]:
    """Return what ``-o json`` prints; a field without a value is null."""
    breaker, reset_at = found.open, reset_of(found.metadata)
    return {
        "policy": found.name,
        "open": breaker is not None,
        "openedAt": breaker.opened_at if breaker else None,
        "held": breaker.held if breaker else 0,
        "first": breaker.first if breaker else [],
        "message": breaker.message if breaker else None,
        "confirmedUntil": instant.render(reset_at) if reset_at else None,
    }


async def _reset(terminal: Terminal, cluster: Cluster, options: Options) -> int:
    for _ in range(ATTEMPTS):
        found = await _read(cluster, options.policy)
        breaker = found.open
        if breaker is None:
            _show(terminal, [found], options)
            return OK
        if breaker.held > FEW and not options.yes:
            raise Failed(_question(terminal, found, breaker))
        try:
            after = await _write(cluster, found, terminal.now(), dry_run=options.dry_run)
        except ApiError as error:
            if not error.conflict:
                raise
        else:
            _tell(terminal, after, breaker, options)
            return OK
    raise Failed(f"{options.policy} is being changed by others all the time; try again")


def _question(terminal: Terminal, found: Found, breaker: api.Breaker) -> str:
    named = "\n".join(_first(breaker))
    return (
        f"{breaker.held} objects would end, as fast as the operator's pace allows:\n{named}\n"
        f"To let that happen: {terminal.prog} breaker reset {found.name} --yes"
    )


async def _write(cluster: Cluster, found: Found, now: datetime, *, dry_run: bool) -> Found:
    """Confirm what was shown: the breaker looks that far ahead.

    Over the version that was read, so that a person confirms what was there to be seen.
    """
    confirmed = instant.render((now + WINDOW).replace(microsecond=0))
    meta = found.metadata
    head = {"uid": meta.uid, "resourceVersion": meta.resource_version}
    body = {"metadata": {**head, "annotations": {names.BREAKER_RESET: confirmed}}}
    path = EXPIRY_POLICIES.path(name=found.name)
    params = {"dryRun": "All"} if dry_run else {}
    return msgspec.json.decode(
        await cluster.client.merge_patch(path, body, params=params), type=Found
    )


def _tell(terminal: Terminal, after: Found, released: api.Breaker, options: Options) -> None:
    if options.output in DATA:
        data = {**as_data(after), "released": released.held}
        terminal.say(written(data, options.output))
        return
    what = "would be released (dry run)" if options.dry_run else "released: they end now"
    count = f"{released.held} object{'' if released.held == 1 else 's'}"
    terminal.say(f"{count} of {after.name} {what}")
    for line in _first(released):
        terminal.say(line)
