import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from playground import resident
from playground.process import Process, Rank, Spec
from playground.progress import silent
from playground.roster import Roster

WAITS = (sys.executable, "-c", "import threading; threading.Event().wait()")


@pytest.fixture
def roster(tmp_path: Path) -> Iterator[Roster]:
    """Two processes that an earlier `up` left running."""
    made = Roster(tmp_path, tied=True)
    made.launch(
        Spec(name="forwarder", rank=Rank.FORWARDER, argv=(*WAITS, "9443"), health=""),
        Spec(name="dayfly-admission-0", rank=Rank.PROGRAMS, argv=WAITS, health=""),
    )
    resident.env_file(tmp_path).touch()
    yield made
    made.stop()


def playground(*arguments: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "playground", *arguments]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def current(directory: Path) -> dict[str, Process]:
    return {process.name: process for process in Roster.load(directory).processes}


def test_a_second_up_changes_nothing_and_says_so(roster: Roster) -> None:
    said: list[str] = []
    advice = resident.up(roster.directory, said.append)
    assert said == ["already up, and nothing of it has died"]
    assert f"source {roster.directory}/env.sh" in advice
    assert all(process.alive for process in roster.processes)


def test_a_second_up_starts_again_who_died(roster: Roster) -> None:
    forwarder, admission = roster.processes
    admission.kill(signal.SIGKILL)
    assert playground("up", "--directory", str(roster.directory)).returncode == 0
    healed = current(roster.directory)
    assert healed["dayfly-admission-0"].alive
    assert healed["dayfly-admission-0"].pid != admission.pid
    assert healed["forwarder"].pid == forwarder.pid
    resident.down(roster.directory, silent)


def test_down_stops_everything_and_keeps_the_logs(roster: Roster) -> None:
    resident.down(roster.directory, silent)
    assert not any(process.alive for process in roster.processes)
    assert {path.name for path in roster.directory.iterdir()} == {"lock", "logs"}


def test_down_after_down_is_friendly(tmp_path: Path) -> None:
    said: list[str] = []
    resident.down(tmp_path, said.append)
    assert said == ["nothing is running"]


def test_down_wakes_who_was_stopped_by_sigstop(roster: Roster) -> None:
    os.kill(roster.processes[0].pid, signal.SIGSTOP)
    resident.down(roster.directory, silent)
    assert not any(process.alive for process in roster.processes)


def test_status_as_json_tells_who_is_dead(roster: Roster) -> None:
    roster.processes[1].kill(signal.SIGKILL)
    answer = playground("status", "--output", "json", "--directory", str(roster.directory))
    rows = json.loads(answer.stdout)
    assert [(r["name"], r["role"], r["health"]) for r in rows] == [
        ("forwarder", "forwards", "ok"),
        ("dayfly-admission-0", "serves", "not running"),
    ]
    assert answer.returncode == 3


def test_status_says_what_to_do_about_who_is_dead(roster: Roster) -> None:
    roster.processes[1].kill(signal.SIGKILL)
    answer = playground("status", "--directory", str(roster.directory))
    *_, where, how = answer.stdout.splitlines()
    assert where.startswith("dayfly-admission-0 is not well (not running); its log: ")
    assert how == "`make up` starts again who died, and waits until all are well"
    assert answer.returncode == 3


def test_of_those_who_are_well_there_is_nothing_to_be_said(roster: Roster) -> None:
    answer = playground("status", "--directory", str(roster.directory))
    assert (len(answer.stdout.splitlines()), answer.returncode) == (3, 0)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        pytest.param(["status"], 0, "nothing is running", id="status of nothing"),
        pytest.param(["down"], 0, "nothing is running", id="down of nothing"),
        pytest.param(["status", "--output", "xml"], 2, "invalid choice", id="a wrong flag"),
    ],
)
def test_the_command_line(tmp_path: Path, arguments: list[str], code: int, says: str) -> None:
    answer = playground(*arguments, "--directory", str(tmp_path))
    assert answer.returncode == code
    assert says in answer.stdout + answer.stderr
