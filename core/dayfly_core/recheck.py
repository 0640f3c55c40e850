"""When something whose end has come, and that may not end yet, is looked at again."""

from datetime import datetime, timedelta
from typing import Final

SOONEST: Final = timedelta(seconds=5)
"""A look at a namespace or release costs some twenty requests."""

LATEST: Final = timedelta(minutes=1)
"""How long somebody waits at most who has taken away what was in the way."""


def recheck(due: datetime, now: datetime) -> datetime:
    """Return when to look again at what should have ended at ``due``, and may not.

    After as long as it has been due already, within bounds: what is in the way of a fresh end is
    mended soon, and each look doubles the wait, with nothing to remember over a change of leader.
    """
    return now + min(max(now - due, SOONEST), LATEST)
