"""Punctuality: how long after ``expires-at`` the DELETE arrives, and how fast a burst goes."""

import asyncio
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median

from bench.meadow import (
    CONFIG_MAPS,
    NAMESPACE,
    Spread,
    administrator,
    each,
    head_start,
    meadow,
    sow,
    until_gone,
)
from bench.table import Figure, at_least
from dayfly_kube.client import Client
from playground import ControlPlane
from playground.lags import endings

COUNT = 1000
WORKERS = 16
"""DELETEs under way at once, of Dayfly and of the bare client alike."""

FLAGS = ("--max-deletes-per-second", "0", "--workers", "22")
"""A quarter of the workers is kept for what is not urgent: of 22, 16 are left for ends."""
"""Without pacing; the bare client has as many requests under way."""

SEED = 20


def measure(*, quick: bool) -> list[Figure]:
    """Spread ends over 20 s, then let bursts alternate with a bare client's."""
    with meadow(operators=2, operator_flags=FLAGS) as field:
        return asyncio.run(_measure(field.plane, 1 if quick else 3))


async def _measure(plane: ControlPlane, rounds: int) -> list[Figure]:
    async with administrator(plane) as client:
        spread = await _spread(plane, client)
        rates = [
            (await _burst(plane, client, number), await _bare(plane, client, number))
            for number in range(rounds)
        ]
    return [_lag_figure(spread), _burst_figure(rates)]


def _lag_figure(spread: Spread) -> Figure:
    return Figure(
        "lag",
        f"expires-at → DELETE arrives, {COUNT} ConfigMaps over 20 s",
        "p99: best peer 13, Kyverno 45, kube-janitor 1 200 ms",
        str(spread),
        "p99 ≤ 15 ms, max ≤ 60 ms",
        spread.p99 <= 0.015 and spread.worst <= 0.060,
    )


def _burst_figure(rates: Sequence[tuple[float, float]]) -> Figure:
    ratio = median(ours / bare for ours, bare in rates)
    ours, bare = (median(column) for column in zip(*rates, strict=True))
    target, met = at_least(ratio, 0.8)
    return Figure(
        "burst",
        f"{COUNT} ConfigMaps due at one instant, rate",
        "bare client, the same DELETEs, as many at once",
        f"{ratio:.2f} ({ours:.0f} : {bare:.0f} a second)",
        target,
        met,
    )


async def _spread(plane: ControlPlane, client: Client) -> Spread:
    chance = random.Random(SEED)
    start = await _start(client)
    ends = [
        (f"spread-{i:04}", start + timedelta(milliseconds=chance.randrange(20_000)))
        for i in range(COUNT)
    ]
    since = plane.audit_log.position()
    await sow(client, ends)
    # Asking meanwhile would cost the API server time, and be measured.
    await asyncio.sleep((max(end for _, end in ends) - datetime.now(UTC)).total_seconds() + 1)
    await until_gone(client, "spread-", 20)
    by_target = {f"configmaps/{NAMESPACE}/{name}": end for name, end in ends}
    lags = [e.lag for e in endings(plane.audit(since), by_target) if e.lag is not None]
    if len(lags) != COUNT:
        raise RuntimeError(f"{len(lags)} deletes in the audit log, not {COUNT}")
    return Spread.of(lag.total_seconds() for lag in lags)


async def _start(client: Client) -> datetime:
    """Choose the first end so that everything is there by then."""
    notice = await head_start(client, COUNT)
    return datetime.now(UTC) + notice


async def _burst(plane: ControlPlane, client: Client, number: int) -> float:
    due = await _start(client)
    await sow(client, [(f"burst-{number}-{i:04}", due) for i in range(COUNT)])
    since = plane.audit_log.position()
    await asyncio.sleep((due - datetime.now(UTC)).total_seconds() + 3)
    await until_gone(client, "burst-", 60)
    return COUNT / _last_answer(plane, since, due)


async def _bare(plane: ControlPlane, client: Client, number: int) -> float:
    far = datetime.now(UTC) + timedelta(hours=4)
    metas = await sow(client, [(f"bare-{number}-{i:04}", far) for i in range(COUNT)])
    since = plane.audit_log.position()
    await asyncio.sleep(1)
    started = datetime.now(UTC)
    await each(
        (
            partial(
                client.delete,
                f"{CONFIG_MAPS}/{meta.name}",
                uid=meta.uid,
                resource_version=meta.resource_version,
            )
            for meta in metas.values()
        ),
        WORKERS,
    )
    return COUNT / _last_answer(plane, since, started)


def _last_answer(plane: ControlPlane, since: int, start: datetime) -> float:
    """Seconds from the start to the last accepted DELETE's answer, by the API server's clock."""
    answered = [
        e.stage_timestamp
        for e in plane.audit(since)
        if e.verb == "delete"
        and e.object_ref.resource == "configmaps"
        and e.stage == "ResponseComplete"
        and e.code == 200
    ]
    if len(answered) != COUNT:
        raise RuntimeError(f"{len(answered)} accepted deletes, not {COUNT}")
    return (max(answered) - start).total_seconds()
