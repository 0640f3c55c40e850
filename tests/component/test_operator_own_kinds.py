"""Ephemerators and NamespaceManagers in a whole operator, against the fake API server."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from dayfly_core import names
from dayfly_core.objects import EPHEMERATORS, NAMESPACE_MANAGERS, STATEFUL_SETS, STAYS
from dayfly_operator.own.kinds import Heard, OwnObject
from support.fake_api import RESOURCES, FakeApi, Fault
from support.operators import NOBODY_LISTENS, Running, operating
from support.waiting import eventually

EPHEMERATOR = EPHEMERATORS.path(name="eve")
MANAGER = NAMESPACE_MANAGERS.path("home", "ci")
TEAM = "/api/v1/namespaces/team"
PAST = {"date": "2020-01-01", "time": "12:00:00", "timezone": "Europe/Berlin"}


@pytest.fixture
async def api() -> AsyncIterator[FakeApi]:
    kinds = (*RESOURCES, EPHEMERATORS, NAMESPACE_MANAGERS, STATEFUL_SETS, STAYS)
    async with FakeApi(dict.fromkeys(kinds)) as api:
        yield api


def ephemerator(target: str = "team") -> dict[str, Any]:
    meta = {"annotations": {names.ENABLED: "true"}}
    return {"metadata": meta, "spec": {"namespaceToWatch": target, "lifetime": {"until": PAST}}}


def manager(seconds: int = 0) -> dict[str, Any]:
    condition = {"type": "TTL", "params": {"ttlSeconds": seconds}}
    policy = {"name": "end it", "condition": condition, "action": {"type": "DELETE"}}
    return {"spec": {"namespace": "team", "policies": [policy]}}


def conditions(api: FakeApi, path: str) -> dict[str, str]:
    status = api.objects.get(path, {}).get("status", {})
    return {each["type"]: each["reason"] for each in status.get("conditions", [])}


def metric(running: Running, name: str, **labels: str) -> float | None:
    return running.program.parts.metrics.registry.get_sample_value(name, labels)


async def test_a_namespace_ends_with_all_that_tells_of_it(api: FakeApi) -> None:
    api.put(EPHEMERATOR, ephemerator())
    async with operating(api) as running:
        await eventually(lambda: EPHEMERATOR not in api.objects)
        assert TEAM not in api.objects
        labels = {"policy": "Ephemerator", "resource": "namespaces"}
        assert metric(running, "dayfly_ended_total", **labels) == 1
        await eventually(lambda: "Deleted" in running.events("team"))
        await eventually(lambda: "Deleted" in running.events("eve"))


async def test_whoever_does_not_lead_knows_and_does_nothing(api: FakeApi) -> None:
    api.put(EPHEMERATOR, ephemerator())
    async with operating(api, leading=False) as running:
        await eventually(running.program.parts.own.known.all)
        assert metric(running, "dayfly_own_objects", resource="ephemerators.tessellate.io") == 1
        with pytest.raises(TimeoutError):
            await eventually(running.writes, NOBODY_LISTENS)
        running.lead()
        await eventually(lambda: EPHEMERATOR not in api.objects)


async def test_a_manager_hears_of_its_namespace(api: FakeApi) -> None:
    api.put(MANAGER, manager())
    api.put("/api/v1/namespaces/home")
    async with operating(api, leading=False) as running:
        api.remove(TEAM)
        running.lead()
        await eventually(lambda: conditions(api, MANAGER).get("Ready") == "TargetMissing")
        api.put(TEAM)
        await eventually(lambda: api.objects[MANAGER]["spec"].get("deactivated"))
        assert TEAM not in api.objects


async def test_a_right_that_is_missing_is_said_and_tried_again_slowly(api: FakeApi) -> None:
    api.put(EPHEMERATOR, ephemerator())
    api.fault(Fault("status", TEAM, method="PATCH", code=403, message="no", times=1000))
    async with operating(api) as running:
        await eventually(lambda: conditions(api, EPHEMERATOR).get("Withheld") == "DeletionFailed")
        await eventually(lambda: "DeletionFailed" in running.events("eve"))
        patches = [r for r in api.requests if r.method == "PATCH" and r.path == TEAM]
        assert len(patches) <= 2
        assert TEAM in api.objects


async def test_without_the_kinds_there_is_nothing_to_do_and_nothing_fails() -> None:
    async with FakeApi() as api, operating(api) as running:
        assert running.program.parts.own.known.all() == ()
        api.resources.append(EPHEMERATORS)
        stored = api.put(EPHEMERATOR, ephemerator())
        # As kopf tells of it, once it is installed.
        heard = Heard(EPHEMERATORS, msgspec.convert(stored, OwnObject), gone=False)
        running.program.parts.own.hear(heard)
        await eventually(lambda: EPHEMERATOR not in api.objects)


async def test_a_rehearsal_writes_nothing(api: FakeApi) -> None:
    api.put(EPHEMERATOR, ephemerator())
    api.put(MANAGER, manager())
    async with operating(api, "--dry-run") as running:
        await eventually(lambda: running.reads(EPHEMERATOR) and running.reads(MANAGER))
        with pytest.raises(TimeoutError):
            await eventually(running.writes, NOBODY_LISTENS)
        assert len(running.reads(EPHEMERATOR)) < 5
    assert TEAM in api.objects
