"""``dayfly version``."""

import json
import platform
from collections.abc import Sequence

from dayfly_cli.terminal import OK, Terminal
from dayfly_core import __version__
from dayfly_kube.flags import Flags


def run(terminal: Terminal, argv: Sequence[str]) -> int:
    """Print which Dayfly this is."""
    flags = Flags(f"{terminal.prog} version", "Print the version of this command.")
    flags.add_argument("-o", "--output", choices=("text", "json"), default="text")
    if flags.parse_args(argv).output == "json":
        terminal.say(json.dumps({"dayfly": __version__, "python": platform.python_version()}))
    else:
        terminal.say(f"dayfly {__version__}")
    return OK
