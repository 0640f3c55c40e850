"""Deadlines in one heap against one ``asyncio.sleep`` task each, on asyncio and on uvloop.

Rounds of both, interleaved, each in a process of its own: ``python -m bench.timers`` is that child.
"""

import argparse
import asyncio
import gc
import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from os import getpid
from random import Random
from statistics import median
from typing import Final

import uvloop

from bench.processes import rss_bytes
from bench.table import Figure, at_most
from dayfly_operator.deadlines import Deadlines

COUNT: Final = 100_000
WINDOW: Final = 10.0
"""Seconds over which the ends are spread: 10,000 a second; 0 has all of them at one instant."""
LOOPS: Final = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
QUANTUM: Final = 0.002
AHEAD: Final = 4.0
"""Seconds from the set-up's start to the first of 100,000 deadlines: a task each takes half."""


@dataclass(frozen=True, slots=True)
class Round:
    """What one process measured."""

    bytes_each: float
    setup_ms: float
    cpu_s: float
    lag_p99_ms: float
    lag_last_ms: float
    early: int


def instants(count: int, window: float, start: float) -> list[float]:
    random = Random(7)
    return [start + random.random() * window for _ in range(count)]


class Lags:
    """Collects how late each deadline fired, and ends the round after the last."""

    def __init__(self, whens: list[float]) -> None:
        self.whens = whens
        self.lags: list[float] = []
        self.done = asyncio.Event()

    def fired(self, key: int) -> None:
        self.lags.append(time.time() - self.whens[key])
        if len(self.lags) == len(self.whens):
            self.done.set()


def set_heap(lags: Lags) -> object:
    deadlines = Deadlines[int](lags.fired, now=lambda: datetime.now(UTC), quantum=QUANTUM)
    epoch = datetime.fromtimestamp(0, UTC)
    for key, when in enumerate(lags.whens):
        deadlines.set(key, epoch + timedelta(seconds=when))
    return deadlines


def set_sleep(lags: Lags) -> object:
    loop, now = asyncio.get_running_loop(), time.time()
    offset = loop.time() - now

    async def sleeper(key: int, when: float) -> None:
        await asyncio.sleep(when - (loop.time() - offset))
        lags.fired(key)

    return [loop.create_task(sleeper(key, when)) for key, when in enumerate(lags.whens)]


METHODS: Final[dict[str, Callable[[Lags], object]]] = {"heap": set_heap, "sleep": set_sleep}


async def run_round(method: str, count: int, window: float) -> Round:
    ahead = AHEAD * max(1.0, count / 100_000)
    lags = Lags(instants(count, window, time.time() + ahead))
    gc.collect()
    memory, cpu, begin = rss_bytes(getpid()), time.process_time(), time.perf_counter()
    kept = METHODS[method](lags)
    await asyncio.sleep(0)  # tasks begin to sleep in their first step: part of setting them up
    setup, grown = time.perf_counter() - begin, rss_bytes(getpid()) - memory
    await lags.done.wait()
    cpu = time.process_time() - cpu
    del kept
    late = sorted(lags.lags)
    return Round(
        bytes_each=grown / count,
        setup_ms=setup * 1e3,
        cpu_s=cpu,
        lag_p99_ms=late[int(len(late) * 0.99)] * 1e3,
        lag_last_ms=late[-1] * 1e3,
        early=sum(lag < 0 for lag in late),
    )


Rounds = Mapping[tuple[str, float], list[Round]]
"""By method and window."""


def measure(*, quick: bool) -> list[Figure]:
    """Compare both methods on both loops."""
    count, rounds = (10_000, 1) if quick else (COUNT, 3)
    with ThreadPoolExecutor() as both:  # each loop has a CPU of its own
        found = both.map(partial(_rounds, count=count, rounds=rounds), LOOPS)
    return [
        figure for loop, taken in zip(LOOPS, found, strict=True) for figure in _figures(loop, taken)
    ]


def _rounds(loop: str, count: int, rounds: int) -> Rounds:
    taken: dict[tuple[str, float], list[Round]] = {}
    for _ in range(rounds):
        for window in (WINDOW, 0.0):
            for method in METHODS:
                taken.setdefault((method, window), []).append(spawn(loop, method, count, window))
    return taken


def spawn(loop: str, method: str, count: int, window: float) -> Round:
    """Measure once, in a process of its own."""
    command = ["taskset", "-c", str(list(LOOPS).index(loop))]
    command += [sys.executable, "-m", "bench.timers", loop, method, str(count), str(window)]
    return Round(**json.loads(subprocess.run(command, check=True, capture_output=True).stdout))


def _figures(loop: str, rounds: Rounds) -> list[Figure]:
    def pair(field: str, window: float = WINDOW) -> tuple[float, float]:
        ours, peer = (
            float(median(getattr(r, field) for r in rounds[method, window])) for method in METHODS
        )
        return ours, peer

    late, peer_late = pair("lag_p99_ms")
    early = max(r.early for window in (WINDOW, 0.0) for r in rounds["heap", window])
    allowed = 1.2 * peer_late + QUANTUM * 1e3
    return [
        _ratio("T1", f"bytes a deadline, {loop}", pair("bytes_each"), 0.2),
        _ratio("T2", f"set-up of all, ms, {loop}", pair("setup_ms"), 0.15),
        Figure(
            "T3",
            f"lag p99 at 10 000 a second, {loop}",
            "1.2 x asyncio.sleep's and the quantum of 2 ms",
            f"{late:.1f} : {allowed:.1f} ms, {early} early",
            "≤, none early",
            late <= allowed and early == 0,
        ),
        _ratio("T4", f"CPU-s while 10 000 a second fire, {loop}", pair("cpu_s"), 0.6),
        _ratio("T5", f"last of all at one instant, ms, {loop}", pair("lag_last_ms", 0.0), 0.3),
    ]


def _ratio(id: str, what: str, found: tuple[float, float], limit: float) -> Figure:
    ours, peer = found
    target, met = at_most(ours / peer, limit, "x")
    measured = f"{ours / peer:.2f}x ({ours:.2f} : {peer:.2f})"
    return Figure(id, what, "asyncio.sleep in a task each", measured, target, met)


def main() -> None:
    """Be the child: one method, one window, the result as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("loop", choices=LOOPS)
    parser.add_argument("method", choices=METHODS)
    parser.add_argument("count", type=int)
    parser.add_argument("window", type=float)
    given = parser.parse_args()
    with asyncio.Runner(loop_factory=LOOPS[given.loop]) as runner:
        found = runner.run(run_round(given.method, given.count, given.window))
    print(json.dumps(asdict(found)))


if __name__ == "__main__":
    main()
