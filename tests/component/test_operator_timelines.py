"""Timelines, wakes and Stays over real HTTP, by a whole operator."""

from typing import Any

import msgspec
import pytest

from dayfly_core import instant, names
from dayfly_core.objects import CRON_JOBS, DEPLOYMENTS, NAMESPACES, SCALED_OBJECTS, STAYS
from dayfly_core.scaling import PAUSED_REPLICAS
from dayfly_operator.own.kinds import Heard, OwnObject
from support.fake_api import FakeApi, Fault
from support.operators import NOBODY_LISTENS, Running, operating, stamped
from support.receivers import receiver, status
from support.waiting import eventually

SHOP = NAMESPACES.path(name="shop")
WEB = DEPLOYMENTS.path("shop", "web")
NIGHTLY = CRON_JOBS.path("shop", "nightly")
WORKER = SCALED_OBJECTS.path("shop", "worker")

Json = dict[str, Any]


def step(at: str, action: str, **more: Any) -> Json:
    return {"at": at, "action": {"type": action, **more}}


NOTIFY, DOWN, GONE = step("-1s", "NOTIFY"), step("0s", "SCALE_DOWN"), step("2s", "DELETE")


async def furnish(operator: Running, end: float, *steps: Json, **ttl: Any) -> None:
    """Make a stamped namespace with workloads, and its policy."""
    api = operator.api
    await operator.put_policy(resources=["namespaces"], timeline=list(steps), ttl=ttl)
    api.put(WEB, {"spec": {"replicas": 3}})
    api.put(NIGHTLY, {"spec": {"schedule": "0 3 * * *"}})
    api.put(WORKER, {"spec": {}})
    api.put(SHOP, stamped(operator.clock.text(end)))


def annotations(operator: Running, path: str) -> dict[str, str]:
    return operator.api.objects[path]["metadata"].get("annotations") or {}


def replicas(operator: Running) -> int:
    found: int = operator.api.objects[WEB]["spec"]["replicas"]
    return found


def results(operator: Running, path: str = SHOP) -> dict[str, str]:
    written = msgspec.json.decode(annotations(operator, path).get(names.STEPS, "{}"))
    return {done["step"]: done["result"] for done in written.get("done", [])}


async def test_a_namespace_follows_its_timeline_to_the_end() -> None:
    async with FakeApi() as api, operating(api) as operator:
        await furnish(operator, 1.5, NOTIFY, DOWN, GONE)
        await eventually(lambda: names.WARNING in annotations(operator, SHOP))
        assert "will be scaled down at" in annotations(operator, SHOP)[names.WARNING]
        assert replicas(operator) == 3
        await eventually(lambda: results(operator).keys() == {"NOTIFY@-1s", "SCALE_DOWN@0s"})
        assert replicas(operator) == 0
        assert annotations(operator, WEB)[names.REPLICAS] == "3"
        assert api.objects[NIGHTLY]["spec"]["suspend"] is True
        assert annotations(operator, WORKER)[PAUSED_REPLICAS] == "0"
        await eventually(lambda: SHOP not in api.objects)
        assert operator.events("shop")[:1] == ["Warned"]
        await eventually(lambda: operator.events("shop")[-2:] == ["Expired", "Deleted"])
        scaled = [r for r in operator.writes() if r.path == WEB]
        assert len(scaled) == 1


async def test_what_somebody_asks_for_comes_back_and_lives_anew() -> None:
    async with FakeApi() as api, operating(api) as operator:
        await furnish(operator, 0.1, DOWN, step("1h", "DELETE"), default="1h")
        await eventually(lambda: "SCALE_DOWN@0s" in results(operator))
        asked = annotations(operator, SHOP) | {names.WAKE_REQUESTED: "Ada"}
        meta = api.objects[SHOP]["metadata"] | {"annotations": asked}
        api.put(SHOP, {"metadata": meta})
        await eventually(lambda: replicas(operator) == 3)
        await eventually(lambda: results(operator) == {})
        assert api.objects[NIGHTLY]["spec"]["suspend"] is False
        assert PAUSED_REPLICAS not in annotations(operator, WORKER)
        assert names.SCALED_BY not in annotations(operator, WEB)
        end = instant.parse(annotations(operator, SHOP)[names.EXPIRES_AT])
        assert 3590 < (end - operator.clock.now()).total_seconds() <= 3601


async def test_a_webhook_is_recorded_sent_and_recorded_again() -> None:
    async with (
        receiver(status(500)) as failing,
        FakeApi() as api,
        operating(api, "--webhook-attempts", "1", "--webhook-allow", "127.0.0.0/8") as operator,
    ):
        url = f"http://127.0.0.1:{failing.port}/ended"
        await furnish(operator, 0.2, step("0s", "WEBHOOK", webhook={"url": url}), DOWN)
        await eventually(lambda: results(operator).keys() == {"WEBHOOK@0s", "SCALE_DOWN@0s"})
        assert results(operator) == {"WEBHOOK@0s": "Failed", "SCALE_DOWN@0s": "Done"}
        (heard,) = failing.heard
        recorded = msgspec.json.decode(annotations(operator, SHOP)[names.STEPS])["done"][0]
        assert heard.headers["Idempotency-Key"] == recorded["id"]
        body = msgspec.json.decode(heard.body)
        assert (body["policy"], body["step"]) == ("previews", "WEBHOOK@0s")
        await eventually(lambda: "CallGivenUp" in operator.events("shop"))
        await eventually(lambda: "StepsGivenUp" in operator.conditions())
        assert "WEBHOOK@0s" in operator.conditions()["StepsGivenUp"][2]


async def test_a_workload_that_may_not_be_scaled_is_told_of_and_the_others_are() -> None:
    async with FakeApi() as api, operating(api) as operator:
        forbidden = Fault(
            "status", WEB, "PATCH", code=403, reason="Forbidden", message="no", times=9
        )
        api.fault(forbidden)
        await furnish(operator, 0.1, DOWN)
        await eventually(lambda: "ScalingFailed" in operator.events("shop"))
        assert api.objects[NIGHTLY]["spec"]["suspend"] is True
        assert replicas(operator) == 3
        assert results(operator) == {"SCALE_DOWN@0s": "Pending"}


@pytest.mark.parametrize("lacking", ["statefulsets", "scaledobjects"])
async def test_a_right_that_is_missing_to_scale_down_is_a_condition(lacking: str) -> None:
    async with FakeApi() as api:
        api.allowed = lambda attributes: attributes["resource"] != lacking
        async with operating(api) as operator:
            await furnish(operator, 60, DOWN)
            await eventually(lambda: "Enforceable" in operator.conditions())
            await eventually(lambda: operator.conditions()["Enforceable"][0] == "False")
            _, reason, message = operator.conditions()["Enforceable"]
    assert reason == "MissingRights"
    assert message.startswith(f"may not get, list, patch {lacking}.")


async def test_a_dry_run_scales_nothing() -> None:
    async with FakeApi() as api, operating(api, "--dry-run") as operator:
        await furnish(operator, 0.05, DOWN)
        await eventually(lambda: operator.reads(DEPLOYMENTS.path("shop")) != [], NOBODY_LISTENS * 9)
        assert replicas(operator) == 3
        assert [r for r in operator.writes() if r.method == "PATCH"] == []


async def test_a_stay_is_granted() -> None:
    async with FakeApi() as api, operating(api) as operator:
        await furnish(operator, 60, DOWN, default="1h", max="1d")
        stay = api.put(STAYS.path("shop", "longer"), {"spec": {"for": "8h"}})
        heard = Heard(STAYS, msgspec.convert(stay, OwnObject), gone=False)
        operator.program.parts.own.hear(heard)

        def granted() -> bool:
            status = api.objects[STAYS.path("shop", "longer")].get("status", {})
            return any(c["type"] == "Granted" for c in status.get("conditions", []))

        await eventually(granted)
        status = api.objects[STAYS.path("shop", "longer")]["status"]
        assert status["conditions"][0]["status"] == "True", status
        assert annotations(operator, SHOP)[names.EXPIRES_AT] == status["expiresAt"]
        await eventually(lambda: operator.events("longer") == ["Granted"])
