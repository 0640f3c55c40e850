"""What happens to objects on a clock that is not real, and what they are afterwards."""

from datetime import datetime
from typing import Final, assert_never

import msgspec
from msgspec.structs import replace

from dayfly_core import names
from dayfly_core.actions import Action, Annotate, Call, Delete, ScaleDown, Stamp, Wake
from dayfly_core.lifecycle import Result
from dayfly_core.objects import Key, ObjectMeta
from dayfly_core.reasons import Reason
from dayfly_core.stamps import Changes, Stamps, applied


class Event(msgspec.Struct, frozen=True):
    """Something that happens to an object."""

    at: datetime
    key: Key
    what: str
    """What is done, in a word or two."""
    rule: str
    """The step or reason it follows from."""
    by: str
    """Who has that rule: ``ExpiryPolicy/previews``."""
    held: str = ""
    """Why it does not happen; empty if it does."""
    release: str = ""
    """The Helm release that ends with it, and of which this is a part."""


def apply(action: Action, meta: ObjectMeta, now: datetime) -> ObjectMeta | None:
    """Return the object after an act on it; None if it is gone."""
    match action:
        case Delete():
            return None
        case Stamp(stamps=stamps):
            return stamped(meta, stamps)
        case Annotate() | Wake():
            return _annotated(meta, action.annotations)
        case ScaleDown(steps=steps):
            return _annotated(meta, {names.STEPS: steps})
        case Call():
            done = action.ledger.ended(action.step, Result.DONE, now)
            return _annotated(meta, {names.STEPS: done.text})
        case _:
            assert_never(action)


def stamped(meta: ObjectMeta, stamps: Stamps) -> ObjectMeta:
    """Return the object with these stamps, as a new version."""
    version = meta.resource_version
    return replace(
        meta,
        resource_version=str(int(version) + 1) if version.isdigit() else version,
        annotations=applied(meta.annotation_map, stamps.annotations) or None,
        labels=applied(meta.label_map, stamps.labels) or None,
    )


def described(action: Action, now: datetime) -> Event:
    """Say what an act is."""
    what, rule = _words(action)
    return Event(now, action.key, what, rule, f"ExpiryPolicy/{action.policy}")


def _words(action: Action) -> tuple[str, str]:
    match action:
        case Delete():
            return END, action.step or "DELETE@0s"
        case Stamp():
            return "stamp", action.reason
        case Annotate():
            return ("warn" if action.reason == Reason.WARNED else NOTE), action.step
        case ScaleDown():
            return SCALE_DOWN, action.step
        case Call():
            return "call", action.step
        case Wake():
            return "wake", names.WAKE_REQUESTED
        case _:
            assert_never(action)


END: Final = "delete"
SCALE_DOWN: Final = "scale down"
NOTE: Final = "note"
"""What an act is that only keeps records."""


def _annotated(meta: ObjectMeta, changes: Changes) -> ObjectMeta:
    return stamped(meta, Stamps(changes))
