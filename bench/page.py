"""The page of the documentation that the figures are published on."""

from pathlib import Path

from bench.record import Measured, Record
from bench.table import COLUMNS

PAGE = Path(__file__).resolve().parents[1] / "docs" / "explanation" / "performance.md"

INTRODUCTION = """\
# Speed and memory, measured

Written by `python -m bench --json FILE --write`; do not edit. `make bench` repeats it on your
machine.

Each figure is a ratio against a named peer or limit in the same run. Machines like the one below
change their speed by half within minutes, so nothing rests on wall-clock time alone where CPU time
will do.

## Method

- A group's heading tells the load of the machine before it began. Wall-clock figures (`lag`,
  `create`) taken while others were at work say more about them than about Dayfly.
- **Admission server (W)**: one real replica, whose policy stamps every review posted, and each peer
  stay up side by side on CPU 1; `wrk` on CPU 0 loads them over TLS in alternating slices of a
  second. Cost is the CPU time that the kernel charges to the server; the figure is the median of
  the paired ratios, with their range.
- **Imports (I), deadlines (T)**: fresh processes of ours and of the peer in alternation; medians.
- **Everything else** runs on the playground's control plane: etcd, kube-apiserver and controllers
  of the version below, real TLS, real RBAC, audit log on. Instants are those of the audit log.
  Everything shares the two CPUs: the API server competes with what is measured.
- **Create, claim**: the API server calls the replica itself, for a Service is forwarded by the
  kernel. One request at a time wakes processes whose memory is cold: the row against a webhook that
  answers constants tells what of the time and the CPU any Python webhook would cost here.
- **Missed** are, by most, the imports: aiohttp, which reads the machine's certificates when it is
  imported, and prometheus_client, are libraries that we rather use than write.
- **Lifecycle**: starts of the operator and of the bare client alternate. In the evening everything
  is made, and so announced, before it is due; the order of the writes about each object is read off
  the audit log, and so is what the API server turned away.
- **Races**: an extension counts as undone if the API server answered 200 with the new end, and the
  object is gone all the same.
- **Fail-over**: from the signal to the next accepted DELETE by another replica. Each write of an
  operator is held against the history of the Lease, both from the audit log.
"""


def page(record: Record) -> str:
    """Write the page; groups that were not measured are missing from it."""
    parts = [INTRODUCTION, f"## Machine\n\n{record.machine}\n", "## Figures\n"]
    parts += [_table(name, record) for name in record.groups]
    missed = [f.id for m in record.groups.values() for f in m.figures if not f.met]
    parts.append(f"Missed: {', '.join(missed)}.\n" if missed else "All targets are met.\n")
    return "\n".join(parts)


def _table(name: str, record: Record) -> str:
    measured = record.groups[name]
    rows = [COLUMNS, tuple("---" for _ in COLUMNS), *(f.cells for f in measured.figures)]
    lines = [f"| {' | '.join(_escape(cell) for cell in row)} |" for row in rows]
    return "\n".join(
        [f"### {name}\n", f"{measured.at}, load average before: {_load(measured)}\n", *lines, ""]
    )


def _load(measured: Measured) -> str:
    return "not recorded" if measured.load is None else f"{measured.load:.1f}"


def _escape(cell: str) -> str:
    return "**missed**" if cell == "MISSED" else cell.replace("|", "\\|")
