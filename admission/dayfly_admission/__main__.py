"""``dayfly admission``: reads flags, environment and clocks, and starts the program."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial

from dayfly_admission.assembly import Clocks
from dayfly_admission.program import Program
from dayfly_admission.settings import Settings, parse
from dayfly_admission.turnstile import CONNECTIONS
from dayfly_core import __version__, clock
from dayfly_kube import collector, config
from dayfly_kube.client import Client
from dayfly_kube.flags import configure_logging
from dayfly_kube.server_clock import OurClocks


def run(argv: Sequence[str]) -> int:
    """Serve until SIGTERM or SIGINT; return the exit status."""
    settings = parse(argv, os.environ)
    configure_logging(settings.log_level)
    try:
        import httptools as _  # noqa: F401  # uvicorn would do without, at three times the CPU
        import uvloop
    except ImportError as error:
        return _refuse(f"{error.name} is not installed: pip install uvloop httptools")
    status = 0
    try:
        uvloop.run(_serve(settings))
    except* (config.ConfigError, OSError) as wrong:
        status = _refuse(str(_first(wrong)))
    return status


def _now() -> datetime:
    return datetime.now(UTC)


def _boot_time() -> float:
    """Seconds on a clock that nobody sets, and that counts the time that the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def clocks(skew: Callable[[], float | None], now: Callable[[], datetime] = _now) -> Clocks:
    """Return the clocks to judge by; ``skew`` is how far the API server's is ahead of ``now``."""
    return Clocks(lambda: clock.shared(now(), skew()), time.monotonic)


def _first(group: BaseExceptionGroup[Exception]) -> BaseException:
    found = group.exceptions[0]
    return _first(found) if isinstance(found, BaseExceptionGroup) else found


def _refuse(sentence: str) -> int:
    print(f"dayfly admission: {sentence}", file=sys.stderr)
    return 1


async def _serve(settings: Settings) -> None:
    where = config.load(settings.kubeconfig, os.environ)
    agent = f"dayfly-admission/{__version__} ({settings.identity})"
    ours = OurClocks(_now, _boot_time)
    client = Client(where, user_agent=agent, connections=CONNECTIONS, clocks=ours)
    by = clocks(lambda: client.clock_skew)
    async with client, asyncio.TaskGroup() as group:
        program = Program(client, settings, by, partial(os.write, sys.stdout.fileno()))
        _obey_signals(program)
        freezing = group.create_task(_freeze(program))
        await program.run()
        freezing.cancel()


def _obey_signals(program: Program) -> None:
    def stop() -> None:  # a person's Ctrl-C, or a second SIGTERM
        program.hurry.set()
        program.leave.set()

    def terminate() -> None:
        stop() if program.leave.is_set() else program.leave.set()

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, stop)
    loop.add_signal_handler(signal.SIGTERM, terminate)


async def _freeze(program: Program) -> None:
    """Spare the collector what stays for good: it would stop requests to look at it."""
    await program.settled()
    collector.settled()


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
