"""What a person reads while something takes its time: one line to stderr for each thing done."""

import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

Say = Callable[[str], None]
"""Where progress goes: one short line without a newline."""


def to_stderr(line: str) -> None:
    """Print one line of progress at once, also into a pipe."""
    print(line, file=sys.stderr, flush=True)


def silent(line: str) -> None:
    """Say nothing: for callers that have their own words."""
    del line


@contextmanager
def timed(say: Say, done: str) -> Generator[None]:
    """Say ``done`` with the seconds that the block took; nothing if it raised."""
    began = time.monotonic()
    yield
    say(f"{done:<42} {time.monotonic() - began:6.1f} s")
