"""What a process of the operator makes of its command line."""

from datetime import timedelta

from dayfly_operator.__main__ import clocks, this_run
from support.build import NOW


def test_two_runs_under_one_name_are_two_candidates() -> None:
    assert this_run("pond-0") != this_run("pond-0")


def test_the_holder_still_says_which_replica_it_is() -> None:
    assert this_run("pond-0").rpartition("_")[0] == "pond-0"


def test_a_clock_that_is_ahead_of_the_api_servers_ends_nothing_early() -> None:
    heard: list[float] = [-3600.0, 0.0]
    now = clocks(heard.pop, lambda: NOW).now
    assert now() == NOW
    assert now() == NOW - timedelta(hours=1), "as soon as the API server has said so"
