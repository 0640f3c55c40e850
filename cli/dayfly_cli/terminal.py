"""The person in front: where output goes, what time it is, and how failures are told."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, TextIO

import msgspec

OK: Final = 0
FAILED: Final = 1
"""The cluster refused, or could not be asked."""
USAGE: Final = 2
"""The command line itself is wrong."""


class Failed(Exception):
    """The command could not do what it was told: one line, with the way out."""


class Misused(Exception):
    """The command line cannot be understood: one line, with what would be right."""


class Terminal(msgspec.Struct, frozen=True):
    """What a command may touch besides the cluster."""

    prog: str
    """As the person calls it: ``dayfly`` or ``kubectl dayfly``."""
    environ: Mapping[str, str]
    out: TextIO
    err: TextIO
    now: Callable[[], datetime]
    monotonic: Callable[[], float]

    def say(self, text: str) -> None:
        """Print a line of output."""
        print(text, file=self.out, flush=True)

    def remark(self, text: str) -> None:
        """Print a line beside the output that nobody's program reads."""
        print(text, file=self.err, flush=True)

    def warn(self, text: str) -> None:
        """Print a line beside the output, as kubectl prints a server's warnings."""
        print(f"Warning: {text}", file=self.err, flush=True)
