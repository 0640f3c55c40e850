"""What changes between the decision to delete and the DELETE, unheard of by the operator."""

import asyncio
from collections.abc import Callable

import pytest

from dayfly_core import names
from support.fake_api import FakeApi, Fault
from support.operators import MAPS, NOBODY_LISTENS, Running, operating, stamped
from support.waiting import eventually

WATCHED_MAPS = "/api/v1/configmaps"


async def deafen(operator: Running) -> None:
    """Let the operator's watches of ConfigMaps be half-open: it hears of no change any more."""
    for _ in range(2):
        operator.api.fault(Fault("silent", WATCHED_MAPS, watch=True, times=1))
    watches = len(operator.api.watches(WATCHED_MAPS))
    operator.api.release()
    await eventually(lambda: len(operator.api.watches(WATCHED_MAPS)) >= watches + 2)


def extend(operator: Running) -> None:
    operator.api.put(f"{MAPS}/a", stamped(operator.clock.text(3600)))


def strip(operator: Running) -> None:
    operator.api.put(f"{MAPS}/a", {"data": {"k": "v"}})


def protect(operator: Running) -> None:
    item = stamped(operator.clock.text(-1), **{names.PROTECTED: "true"})
    operator.api.put(f"{MAPS}/a", item)


def recreate(operator: Running) -> None:
    operator.api.remove(f"{MAPS}/a")
    operator.api.put(f"{MAPS}/a", stamped(operator.clock.text(3600)))


@pytest.mark.parametrize(
    "meanwhile",
    [
        pytest.param(extend, id="it was extended"),
        pytest.param(strip, id="its stamps were removed"),
        pytest.param(protect, id="it was protected"),
        pytest.param(recreate, id="it was re-created under the same name"),
    ],
)
async def test_what_changed_between_decision_and_delete_survives_if(
    meanwhile: Callable[[Running], None],
) -> None:
    async with FakeApi() as api, operating(api) as operator:
        await operator.put_policy()
        api.put(f"{MAPS}/a", stamped(operator.clock.text(1.0)))
        await eventually(lambda: operator.knows("a"))
        await deafen(operator)
        meanwhile(operator)
        await eventually(lambda: operator.deletes("a"))
        await eventually(lambda: operator.reads(f"{MAPS}/a"))
        await asyncio.sleep(NOBODY_LISTENS)
        assert not operator.gone("a")
        assert len(operator.deletes("a")) == 1


async def test_an_object_that_was_merely_touched_is_judged_again_and_ends() -> None:
    async with FakeApi() as api, operating(api) as operator:
        await operator.put_policy()
        end = operator.clock.text(1.0)
        api.put(f"{MAPS}/a", stamped(end))
        await eventually(lambda: operator.knows("a"))
        await deafen(operator)
        touched = api.put(f"{MAPS}/a", stamped(end, colour="blue"))
        await eventually(lambda: operator.gone("a"))
        assert len(operator.deletes("a")) == 2
        wanted = operator.deletes("a")[1].body["preconditions"]["resourceVersion"]
    assert wanted == touched["metadata"]["resourceVersion"]


async def test_an_object_that_is_gone_already_is_no_error() -> None:
    async with FakeApi() as api, operating(api) as operator:
        await operator.put_policy()
        api.put(f"{MAPS}/a", stamped(operator.clock.text(1.0)))
        await eventually(lambda: operator.knows("a"))
        await deafen(operator)
        api.remove(f"{MAPS}/a")
        await eventually(lambda: operator.deletes("a"))
        await asyncio.sleep(NOBODY_LISTENS)
        assert len(operator.deletes("a")) == 1
        assert "DeletionFailed" not in operator.events("a")
