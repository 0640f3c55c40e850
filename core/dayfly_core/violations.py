"""What is wrong with an object, in the words and with the field paths that kubectl prints."""

from typing import Final

import msgspec

SHOWN: Final = 64
"""Characters of a value that a message repeats: enough to recognise it, too few to flood a log."""


def shown(value: str) -> str:
    """Return ``value`` fit for a message: one line, at most 64 characters, nothing invisible."""
    cut = value if len(value) <= SHOWN else value[: SHOWN - 1] + "…"
    return "".join(_visible(character) for character in cut)


def _visible(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode("ascii")


class Violation(msgspec.Struct, frozen=True):
    """One reason to refuse, and where in the object it lies."""

    reason: str
    field: str
    value: str
    detail: str

    @property
    def text(self) -> str:
        """As the API server words it: ``spec.ttl.max: Invalid value: "5": has no unit``."""
        return f"{self.field}: {self.message}"

    @property
    def message(self) -> str:
        """The same without the field, for ``details.causes[].message``."""
        return f'Invalid value: "{shown(self.value)}": {self.detail}'
