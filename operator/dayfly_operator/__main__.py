"""``dayfly operator``: reads flags, environment and clocks, and starts the program."""

import asyncio
import logging
import os
import secrets
import signal
import sys
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from math import inf

import uvloop

from dayfly_core import __version__, clock
from dayfly_kube import config
from dayfly_kube.client import Client
from dayfly_kube.flags import configure_logging
from dayfly_kube.server_clock import OurClocks
from dayfly_operator import kopf_log
from dayfly_operator.election import Clocks as ElectionClocks
from dayfly_operator.elector import Candidacy, Elector
from dayfly_operator.kinds import Ears, KindWatch
from dayfly_operator.leadership import Leadership
from dayfly_operator.own import originals
from dayfly_operator.parts import Clocks, Tools
from dayfly_operator.program import Program
from dayfly_operator.settings import Settings, parse
from dayfly_operator.writing import permit

log = logging.getLogger(__name__)

Live = Callable[[], str | None]


def run(argv: Sequence[str]) -> int:
    """Work until SIGTERM or SIGINT; return the exit status, not 0 if any part failed."""
    settings = parse(argv, os.environ)
    configure_logging(settings.log_level)
    for note in settings.notes:
        log.info(note)
    kopf_log.quieten()
    try:
        uvloop.run(_operate(settings, originals.load(settings.kubeconfig, os.environ)))
    except (config.ConfigError, OSError) as error:
        print(f"dayfly operator: {error}", file=sys.stderr)
        return 1
    except ExceptionGroup:
        log.exception("a part of the program failed")
        return 1
    return 0


def boot_time() -> float:
    """Seconds on a clock that counts the time that the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def this_run(replica: str) -> str:
    """Name this run of a replica: to the election, whoever has the holder's name is the holder.

    A name may be there twice: a flag copied from one host to another, a process started again
    while the one before it hangs. Both would act.
    """
    return f"{replica}_{secrets.token_hex(4)}"


def _now() -> datetime:
    return datetime.now(UTC)


def clocks(skew: Callable[[], float | None], now: Callable[[], datetime] = _now) -> Clocks:
    """Return the clocks to act by; ``skew`` is how far the API server's is ahead of ``now``."""
    return Clocks(lambda: clock.prudent(now(), skew()), boot_time)


async def _operate(settings: Settings, where: config.Config) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    leadership = Leadership(this_run(settings.identity), boot_time)
    agent = _agent(settings)
    async with (
        Client(where, user_agent=agent, clocks=OurClocks(_now, boot_time)) as client,
        Client(where, user_agent=agent, permit=permit(leadership)) as writer,
    ):
        by = clocks(lambda: client.clock_skew)
        program = Program(Tools(client, writer, settings, by, leadership))
        kinds = KindWatch(
            lambda: originals.load(settings.kubeconfig, os.environ),
            Ears(
                policies=lambda: _post(loop, program.policies.wake),
                own=lambda heard: _post(loop, lambda: program.parts.own.hear(heard)),
                again=lambda: _post(loop, program.kinds_again),
            ),
            agent,
        )
        async with _standing(settings, leadership, program) as live:
            kinds.start()
            try:
                await program.run(live, stop)
            finally:
                kinds.stop()
        await program.farewell()


def _post(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(callback)


@asynccontextmanager
async def _standing(
    settings: Settings, leadership: Leadership, program: Program
) -> AsyncGenerator[Live]:
    """Stand for election meanwhile; in a dry run act as if elected, and leave the Lease alone."""
    if settings.dry_run:
        leadership.extend(inf, 0)
        program.leadership_changed(True)
        yield lambda: None
        return

    # Read anew: credentials belong to one event loop, and the elector has its own.
    own = originals.load(settings.kubeconfig, os.environ)

    def connect(timeout: float) -> Client:
        return Client(own, user_agent=_agent(settings), timeout=timeout, connections=1)

    candidacy = Candidacy(connect, namespace=settings.namespace, timing=settings.timing)
    clocks = ElectionClocks(_now, boot_time)
    async with Elector(candidacy, leadership, clocks, program.leadership_changed) as elector:
        yield elector.problem


def _agent(settings: Settings) -> str:
    return f"dayfly-operator/{__version__} ({settings.identity})"


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
