"""The garbage collector has one setting for the start, and the usual one for what follows."""

import gc
from collections.abc import Iterator

import pytest

from dayfly_kube import collector


@pytest.fixture
def _as_it_was() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


@pytest.mark.usefixtures("_as_it_was")
def test_what_was_loaded_is_left_alone_and_later_garbage_is_found_as_usual() -> None:
    collector.starting()
    assert gc.get_threshold()[0] == collector.YOUNG
    collector.settled()
    assert gc.get_freeze_count() > 0
    assert gc.get_threshold()[0] < collector.YOUNG
