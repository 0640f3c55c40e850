"""One row per figure: what was measured, against what, and what it should be."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured ratio or limit.

    ``target`` is a sentence such as ``≥ 0.40``; ``met`` is what the benchmark found of it, since
    only it knows the spread of its own measurement.
    """

    id: str
    what: str
    peer: str
    measured: str
    target: str
    met: bool

    def as_dict(self) -> dict[str, object]:
        """For ``--json``."""
        return asdict(self)


def show(figures: Sequence[Figure], console: Console) -> None:
    """Print the figures as a table, in the order given."""
    table = Table(title="Dayfly, measured in this run", title_justify="left")
    for column in ("id", "figure", "against", "measured", "target", ""):
        table.add_column(column, overflow="fold")
    for f in figures:
        table.add_row(f.id, f.what, f.peer, f.measured, f.target, "ok" if f.met else "MISSED")
    console.print(table)
