"""The garbage collector has one setting for the start, and the usual one for what follows."""

import gc
from collections.abc import Iterator

import pytest

from dayfly_kube import collector


@pytest.fixture
def _as_it_was() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.enable()
    gc.unfreeze()
    gc.set_threshold(*before)


@pytest.mark.usefixtures("_as_it_was")
def test_what_was_loaded_is_left_alone_and_later_garbage_is_found_as_usual() -> None:
    collector.importing()
    assert not gc.isenabled()
    collector.loading()
    imported = gc.get_freeze_count()
    assert imported > 0
    assert gc.isenabled()
    assert gc.get_threshold()[0] == collector.YOUNG
    loaded = [[0], [1]]
    collector.settled()
    assert gc.get_freeze_count() > imported
    assert loaded
    assert gc.get_threshold()[0] < collector.YOUNG
