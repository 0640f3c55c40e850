"""For all tests."""

import asyncio
import signal

import pytest


def pytest_configure() -> None:
    # A shell's background jobs ignore Ctrl-C, and so would every program that the tests start.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # On Python 3.11 pytest-asyncio's look for a current event loop makes one, which nobody closes:
    # a ResourceWarning, hence an error, in whichever test the collector happens to run. Once the
    # current loop has been set, if only to none, the look makes none.
    asyncio.set_event_loop(None)


def pytest_itemcollected(item: pytest.Item) -> None:
    # Before each step of virtual time looptime idles for 42 turns of the event loop, for the sake
    # of what comes from outside. Nothing does where time is virtual: all turns, and no use.
    if item.get_closest_marker("looptime"):
        item.add_marker(pytest.mark.looptime(noop_cycles=0))
