"""Timelines, foresight and a busy evening: what lifecycle policies cost when there are many."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime

from bench import evening, foresight, timelines
from bench.meadow import meadow
from bench.table import Figure
from playground.system import EVERYTHING

OBJECTS, FEW_OBJECTS = 10_000, 2_000


def measure(*, quick: bool) -> list[Figure]:
    """Measure one part after the other, each with what the last one has left behind."""
    return [*_objects(quick=quick), *_evening(quick=quick)]


def _objects(*, quick: bool) -> Iterator[Figure]:
    count = FEW_OBJECTS if quick else OBJECTS
    with meadow() as field:
        _say(f"{count} objects with a timeline")
        yield from timelines.measured(field, count, quick=quick)
        _say("what is foreseen of them")
        yield from foresight.measured(field, count)


def _evening(*, quick: bool) -> Iterator[Figure]:
    with meadow(operators=2, manifests=EVERYTHING) as field:
        _say("ends at one instant")
        yield from evening.measured(field, quick=quick)


def _say(what: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S}   {what}", file=sys.stderr, flush=True)
