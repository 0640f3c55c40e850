"""One row per figure: what was measured, against what, and what it should be."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

COLUMNS = ("id", "figure", "against", "measured", "target", "")


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

    @property
    def cells(self) -> tuple[str, ...]:
        """The row, in the order of ``COLUMNS``."""
        verdict = "ok" if self.met else "MISSED"
        return self.id, self.what, self.peer, self.measured, self.target, verdict


def at_least(found: float, limit: float) -> tuple[str, bool]:
    """Write a lower limit, and whether it is kept."""
    return f"≥ {limit:g}", found >= limit


def at_most(found: float, limit: float, unit: str = "") -> tuple[str, bool]:
    """Write an upper limit, and whether it is kept."""
    return f"≤ {limit:g}{unit}", found <= limit


def show(figures: Sequence[Figure], console: Console) -> None:
    """Print the figures as a table, in the order given."""
    table = Table(title="Dayfly, measured in this run", title_justify="left")
    for column in COLUMNS:
        table.add_column(column, overflow="fold")
    for figure in figures:
        table.add_row(*figure.cells)
    console.print(table)
