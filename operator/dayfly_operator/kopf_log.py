"""What kopf says, as far as anybody has to read it."""

import logging
import re
from typing import Final

ATTEMPT: Final = re.compile(r"Request attempt #(\d+)[/ ].*will retry")
"""As ``kopf._cogs.clients.api`` says it every five seconds, for ever: a kind whose definition is
there, and which we have no right to watch, is none of its mistakes and none of ours."""


def quieten() -> None:
    """Keep what says that something is wrong, once; the rest is for kopf's own developers."""
    # kopf tells of each of its streams; that something is wrong with one is enough.
    logging.getLogger("kopf").setLevel(logging.WARNING)
    # In a thread it warns that it leaves signals alone: it should.
    logging.getLogger("kopf._core.reactor.running").setLevel(logging.ERROR)
    # It warns at each look of kinds that are not installed: nobody has to install them.
    logging.getLogger("kopf._core.reactor.observation").setLevel(logging.ERROR)
    watching = logging.getLogger("kopf._cogs.clients.watching")
    watching.addFilter(is_news)
    watching.addFilter(weigh)


def is_news(record: logging.LogRecord) -> bool:
    """Whether it says more than that something goes on failing: the 1st, 10th, 100th … attempt."""
    found = ATTEMPT.match(record.getMessage())
    return found is None or found[1].rstrip("0") == "1"


def weigh(record: logging.LogRecord) -> bool:
    """Make a warning of a first attempt that failed: an API server that starts refuses a few."""
    found = ATTEMPT.match(record.getMessage())
    if found and found[1] == "1":
        record.levelno, record.levelname = logging.WARNING, "WARNING"
    return True
