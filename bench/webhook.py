"""The admission server under load: CPU a review, tail, memory; against two servers in turns.

Server and peer run on CPU 1, the load on CPU 0; see ``slices``.
"""

import asyncio
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import aiohttp
import msgspec

from bench import burst, reviews
from bench.meadow import NAMESPACE, Meadow, meadow
from bench.peers.serving import serving
from bench.processes import MIB, rss_bytes
from bench.slices import Paired, Target, load, paired
from bench.table import Figure, at_least, at_most
from dayfly_core import names
from playground.process import eventually

CONNECTIONS = 8


@dataclass(frozen=True, slots=True)
class Bench:
    """A replica to be measured, and what its peers are started with."""

    field: Meadow
    folder: Path
    pairs: int

    @property
    def pid(self) -> int:
        """The admission replica's."""
        return self.field.system.admissions[0].pid

    @property
    def url(self) -> str:
        """Where the replica stamps."""
        argv = self.field.system.admissions[0].spec.argv
        return f"https://{argv[argv.index('--listen') + 1]}{names.STAMP_PATH}"

    def ours(self, kind: str) -> Target:
        """The replica, posted reviews of this kind."""
        return Target("dayfly", self.url, self.pid, self.folder / f"{kind}.lua")


def measure(*, quick: bool) -> list[Figure]:
    """Load one real replica whose policy stamps what is posted."""
    with meadow() as field, tempfile.TemporaryDirectory() as folder:
        bench = Bench(field, Path(folder), pairs=3 if quick else 10)
        pin(bench.pid)
        bodies = {
            "deployment": reviews.deployment(NAMESPACE),
            "namespace": reviews.namespace("bench-review"),
        }
        for kind, body in bodies.items():
            reviews.wrk_script(body, bench.folder / f"{kind}.lua")
            asyncio.run(post(bench.url, body, 1))
        memory = _memory(bench, bodies["deployment"], 20_000 if quick else 100_000)
        with _bare(bench) as (pid, url):
            floor = {
                kind: paired(
                    bench.ours(kind),
                    Target("bare", url, pid, bench.folder / f"{kind}.lua"),
                    pairs=bench.pairs,
                    connections=CONNECTIONS,
                )
                for kind in bodies
            }
            peer = Target("bare", url, pid, bench.folder / "deployment.lua")
            together = burst.figure(
                bench.ours("deployment"), peer, bodies["deployment"], pairs=bench.pairs
            )
        with _kopf(bench, bodies["deployment"]) as (pid, url):
            peer = Target("kopf", url, pid, bench.folder / "deployment.lua")
            kopf = paired(bench.ours("deployment"), peer, pairs=bench.pairs)
    return [
        _rate("W1", "Deployment, 7 kB", floor["deployment"]),
        _rate("W2", "Namespace, 2 kB", floor["namespace"]),
        _cheaper(kopf),
        _tail(floor["deployment"]),
        together,
        memory,
    ]


async def post(url: str, body: bytes, count: int) -> None:
    """Post the review so many times; raises RuntimeError unless each answer has a patch."""
    headers = {"Content-Type": "application/json"}
    pending = iter(range(count))

    async def worker(session: aiohttp.ClientSession) -> None:
        for _ in pending:
            async with session.post(url, data=body, headers=headers, ssl=False) as response:
                answer = msgspec.json.decode(await response.read())
            if not answer["response"].get("patch"):
                raise RuntimeError(f"no patch in the answer: {answer}")

    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(worker(session) for _ in range(CONNECTIONS)))


def pin(pid: int) -> None:
    """Keep all threads of the process on CPU 1."""
    subprocess.run(["taskset", "-acp", "1", str(pid)], check=True, capture_output=True)


def _memory(bench: Bench, body: bytes, count: int) -> Figure:
    asyncio.run(post(bench.url, body, 1_000))
    target = bench.ours("deployment")
    first = load(target, 64, 1)
    before = rss_bytes(bench.pid)
    # In one go: wrk closes without a word of TLS, and uvicorn keeps what belongs to a connection
    # that ended so, some 45 KiB, until its keep-alive time is over.
    served = load(target, 64, ceil(count / first.requests)).requests
    after = rss_bytes(bench.pid)
    limit, met = at_most(after / before, 1.15, "x")
    return Figure(
        "W13",
        f"memory after {served:,} reviews".replace(",", " "),
        "after the first second",
        f"{after / before:.2f}x ({before / MIB:.0f} → {after / MIB:.0f} MiB)",
        limit,
        met,
    )


def _rate(id: str, kind: str, found: Paired) -> Figure:
    target, met = at_least(found.rate, 0.40)
    low, high = found.rate_range
    return Figure(
        id,
        f"reviews a CPU-second, {kind}, c=8",
        "bare uvicorn answer",
        f"{found.rate:.2f} ({low:.2f}-{high:.2f})",
        target,
        met and not found.errors,
    )


def _cheaper(found: Paired) -> Figure:
    target, met = at_least(found.rate, 10)
    low, high = found.rate_range
    return Figure(
        "W5",
        "reviews a CPU-second, Deployment, c=8",
        "kopf's webhook server",
        f"{found.rate:.1f}x ({low:.1f}-{high:.1f})",
        f"{target}x",
        met and not found.errors,
    )


def _tail(found: Paired) -> Figure:
    target, met = at_most(found.p99, 3, "x")
    return Figure(
        "W7", "p99, Deployment, c=8", "bare uvicorn answer", f"{found.p99:.2f}x", target, met
    )


@contextmanager
def _bare(bench: Bench) -> Generator[tuple[int, str]]:
    with serving("bare_uvicorn.py", bench.field.plane) as (pid, url):
        pin(pid)
        yield pid, url


@contextmanager
def _kopf(bench: Bench, body: bytes) -> Generator[tuple[int, str]]:
    kubeconfig = str(bench.field.plane.kubeconfig)
    with serving("kopf_webhook.py", bench.field.plane, kubeconfig) as (pid, base):
        pin(pid)
        url = f"{base}/stamp"
        # It answers without a patch until it has read which kinds the cluster serves.
        eventually(lambda: _patches(url, body), 20)
        asyncio.run(post(url, body, 1))
        yield pid, url


def _patches(url: str, body: bytes) -> bool:
    try:
        asyncio.run(post(url, body, 1))
    except (RuntimeError, aiohttp.ClientError):
        return False
    return True
