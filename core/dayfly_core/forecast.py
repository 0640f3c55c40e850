"""What is still to come for one object, and which rule each part of it follows from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from dayfly_core.guard import Guard
from dayfly_core.objects import NAMESPACES, Key, ObjectMeta
from dayfly_core.policies import Policies
from dayfly_core.simulation import END, NOTE, Event, World, simulate
from dayfly_core.subject import Subject
from dayfly_core.triggers import LAST


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One thing to come."""

    at: datetime
    what: str
    rule: str
    policy: str


def forecast(
    subject: Subject, policies: Policies, guard: Guard, now: datetime
) -> tuple[Foreseen, ...]:
    """Return what happens to one object if nobody does anything, in order.

    What only keeps records is left out.
    """
    around = Key(NAMESPACES, "", subject.key.namespace)
    objects = {subject.key: subject.meta}
    if subject.namespace is not None:
        objects[around] = subject.namespace
    events = simulate(World(now, objects, policies, guard), LAST)
    return tuple(_seen(events, objects, subject.key, around))


def _seen(
    events: Iterator[Event], objects: Mapping[Key, ObjectMeta], key: Key, around: Key
) -> Iterator[Foreseen]:
    for event in events:
        if what := _of(event, key, around):
            yield Foreseen(event.at, what, event.rule, event.by.partition("/")[2])
        if key not in objects:
            return


def _of(event: Event, key: Key, around: Key) -> str:
    """Say what an event is to the object; empty if it is nothing."""
    if event.key == around and event.what == END:
        return "end with its namespace"
    return event.what if event.key == key and event.what != NOTE else ""
