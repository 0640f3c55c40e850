"""For all tests."""

import asyncio


def pytest_configure() -> None:
    # On Python 3.11 pytest-asyncio's look for a current event loop makes one, which nobody closes:
    # a ResourceWarning, hence an error, in whichever test the collector happens to run. Once the
    # current loop has been set, if only to none, the look makes none.
    asyncio.set_event_loop(None)
