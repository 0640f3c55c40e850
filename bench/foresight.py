"""What it costs to decide about an object, and to run the clock ahead over thousands of them."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median

import msgspec
import yaml

from bench.meadow import NAMESPACE, POLICY, Meadow
from bench.objects import bare
from bench.processes import MIB
from bench.table import Figure, at_most
from bench.timelines import TIMELINE, recorded
from dayfly_core import api, ending, instant, names
from dayfly_core.guard import Guard
from dayfly_core.objects import CONFIG_MAPS, Key, ObjectMeta
from dayfly_core.policies import Policies, compile_policy
from dayfly_core.subject import Subject

PLANS = 20_000
ROUNDS = 5
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)

COMMAND = """
import contextlib, re, sys, time
from pathlib import Path
from dayfly_cli.__main__ import main
with contextlib.suppress(SystemExit):
    main()
sys.stdout.flush()
peak = re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1]
print(time.process_time(), int(peak) * 1024, file=sys.stderr)
"""


@dataclass(frozen=True, slots=True)
class Ran:
    """One run of the command line: CPU-seconds, bytes at most, lines printed."""

    cpu: float
    rss: int
    lines: int


def measured(field: Meadow, count: int) -> Iterator[Figure]:
    """Measure both; ``field`` holds the objects."""
    yield from planning()
    yield from _simulating(field, count)


def _simulating(field: Meadow, count: int) -> Iterator[Figure]:
    config = ("--kubeconfig", str(field.plane.kubeconfig))
    with bare(field, count) as (_, raw):
        listed = _run("list", "-A", *config)
        ran = _run("simulate", "-A", "--for", "7d", *config)
    if ran.lines <= count:
        raise RuntimeError(f"{ran.lines} lines foreseen for {count} objects")
    target, met = at_most(ran.cpu / listed.cpu, 10, "x")
    peak, slim = at_most(ran.rss / listed.rss, 2, "x")
    what = f"`dayfly simulate -A --for 7d`, {count:,} objects, {ran.lines - 1:,} events"
    yield Figure(
        "simulate",
        f"{what}, CPU",
        f"`dayfly list -A` (bare list {raw:.2f} s)",
        f"{ran.cpu / listed.cpu:.1f}x ({ran.cpu:.2f} : {listed.cpu:.2f} s)",
        target,
        met,
    )
    yield Figure(
        "simulate",
        "the same, memory at its peak",
        "`dayfly list -A`",
        f"{ran.rss / listed.rss:.1f}x ({ran.rss / MIB:.0f} : {listed.rss / MIB:.0f} MiB)",
        peak,
        slim,
    )


def _run(*argv: str) -> Ran:
    done = subprocess.run(
        [sys.executable, "-P", "-c", COMMAND, *argv], capture_output=True, text=True, check=True
    )
    cpu, rss = done.stderr.splitlines()[-1].split()
    return Ran(float(cpu), int(rss), len(done.stdout.splitlines()))


# What one decision costs.


def planning() -> Iterator[Figure]:
    """Plan for one object in turns: without a timeline, with one, with records."""
    looks = cases()
    spent: dict[str, list[float]] = {name: [] for name in looks}
    for _ in range(ROUNDS):
        for name, look in looks.items():
            spent[name].append(_cpu(look) / PLANS)
    plain = spent["without a timeline"]
    for name in ("with a timeline", "with a timeline and a record"):
        ratio = median(a / b for a, b in zip(spent[name], plain, strict=True))
        target, met = at_most(ratio, 5, "x")
        ours, peer = (median(side) * 1e6 for side in (spent[name], plain))
        yield Figure(
            "plan",
            f"a decision about an object {name}",
            "without a timeline",
            f"{ratio:.1f}x ({ours:.1f} : {peer:.1f} µs)",
            target,
            met,
        )


def _cpu(look: Callable[[], object]) -> float:
    before = time.process_time()
    for _ in range(PLANS):
        look()
    return time.process_time() - before


def cases() -> Mapping[str, Callable[[], object]]:
    """Return a look at an object that nothing is to be done about yet, in each of the ways."""
    end = instant.render(NOW + timedelta(hours=4))
    bare_meta = ObjectMeta(
        name="web",
        namespace=NAMESPACE,
        uid="uid-web",
        resource_version="1",
        creation_timestamp=NOW,
        labels={names.POLICY: "bench"},
        annotations={names.EXPIRES_AT: end},
    )
    steps = {names.EXPIRES_AT: end, **recorded(bare_meta, NOW)}
    warned = msgspec.structs.replace(bare_meta, annotations=steps)
    plain, timed = _policies(POLICY), _policies(POLICY + TIMELINE.strip("\n"))
    return {
        "without a timeline": partial(_look, bare_meta, plain),
        "with a timeline": partial(_look, bare_meta, timed),
        "with a timeline and a record": partial(_look, warned, timed),
    }


GUARD = Guard(names.SYSTEM_NAMESPACE)
AROUND = ObjectMeta(name=NAMESPACE, uid="uid-bench", labels={"bench": "yes"})


def _look(meta: ObjectMeta, policies: Policies) -> object:
    subject = Subject(Key(CONFIG_MAPS, NAMESPACE, meta.name), meta, AROUND)
    return ending.plan(subject, policies, GUARD, NOW)


def _policies(text: str) -> Policies:
    return Policies([compile_policy(msgspec.convert(yaml.safe_load(text), api.ExpiryPolicy))])
