"""``dayfly wake``, and a Stay in place of a patch, over real HTTP."""

import asyncio
import json

from dayfly_core import names
from dayfly_core.objects import STAYS
from support.fake_api import Fault
from support.shell import SHOP, WEB, Shell, stamped
from support.waiting import eventually

FORBIDDEN = (
    'namespaces "shop" is forbidden: User "jane" cannot patch resource "namespaces" in API group '
    '"" in the namespace "shop"'
)


def annotations(shell: Shell, path: str) -> dict[str, str]:
    written: dict[str, str] = shell.api.objects[path]["metadata"].get("annotations", {})
    return written


def stays(shell: Shell) -> list[dict[str, object]]:
    found = shell.api.objects.items()
    return [item["spec"] for path, item in found if path.startswith(STAYS.path("shop"))]


async def test_wake_asks_and_waits_until_the_request_was_served(shell: Shell) -> None:
    asking = asyncio.create_task(shell.run("wake namespace/shop"))
    await eventually(lambda: names.WAKE_REQUESTED in annotations(shell, SHOP))
    asked = annotations(shell, SHOP)[names.WAKE_REQUESTED]
    assert not asking.done()
    uid = shell.api.objects[SHOP]["metadata"]["uid"]
    served = json.dumps({"woken": asked, "uid": uid})
    shell.api.put(
        SHOP, {"metadata": {"annotations": {**annotations(shell, SHOP), names.STEPS: served}}}
    )
    answer = await asking
    assert (answer.status, answer.err) == (0, "")
    assert answer.out.startswith("namespace/shop is awake; it still ends ")


async def test_who_does_not_wait_is_told_that_it_is_asked_for(shell: Shell) -> None:
    answer = await shell.run("wake namespace/shop --no-wait")
    assert answer.status == 0
    assert answer.out.startswith("namespace/shop is asked to wake up; it ends ")
    assert annotations(shell, SHOP)[names.WAKE_REQUESTED].startswith("2026-11-22T")


async def test_a_workload_that_was_not_scaled_down_is_awake(shell: Shell) -> None:
    answer = await shell.run("wake deployment/web")
    assert (answer.status, answer.out) == (0, "")
    assert "is awake" in answer.err
    assert names.WAKE_REQUESTED not in annotations(shell, WEB)


async def test_a_workload_that_was_suspended_has_no_count_and_is_woken(shell: Shell) -> None:
    asleep = stamped("2026-11-22T18:00:00Z")
    asleep["metadata"]["annotations"][names.SCALED_BY] = "an-occurrence its-uid"
    shell.api.put(WEB, asleep)
    assert (await shell.run("wake deployment/web --no-wait")).status == 0
    assert names.WAKE_REQUESTED in annotations(shell, WEB)


async def test_who_may_not_change_the_namespace_asks_by_a_stay(shell: Shell) -> None:
    shell.api.fault(
        Fault("status", SHOP, method="PATCH", code=403, reason="Forbidden", message=FORBIDDEN)
    )
    answer = await shell.run("wake namespace/shop --no-wait")
    assert answer.status == 0
    assert "asked by stay/cli-" in answer.err
    assert stays(shell) == [{"wake": True}]


async def test_what_a_rule_refuses_is_not_asked_again_by_a_stay(shell: Shell) -> None:
    said = "ValidatingAdmissionPolicy 'x' with binding 'x' denied request: not like this"
    shell.api.fault(
        Fault("status", SHOP, method="PATCH", code=403, reason="Forbidden", message=said)
    )
    answer = await shell.run("extend namespace/shop 1h")
    assert (answer.status, stays(shell)) == (1, [])
    assert "not like this" in answer.err


async def test_extend_by_a_stay_says_the_new_end_itself(shell: Shell) -> None:
    shell.api.fault(
        Fault("status", SHOP, method="PATCH", code=403, reason="Forbidden", message=FORBIDDEN)
    )
    asking = asyncio.create_task(shell.run("extend namespace/shop 1h"))
    await eventually(lambda: bool(stays(shell)))
    [path] = [path for path in shell.api.objects if path.startswith(STAYS.path("shop"))]
    denied = {"type": "Granted", "status": "False", "message": "the policy allows no later end"}
    shell.api.put(path, {**shell.api.objects[path], "status": {"conditions": [denied]}})
    answer = await asking
    assert stays(shell) == [{"until": "2026-11-22T19:00:00Z"}]
    assert (answer.status, answer.out) == (1, "")
    assert "was denied: the policy allows no later end" in answer.err


async def test_what_no_policy_covers_is_not_waited_for(shell: Shell) -> None:
    shell.api.put(SHOP, {"metadata": {"name": "shop"}})
    answer = await shell.run("wake namespace/shop")
    assert (answer.status, annotations(shell, SHOP)) == (1, {})
    assert "no policy covers namespace/shop" in answer.err
