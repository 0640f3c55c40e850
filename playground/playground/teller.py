"""Tells a story of commands: prints each one with its real output, and holds it to its word."""

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

WIDTH = 100


class BrokenPromiseError(Exception):
    """A step of the story did not happen as it was told."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command printed and how it ended."""

    code: int
    output: str


@dataclass(slots=True)
class Teller:
    """Runs commands as a person would, in one environment, and prints them to one stream."""

    environment: Mapping[str, str]
    directory: Path
    stream: TextIO = field(default_factory=lambda: sys.stdout)
    chapters: int = 0
    kept: int = 0

    def chapter(self, title: str) -> None:
        """Start a numbered part of the story."""
        self.chapters += 1
        self._print(f"\n{self._bold(f'{self.chapters}. {title}')}\n{'─' * WIDTH}")

    def say(self, text: str) -> None:
        """Tell something that is not a command."""
        self._print(self._dim(f"# {text}"))

    def run(self, command: str, *, fails: bool = False, quiet: bool = False) -> Outcome:
        """Run one command line (no shell: words as in a shell, no expansion) and print it.

        Raises:
            BrokenPromiseError: it failed although it should not, or the other way round.

        """
        done = subprocess.run(
            shlex.split(command),
            env=dict(self.environment),
            cwd=self.directory,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        if not quiet:
            self._print(f"{self._bold('$')} {command}")
            self._print(_indented(done.stdout))
        if (done.returncode != 0) != fails:
            wanted = "be refused" if fails else "succeed"
            raise BrokenPromiseError(f"should {wanted}: {command}\n{_indented(done.stdout)}")
        return Outcome(done.returncode, done.stdout)

    def expect(self, *, that: bool, fact: str) -> None:
        """Hold the story to a fact, and print it when it holds.

        Raises:
            BrokenPromiseError: it does not hold.

        """
        if not that:
            raise BrokenPromiseError(f"not so: {fact}")
        self.kept += 1
        self._print(f"{self._green('✓')} {fact}")

    def wait(self, until: Callable[[], bool], what: str, seconds: float) -> None:
        """Wait for something that comes by itself, at most so long.

        Raises:
            BrokenPromiseError: it did not come.

        """
        limit = time.monotonic() + seconds
        while not until():
            if time.monotonic() > limit:
                raise BrokenPromiseError(f"waited {seconds:.0f} s in vain for: {what}")
            time.sleep(0.1)

    def _print(self, text: str) -> None:
        if text:
            print(text, file=self.stream, flush=True)

    def _paint(self, text: str, code: str) -> str:
        if not self.stream.isatty() or os.environ.get("NO_COLOR"):
            return text
        return f"\033[{code}m{text}\033[0m"

    def _bold(self, text: str) -> str:
        return self._paint(text, "1")

    def _dim(self, text: str) -> str:
        return self._paint(text, "2")

    def _green(self, text: str) -> str:
        return self._paint(text, "32")


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.rstrip().splitlines())
