"""``dayfly admission``: reads flags, environment and clocks, and starts the program."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from dayfly_admission.program import Clocks, Program
from dayfly_admission.settings import Settings, parse
from dayfly_core import __version__
from dayfly_kube import config
from dayfly_kube.client import Client
from dayfly_kube.flags import configure_logging


def run(argv: Sequence[str]) -> int:
    """Serve until SIGTERM or SIGINT; return the exit status."""
    settings = parse(argv, os.environ)
    configure_logging(settings.log_level)
    try:
        import httptools as _  # noqa: F401  # uvicorn would do without, at three times the CPU
        import uvloop
    except ImportError as error:
        return _refuse(f"{error.name} is not installed: pip install uvloop httptools")
    try:
        uvloop.run(_serve(settings))
    except (config.ConfigError, OSError) as error:
        return _refuse(str(error))
    return 0


def _refuse(sentence: str) -> int:
    print(f"dayfly admission: {sentence}", file=sys.stderr)
    return 1


async def _serve(settings: Settings) -> None:
    where = config.load(settings.kubeconfig, os.environ)
    agent = f"dayfly-admission/{__version__} ({settings.identity})"
    clocks = Clocks(lambda: datetime.now(UTC), time.monotonic)
    async with Client(where, user_agent=agent) as client:
        program = Program(client, settings, clocks)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, program.leave.set)
        await program.run()


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
