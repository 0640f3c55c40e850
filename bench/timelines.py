"""10,000 stamped objects whose policy has a timeline: start, memory, rest, beside those without."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median

from bench.meadow import CONFIG_MAPS, NAMESPACE, POLICY, Meadow, administrator, each, left, stored
from bench.objects import Rest, Start, bare, filled, rested, started
from bench.table import Figure, at_most
from dayfly_core import instant, names
from dayfly_core.lifecycle import Record, Result
from dayfly_core.objects import ObjectMeta
from dayfly_core.timeline import Ledger
from dayfly_kube.client import Client
from dayfly_kube.config import load
from playground import ControlPlane
from playground.process import eventually

TIMELINE = """
  timeline:
    - {at: -1h, action: {type: NOTIFY}}
    - {at: 0s, action: {type: SCALE_DOWN}}
    - {at: 24h, action: {type: DELETE}}
"""
RECORDED = 5
"""One object in so many has been warned: it carries a record."""

ID = "0f8fad5b-d9cb-469f-a165-70867728950e"
STATUS_AFTER = 8.0
"""Seconds that a policy's status takes at most to follow; a start writes none that is right."""


@dataclass(frozen=True, slots=True)
class Starts:
    """Starts of the operator and of the bare client, in alternation."""

    ours: Sequence[Start]
    raw: Sequence[float]

    @property
    def cpu(self) -> float:
        """CPU-seconds, median."""
        return median(start.cpu for start in self.ours)

    @property
    def rss(self) -> float:
        """Bytes, median."""
        return median(start.rss for start in self.ours)

    @property
    def ratio(self) -> float:
        """Median of the ratios of neighbours."""
        return median(a.cpu / b for a, b in zip(self.ours, self.raw, strict=True))

    @property
    def writes(self) -> int:
        """Writes of all starts."""
        return sum(start.writes.total() for start in self.ours)


def measured(field: Meadow, count: int, *, quick: bool) -> Iterator[Figure]:
    """Fill the namespace, look at the operator, add the timeline, look again."""
    rounds = 1 if quick else 3
    outlasting(field.plane)
    empty = _starts(field, 0, rounds)
    filled(field, 0, count)
    plain = _starts(field, count, rounds)
    with_timeline(field.plane)
    asyncio.run(_record(field, range(0, count, RECORDED)))
    timed = _starts(field, count, rounds)
    rest = rested(field, 15 if quick else 45)
    yield from _starting(count, timed, plain)
    yield _listing(count, empty, timed)
    yield _memory(count, empty, timed, plain)
    yield _resting(count, rest)


def _starts(field: Meadow, count: int, rounds: int) -> Starts:
    time.sleep(STATUS_AFTER)
    ours, raws = list[Start](), list[float]()
    for _ in range(rounds):
        ours.append(started(field, count))
        with bare(field, count) as (_, cpu):
            raws.append(cpu)
    return Starts(ours, raws)


def _starting(count: int, timed: Starts, plain: Starts) -> Iterator[Figure]:
    what = f"start with {count:,} objects with a timeline, a fifth of them with records"
    target, met = at_most(timed.ratio, 3, "x")
    more, little = at_most(timed.cpu / plain.cpu, 1.3, "x")
    yield Figure(
        "timeline",
        f"{what}, CPU of the whole process",
        "aiohttp + msgspec, the same list",
        f"{timed.ratio:.1f}x ({timed.cpu:.2f} : {median(timed.raw):.2f} s)",
        target,
        met,
    )
    yield Figure(
        "timeline",
        "the same",
        f"without a timeline ({plain.ratio:.1f}x the list)",
        f"{timed.cpu / plain.cpu:.2f}x ({timed.cpu:.2f} : {plain.cpu:.2f} s)",
        more,
        little,
    )
    yield Figure("timeline", "the same, writes", "", str(timed.writes), "0", timed.writes == 0)


def _listing(count: int, empty: Starts, timed: Starts) -> Figure:
    ours, raw = timed.cpu - empty.cpu, median(timed.raw) - median(empty.raw)
    target, met = at_most(ours / raw, 3, "x")
    return Figure(
        "timeline",
        "the same, what the objects add to a start without any",
        "what they add to aiohttp + msgspec: list and index",
        f"{ours / raw:.1f}x ({ours / count * 1e6:.0f} : {raw / count * 1e6:.0f} µs each)",
        target,
        met,
    )


def _memory(count: int, empty: Starts, timed: Starts, plain: Starts) -> Figure:
    with_it, without = ((starts.rss - empty.rss) / count / 1024 for starts in (timed, plain))
    target, met = at_most(with_it, 5, " KiB")
    return Figure(
        "timeline",
        "memory an object with a timeline",
        f"no objects; without a timeline {without:.1f} KiB",
        f"{with_it:.1f} KiB",
        target,
        met,
    )


def _resting(count: int, rest: Rest) -> Figure:
    target, met = at_most(rest.requests, 2)
    return Figure(
        "timeline",
        f"requests at rest besides the Lease, a minute, {count:,} objects",
        "",
        f"{rest.requests:.1f} ({rest.cpu:.2f} CPU-s with it)",
        target,
        met,
    )


def outlasting(plane: ControlPlane) -> None:
    """Let the namespace end after all in it: they would be foreseen to go with it."""
    end = instant.render(datetime.now(UTC).replace(microsecond=0) + timedelta(days=6))
    plane.kubectl("annotate", "namespace", NAMESPACE, f"{names.EXPIRES_AT}={end}", "--overwrite")


def with_timeline(plane: ControlPlane) -> None:
    """Give the policy its timeline, and wait until the operator says that it knows the steps."""
    plane.apply(POLICY + TIMELINE.strip("\n"))
    known = ("get", "expirypolicy", "bench", "-o=jsonpath={.status.steps[*].step}")
    if not eventually(lambda: "NOTIFY" in plane.kubectl(*known), 30):
        raise RuntimeError("the policy's timeline is not known after 30 s")


def recorded(meta: ObjectMeta, now: datetime) -> dict[str, str]:
    """Return the annotation of an object that has been warned."""
    done = Record("NOTIFY@-1h", ID, Result.DONE, now)
    end = meta.annotation_map[names.EXPIRES_AT]
    return {names.STEPS: Ledger(end, {done.rule: done}, uid=meta.uid).text}


async def _record(field: Meadow, numbers: Sequence[int]) -> None:
    """Write records as the operator does, with its own rights: nobody else may."""
    now = datetime.now(UTC).replace(microsecond=0)
    config = load(str(field.plane.layout.credential(names.OPERATOR_ACCOUNT)), {})
    async with administrator(field.plane) as client:
        metas = await left(client)
    async with Client(config, user_agent="bench") as client:
        chosen = [metas[f"object-{number:05}"] for number in numbers]
        answers = await each(
            partial(
                client.merge_patch,
                f"{CONFIG_MAPS}/{meta.name}",
                {"metadata": {"annotations": recorded(meta, now)}},
            )
            for meta in chosen
        )
    for answer in answers:
        stored(answer)
