"""Webhooks of NamespaceManagers, end to end."""

import json
from typing import Any

import pytest

from dayfly_core.objects import NAMESPACE_MANAGERS
from dayfly_core.outgoing.outbox import Retries
from dayfly_core.pace import Backoff
from support.fake_api import RESOURCES, FakeApi
from support.operators import Running, operating
from support.receivers import Receiver, receiver, silent, status
from support.waiting import eventually

VOUCHED = ("--webhook-allow", "127.0.0.1/32")
MANAGER = NAMESPACE_MANAGERS.path("team", "ci")
LONG_AGO = "2020-01-01T00:00:00Z"


def put_manager(api: FakeApi, web: Receiver) -> None:
    url = f"http://127.0.0.1:{web.port}/hook"
    rule = {
        "name": "call it",
        "condition": {"type": "UNTIL", "params": {"until": LONG_AGO}},
        "action": {"type": "WEBHOOK", "params": {"url": url}},
    }
    api.put(MANAGER, {"spec": {"namespace": "team", "policies": [rule]}})


def an_api() -> FakeApi:
    return FakeApi([*RESOURCES, NAMESPACE_MANAGERS])


def manager(api: FakeApi) -> dict[str, Any]:
    return api.objects[MANAGER]


def results(api: FakeApi) -> list[str]:
    return [each["result"] for each in manager(api).get("status", {}).get("policies", [])]


async def listed(operator: Running) -> None:
    """Return when it knows the manager."""
    await operator.put_policy()
    await eventually(lambda: operator.reads(MANAGER))


async def test_an7_a_call_is_made_once_and_the_manager_is_deactivated() -> None:
    async with receiver() as web, an_api() as api:
        put_manager(api, web)
        async with operating(api, *VOUCHED) as operator:
            await listed(operator)
            await eventually(lambda: manager(api)["spec"].get("deactivated"))
    (heard,) = web.heard
    body = json.loads(heard.body)
    assert body["namespaceManager"] == {"namespace": "team", "name": "ci"}
    assert (body["policy"]["name"], body["namespace"]) == ("call it", "team")
    assert body["policy"]["action"]["params"]["selectors"] is None


async def test_a_leader_killed_before_the_answer_leaves_it_to_the_next() -> None:
    async with an_api() as api, receiver(silent) as web:
        put_manager(api, web)
        async with operating(api, *VOUCHED) as first:
            await listed(first)
            await eventually(lambda: web.heard)
            assert results(api) == ["Pending"]
        web.answer = status(204)
        async with operating(api, *VOUCHED) as second:
            await listed(second)
            await eventually(lambda: manager(api)["spec"].get("deactivated"))
    one, other = (heard.headers["Idempotency-Key"] for heard in web.heard)
    assert one == other
    assert web.heard[0].body == web.heard[1].body


@pytest.mark.parametrize("code", [302, 500])
async def test_what_is_given_up_is_told_and_counted(code: int) -> None:
    soon = Retries(limit=2, backoff=Backoff(first=0.05))
    async with receiver(status(code)) as web, an_api() as api:
        put_manager(api, web)
        async with operating(api, *VOUCHED, retries=soon) as operator:
            await listed(operator)
            await eventually(lambda: "CallGivenUp" in operator.events("ci"))
            assert results(api) == ["Failed"]
            metrics = operator.program.parts.metrics.registry
    dead = "dayfly_webhook_dead_letters_total"
    assert metrics.get_sample_value(dead, {"kind": "NamespaceManager"}) == 1
    assert len(web.heard) == 2
