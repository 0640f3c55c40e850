from pathlib import Path
from typing import Any

import pytest

from playground import programs, webhooks
from playground.process import Process, Rank, Spec
from playground.resident import Row, role, table, without_questions
from playground.roster import Roster
from playground.system import MISDIRECTED, names_replica

REPLICA = programs.Replica("dayfly-operator-1", Path("/k"), 8082, ("--dry-run",))


def entry(name: str, *plurals: str, ca: str = "QQ==") -> dict[str, Any]:
    return {"name": name, "clientConfig": {"caBundle": ca}, "rules": [{"resources": [*plurals]}]}


@pytest.mark.parametrize(
    ("holder", "want"),
    [
        pytest.param("dayfly-operator-1", True, id="its name"),
        pytest.param("dayfly-operator-1_0b5c", True, id="its name and something unique"),
        pytest.param("dayfly-operator-12", False, id="another that begins alike"),
        pytest.param("", False, id="nobody"),
    ],
)
def test_names_replica(holder: str, want: bool) -> None:
    assert names_replica(holder, "dayfly-operator-1") is want


@pytest.mark.parametrize(
    ("entries", "want"),
    [
        pytest.param([entry("a"), entry("b")], True, id="every entry carries a CA"),
        pytest.param([entry("a"), entry("b", ca="")], False, id="one has an empty one"),
        pytest.param([{"name": "a", "clientConfig": {"url": "x"}}], False, id="one has none"),
    ],
)
def test_trusted(entries: list[webhooks.Entry], want: bool) -> None:
    assert webhooks.trusted(entries) is want


@pytest.mark.parametrize(
    ("configs", "want"),
    [
        pytest.param([{"url": "https://127.0.0.1:1/stamp"}, {"url": "u"}], True, id="all by URL"),
        pytest.param(
            [{"url": "u"}, {"service": {"name": "x"}}], False, id="one to a Service without pods"
        ),
    ],
)
def test_by_url(configs: list[dict[str, Any]], want: bool) -> None:
    assert webhooks.by_url([{"clientConfig": config} for config in configs]) is want


def test_who_is_not_asked_any_more_is_told_in_the_status() -> None:
    rows = [Row("etcd", 1, "", "ok", ""), Row("forwarder", 2, "", "ok", "")]
    said = [without_questions(row, MISDIRECTED).health for row in rows]
    assert said == ["ok", f"{MISDIRECTED}; `make up` heals that"]


@pytest.mark.parametrize(
    ("entries", "want"),
    [
        pytest.param(
            [entry("stamp.dayfly.dev", "jobs", "pods"), entry("judge.dayfly.dev", "jobs")],
            True,
            id="both are asked about jobs",
        ),
        pytest.param(
            [entry("stamp.dayfly.dev", "jobs"), entry("judge.dayfly.dev", "pods")],
            False,
            id="one is not yet",
        ),
        pytest.param(
            [
                entry("stamp.dayfly.dev", "jobs"),
                entry("judge.dayfly.dev", "jobs"),
                entry("kinds.dayfly.dev", "expirypolicies"),
            ],
            True,
            id="the one for our own kinds does not count",
        ),
    ],
)
def test_enforced(entries: list[webhooks.Entry], want: bool) -> None:
    assert webhooks.enforced(entries, ["jobs"]) is want


def test_an_operator_runs_under_its_own_account_with_its_own_flags_last() -> None:
    spec = programs.operator(REPLICA)
    assert spec.argv[1:7] == (
        *("-m", "dayfly_cli", "operator"),
        *("--kubeconfig", "/k", "--identity"),
    )
    assert spec.argv[-1] == "--dry-run"
    assert spec.health == "http://127.0.0.1:8082/readyz"


def test_programs_are_stopped_before_the_forwarder() -> None:
    assert programs.operator(REPLICA).rank > programs.forwarder(1, [(2, 3)]).rank


@pytest.mark.parametrize(
    ("name", "want"),
    [
        pytest.param("dayfly-operator-0", "leads", id="the holder of the Lease"),
        pytest.param("dayfly-operator-1", "stands by", id="another operator"),
        pytest.param("dayfly-admission-0", "serves", id="admission"),
        pytest.param("forwarder", "forwards", id="the forwarder"),
        pytest.param("etcd", "control plane", id="etcd"),
    ],
)
def test_role(name: str, want: str) -> None:
    assert role(name, "dayfly-operator-0") == want


def test_the_table_is_aligned_under_its_heading() -> None:
    heading, line = table([Row("etcd", 42, "control plane", "ok", "/log")])
    assert heading.index("HEALTH") == line.index("ok")
    assert heading.index("PID") + 3 == line.index("42") + 2


def spec_of(name: str) -> Spec:
    return Spec(name=name, rank=Rank.PROGRAMS, argv=("true",), health="")


def test_a_roster_without_processes_is_saved_and_loaded(tmp_path: Path) -> None:
    roster = Roster(tmp_path, tied=False)
    added: Process = roster.add(spec_of("never-started"))
    roster.save()
    assert (added.pid, added.alive) == (0, False)
    assert Roster.load(tmp_path).processes == []


@pytest.mark.parametrize("content", [b"", b"[{", b'{"a": 1}'])
def test_a_torn_state_file_is_an_empty_roster(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "state.json").write_bytes(content)
    assert Roster.load(tmp_path).processes == []
