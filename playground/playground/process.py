"""One process of the playground: started, asked, stopped, and started again."""

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path

import msgspec

from playground.health import complaint
from playground.identity import Identity, started

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What tells this program to end."""
LEASHED = 'test "$PPID" = "$0" && exec "$@"'
"""The kernel tells of a death from the request on: a launcher that died before it is looked for."""
POLL = 0.03
TAIL = 15


class Rank(IntEnum):
    """Who is stopped first: the higher before the lower.

    With etcd gone first, kube-apiserver ignores SIGTERM for half an hour.
    """

    STORE = 0
    SERVER = 1
    CONTROLLERS = 2
    FORWARDER = 3
    PROGRAMS = 4


class Spec(msgspec.Struct, frozen=True, kw_only=True):
    """How a process is started, and the URL that answers 200 when it is ready.

    Without a URL it is ready when it runs.
    """

    name: str
    rank: Rank
    argv: tuple[str, ...]
    health: str
    env: dict[str, str] = {}


class DidNotStartError(Exception):
    """A process ended early or was not ready in time; the message ends with its last lines."""


class AddressInUseError(DidNotStartError):
    """Somebody else was quicker to take its port: try again with another."""


@dataclass(slots=True)
class Process:
    """A process by its specification, whether it runs now or not."""

    spec: Spec
    log: Path
    tied: bool
    """Whether the kernel ends it when this program dies, even by SIGKILL (Linux)."""
    changed: Callable[[], None]
    identity: Identity | None = None
    _child: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """The name by which logs, Lease and User-Agent know it."""
        return self.spec.name

    @property
    def pid(self) -> int:
        """The pid of the process that runs or ran last; 0 if none ever did."""
        return self.identity.pid if self.identity else 0

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        if self._child:
            return self._child.poll() is None
        return self.identity is not None and self.identity.alive()

    def start(self) -> None:
        """Start it, unless it runs; its output is appended to the log."""
        if self.alive:
            return
        with undisturbed(), self.log.open("ab") as output:
            self._child = subprocess.Popen(
                [*self._leash(), *self.spec.argv],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.spec.env},
                # Ctrl-C reaches the launcher alone, which stops everything in order.
                start_new_session=True,
            )
            self.identity = Identity(self._child.pid, started(self._child.pid) or "ended at once")
            self.changed()

    def _leash(self) -> list[str]:
        # The kernel watches the thread that forks: a worker thread may end long before the program.
        forever = threading.current_thread() is threading.main_thread()
        setpriv = shutil.which("setpriv")
        if not (setpriv and self.tied and forever):
            return []
        return [setpriv, "--pdeathsig", "KILL", "--", "sh", "-c", LEASHED, str(os.getpid())]

    def kill(self, number: int = signal.SIGKILL) -> bool:
        """Send a signal; False if it does not run. After a SIGKILL it is gone on return."""
        sent = self.identity is not None and self.identity.signal(number)
        if sent and number == signal.SIGKILL:
            self.wait_gone(10)
        return sent

    def stop(self, limit: float = 10.0) -> None:
        """End it: SIGTERM, and SIGKILL when ``limit`` seconds have passed."""
        self.kill(signal.SIGTERM)
        if not self.wait_gone(limit):
            self.kill(signal.SIGKILL)

    def wait_gone(self, limit: float) -> bool:
        """Wait until it has ended; False if it has not after ``limit`` seconds."""
        return eventually(lambda: not self.alive, limit)

    def restart(self, limit: float = 30.0) -> None:
        """Stop it if it runs, start it, and wait until it is ready."""
        self.stop()
        self.start()
        self.wait_ready(limit)

    def complaint(self) -> str | None:
        """Say what is wrong with it now; None if it runs and is ready."""
        if not self.alive:
            return "not running"
        return complaint(self.spec.health) if self.spec.health else None

    def wait_ready(self, limit: float = 30.0) -> None:
        """Wait until it is ready; raises DidNotStartError with the end of its log."""
        seen = "not asked yet"
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            problem = self.complaint()
            if problem is None:
                return
            if not self.alive:
                raise self._failure("ended before it was ready")
            seen = problem
            time.sleep(POLL)
        raise self._failure(f"is not ready after {limit:g} s ({seen})")

    def _failure(self, what: str) -> DidNotStartError:
        lines = "\n".join(f"    {line}" for line in self.tail())
        taken = "address already in use" in lines
        kind = AddressInUseError if taken else DidNotStartError
        return kind(f"{self.name} {what}; the end of {self.log}:\n{lines}")

    def tail(self, count: int = TAIL) -> list[str]:
        """Read the last lines of its log."""
        return self.log.read_text(errors="replace").splitlines()[-count:]


@contextmanager
def undisturbed() -> Generator[None]:
    """Put off signals that end this program: a child that nobody has written down is lost."""
    if threading.current_thread() is not threading.main_thread():
        yield  # Python runs handlers in the main thread alone
        return
    came: list[int] = []
    before = {n: signal.signal(n, lambda number, _: came.append(number)) for n in STOPPING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])


def eventually(condition: Callable[[], bool], limit: float) -> bool:
    """Ask until it is so; False if it is not after ``limit`` seconds."""
    deadline = time.monotonic() + limit
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL)
    return True
