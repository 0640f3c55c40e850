"""What a process costs before it does anything: imports and memory, in fresh processes."""

import subprocess
import sys
from dataclasses import dataclass
from statistics import median

import msgspec

from bench.table import Figure, at_most

ROUNDS = 9
HEALTH = "import aiohttp.web"
TRANSPORT = "import uvicorn.protocols.http.httptools_impl, uvicorn.lifespan.off, uvloop, httptools"
ENTRY = "from dayfly_cli.__main__ import collector; collector.importing()"
LOADED = "collector.loading()"
OURS_ADMISSION = f"{ENTRY}; import dayfly_admission.__main__; {LOADED}; {TRANSPORT}; {HEALTH}"
OURS_OPERATOR = f"{ENTRY}; import dayfly_operator.__main__; {LOADED}; {HEALTH}"
"""As the processes do: what their servers import only when they start is imported here too."""

PEER_ADMISSION = "import starlette, uvicorn, uvloop, msgspec"
PEER_OPERATOR = "import kopf"

PROBE = """
import time
before = time.process_time()
{statement}
spent = time.process_time() - before
import json, os, sys
pages = int(open("/proc/self/statm").read().split()[1])
heavy = sorted({{"kopf", "kubernetes", "pydantic"}} & set(sys.modules))
print(json.dumps({{"cpu": spent, "rss": pages * os.sysconf("SC_PAGE_SIZE"), "heavy": heavy}}))
"""


@dataclass(frozen=True, slots=True)
class Import:
    """One fresh process: CPU-seconds of the imports, bytes resident after them."""

    cpu: float
    rss: int
    heavy: list[str]

    @classmethod
    def of(cls, statement: str) -> "Import":
        """Import in a process of its own."""
        answer = subprocess.run(
            [sys.executable, "-P", "-c", PROBE.format(statement=statement)],
            capture_output=True,
            check=True,
        ).stdout
        return msgspec.json.decode(answer, type=cls)


def measure(*, quick: bool) -> list[Figure]:
    """Compare both programs with their named peers."""
    rounds = 3 if quick else ROUNDS
    return [
        *_compare("I1", "admission", OURS_ADMISSION, PEER_ADMISSION, rounds),
        *_compare("I2", "operator", OURS_OPERATOR, PEER_OPERATOR, rounds),
    ]


def _compare(id: str, program: str, ours: str, peer: str, rounds: int) -> list[Figure]:
    pairs = _alternating(ours, peer, rounds)
    ratio = median(a.cpu / b.cpu for a, b in pairs)
    own, other = (median(i.cpu for i in side) * 1e3 for side in zip(*pairs, strict=True))
    memory, base = (median(i.rss for i in side) / 2**20 for side in zip(*pairs, strict=True))
    heavy = {name for a, _ in pairs for name in a.heavy} - {"kopf" if "kopf" in peer else ""}
    note = f", imports {', '.join(sorted(heavy))}" if heavy else ""
    target, met = at_most(ratio, 1.5, "x, no Kubernetes models")
    return [
        Figure(
            id,
            f"imports of {program}, CPU time (memory)",
            f"`{peer}`",
            f"{ratio:.2f}x ({own:.0f} : {other:.0f} ms; {memory:.0f} : {base:.0f} MiB){note}",
            target,
            met and not heavy,
        )
    ]


def _alternating(ours: str, peer: str, rounds: int) -> list[tuple[Import, Import]]:
    for statement in (ours, peer):
        Import.of(statement)  # the first compiles and fills the page cache
    return [(Import.of(ours), Import.of(peer)) for _ in range(rounds)]
