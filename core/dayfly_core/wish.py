"""What an object asks for: the annotations ``ttl`` and ``expires-at``, read."""

from datetime import datetime, timedelta
from typing import Final

import msgspec
from msgspec.structs import replace

from dayfly_core import duration, instant, names
from dayfly_core.objects import ObjectMeta
from dayfly_core.reasons import Reason
from dayfly_core.violations import Violation

TTL_FIELD: Final = f"metadata.annotations[{names.TTL}]"
EXPIRES_AT_FIELD: Final = f"metadata.annotations[{names.EXPIRES_AT}]"


class Wish(msgspec.Struct, frozen=True):
    """The two annotations as written and as read; a problem is there instead of a reading."""

    ttl_text: str | None = None
    at_text: str | None = None
    ttl: timedelta | None = None
    never: bool = False
    at: datetime | None = None
    ttl_problem: Violation | None = None
    at_problem: Violation | None = None

    @property
    def readable(self) -> bool:
        """Whether all that is written can be read."""
        return not (self.ttl_problem or self.at_problem)


NOTHING: Final = Wish()


def read(meta: ObjectMeta) -> Wish:
    """Read what an object asks for."""
    annotations = meta.annotation_map
    wish = Wish(annotations.get(names.TTL), annotations.get(names.EXPIRES_AT))
    return _read_expires_at(_read_ttl(wish))


def _read_ttl(wish: Wish) -> Wish:
    if wish.ttl_text is None:
        return wish
    try:
        ttl = duration.parse_ttl(wish.ttl_text)
    except duration.InvalidDuration as error:
        problem = ttl_violation(Reason.INVALID_TTL, wish, error.detail)
        return replace(wish, ttl_problem=problem)
    return replace(wish, ttl=ttl, never=ttl is None)


def _read_expires_at(wish: Wish) -> Wish:
    if wish.at_text is None:
        return wish
    try:
        return replace(wish, at=instant.parse(wish.at_text))
    except instant.InvalidInstant as error:
        problem = at_violation(Reason.INVALID_EXPIRES_AT, wish, error.detail)
        return replace(wish, at_problem=problem)


def asked(wish: Wish, before: Wish) -> Wish:
    """Keep of a wish what is new in it: the rest was decided when it was new."""
    if wish.ttl_text == before.ttl_text:
        wish = replace(wish, ttl_text=None, ttl=None, never=False, ttl_problem=None)
    if wish.at_text == before.at_text:
        wish = replace(wish, at_text=None, at=None, at_problem=None)
    return wish


def without_end(meta: ObjectMeta) -> ObjectMeta:
    """Return the metadata as if nobody had written ``expires-at``."""
    rest = {key: text for key, text in meta.annotation_map.items() if key != names.EXPIRES_AT}
    return replace(meta, annotations=rest)


def ttl_violation(reason: str, wish: Wish, detail: str) -> Violation:
    """Object to the annotation ``ttl``."""
    return Violation(reason, TTL_FIELD, wish.ttl_text or "", detail)


def at_violation(reason: str, wish: Wish, detail: str) -> Violation:
    """Object to the annotation ``expires-at``."""
    return Violation(reason, EXPIRES_AT_FIELD, wish.at_text or "", detail)
