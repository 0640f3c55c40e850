"""Paired slices: two servers stay up, short loads alternate between them, ratios are paired.

The CPU's speed here drifts by half over minutes; two slices a second apart share the same weather.
"""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.processes import cpu_clock

UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0}


@dataclass(frozen=True, slots=True)
class Target:
    """A server under load: where it listens, which process pays, what is posted to it."""

    name: str
    url: str
    pid: int
    script: Path


@dataclass(frozen=True, slots=True)
class Slice:
    """One short load: requests a CPU-second of the server, and the 99th percentile in seconds."""

    requests: int
    per_cpu_second: float
    p99: float
    errors: int


def load(target: Target, connections: int, seconds: int) -> Slice:
    """Run wrk on CPU 0 against the target and read what its server paid.

    Raises:
        RuntimeError: wrk failed or printed something unexpected.

    """
    before = cpu_clock(target.pid)
    printed = subprocess.run(
        ["taskset", "-c", "0", "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency",
         "-s", str(target.script), target.url],
        capture_output=True, text=True, check=True, timeout=seconds + 30,
    ).stdout  # fmt: skip
    spent = cpu_clock(target.pid) - before
    requests = re.search(r"(\d+) requests in", printed)
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s)", printed)
    if not requests or not p99:
        raise RuntimeError(f"wrk printed something unexpected:\n{printed}")
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", printed)
    return Slice(
        requests=int(requests[1]),
        per_cpu_second=int(requests[1]) / spent,
        p99=float(p99[1]) * UNITS[p99[2]],
        errors=int(bad[1]) if bad else 0,
    )


@dataclass(frozen=True, slots=True)
class Paired:
    """Medians of the paired ratios, ours against the peer's, with the spread."""

    rate: float
    rate_range: tuple[float, float]
    p99: float
    errors: int


def paired(ours: Target, peer: Target, *, pairs: int = 10, connections: int = 8) -> Paired:
    """Alternate slices of a second and compare within each pair."""
    for target in (ours, peer):
        load(target, connections, 1)  # warm up
    rates: list[float] = []
    p99s: list[float] = []
    errors = 0
    for _ in range(pairs):
        a, b = load(ours, connections, 1), load(peer, connections, 1)
        rates.append(a.per_cpu_second / b.per_cpu_second)
        p99s.append(a.p99 / b.p99)
        errors += a.errors
    return Paired(median(rates), (min(rates), max(rates)), median(p99s), errors)
