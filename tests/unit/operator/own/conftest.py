"""For unit tests of the desks of our own kinds."""

from collections.abc import AsyncIterator

import pytest

from dayfly_core import instant
from support.own_desks import SPACE
from support.own_world import BEGINNING, OwnWorld


@pytest.fixture
async def world() -> AsyncIterator[OwnWorld]:
    world = OwnWorld(environ={"EPHEMERATOR_IGNORE_NAMESPACES": "spared*"})
    world.put(SPACE, {"metadata": {"creationTimestamp": instant.render(BEGINNING)}})
    yield world
    await world.stop()
