"""The operator over real HTTP: what it ends, what survives, and what faults do to it."""

import asyncio

import pytest

from support.fake_api import FakeApi, Fault
from support.operators import MAPS, NOBODY_LISTENS, operating, stamped
from support.waiting import eventually
from support.webhook_configurations import install_webhooks


async def test_an_object_is_deleted_at_its_end_and_both_it_and_its_policy_say_so() -> None:
    async with FakeApi() as api, operating(api) as operator:
        await operator.put_policy()
        stored = api.put(f"{MAPS}/a", stamped(operator.clock.text(0.2)))
        await eventually(lambda: operator.gone("a"))
        (delete,) = operator.deletes()
        await eventually(lambda: operator.events("a") == ["Expired", "Deleted"])
        await eventually(lambda: operator.events("previews") == ["Deleted"])
    meta = stored["metadata"]
    assert delete.body["preconditions"] == {
        "uid": meta["uid"],
        "resourceVersion": meta["resourceVersion"],
    }
    assert delete.body["propagationPolicy"] == "Background"


async def test_ends_that_came_while_nobody_led_are_executed_by_the_next_leader() -> None:
    async with FakeApi() as api, operating(api, leading=False) as operator:
        await operator.put_policy()
        for number in range(30):
            api.put(f"{MAPS}/a{number}", stamped(operator.clock.text(-5)))
        api.put(f"{MAPS}/later", stamped(operator.clock.text(0.3)))
        await asyncio.sleep(0)
        await eventually(lambda: not any(operator.writes()))
        operator.lead()
        await eventually(lambda: all(operator.gone(f"a{number}") for number in range(30)))
        await eventually(lambda: operator.gone("later"))


async def test_a_follower_writes_nothing_on_objects_rules_or_status() -> None:
    async with FakeApi() as api, operating(api, leading=False) as operator:
        install_webhooks(api)
        await operator.put_policy(ttl={"default": "1s"})
        api.put(f"{MAPS}/a", stamped(operator.clock.text(-5)))
        api.put(f"{MAPS}/unstamped")
        await asyncio.sleep(NOBODY_LISTENS)
        written = [r for r in operator.writes() if "/secrets/" not in r.path]
    assert written == []


@pytest.mark.parametrize(
    ("fault", "attempts"),
    [
        pytest.param(Fault("status", f"{MAPS}/a", "DELETE", times=3), 4, id="three times 500"),
        pytest.param(Fault("reset", f"{MAPS}/a", "DELETE", times=2), 3, id="broken connections"),
        pytest.param(
            Fault("status", f"{MAPS}/a", "DELETE", code=409, reason="Conflict"),
            2,
            id="a conflict about nothing",
        ),
    ],
)
async def test_an_end_is_executed_in_spite_of(fault: Fault, attempts: int) -> None:
    async with FakeApi() as api, operating(api) as operator:
        await operator.put_policy()
        api.fault(fault)
        api.put(f"{MAPS}/a", stamped(operator.clock.text(0.1)))
        await eventually(lambda: operator.gone("a"))
        assert len(operator.deletes("a")) == attempts


async def test_a_throttled_delete_waits_as_long_as_the_server_asks() -> None:
    async with FakeApi() as api, operating(api) as operator:
        await operator.put_policy()
        throttled = Fault(
            "status", f"{MAPS}/a", "DELETE", code=429, reason="TooManyRequests", retry_after=1
        )
        api.fault(throttled)
        api.put(f"{MAPS}/a", stamped(operator.clock.text(0.1)))
        await eventually(lambda: operator.gone("a"))
        first, second = operator.deletes("a")
    assert second.at - first.at >= 1


async def test_a_forbidden_delete_is_reported_and_others_go_on() -> None:
    async with FakeApi() as api, operating(api) as operator:
        await operator.put_policy()
        forbidden = Fault(
            "status", f"{MAPS}/a", "DELETE", code=403, reason="Forbidden", message="no", times=9
        )
        api.fault(forbidden)
        for name in "ab":
            api.put(f"{MAPS}/{name}", stamped(operator.clock.text(0.1)))
        await eventually(lambda: operator.gone("b"))
        await eventually(lambda: "DeletionFailed" in operator.events("a"))
        await eventually(lambda: "DeletionFailed" in operator.events("previews"))
        assert not operator.gone("a")
        assert len(operator.deletes("a")) == 1


async def test_nothing_is_lost_while_the_api_server_is_away() -> None:
    async with FakeApi() as api, operating(api) as operator:
        await operator.put_policy()
        for number in range(5):
            api.put(f"{MAPS}/a{number}", stamped(operator.clock.text(0.5 + number / 10)))
        await eventually(lambda: operator.knows("a4"))
        await api.down()
        operator.clock.leap(20)
        await asyncio.sleep(NOBODY_LISTENS)
        extended = stamped(operator.clock.text(3600))
        api.put(f"{MAPS}/a0", extended)
        await api.up()
        await eventually(lambda: all(operator.gone(f"a{number}") for number in range(1, 5)))
        assert not operator.gone("a0")


async def test_an_end_that_cannot_be_read_is_reported_once_and_ignored() -> None:
    async with FakeApi() as api, operating(api) as operator:
        await operator.put_policy()
        api.put(f"{MAPS}/a", stamped("tomorrow\x07"))
        api.put(f"{MAPS}/b", stamped(operator.clock.text(0.1)))
        await eventually(lambda: operator.gone("b"))
        await eventually(lambda: operator.events("a") == ["InvalidExpiresAt"])
        withheld = operator.program.parts.metrics.registry.get_sample_value(
            "dayfly_withheld_total", {"policy": "previews", "reason": "InvalidExpiresAt"}
        )
        assert withheld == 1
        await operator.put_policy(priority=1)
        await asyncio.sleep(NOBODY_LISTENS)
        assert operator.events("a") == ["InvalidExpiresAt"]
        assert not operator.gone("a")


async def test_a_dry_run_writes_nothing_at_all() -> None:
    async with FakeApi() as api, operating(api, "--dry-run") as operator:
        install_webhooks(api)
        await operator.put_policy(ttl={"default": "1s"})
        api.put(f"{MAPS}/a", stamped(operator.clock.text(0.05)))
        api.put(f"{MAPS}/unstamped")
        await asyncio.sleep(NOBODY_LISTENS)
        written = [r for r in api.requests if r.method != "GET"]
    assert [r.path for r in written if "selfsubjectaccessreviews" not in r.path] == []


async def test_a_cluster_without_our_kind_is_not_ready_and_says_why() -> None:
    async with FakeApi() as api:
        policies = [r for r in api.resources if r.plural == "expirypolicies"]
        api.resources = [r for r in api.resources if r.plural != "expirypolicies"]
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5), operating(api):
                pass
        api.resources += policies
        async with operating(api) as operator:
            assert operator.program.ready() is None


async def test_a_part_that_fails_ends_the_program() -> None:
    async with FakeApi() as api:
        with pytest.raises(ExceptionGroup):
            async with operating(api, "--health-listen", "192.0.2.1:1"):
                pass
