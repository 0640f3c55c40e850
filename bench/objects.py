"""One operator with 1,000 and with 10,000 stamped objects: start, memory, events, rest."""

import asyncio
import re
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from math import log10
from pathlib import Path
from statistics import median

from bench.imports import OURS_OPERATOR, Import
from bench.meadow import CONFIG_MAPS, Meadow, administrator, each, meadow, sow, stored
from bench.processes import MIB, cpu_clock, rss_bytes
from bench.table import Figure, at_most
from dayfly_core import names
from playground import pki
from playground.lags import OPERATOR
from playground.process import Process, eventually

FEW, MANY = 1_000, 10_000
EVENTS = 2_000
RAW = Path(__file__).parent / "peers" / "raw_watch.py"
WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})
NOT_STORED = frozenset({"leases", "selfsubjectaccessreviews", "selfsubjectrulesreviews"})
"""The Lease is renewed anyway; a question about rights is a POST that writes nothing."""


@dataclass(frozen=True, slots=True)
class Start:
    """One start of the operator: CPU-seconds until it waits for every end, bytes then."""

    cpu: float
    rss: int
    writes: Counter[str]


@dataclass(frozen=True, slots=True)
class Rest:
    """A time at rest, a minute of it: what was asked and received besides the Lease."""

    requests: float
    kilobytes: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Measured:
    """What one number of objects costs; ``raw`` are the bare client's CPU-seconds for its list."""

    start: Start
    raw: float
    rest: Rest


def measure(*, quick: bool) -> list[Figure]:
    """Fill the namespace in two steps and look at the operator after each."""
    rounds, seconds = (1, 15) if quick else (3, 60)
    imports = median(Import.of(OURS_OPERATOR).cpu for _ in range(5))
    with meadow() as field:
        filled(field, 0, FEW)
        few = _measured(field, FEW, rounds, seconds)
        filled(field, FEW, MANY)
        many = _measured(field, MANY, rounds, seconds)
        event, raw_event = _events(field)
    return [
        *_start_figures(few, many, imports),
        _event_figure(event, raw_event),
        *_memory_figures(few, many),
        *_rest_figures(few, many),
    ]


def _start_figures(few: Measured, many: Measured, imports: float) -> list[Figure]:
    over, ratio = many.start.cpu - imports, many.start.cpu / many.raw
    total, in_time = at_most(over, 0.6, " CPU-s over the imports")
    target, met = at_most(ratio, 3, "x")
    written = ", ".join(f"{n} {what}" for what, n in many.start.writes.items())
    slope = log10(over / max(few.start.cpu - imports, 0.01))
    steep, linear = at_most(slope, 1.15)
    what = "start with 10 000 stamped objects"
    return [
        Figure("O1", what, "imports alone", f"{over:.2f} CPU-s", total, in_time),
        Figure(
            "O1",
            f"{what}, CPU of the whole process",
            "aiohttp + msgspec, the same list",
            f"{ratio:.1f}x ({many.start.cpu:.2f} : {many.raw:.2f} s)",
            target,
            met,
        ),
        Figure("O4", what + ", writes", "", written or "0", "0", not written),
        Figure(
            "O6",
            "start CPU, 1 000 → 10 000 objects, log-log slope",
            "linear = 1",
            f"{slope:.2f}",
            steep,
            linear,
        ),
    ]


def _event_figure(ours: float, raw: float) -> Figure:
    target, met = at_most(ours / raw, 5, "x")
    return Figure(
        "O2",
        "CPU a watch event",
        "aiohttp + msgspec, the same watch",
        f"{ours / raw:.1f}x ({ours * 1e6:.0f} : {raw * 1e6:.0f} µs)",
        target,
        met,
    )


def _memory_figures(few: Measured, many: Measured) -> list[Figure]:
    each_one = (many.start.rss - few.start.rss) / (MANY - FEW) / 1024
    target, met = at_most(many.start.rss / MIB, 100, " MiB")
    slim, thin = at_most(each_one, 5, " KiB")
    return [
        Figure(
            "O3", "memory with 10 000 objects", "", f"{many.start.rss / MIB:.0f} MiB", target, met
        ),
        Figure("O3", "memory an object", "1 000 objects", f"{each_one:.1f} KiB", slim, thin),
    ]


def _rest_figures(few: Measured, many: Measured) -> list[Figure]:
    worst = max(few.rest.requests, many.rest.requests)
    loud = max(few.rest.kilobytes, many.rest.kilobytes)
    target, met = at_most(worst, 2)
    quiet, silent = at_most(loud, 5, " kB")
    what = "at rest besides the Lease, a minute, 1 000 → 10 000 objects"
    asked = f"{few.rest.requests:.1f} → {many.rest.requests:.1f}"
    heard = f"{few.rest.kilobytes:.1f} → {many.rest.kilobytes:.1f} kB"
    spent = f"{few.rest.cpu:.2f} → {many.rest.cpu:.2f} CPU-s"
    return [
        Figure("O5", f"requests {what}", "", asked, target, met),
        Figure("O5", f"received {what} ({spent} with it)", "", heard, quiet, silent),
    ]


def filled(field: Meadow, first: int, end: int) -> None:
    """Create ConfigMaps of these numbers that end in hours."""
    later = datetime.now(UTC) + timedelta(hours=4)
    ends = [(f"object-{i:05}", later + timedelta(seconds=i % 3600)) for i in range(first, end)]

    async def fill() -> None:
        async with administrator(field.plane) as client:
            await sow(client, ends)

    asyncio.run(fill())


def _measured(field: Meadow, count: int, rounds: int, seconds: float) -> Measured:
    raws: list[float] = []
    starts: list[Start] = []
    time.sleep(8)  # the policies' status follows at most so late, and is not written at a start
    for _ in range(rounds):
        starts.append(started(field, count))
        with bare(field, count) as (_, cpu):
            raws.append(cpu)
    middle = sorted(starts, key=lambda start: start.cpu)[len(starts) // 2]
    return Measured(middle, median(raws), rested(field, seconds))


def started(field: Meadow, count: int) -> Start:
    """Start the operator anew, and wait until it waits for so many ends."""
    [operator] = field.system.operators
    operator.stop()
    since = field.plane.audit_log.position()
    operator.start()
    operator.wait_ready()
    if not eventually(lambda: settled(operator, count), 60):
        raise RuntimeError(f"not all of {count} ends are waited for after a minute")
    time.sleep(1.0)  # what is left of the start: status, garbage
    cpu, rss = cpu_clock(operator.pid), rss_bytes(operator.pid)
    return Start(cpu, rss, Counter(_writes(field, since)))


def settled(operator: Process, count: int) -> bool:
    """Whether it leads and waits for this many ends or more; asked rarely, since asking costs."""
    time.sleep(0.2)
    gauges = metrics(operator)
    return gauges["dayfly_leading"] == 1 and gauges["dayfly_deadlines"] >= count


def metrics(program: Process) -> dict[str, float]:
    """Read a program's metrics that have no labels."""
    url = program.spec.health.replace("/readyz", "/metrics")
    with urllib.request.urlopen(url, timeout=5) as answer:
        text = answer.read().decode()
    return {name: float(value) for name, value in re.findall(r"^(\w+) (\S+)$", text, re.M)}


def _writes(field: Meadow, since: int) -> Iterator[str]:
    for event in field.plane.audit(since):
        stored = event.object_ref.resource not in NOT_STORED
        if event.user.username == OPERATOR and event.verb in WRITES and stored:
            yield event.object_ref.resource


@contextmanager
def bare(field: Meadow, count: int) -> Generator[tuple[int, float]]:
    """Run the bare client; yields its pid and what its list cost once it follows."""
    plane, folder = field.plane, field.plane.paths.pki
    authority = pki.Authority.read(folder, datetime.now(UTC))
    pki.write_pair(authority.client("raw", "system:masters"), folder, "raw")
    files = [str(folder / name) for name in ("ca.crt", "raw.crt", "raw.key")]
    command = [sys.executable, str(RAW), plane.server, *files]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            cpu, found = process.stdout.readline().split()
            if int(found) < count:
                raise RuntimeError(f"the bare client found {found} objects, not {count}")
            yield process.pid, float(cpu)
        finally:
            process.kill()


def _events(field: Meadow) -> tuple[float, float]:
    """CPU-seconds an event, of the operator and of the bare client, over the same events."""
    with bare(field, MANY) as (peer, _):
        pids = (field.system.operators[0].pid, peer)
        idle = _spent(pids, lambda: time.sleep(10))
        began = time.monotonic()
        busy = _spent(pids, lambda: asyncio.run(_touch(field)))
        share = (time.monotonic() - began) / 10
    ours, raw = ((b - i * share) / EVENTS for b, i in zip(busy, idle, strict=True))
    return ours, raw


def _spent(pids: tuple[int, ...], meanwhile: partial[None] | object) -> list[float]:
    before = [cpu_clock(pid) for pid in pids]
    assert callable(meanwhile)
    meanwhile()
    return [cpu_clock(pid) - was for pid, was in zip(pids, before, strict=True)]


async def _touch(field: Meadow) -> None:
    """Change a label of objects, which moves no end."""
    change = {"metadata": {"labels": {"touched": "yes"}}}
    async with administrator(field.plane) as client:
        answers = await each(
            partial(client.merge_patch, f"{CONFIG_MAPS}/object-{i:05}", change)
            for i in range(EVENTS)
        )
    for answer in answers:
        stored(answer)
    await asyncio.sleep(1.0)  # the last events are on their way


def rested(field: Meadow, seconds: float) -> Rest:
    """Let it rest; connections are told apart by what they send: the Lease's sends most."""
    [operator] = field.system.operators
    time.sleep(10)  # the start's Events and status are written
    since, before = field.plane.audit_log.position(), received(operator.pid)
    cpu = cpu_clock(operator.pid)
    time.sleep(seconds)
    spent, after = cpu_clock(operator.pid) - cpu, received(operator.pid)
    asked = [
        e
        for e in field.plane.audit(since)
        if e.user.username == OPERATOR
        and names.LEASE not in e.target
        and e.request_received_timestamp
    ]
    grown = {
        peer: (sent - before.get(peer, (0, 0))[0], got - before.get(peer, (0, 0))[1])
        for peer, (sent, got) in after.items()
    }
    lease = max(grown, key=lambda peer: grown[peer][0])
    heard = sum(got for peer, (_, got) in grown.items() if peer != lease)
    a_minute = 60 / seconds
    return Rest(len(asked) * a_minute, heard / 1000 * a_minute, spent * a_minute)


def received(pid: int) -> dict[str, tuple[int, int]]:
    """Bytes sent and received so far, by connection, of a process's connections."""
    lines = subprocess.run(["ss", "-tinpH"], capture_output=True, text=True, check=True).stdout
    entries = re.sub(r"\n\s+", " ", lines).splitlines()
    own = [entry for entry in entries if f"pid={pid}," in entry]
    return {entry.split()[3]: (_count("sent", entry), _count("received", entry)) for entry in own}


def _count(direction: str, entry: str) -> int:
    found = re.search(rf"bytes_{direction}:(\d+)", entry)
    return int(found[1]) if found else 0
