"""How far an end moves. Pure."""

from datetime import datetime, timedelta

import msgspec

from dayfly_cli.ends import Entry
from dayfly_cli.terminal import Failed
from dayfly_core import expiry


class By(msgspec.Struct, frozen=True):
    """This much longer: from the present end, or from now if it has passed or if so wished."""

    length: timedelta
    from_now: bool = False


class Until(msgspec.Struct, frozen=True):
    """Exactly then, be it earlier or later."""

    end: datetime


Extension = By | Until


def new_end(entry: Entry, extension: Extension, now: datetime) -> datetime:
    """Return the end to ask for; raises Failed where there is nothing to extend."""
    if isinstance(extension, Until):
        return extension.end
    try:
        return expiry.after(_start(entry, extension, now), extension.length).at
    except OverflowError as error:
        raise Failed("the new end would lie after the year 9999") from error


def _start(entry: Entry, extension: By, now: datetime) -> datetime:
    if extension.from_now:
        return now
    present = entry.wish.at
    if present is None:
        # Giving an end to what has none is the opposite of extending it.
        raise Failed(
            f"{entry.title} has no end of its own, so it cannot be extended; "
            "to give it one, use --from now or --until INSTANT"
        )
    return max(present, now)
