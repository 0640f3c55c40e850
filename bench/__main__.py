"""Measures what was promised: ``python -m bench [GROUP …] [--json FILE] [--write] [--list]``."""

import argparse
import os
import sys
import traceback
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from rich.console import Console

from bench.machine import describe
from bench.page import PAGE, page
from bench.record import Measured, Record
from bench.table import Figure, show

GROUPS: Mapping[str, str] = {
    "imports": "what a process costs before it does anything",
    "timers": "100,000 deadlines in one process",
    "webhook": "reviews a CPU-second, tail and memory of the admission server",
    "admission": "what a create through the API server waits for Dayfly",
    "claims": "what a name that only one may have costs its environment, and the API server",
    "objects": "10,000 stamped objects: start, memory, events, rest",
    "managers": "2,000 NamespaceManagers, watched by kopf: start, memory, rest",
    "lifecycle": "10,000 timelines, what is foreseen of them, 2,000 ends at one instant",
    "lag": "how late ends are, and how fast a burst goes",
    "races": "extensions and re-creations at the very end",
    "failover": "the leader is killed",
}


def main(argv: list[str]) -> int:
    """Measure the groups; 1 if a figure missed its target."""
    arguments = parser().parse_args(argv)
    # Images are compiled when they are built: without it each start would compile 200 modules.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if arguments.list:
        print("\n".join(f"{name:10}{text}" for name, text in GROUPS.items()))
        return 0
    record = Record.read(arguments.json, describe())
    for name in () if arguments.page else arguments.group or GROUPS:
        load, at = os.getloadavg()[0], f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
        record.groups[name] = Measured(at, measured(name, quick=arguments.quick), load)
        record.groups = {name: record.groups[name] for name in GROUPS if name in record.groups}
        if arguments.json:
            record.write(arguments.json)
    if arguments.write or arguments.page:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(page(record))
    return shown(record, arguments.group or record.groups)


def shown(record: Record, names: Iterable[str]) -> int:
    """Print the groups' figures; 1 if one missed its target."""
    figures = [f for name in names for f in record.groups[name].figures]
    show(figures, Console(width=None if sys.stdout.isatty() else 160))
    return 0 if all(f.met for f in figures) else 1


def measured(name: str, *, quick: bool) -> list[Figure]:
    """Measure one group; each is imported when its turn comes."""
    print(f"{datetime.now(UTC):%H:%M:%S} {name}: {GROUPS[name]}", file=sys.stderr, flush=True)
    group = import_module(f"bench.{name}")
    try:
        figures: list[Figure] = group.measure(quick=quick)
    except Exception as error:  # noqa: BLE001  it costs the other groups nothing, and counts as missed
        traceback.print_exc()
        return [
            Figure(name, "not measured", "", f"{type(error).__name__}: {error}"[:160], "", False)
        ]
    return figures


def parser() -> argparse.ArgumentParser:
    """Make the command line; its help lists the groups."""
    described = "\n".join(f"  {name:10}{text}" for name, text in GROUPS.items())
    made = argparse.ArgumentParser(
        prog="python -m bench",
        description=f"{__doc__}\n\ngroups (default: all, some 15 minutes):\n{described}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("group", nargs="*", choices=[[], *GROUPS], metavar="GROUP")
    made.add_argument("--json", type=Path, metavar="FILE", help="update FILE, group by group")
    made.add_argument("--quick", action="store_true", help="fewer rounds, to try it out")
    made.add_argument("--write", action="store_true", help=f"write {PAGE.name} of the docs as well")
    made.add_argument(
        "--page", action="store_true", help="write it from FILE and measure nothing; wants --json"
    )
    made.add_argument("--list", action="store_true", help="list the groups")
    return made


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
