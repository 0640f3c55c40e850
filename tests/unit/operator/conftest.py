"""For unit tests of the operator."""

from collections.abc import AsyncIterator

import pytest

from support.elections import World, overlaps


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    yield world
    for candidate in world.candidates:
        await candidate.kill()
    openings = [o for c in world.candidates for o in c.leadership.openings]
    assert overlaps(openings) == []
