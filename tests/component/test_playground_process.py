import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from playground import ports
from playground.process import AddressInUseError, DidNotStartError, Rank, Spec
from playground.roster import Roster

SERVES = """
import http.server, sys
class Quiet(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(int(sys.argv[2])); self.end_headers()
    def log_message(self, *a): pass
print("serving", flush=True)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Quiet).serve_forever()
"""
STUBBORN = """
import signal, threading
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ignoring", flush=True)
threading.Event().wait()
"""


def python(name: str, code: str, *arguments: str, health: str = "") -> Spec:
    argv = (sys.executable, "-c", code, *arguments)
    return Spec(name=name, rank=Rank.PROGRAMS, argv=argv, health=health)


def server(port: int, answer: int = 200) -> Spec:
    url = f"http://127.0.0.1:{port}/readyz"
    return python("server", SERVES, str(port), str(answer), health=url)


@pytest.fixture
def roster(tmp_path: Path) -> Iterator[Roster]:
    made = Roster(tmp_path, tied=True)
    yield made
    made.stop()


@pytest.fixture
def port() -> int:
    [free] = ports.free(1)
    return free


def test_is_ready_when_it_answers_and_gone_when_stopped(roster: Roster, port: int) -> None:
    [process] = roster.launch(server(port))
    process.wait_ready()
    assert process.alive
    process.stop()
    assert (process.alive, process.complaint()) == (False, "not running")


def test_sigkill_is_final_on_return_and_it_starts_again_on_its_port(
    roster: Roster, port: int
) -> None:
    [process] = roster.launch(server(port))
    process.wait_ready()
    before = process.pid
    assert process.kill(signal.SIGKILL)
    assert not process.alive
    process.start()
    process.wait_ready()
    assert process.pid != before


def test_one_that_ends_early_is_reported_with_its_last_lines(roster: Roster) -> None:
    [process] = roster.launch(python("early", "print('no such flag'); raise SystemExit(2)"))
    process.wait_gone(10)
    with pytest.raises(DidNotStartError, match=r"early ended before it was ready(.|\n)*no such fl"):
        process.wait_ready()


def test_one_that_is_never_ready_is_reported_with_what_it_answered(
    roster: Roster, port: int
) -> None:
    [process] = roster.launch(server(port, answer=503))
    with pytest.raises(DidNotStartError, match=r"not ready after 1 s \(503(.|\n)*serving"):
        process.wait_ready(1)


def test_a_taken_port_is_told_apart(roster: Roster, port: int) -> None:
    said = f"print('listen tcp 127.0.0.1:{port}: bind: address already in use')"
    [process] = roster.launch(python("unlucky", said))
    process.wait_gone(10)
    with pytest.raises(AddressInUseError):
        process.wait_ready()


def test_one_that_ignores_sigterm_is_killed_after_the_limit(roster: Roster) -> None:
    [process] = roster.launch(python("stubborn", STUBBORN))
    process.stop(limit=0.3)
    assert not process.alive


def test_ctrl_c_in_the_middle_of_a_start_comes_when_the_process_is_written_down(
    roster: Roster,
) -> None:
    process = roster.add(python("slow", "import threading; threading.Event().wait()"))
    saved = process.changed

    def interrupted() -> None:
        signal.raise_signal(signal.SIGINT)
        saved()

    process.changed = interrupted
    with pytest.raises(KeyboardInterrupt):
        process.start()
    [found] = Roster.load(roster.directory).processes
    assert (found.pid, found.alive) == (process.pid, True)


def test_another_run_finds_and_stops_them(roster: Roster, port: int) -> None:
    [process] = roster.launch(server(port))
    process.wait_ready()
    found = Roster.load(roster.directory)
    assert [(p.name, p.pid, p.alive) for p in found.processes] == [("server", process.pid, True)]
    found.stop()
    assert not process.alive


def test_another_run_does_not_stop_who_has_the_pid_by_chance(roster: Roster, port: int) -> None:
    [process] = roster.launch(server(port))
    state = roster.file.read_text()
    roster.file.write_text(state.replace(str(process.pid), str(os.getpid())))
    Roster.load(roster.directory).stop()
    assert process.alive


def test_stops_the_higher_rank_first(roster: Roster) -> None:
    order = roster.directory / "order"
    code = (
        "import signal, sys, threading\n"
        "def end(*_):\n    open(sys.argv[1], 'a').write(sys.argv[2]); raise SystemExit\n"
        "signal.signal(signal.SIGTERM, end)\nprint('up', flush=True)\n"
        "while True: threading.Event().wait(1)\n"
    )
    for rank in (Rank.STORE, Rank.PROGRAMS, Rank.SERVER):
        argv = (sys.executable, "-c", code, str(order), str(int(rank)))
        [process] = roster.launch(Spec(name=rank.name, rank=rank, argv=argv, health=""))
        while not process.tail():
            assert process.alive
    roster.stop()
    assert order.read_text() == "410"


LAUNCHES_AND_DIES = """
import os, signal, sys
from pathlib import Path
from playground.process import Rank, Spec
from playground.roster import Roster
argv = (sys.executable, '-c', 'import threading; threading.Event().wait()')
spec = Spec(name='child', rank=Rank.STORE, argv=argv, health='')
Roster(Path(sys.argv[1]), tied=True).launch(spec)
os.kill(os.getpid(), signal.SIGKILL)
"""
LATE = """#!/bin/sh
while read -r _ _ _ parent _ < /proc/$$/stat && [ "$parent" = "$7" ]; do :; done
exec {setpriv} "$@"
"""


def test_a_tied_process_dies_with_its_launcher_even_by_sigkill(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", LAUNCHES_AND_DIES, tmp_path], check=False)
    [child] = Roster.load(tmp_path).processes
    assert child.pid
    assert child.wait_gone(5)


def test_a_tied_process_does_not_start_when_its_launcher_died_before_the_kernel_watched_it(
    tmp_path: Path,
) -> None:
    late = tmp_path / "setpriv"
    late.write_text(LATE.format(setpriv=shutil.which("setpriv")))
    late.chmod(0o755)
    env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run([sys.executable, "-c", LAUNCHES_AND_DIES, tmp_path], env=env, check=False)
    [child] = Roster.load(tmp_path).processes
    assert child.pid
    assert child.wait_gone(5)


def test_free_ports_are_different_and_can_be_bound() -> None:
    chosen = ports.free(20)
    assert len(set(chosen)) == 20
    for port in chosen:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", port))
