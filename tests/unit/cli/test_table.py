import io

import pytest

from dayfly_cli import table
from support.entries import NOW, entry, meta

EVENING = "2026-11-22T18:00:00Z"


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def printed(out: io.StringIO, *, wide: bool = False, everywhere: bool = False) -> str:
    layout = table.Layout.choose(wide=wide, all_namespaces=everywhere)
    first = meta(EVENING, "8h", "p", host="web.example")
    rows = [layout.row(entry(first), NOW), layout.row(entry(meta()), NOW)]
    table.write(out, layout.fitted(rows), rows)
    return out.getvalue()


def test_columns_are_aligned() -> None:
    assert printed(io.StringIO()).splitlines() == [
        "OBJECT                ENDS                   IN   BY   NOTE",
        "deployment.apps/web   2026-11-22T18:00:00Z   8h   p    -",
        "deployment.apps/web   -                      -    -    without an end",
    ]


def test_wide_and_everywhere() -> None:
    header, first, _ = printed(io.StringIO(), wide=True, everywhere=True).splitlines()
    assert header.split("   ")[0] == "NAMESPACE"
    assert first.startswith("shop")
    assert header.endswith("HOST          OWN END                TTL   CREATED BY")
    assert "   web.example   2026-11-22T18:00:00Z   8h    -" in first


@pytest.mark.parametrize("name", ["deployment.apps/web", EVENING])
def test_a_terminal_folds_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    assert name in printed(Screen(), wide=True, everywhere=True)
