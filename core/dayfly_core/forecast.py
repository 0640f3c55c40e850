"""What is still to come for one object, and which rule each part of it follows from."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from dayfly_core.objects import NAMESPACES, Key
from dayfly_core.simulation import END, NOTE, World, simulate
from dayfly_core.triggers import LAST


class Foreseen(msgspec.Struct, frozen=True):
    """One thing to come."""

    at: datetime
    what: str
    rule: str
    by: str
    """Who has that rule: ``ExpiryPolicy/previews``."""


def forecast(key: Key, world: World) -> tuple[Foreseen, ...]:
    """Return what happens to one object, or what one of ours does, if nobody does anything.

    In order, without what only keeps records. The world is used up by it.
    """
    return tuple(_seen(key, world))


def _seen(key: Key, world: World) -> Iterator[Foreseen]:
    around = Key(NAMESPACES, "", key.namespace)
    name = f"{key.resource.kind}/{f'{key.namespace}/' if key.namespace else ''}{key.name}"
    stamped = key in world.objects
    for event in simulate(world, LAST):
        if event.what == NOTE:
            continue
        if event.key == key:
            yield Foreseen(event.at, event.what, event.rule, event.by)
        elif event.by == name:
            yield Foreseen(event.at, f"{event.what} {event.key}", event.rule, event.by)
        elif event.key == around and event.what == END:
            yield Foreseen(event.at, "end with its namespace", event.rule, event.by)
        if stamped and key not in world.objects:
            return
