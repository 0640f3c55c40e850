"""``python -m playground``: a real control plane with Dayfly on it, for a person at a terminal."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

import msgspec

from playground import build, resident
from playground.commands import CommandFailedError
from playground.plane import AlreadyRunningError
from playground.process import STOPPING, DidNotStartError
from playground.progress import to_stderr
from playground.toolchain import NoToolchainError

DIRECTORY = Path(__file__).resolve().parents[2] / ".playground"

UNWELL = 3
"""Of ``status``: it could be told, and not all is well; ``systemctl status`` says so too. The
Makefile lets it pass, for whoever has just killed a replica has not failed."""

EXPECTED = (
    AlreadyRunningError,
    build.BuildFailedError,
    CommandFailedError,
    DidNotStartError,
    NoToolchainError,
)
"""What can go wrong on somebody's machine; the message is enough without a traceback."""


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    top = argparse.ArgumentParser("python -m playground", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, purpose in (
        ("demo", "play the whole story, then clean up"),
        ("up", "start a system and leave it running; again: start what has died of it"),
        ("down", "stop what `up` started"),
        ("status", "show what runs"),
        ("build", "build the control plane into the cache, and nothing else"),
    ):
        command = commands.add_parser(name, help=purpose, description=purpose)
        command.add_argument(
            "--directory", type=Path, default=DIRECTORY, help="default: %(default)s"
        )
        if name == "status":
            command.add_argument("--output", choices=("table", "json"), default="table")
    return top


def run(arguments: argparse.Namespace) -> int:
    """Do what the command line says; gives the exit code."""
    directory: Path = arguments.directory.resolve()
    match arguments.command:
        case "up":
            print(resident.up(directory, to_stderr))
        case "down":
            resident.down(directory, to_stderr)
        case "status":
            return show(resident.status(directory), json=arguments.output == "json")
        case "build":
            print(build.ensure(os.environ, to_stderr).directory)
        case _:
            # The story is only loaded by who wants to hear it.
            from playground import demo

            return demo.perform(to_stderr)
    return 0


def show(rows: list[resident.Row], *, json: bool) -> int:
    """Print the status; 0 if all is well, or nothing was brought up, else UNWELL."""
    if json:
        print(msgspec.json.format(msgspec.json.encode(rows)).decode())
    elif rows:
        print(*resident.table(rows), *resident.advice(rows), sep="\n")
    else:
        print("nothing is running; `make up` starts it")
    return 0 if all(row.health == "ok" for row in rows) else UNWELL


def interrupt(number: int, frame: FrameType | None) -> NoReturn:
    """End as on Ctrl-C, so that a start told to end stops what it has started."""
    # Stopping has its own limits; a second Ctrl-C would only leave processes behind.
    for again in STOPPING:
        signal.signal(again, signal.SIG_IGN)
    raise KeyboardInterrupt


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; gives the exit code."""
    arguments = parser().parse_args(argv)
    for number in STOPPING:
        signal.signal(number, interrupt)
    try:
        return run(arguments)
    except EXPECTED as error:
        print(f"playground: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader (`| head`) has seen enough; nothing may be flushed to it any more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("playground: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
