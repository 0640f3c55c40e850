"""Whether what ``dayfly list --watch`` shows is kept true.

It says so once when it no longer is, and once when it is again, however many streams and questions
are concerned.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Generator, Iterable
from contextlib import contextmanager
from typing import Final, Protocol, TypeVar

from dayfly_cli.terminal import Terminal
from dayfly_core.pace import Backoff
from dayfly_kube.errors import ApiError, Unreachable

T = TypeVar("T")

PATIENCE: Final = Backoff(first=0.5, cap=30.0, jitter=0.0)
"""Without jitter: people do not begin to look all at one instant."""

LOOK: Final = 1.0
"""Seconds between looks whether a lost stream is back."""

BACK: Final = "the connection is back"


def lost(why: object) -> str:
    """Say that what is shown is not kept true for now, and why."""
    return f"the connection is lost, what is shown may be out of date: {why}"


class Stream(Protocol):
    """What follows a collection: a ``Reflector``."""

    path: str

    def alive(self, now: float, within: float) -> bool:
        """Whether the server was heard at most ``within`` seconds ago."""
        ...


class Contact(logging.Handler):
    """Hears of streams what ``Reflector`` logs of them, and of questions from ``answered``."""

    def __init__(self, terminal: Terminal) -> None:
        super().__init__(logging.WARNING)
        self.terminal = terminal
        self._lost: dict[str, float] = {}
        """Since when, by what."""

    def lost(self, what: str, why: object) -> None:
        """Hear that ``what`` does not answer."""
        if not self._lost:
            self.terminal.warn(lost(why))
        self._lost.setdefault(what, self.terminal.monotonic())

    def found(self, what: str) -> None:
        """Hear that it answers."""
        if self._lost.pop(what, None) is not None and not self._lost:
            self.terminal.remark(BACK)

    def emit(self, record: logging.LogRecord) -> None:
        """Hear what a stream logs: its path, and the cause."""
        said = vars(record)
        self.lost(said.get("path", record.name), said.get("cause", record.getMessage()))

    @contextmanager
    def listening(self, name: str) -> Generator[None]:
        """Hear what is logged by this name meanwhile."""
        logger = logging.getLogger(name)
        logger.addHandler(self)
        try:
            yield
        finally:
            logger.removeHandler(self)

    async def look(self, streams: Iterable[Stream]) -> None:
        """Notice, for ever, that streams are back: of that they log nothing."""
        while True:
            await asyncio.sleep(LOOK)
            now = self.terminal.monotonic()
            for stream in streams:
                since = self._lost.get(stream.path)
                if since is not None and stream.alive(now, now - since):
                    self.found(stream.path)


async def answered(ask: Callable[[], Awaitable[T]], contact: Contact, what: str) -> T:
    """Ask until there is an answer, the longer the less often."""
    failures = 0
    while True:
        try:
            answer = await ask()
        except (ApiError, Unreachable) as error:
            failures += 1
            contact.lost(what, error)
            asked = (error.retry_after if isinstance(error, ApiError) else None) or 0.0
            await asyncio.sleep(max(PATIENCE.delay(failures, 0.0), min(asked, PATIENCE.cap)))
        else:
            contact.found(what)
            return answer
