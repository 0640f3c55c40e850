"""What only the entry point knows: the clocks."""

from datetime import timedelta

from dayfly_admission.__main__ import clocks
from support.build import NOW


def test_a_replica_with_another_clock_counts_ends_from_the_api_servers() -> None:
    heard: list[float] = [7200.0, -7200.0, 0.0]
    now = clocks(heard.pop, lambda: NOW).now
    assert now() == NOW
    assert now() == NOW - timedelta(hours=2), "as soon as the API server has said so"
    assert now() == NOW + timedelta(hours=2)
