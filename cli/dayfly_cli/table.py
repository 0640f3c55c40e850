"""Rows for people: a rich table in a terminal, plain aligned columns everywhere else."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TextIO

import msgspec

from dayfly_cli.ends import Entry, at
from dayfly_core import names
from dayfly_core.violations import shown

Cell = Callable[[Entry, datetime], str]

_NAMESPACE: tuple[str, Cell] = ("NAMESPACE", lambda e, _: e.meta.namespace or "-")
_NARROW: tuple[tuple[str, Cell], ...] = (
    ("OBJECT", lambda e, _: e.title),
    ("ENDS", lambda e, _: e.when),
    ("IN", lambda e, now: e.left(now)),
    ("BY", lambda e, _: e.ended_by or "-"),
    ("NOTE", lambda e, _: e.note or "-"),
)
# Annotations are anybody's text: what could steer a terminal is escaped.
_WIDE: tuple[tuple[str, Cell], ...] = (
    ("HOST", lambda e, _: e.host or "-"),
    ("OWN END", lambda e, _: at(e.wish.at)),
    ("TTL", lambda e, _: shown(e.wish.ttl_text or "-")),
    ("CREATED BY", lambda e, _: shown(e.meta.annotation_map.get(names.CREATED_BY, "-"))),
)


class Layout(msgspec.Struct, frozen=True):
    """Which columns, in which order, and how wide each is at least."""

    columns: tuple[tuple[str, Cell], ...]
    widths: tuple[int, ...] = ()

    @classmethod
    def choose(cls, *, wide: bool, all_namespaces: bool) -> "Layout":
        """Return the columns for these flags."""
        first = (_NAMESPACE,) if all_namespaces else ()
        return cls((*first, *_NARROW, *(_WIDE if wide else ())))

    @property
    def header(self) -> list[str]:
        """The columns' names."""
        return [name for name, _ in self.columns]

    def row(self, entry: Entry, now: datetime) -> list[str]:
        """Return the cells of one object."""
        return [cell(entry, now) for _, cell in self.columns]

    def fitted(self, rows: Iterable[Sequence[str]]) -> "Layout":
        """Return the same columns, wide enough for these rows."""
        widths = [max(map(len, column)) for column in zip(self.header, *rows, strict=True)]
        return Layout(self.columns, tuple(widths))

    def line(self, cells: Sequence[str]) -> str:
        """Align one row."""
        padded = (cell.ljust(width) for cell, width in zip(cells, self.widths, strict=True))
        return "   ".join(padded).rstrip()


def write(out: TextIO, layout: Layout, rows: Sequence[Sequence[str]]) -> None:
    """Print a whole table."""
    if out.isatty():
        _write_rich(out, layout, rows)
        return
    for cells in (layout.header, *rows):
        print(layout.line(cells), file=out, flush=True)


def write_plain(out: TextIO, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table of texts."""
    columns = tuple((name, _no_cell) for name in header)
    write(out, Layout(columns).fitted(rows), rows)


def _no_cell(_entry: Entry, _now: datetime) -> str:
    return "-"


def _write_rich(out: TextIO, layout: Layout, rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for name in layout.header:
        table.add_column(name, no_wrap=True)
    for cells in rows:
        # Text, not markup: a name in brackets is a name.
        table.add_row(*map(Text, cells), style="red" if "overdue" in cells else "")
    # As wide as it needs, for the terminal to wrap: cut or folded names cannot be copied.
    width = sum(layout.widths) + 2 * len(layout.widths)
    Console(file=out, width=width).print(table)
