"""Punctuality: how long after ``expires-at`` the DELETE arrives, and how fast a burst goes."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from statistics import median

from bench.meadow import COLLECTION, Spread, administrator, gather_limited, lay_out, left, sow
from bench.table import Figure
from dayfly_kube.client import Client
from playground import ControlPlane, System
from playground.lags import endings

COUNT = 1000
WORKERS = 16
FLAGS = ("--max-deletes-per-second", "0", "--workers", str(WORKERS))
SEED = 20


async def measure(plane: ControlPlane) -> list[Figure]:
    """Spread over 20 s, then bursts of 1,000 in turns with a bare client."""
    with System.install(plane, admissions=2, operators=2, operator_flags=FLAGS) as system:
        lay_out(plane)
        system.wait_enforced(("configmaps",))
        async with administrator(plane) as client:
            spread = await _spread(plane, client)
            rates = [
                (await _burst(plane, client, round_), await _bare(plane, client, round_))
                for round_ in range(3)
            ]
    ratio = median(ours / bare for ours, bare in rates)
    ours, bare = (median(column) for column in zip(*rates, strict=True))
    return [
        Figure(
            "lag",
            f"expires-at → DELETE arrives, {COUNT} ConfigMaps over 20 s",
            "Kyverno 45 ms, kube-janitor 1,200 ms (p99)",
            str(spread),
            "p99 ≤ 15 ms, max ≤ 60 ms",
            spread.p99 <= 0.015 and spread.worst <= 0.060,
        ),
        Figure(
            "burst",
            f"{COUNT} due at one instant, rate",
            "bare client, same DELETEs and concurrency",
            f"{ratio:.2f} ({ours:.0f} against {bare:.0f} a second)",
            "≥ 0.8",
            ratio >= 0.8,
        ),
    ]


async def _spread(plane: ControlPlane, client: Client) -> Spread:
    chance = random.Random(SEED)
    start = datetime.now(UTC) + timedelta(seconds=12)
    ends = [
        (f"spread-{i:04}", start + timedelta(milliseconds=chance.randrange(20_000)))
        for i in range(COUNT)
    ]
    since = plane.audit_log.position()
    await sow(client, ends)
    await _until_gone(client, "spread-", start + timedelta(seconds=40))
    by_target = {f"configmaps/bench/{name}": end for name, end in ends}
    lags = [e.lag for e in endings(plane.audit(since), by_target) if e.lag is not None]
    if len(lags) != COUNT:
        raise RuntimeError(f"{len(lags)} deletes in the audit log, not {COUNT}")
    return Spread.of([lag.total_seconds() for lag in lags])


async def _burst(plane: ControlPlane, client: Client, round_: int) -> float:
    due = datetime.now(UTC) + timedelta(seconds=12)
    await sow(client, [(f"burst-{round_}-{i:04}", due) for i in range(COUNT)])
    since = plane.audit_log.position()
    await _until_gone(client, "burst-", due + timedelta(seconds=60))
    return COUNT / _last_answer(plane, since, due)


async def _bare(plane: ControlPlane, client: Client, round_: int) -> float:
    far = datetime.now(UTC) + timedelta(hours=4)
    metas = await sow(client, [(f"bare-{round_}-{i:04}", far) for i in range(COUNT)])
    since = plane.audit_log.position()
    started = datetime.now(UTC)
    await gather_limited(
        [
            lambda m=m: client.delete(
                f"{COLLECTION}/{m.name}", uid=m.uid, resource_version=m.resource_version
            )
            for m in metas.values()
        ],
        WORKERS,
    )
    return COUNT / _last_answer(plane, since, started)


def _last_answer(plane: ControlPlane, since: int, start: datetime) -> float:
    """Seconds from the start to the last accepted DELETE's answer, by the API server's clock."""
    answered = [
        e.stage_timestamp
        for e in plane.audit(since)
        if e.verb == "delete" and e.stage == "ResponseComplete" and e.code == 200
    ]
    if len(answered) != COUNT:
        raise RuntimeError(f"{len(answered)} accepted deletes, not {COUNT}")
    return (max(answered) - start).total_seconds()


async def _until_gone(client: Client, prefix: str, limit: datetime) -> None:
    while any(name.startswith(prefix) for name in await left(client)):
        if datetime.now(UTC) > limit:
            raise RuntimeError(f"some of {prefix}* are still there at {limit}")
        await asyncio.sleep(1.0)
