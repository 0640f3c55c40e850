"""Lengths of time as people write them: ``90s``, ``8h``, ``1d12h``, ``2w`` or ``P1DT12H``.

A bare number is refused: the systems that Dayfly replaces read it as seconds, minutes or hours.
Months and years are refused: they have no fixed length.
"""

import re
from datetime import timedelta
from typing import Final

from dayfly_core import names
from dayfly_core.violations import shown

UNITS: Final = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
"""Seconds of each unit, in the order in which they are written."""

COMPACT: Final = "^" + "".join(f"([0-9]{{1,10}}{unit})?" for unit in UNITS) + "$"
"""Also the grammar in the schema of ExpiryPolicy. Ten digits of any unit fit an int64 in seconds,
which CEL computes with, and reach beyond LONGEST in each of them."""

LONGEST: Final = timedelta(days=36_500)
"""A hundred years: longer is a typing error, and added to any present instant it still is one."""

EXAMPLES: Final = "write for example 90s, 8h, 1d12h, 2w or P1DT12H"

_COMPACT = re.compile(COMPACT)
_ISO_WEEKS = re.compile(r"^P([0-9]{1,10}W)$")
_ISO = re.compile(
    r"^P(?=[0-9T])([0-9]{1,10}D)?(?:T(?=[0-9])([0-9]{1,10}H)?([0-9]{1,10}M)?([0-9]{1,10}S)?)?$"
)
_LONGEST_TEXT = 64
# Hints for what people write by mistake; the first that fits explains best.
_MISTAKES: Final = (
    (re.compile(r"^\s*$"), "is empty"),
    (re.compile(r"\s"), "contains white space"),
    (re.compile(r"^[0-9]+$"), "has no unit"),
    (re.compile(r"^-"), "is negative"),
    (re.compile(r"[0-9][.,][0-9]"), "has a fraction"),
    (re.compile(r"^([0-9]+[a-z])*[0-9]+[WDHMS]"), "has a unit in upper case"),
    (re.compile(r"^P[0-9WD]*[YM]"), "counts in months or years, which vary in length"),
    (re.compile(r"^[0-9]+(y|mo)"), "counts in months or years, which vary in length"),
    (re.compile(r"[0-9]{11}"), "has a number of more than ten digits"),
    (re.compile(r"^([0-9]+[wdhms])+$"), "repeats a unit or has them out of order (w, d, h, m, s)"),
)


class InvalidDuration(ValueError):
    """Not a length of time; the text is a whole sentence with valid examples."""

    def __init__(self, text: str, problem: str) -> None:
        super().__init__(f"'{shown(text)}' {problem}; {EXAMPLES}")
        self.detail = f"{problem}; {EXAMPLES}"
        """The sentence without its subject, for messages that show the value already."""


def parse(text: str) -> timedelta:
    """Read a length of time, from nothing (``0s``) to a hundred years, in whole seconds.

    Raises InvalidDuration, and nothing else, for any other text.
    """
    match = _match(text)
    if match is None or len(text) < 2:
        raise InvalidDuration(text, _problem(text))
    seconds = sum(int(part[:-1]) * UNITS[part[-1].lower()] for part in match.groups() if part)
    if seconds > LONGEST.total_seconds():
        raise InvalidDuration(text, "is longer than 100 years")
    return timedelta(seconds=seconds)


def parse_signed(text: str) -> timedelta:
    """Read a length of time that may be negative: ``-1h`` is an hour before. Raises as parse."""
    return -parse(text[1:]) if text.startswith("-") else parse(text)


def parse_ttl(text: str) -> timedelta | None:
    """Read the annotation ``dayfly.dev/ttl``; None means ``never``.

    Raises InvalidDuration as parse does, and also for a time of zero.
    """
    if text == names.NEVER:
        return None
    ttl = parse(text)
    if not ttl:
        raise InvalidDuration(text, "is no time to live")
    return ttl


def render(delta: timedelta) -> str:
    """Write a length of time in its one canonical form, fractions of a second dropped.

    Without weeks, as kubectl writes ages: a policy that says ``7d`` is not to be quoted as ``1w``.
    """
    seconds = abs(delta) // timedelta(seconds=1)
    sign = "-" if delta < timedelta() and seconds else ""
    text = ""
    for unit in ("d", "h", "m", "s"):
        count, seconds = divmod(seconds, UNITS[unit])
        text += f"{count}{unit}" if count else ""
    return sign + (text or "0s")


def render_left(left: timedelta) -> str:
    """Write the time left until an end, as precisely as it matters: ``59s``, ``9m5s``, ``2d2h``.

    Rounded to minutes from ten of them on. Below, cut to seconds: the ends that Dayfly computes are
    whole seconds, rounded up, so that ``ttl: 2m`` reads as ``2m``.
    """
    if left < timedelta(minutes=10):
        return render(max(left, timedelta(seconds=1)))
    return render(round(left / timedelta(minutes=1)) * timedelta(minutes=1))


def _match(text: str) -> re.Match[str] | None:
    if len(text) > _LONGEST_TEXT:
        return None
    return _COMPACT.fullmatch(text) or _ISO_WEEKS.fullmatch(text) or _ISO.fullmatch(text)


def _problem(text: str) -> str:
    if len(text) > _LONGEST_TEXT:
        return f"is {len(text)} characters long"
    hints = (hint for pattern, hint in _MISTAKES if pattern.search(text))
    return next(hints, "is not a length of time")
