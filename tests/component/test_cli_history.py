"""``dayfly history`` as people type it, over real HTTP."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
import yaml

from dayfly_core import history
from dayfly_core.history import Entry, Page
from dayfly_core.objects import CONFIG_MAPS
from support.entries import NOW
from support.fake_api import Fault
from support.shell import Shell


def path(slot: int) -> str:
    return CONFIG_MAPS.path("dayfly-system", history.slot_name(slot))


def ended(ago: int, kind: str = "deployments.apps", **fields: Any) -> Entry:
    at: datetime = NOW - timedelta(hours=ago)
    given = {"namespace": "shop", "name": "web", "by": "ExpiryPolicy/previews", **fields}
    return Entry(at=at, action="DELETE", kind=kind, uid=f"u-{ago}", due=at, replica="op-0", **given)


ENTRIES = (
    ended(72, name="oldest"),
    ended(48, by="NamespaceManager/shop/cleanup"),
    ended(24, name="other", namespace="bare"),
    ended(3, "namespaces", namespace="", name="shop"),
    ended(2, "namespaces", namespace="", name="bare", by="Ephemerator/bare"),
    ended(1, name="newest", result="Failed", message="said \x1b[31mno"),
)


@pytest.fixture
def told(shell: Shell) -> Shell:
    """Somebody has written the history, in two pages."""
    for slot in range(history.SLOTS):
        shell.api.put(path(slot))
    for slot, entries in ((7, ENTRIES[:2]), (0, ENTRIES[2:])):
        lines = [history.line(entry) for entry in entries]
        page, _ = history.filled(Page(slot, 10 - slot), lines)
        shell.api.put(path(slot), {"data": page.data})
    return shell


async def test_the_newest_stands_last(told: Shell) -> None:
    answer = await told.run("history")
    assert (answer.status, answer.err) == (0, "")
    head, *rows = [line.split() for line in answer.out.splitlines()]
    assert head == ["WHEN", "ACTION", "OBJECT", "BY", "RESULT"]
    assert [row[2] for row in rows] == [
        "deployments.apps/oldest",
        "deployments.apps/web",
        "namespaces/shop",
        "deployments.apps/newest",
    ]


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        pytest.param("-A", ["oldest", "web", "other", "shop", "bare", "newest"], id="everywhere"),
        pytest.param("-n bare", ["other", "bare"], id="a namespace and what was in it"),
        pytest.param("-A --since 24h", ["other", "shop", "bare", "newest"], id="since yesterday"),
        pytest.param("-A --kind namespaces", ["shop", "bare"], id="a kind"),
        pytest.param("-A --kind Namespace", ["shop", "bare"], id="a kind by another name"),
        pytest.param(
            "-A --kind Deployment", ["oldest", "web", "other", "newest"], id="Deployments"
        ),
        pytest.param("-A --kind things.gone", [], id="a kind that is not served any more"),
        pytest.param("-A --policy previews", ["oldest", "other", "shop", "newest"], id="a policy"),
        pytest.param("-A --policy Ephemerator/bare", ["bare"], id="what column BY says"),
        pytest.param("-A --policy shop/cleanup", ["web"], id="one of a namespace"),
    ],
)
async def test_what_is_asked_for(told: Shell, flags: str, expected: list[str]) -> None:
    answer = await told.run(f"history {flags} -o name")
    assert answer.status == 0
    assert [line.partition("/")[2] for line in answer.out.split()] == expected


async def test_a_wide_table_says_what_went_wrong_and_steers_no_terminal(told: Shell) -> None:
    answer = await told.run("history -A -o wide")
    head, *_, last = answer.out.splitlines()
    assert head.split() == [
        *("NAMESPACE", "WHEN", "ACTION", "OBJECT", "BY", "RESULT"),
        *("DUE", "UID", "REPLICA", "MESSAGE"),
    ]
    assert last.split()[5] == "Failed"
    assert last.endswith("said \\x1b[31mno")


async def test_the_history_for_programs(told: Shell) -> None:
    items = json.loads((await told.run("history -A -o json")).out)["items"]
    assert yaml.safe_load((await told.run("history -A -o yaml")).out)["items"] == items
    assert len(items) == len(ENTRIES)
    assert items[1] == {
        "at": "2026-11-20T10:00:00Z",
        "action": "DELETE",
        "kind": "deployments.apps",
        "namespace": "shop",
        "name": "web",
        "uid": "u-48",
        "by": "NamespaceManager/shop/cleanup",
        "due": "2026-11-20T10:00:00Z",
        "replica": "op-0",
    }


async def test_where_nothing_has_ended(told: Shell) -> None:
    answer = await told.run("history -n empty")
    assert (answer.status, answer.out) == (0, "")
    assert "Nothing that fits has happened in namespace empty; -A looks in all" in answer.err
    assert "The history begins 2026-11-19T10:00:00Z." in answer.err


async def test_a_history_that_nobody_has_written_yet(shell: Shell) -> None:
    shell.api.put(path(0))
    answer = await shell.run("history -A")
    assert (answer.status, answer.out) == (0, "")
    assert answer.err == "Nothing that fits has happened in any namespace.\n"


async def test_what_cannot_be_read_is_counted(told: Shell) -> None:
    told.api.put(path(3), {"data": {"sequence": "x", "entries.jsonl": "torn\n\n{}\n"}})
    answer = await told.run("history -A -o name")
    assert len(answer.out.split()) == len(ENTRIES)
    assert answer.err == "Warning: 2 entries cannot be read\n"


async def test_who_may_not_read_is_told_who_can_help(told: Shell) -> None:
    told.api.fault(Fault("status", path(4), code=403, reason="Forbidden"))
    answer = await told.run("history")
    assert answer.status == 1
    assert "you may not read the history" in answer.err
    assert "--role=dayfly-history-reader" in answer.err


async def test_where_dayfly_is_not(shell: Shell) -> None:
    answer = await shell.run("history --system-namespace elsewhere")
    assert (answer.status, answer.out) == (1, "")
    assert "no history in namespace elsewhere; --system-namespace names another" in answer.err


async def test_another_failure_is_told_as_it_is(told: Shell) -> None:
    told.api.fault(Fault("status", path(4), code=500, reason="InternalError"))
    answer = await told.run("history")
    assert answer.status == 1
    assert "you may not" not in answer.err


async def test_a_length_of_time_without_a_unit(told: Shell) -> None:
    with pytest.raises(SystemExit) as ended:
        await told.run("history --since 24")
    assert ended.value.code == 2
