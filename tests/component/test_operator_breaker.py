"""What is held back, and what is told of what was not, by a whole operator over HTTP."""

from typing import Any

from prometheus_client import generate_latest

from dayfly_core import history, names
from dayfly_core.history import Record
from support.fake_api import FakeApi, Fault
from support.operators import MAPS, POLICIES, Running, operating, stamped
from support.waiting import eventually

PAGES = f"/api/v1/namespaces/{names.SYSTEM_NAMESPACE}/configmaps"
MANY = 12
"""Too many for a policy that holds nothing else."""


def status(api: FakeApi) -> dict[str, Any]:
    found: dict[str, Any] = api.objects[f"{POLICIES}/previews"].get("status", {})
    return found


def surprising(end: str) -> dict[str, Any]:
    """Return an object to which the operator gave its end."""
    found = stamped(end)
    found["metadata"]["annotations"][names.CAUGHT_UP] = end
    return found


async def held_back(operator: Running) -> None:
    """Let too many come."""
    end = operator.clock.text(0.5)
    for number in range(MANY):
        operator.api.put(f"{MAPS}/late-{number}", surprising(end))
    await operator.put_policy()
    await eventually(lambda: status(operator.api).get("breaker", {}).get("held") == MANY)


async def test_what_comes_as_a_surprise_to_many_waits_for_a_person() -> None:
    async with FakeApi() as api, operating(api) as operator:
        await held_back(operator)
        api.put(f"{MAPS}/announced", stamped(operator.clock.text(0.1)))
        await eventually(lambda: operator.gone("announced"))
        assert {r.path for r in operator.deletes()} == {f"{MAPS}/announced"}
        assert operator.conditions()["BreakerOpen"][:2] == ("True", "BreakerOpen")
        assert "BreakerOpen" in operator.events("previews")
        told = generate_latest(operator.program.parts.metrics.registry)
        assert f'dayfly_breaker_held{{policy="previews"}} {float(MANY)}'.encode() in told
        assert b'dayfly_breaker_opened_total{policy="previews"} 1.0' in told

        policy = api.objects[f"{POLICIES}/previews"]
        policy["metadata"]["annotations"] = {names.BREAKER_RESET: operator.clock.text(0)}
        api.put(f"{POLICIES}/previews", policy)
        await operator.heard()
        await eventually(lambda: all(operator.gone(f"late-{n}") for n in range(MANY)))
        assert "BreakerClosed" in operator.events("previews")
        await eventually(lambda: operator.conditions()["BreakerOpen"][0] == "False")
        assert "breaker" not in status(api)


async def test_the_next_leader_reads_in_the_status_that_the_breaker_is_open() -> None:
    async with FakeApi() as api:
        async with operating(api) as operator:
            await held_back(operator)
        for number in range(3, MANY):
            api.remove(f"{MAPS}/late-{number}")
        async with operating(api) as operator:
            await eventually(lambda: "BreakerOpen" in operator.events("late-0"))
            await eventually(lambda: status(api)["breaker"]["held"] == 3)
        assert operator.deletes() == []


async def test_the_status_says_what_comes_next_and_since_when_its_steps_are_known() -> None:
    timeline = [
        {"at": "-1h", "action": {"type": "NOTIFY"}},
        {"at": "0s", "action": {"type": "DELETE"}},
    ]
    async with FakeApi() as api, operating(api) as operator:
        for number in range(30):
            api.put(f"{MAPS}/a{number:02}", stamped(operator.clock.text(7200 + number)))
        await operator.put_policy(timeline=timeline)
        await eventually(lambda: len(status(api).get("nextEnds", [])) == 20)
        first = status(api)["nextEnds"][0]
        assert (first["name"], first["namespace"], first["action"]) == ("a00", "team", "NOTIFY@-1h")
        assert [known["step"] for known in status(api)["steps"]] == ["NOTIFY@-1h", "DELETE@0s"]
        written = len(operator.writes())
        operator.clock.age(60)
        operator.program.stamped_changed()
        await operator.heard()
        assert len(operator.writes()) == written, "nothing has changed: nothing is written"


def record(api: FakeApi) -> Record:
    found = [(slot, api.objects[f"{PAGES}/{history.slot_name(slot)}"]) for slot in range(8)]
    return history.read(history.page(slot, each.get("data")) for slot, each in found)


def with_pages(api: FakeApi) -> FakeApi:
    for slot in range(history.SLOTS):
        api.put(f"{PAGES}/{history.slot_name(slot)}")
    return api


async def test_what_ended_is_written_down() -> None:
    async with FakeApi() as api, operating(with_pages(api)) as operator:
        await operator.put_policy()
        api.put(f"{MAPS}/a", stamped(end := operator.clock.text(0.1)))
        await eventually(lambda: record(api).entries)
        (entry,) = record(api).entries
    assert (entry.kind, entry.namespace, entry.name) == ("configmaps", "team", "a")
    assert (entry.action, entry.by, entry.result) == ("DELETE", "ExpiryPolicy/previews", "Done")
    assert entry.due
    assert entry.due.isoformat().startswith(end[:19])
    assert entry.replica == "one"


async def test_what_ended_last_is_written_down_when_the_operator_stops() -> None:
    async with FakeApi() as api:
        page = f"{PAGES}/{history.slot_name(0)}"
        async with operating(with_pages(api)) as operator:
            await operator.put_policy()
            api.fault(Fault("hang", page, method="PATCH", times=1))
            api.put(f"{MAPS}/a", stamped(operator.clock.text(0.1)))
            await eventually(lambda: operator.gone("a"))
            await eventually(lambda: page in [r.path for r in operator.writes()])
        assert not operator.leadership.holds()
        assert [entry.name for entry in record(api).entries] == ["a"]


async def test_a_rehearsal_writes_no_history() -> None:
    async with FakeApi() as api, operating(with_pages(api), "--dry-run") as operator:
        await operator.put_policy()
        api.put(f"{MAPS}/a", stamped(operator.clock.text(0.1)))
        told = operator.program.parts.metrics.registry
        await eventually(lambda: b'dayfly_ended_total{policy="previews"' in generate_latest(told))
    assert record(api).entries == []
