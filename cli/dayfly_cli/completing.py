"""What a word of a command line may be completed to: ``dayfly __complete WORD...``.

It answers as kubectl asks its plugins: a candidate a line, and ``:N``, the sum of what is below.
"""

import asyncio
from argparse import Action
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final

import msgspec

from dayfly_cli import kinds
from dayfly_cli.cluster import Cluster, Connection, connected
from dayfly_cli.terminal import OK, Failed, Misused, Terminal
from dayfly_core.objects import EXPIRY_POLICIES, NAMESPACES, PartialObject, Resource
from dayfly_kube.errors import ApiError
from dayfly_kube.flags import Flags
from dayfly_kube.paging import Page

NO_SPACE: Final = 2
"""The word goes on: ``deployment/``."""
NO_FILES: Final = 4
"""Files are no candidates."""

PATIENCE: Final = 2.0
"""Seconds for the API server's answer: somebody waits with a finger on the key."""

LENGTHS: Final = ("1h", "8h", "1d", "2d", "1w")

LISTED: Final = 500
"""Objects that are offered at most."""


class Answer(msgspec.Struct, frozen=True):
    """Candidates, and how the shell is to take them."""

    words: tuple[str, ...] = ()
    directive: int = NO_FILES

    def to(self, current: str) -> "Answer":
        """Keep what begins as what is typed does."""
        fitting = tuple(word for word in self.words if word.startswith(current))
        return Answer(fitting, self.directive)


class Line(msgspec.Struct, frozen=True):
    """The words after a command's name, the last one being typed."""

    flags: Flags
    words: tuple[str, ...]

    @property
    def current(self) -> str:
        """What is being typed."""
        return self.words[-1]

    def argument(self) -> Action | None:
        """Return the argument that is being typed a value of; None where a flag, or nothing, is."""
        options = {name: each for each in self.flags.arguments for name in each.option_strings}
        positionals = [each for each in self.flags.arguments if not each.option_strings]
        waiting: Action | None = None
        for word in self.words[:-1]:
            if waiting:
                waiting = None
            elif word in options:
                waiting = options[word] if options[word].nargs != 0 else None
            elif not word.startswith("-") and positionals:
                del positionals[0]
        return waiting or next(iter(positionals), None)

    def said(self, *spelled: str) -> str | None:
        """Return what a flag was given before."""
        pairs = zip(self.words, self.words[1:-1], strict=False)
        return next((value for flag, value in pairs if flag in spelled), None)


Ask = Callable[[Cluster, str], Awaitable[Answer]]


def known(line: Line) -> Answer | Ask:
    """Return what needs no cluster, or whom to ask."""
    argument = line.argument()
    if line.current.startswith("-"):
        names = (name for each in line.flags.arguments for name in each.option_strings)
        return Answer(tuple(names))
    if argument is None:
        return Answer()
    if argument.choices:
        return Answer(tuple(map(str, argument.choices)))
    if argument.dest in FILES:
        return Answer(directive=0)
    if argument.dest in DURATIONS:
        return Answer(LENGTHS)
    return ASKED.get(argument.dest, _nothing)


FILES: Final = frozenset({"files", "kubeconfig"})
DURATIONS: Final = frozenset({"length", "span", "since"})


async def _nothing(_cluster: Cluster, _current: str) -> Answer:
    return Answer()


async def _named(cluster: Cluster, resource: Resource, namespace: str = "") -> tuple[str, ...]:
    params = {"limit": str(LISTED)}
    path = resource.path(namespace)
    body = await cluster.client.get_list(path, params=params, metadata_only=True)
    found = msgspec.json.decode(body, type=Page[PartialObject]).items or ()
    return tuple(each.metadata.name for each in found)


async def _namespaces(cluster: Cluster, _current: str) -> Answer:
    return Answer(await _named(cluster, NAMESPACES))


async def _policies(cluster: Cluster, _current: str) -> Answer:
    return Answer(await _named(cluster, EXPIRY_POLICIES))


async def _kinds(cluster: Cluster, _current: str) -> Answer:
    return Answer(tuple(each.resource.plural for each in await kinds.served(cluster.client)))


async def _targets(cluster: Cluster, current: str) -> Answer:
    """Offer ``deployment/`` first, and after the slash what there is of that kind."""
    kind, slash, _ = current.partition("/")
    served = await kinds.served(cluster.client)
    if not slash:
        words = (f"{each.resource.kind.lower()}/" for each in served if each.listable)
        return Answer(tuple(dict.fromkeys(words)), NO_SPACE + NO_FILES)
    names = await _named(cluster, kinds.resolve(kind, served), cluster.namespace)
    return Answer(tuple(f"{kind}/{name}" for name in names))


ASKED: Final[Mapping[str, Ask]] = {
    "namespace": _namespaces,
    "system_namespace": _namespaces,
    "policy": _policies,
    "kind": _kinds,
    "target": _targets,
}


async def completed(line: Line, environ: Mapping[str, str]) -> Answer:
    """Return the candidates; none where the cluster does not tell: a prompt takes no complaint."""
    found = known(line)
    if isinstance(found, Answer):
        return found.to(line.current)
    connection = Connection(
        line.said("--kubeconfig"), line.said("--context") or "", line.said("-n", "--namespace")
    )
    try:
        async with asyncio.timeout(PATIENCE), connected(connection, environ) as cluster:
            return (await found(cluster, line.current)).to(line.current)
    except (Failed, Misused, ApiError, TimeoutError):
        return Answer()


FlagsOf = Callable[[str], Flags | None]
"""Finds the arguments of a command; None if there is none of that name."""


async def run(
    terminal: Terminal, words: Sequence[str], commands: Iterable[str], flags_of: FlagsOf
) -> int:
    """Print the candidates for the last of these words, which follow the program's name."""
    terminal.say(_written(await _answer(terminal, words or [""], commands, flags_of)))
    return OK


async def _answer(
    terminal: Terminal, words: Sequence[str], commands: Iterable[str], flags_of: FlagsOf
) -> Answer:
    # bash takes `--output=json` for three words.
    words = [word for word in words[:-1] if word != "="] + list(words[-1:])
    if len(words) == 1 or words[0] == "help":
        return Answer(tuple(sorted(commands))).to(words[-1]) if len(words) < 3 else Answer()
    flags = flags_of(words[0])
    return await completed(Line(flags, tuple(words[1:])), terminal.environ) if flags else Answer()


def _written(answer: Answer) -> str:
    return "\n".join((*sorted(answer.words), f":{answer.directive}"))
