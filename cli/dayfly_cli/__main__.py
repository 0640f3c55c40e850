"""Entry of ``dayfly`` and ``kubectl-dayfly``: chooses, and imports only what it chose."""

import asyncio
import difflib
import io
import os
import sys
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Final, TextIO

from dayfly_cli.terminal import FAILED, OK, USAGE, Failed, Misused, Terminal
from dayfly_kube import collector
from dayfly_kube.flags import Flags

PROGRAMS: Final = {
    "admission": "dayfly_admission.__main__",
    "operator": "dayfly_operator.__main__",
    "certs": "dayfly_certs.__main__",
}
"""Each has ``run(argv)``, reads its own clock and never prints for people."""

COMMANDS: Final = {
    "list": "dayfly_cli.listing",
    "show": "dayfly_cli.showing",
    "explain": "dayfly_cli.explaining",
    "plan": "dayfly_cli.planning",
    "simulate": "dayfly_cli.simulating",
    "extend": "dayfly_cli.extending",
    "wake": "dayfly_cli.waking",
    "history": "dayfly_cli.history",
    "breaker": "dayfly_cli.breaker",
}
"""Each has ``async run(terminal, argv)``."""

SPOKEN: Final = {"version": "dayfly_cli.version", "completion": "dayfly_cli.completion"}
"""Each has ``run(terminal, argv)``, and asks nobody."""

COMPLETE: Final = "__complete"
"""What a shell runs to learn how a command line may go on."""

INTERRUPTED: Final = 130


def main() -> None:
    """Run the command line of this process and end with its status."""
    collector.importing()
    out, err = _writable(sys.stdout), _writable(sys.stderr)
    program, argv = Path(sys.argv[0]).name, sys.argv[1:]
    prog = "kubectl dayfly" if program.startswith("kubectl-") else "dayfly"
    if program.startswith("kubectl_complete-"):
        argv = [COMPLETE, *argv]
    terminal = Terminal(prog, os.environ, out, err, lambda: datetime.now(UTC), time.monotonic)
    sys.exit(run(terminal, argv))


def _writable(stream: TextIO | None) -> TextIO:
    """Return what takes every text: names and annotations are anybody's, in whatever script."""
    if stream is None:  # closed by whoever started us: `dayfly list >&-`
        return open(os.devnull, "w", encoding="utf-8")
    wrapper: object = stream
    if isinstance(wrapper, io.TextIOWrapper):
        wrapper.reconfigure(errors="backslashreplace")
    return stream


def run(terminal: Terminal, argv: Sequence[str]) -> int:
    """Run one command line; what goes wrong is one line on standard error."""
    words = list(argv) or ["help"]
    try:
        return _choose(terminal, [_text(word) for word in words])
    except Failed as error:
        return _complain(terminal, words[0], error, FAILED)
    except Misused as error:
        return _complain(terminal, words[0], error, USAGE)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (`| head`) has seen enough.
        _say_no_more()
        return OK
    except OSError as error:
        if words[0] in PROGRAMS:
            raise
        # What the network and files do to a command, it says itself: this is its output.
        _say_no_more()
        lost = Failed(f"its output cannot be written: {error.strerror or error}")
        return _complain(terminal, words[0], lost, FAILED)


def _say_no_more() -> None:
    """See to it that nothing is flushed to where it cannot go, when the process ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _text(word: str) -> str:
    """Return a word as it was typed; raises Misused for bytes that are no text here."""
    if word.isprintable() or not any("\ud800" <= letter <= "\udfff" for letter in word):
        return word
    raise Misused(f"{word!r} is no text in this locale; try again with LC_ALL=C.UTF-8")


def _complain(terminal: Terminal, command: str, error: Exception, status: int) -> int:
    print(f"{terminal.prog} {command}: {error}", file=terminal.err)
    return status


def _choose(terminal: Terminal, argv: list[str]) -> int:
    command, *rest = argv
    if command == "help" and rest:
        command, rest = rest[0], ["--help"]
    if command in ("help", "--help", "-h"):
        from dayfly_cli.usage import HELP

        terminal.say(HELP.format(prog=terminal.prog).rstrip())
        return OK
    if command.removeprefix("--") in SPOKEN:
        speak: Callable[[Terminal, Sequence[str]], int] = _load(
            SPOKEN[command.removeprefix("--")]
        ).run
        return speak(terminal, rest)
    if command == COMPLETE:
        return _complete(terminal, rest)
    if command in PROGRAMS:
        program: Callable[[Sequence[str]], int | None] = _load(PROGRAMS[command]).run
        return program(rest) or OK
    if command in COMMANDS:
        return _ask(_load(COMMANDS[command]).run, terminal, rest)
    print(f"{terminal.prog}: {_unknown(terminal.prog, command)}", file=terminal.err)
    return USAGE


def _load(module: str) -> ModuleType:
    found = import_module(module)
    collector.loading()
    return found


Command = Callable[[Terminal, Sequence[str]], Coroutine[None, None, int]]


def _ask(command: Command, terminal: Terminal, argv: Sequence[str]) -> int:
    return asyncio.run(command(terminal, argv))


def _complete(terminal: Terminal, words: Sequence[str]) -> int:
    from dayfly_cli import completing

    known = {**COMMANDS, **SPOKEN}

    def flags_of(command: str) -> Flags | None:
        module = known.get(command)
        flags: Flags | None = _load(module).command_line(terminal.prog) if module else None
        return flags

    commands = (*known, *PROGRAMS, "help")
    return asyncio.run(completing.run(terminal, words, commands, flags_of))


def _unknown(prog: str, command: str) -> str:
    if command.startswith("-"):
        return f"{command!r} comes after a command, for example: {prog} list -n shop"
    known: Mapping[str, str] = {**COMMANDS, **PROGRAMS, **SPOKEN, "help": ""}
    close = difflib.get_close_matches(command, known, n=1)
    meant = f"did you mean {close[0]}? " if close else ""
    return f"no command {command!r}; {meant}{prog} --help lists them"


if __name__ == "__main__":
    main()
