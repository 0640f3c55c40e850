import os
import signal

import pytest

from playground.identity import Identity, start_of_stat, started

REST = "1 1 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 98765 2445312 88"


@pytest.mark.parametrize(
    ("line", "want"),
    [
        pytest.param(f"42 (etcd) S {REST}", "98765", id="a sleeping process"),
        pytest.param(f"42 (a) b (c)) R {REST}", "98765", id="a name with parentheses"),
        pytest.param(f"42 (etcd) Z {REST}", None, id="a zombie has ended"),
        pytest.param(f"42 (etcd) X {REST}", None, id="a dead one too"),
        pytest.param(f"42 (etcd) T {REST}", "98765", id="a stopped one lives"),
    ],
)
def test_start_of_stat(line: str, want: str | None) -> None:
    assert start_of_stat(line) == want


def test_this_process_is_itself() -> None:
    mine = started(os.getpid())
    assert mine is not None
    assert Identity(os.getpid(), mine).alive()


def test_a_pid_that_was_used_again_is_somebody_else() -> None:
    other = Identity(os.getpid(), "long ago")
    assert not other.alive()
    assert not other.signal(signal.SIGKILL)
