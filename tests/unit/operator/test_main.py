"""What a process of the operator makes of its command line."""

from dayfly_operator.__main__ import this_run


def test_two_runs_under_one_name_are_two_candidates() -> None:
    assert this_run("pond-0") != this_run("pond-0")


def test_the_holder_still_says_which_replica_it_is() -> None:
    assert this_run("pond-0").rpartition("_")[0] == "pond-0"
