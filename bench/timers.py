"""Deadlines in one heap against one `asyncio.sleep` task each, on asyncio and on uvloop.

    python bench/timers.py [--json] [--rounds 5] [--deadlines 100000] [--window 5]

Rounds of both, interleaved, each in a process of its own; medians; targets are ratios.
"""

import argparse
import asyncio
import gc
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import median
from typing import Final

import uvloop

from dayfly_operator.deadlines import Deadlines

QUANTUM: Final = 0.002
AHEAD: Final = 4.0
"""Seconds from the set-up's start to the first of 100,000 deadlines: a task each takes half."""


@dataclass(frozen=True)
class Round:
    """What one process measured."""

    bytes_each: float
    setup_ms: float
    cpu_s: float
    lag_p99_ms: float
    lag_last_ms: float
    early: int


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    loop: str
    metric: str
    heap: float
    sleep: float
    measured: float
    target: float

    @property
    def met(self) -> bool:
        return self.measured <= self.target


def rss() -> int:
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * resource.getpagesize()


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
    memory, cpu, begin = rss(), time.process_time(), time.perf_counter()
    kept = METHODS[method](lags)
    await asyncio.sleep(0)  # tasks begin to sleep in their first step: part of setting them up
    setup, grown = time.perf_counter() - begin, rss() - memory
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


def child(arguments: argparse.Namespace) -> None:
    factory = uvloop.new_event_loop if arguments.loop == "uvloop" else asyncio.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        result = runner.run(run_round(arguments.method, arguments.deadlines, arguments.window))
    print(json.dumps(asdict(result)))


def spawn(loop: str, method: str, count: int, window: float) -> Round:
    command = [sys.executable, __file__, "--child", "--loop", loop, "--method", method]
    command += ["--deadlines", str(count), "--window", str(window)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return Round(**json.loads(output))


Rounds = dict[tuple[str, float], list[Round]]


def measure(loop: str, arguments: argparse.Namespace) -> Rounds:
    rounds: Rounds = {}
    for _ in range(arguments.rounds):
        for window in (arguments.window, 0.0):
            for method in METHODS:
                taken = spawn(loop, method, arguments.deadlines, window)
                rounds.setdefault((method, window), []).append(taken)
    return rounds


def rows(loop: str, rounds: Rounds, window: float) -> list[Row]:
    def both(field: str, window: float) -> tuple[float, float]:
        heap, sleep = (
            median(getattr(r, field) for r in rounds[method, window]) for method in METHODS
        )
        return float(heap), float(sleep)

    def row(metric: str, field: str, target: float, *, at: float) -> Row:
        heap, sleep = both(field, at)
        return Row(loop, metric, heap, sleep, heap / sleep, target)

    lag, lag_sleep = both("lag_p99_ms", window)
    allowed = 1.2 * lag_sleep + QUANTUM * 1e3
    early = float(max(r.early for w in (window, 0.0) for r in rounds["heap", w]))
    early_sleep = float(max(r.early for w in (window, 0.0) for r in rounds["sleep", w]))
    return [
        row("T1 bytes a deadline", "bytes_each", 0.2, at=window),
        row("T2 set-up ms", "setup_ms", 0.15, at=window),
        Row(loop, "T3 lag p99 ms / (1.2x + quantum)", lag, lag_sleep, lag / allowed, 1.0),
        row("T4 CPU s", "cpu_s", 0.6, at=window),
        row("T5 same instant, last lag ms", "lag_last_ms", 0.3, at=0.0),
        Row(loop, "fired early", early, early_sleep, early, 0.0),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--deadlines", type=int, default=100_000)
    parser.add_argument("--window", type=float, default=10.0)
    parser.add_argument("--loop", choices=("asyncio", "uvloop"), help=argparse.SUPPRESS)
    parser.add_argument("--method", choices=tuple(METHODS), help=argparse.SUPPRESS)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        child(arguments)
        return 0
    loops = (arguments.loop,) if arguments.loop else ("asyncio", "uvloop")
    table = [
        row for loop in loops for row in rows(loop, measure(loop, arguments), arguments.window)
    ]
    if arguments.json:
        print(json.dumps([{**asdict(row), "met": row.met} for row in table], indent=2))
    else:
        print(f"{'loop':8}{'metric':34}{'heap':>10}{'sleep':>10}{'measured':>10}{'target':>8}")
        for row in table:
            print(
                f"{row.loop:8}{row.metric:34}{row.heap:10.2f}{row.sleep:10.2f}"
                f"{row.measured:10.2f}{row.target:8.2f}  {'ok' if row.met else 'MISSED'}"
            )
    return 0 if all(row.met for row in table) else 1


if __name__ == "__main__":
    sys.exit(main())
