"""``dayfly version``."""

import platform
from collections.abc import Sequence

from dayfly_cli.formats import DATA, add_output, written
from dayfly_cli.terminal import OK, Terminal
from dayfly_core import __version__
from dayfly_kube.flags import Flags


def run(terminal: Terminal, argv: Sequence[str]) -> int:
    """Print which Dayfly this is."""
    output = command_line(terminal.prog).parse_args(argv).output
    if output in DATA:
        data = {"dayfly": __version__, "python": platform.python_version()}
        terminal.say(written(data, output))
    else:
        terminal.say(f"dayfly {__version__}")
    return OK


def command_line(prog: str) -> Flags:
    """Return the arguments there are; also the source of their reference page."""
    flags = Flags(f"{prog} version", "Print the version of this command.")
    add_output(flags)
    return flags
