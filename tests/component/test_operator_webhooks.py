"""The webhook configurations, which the leader fills in."""

import asyncio
from typing import Any

from support.fake_api import FakeApi
from support.operators import NOBODY_LISTENS, operating
from support.waiting import eventually
from support.webhook_configurations import MUTATING, install_webhooks


def entry(api: FakeApi) -> dict[str, Any]:
    webhook: dict[str, Any] = api.objects[MUTATING]["webhooks"][0]
    return webhook


async def test_webhook_rules_follow_the_policies_and_a_wiped_configuration_is_repaired() -> None:
    async with FakeApi() as api:
        install_webhooks(api)
        async with operating(api) as operator:
            await eventually(lambda: entry(api).get("clientConfig", {}).get("caBundle"))
            assert entry(api)["rules"] == []
            await operator.put_policy()
            await eventually(lambda: entry(api)["rules"])
            assert entry(api)["rules"][0]["resources"] == ["configmaps"]
            install_webhooks(api)
            await eventually(lambda: entry(api).get("rules"), 2)


async def test_a_deleted_webhook_configuration_stays_deleted() -> None:
    async with FakeApi() as api:
        install_webhooks(api)
        async with operating(api) as operator:
            await eventually(lambda: "clientConfig" in api.objects[MUTATING]["webhooks"][0])
            api.remove(MUTATING)
            await operator.put_policy()
            await asyncio.sleep(NOBODY_LISTENS)
            assert MUTATING not in api.objects
