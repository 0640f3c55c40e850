"""For component tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dayfly_core.objects import EPHEMERATORS, EXPIRY_POLICIES, NAMESPACE_MANAGERS, STAYS
from support.fake_api import RESOURCES, FakeApi
from support.policy_manifests import manifest
from support.shell import API, EVENING, NOON, WEB, Shell, stamped


@pytest.fixture
async def shell(tmp_path: Path) -> AsyncIterator[Shell]:
    async with FakeApi((*RESOURCES, STAYS, EPHEMERATORS, NAMESPACE_MANAGERS)) as api:
        api.put("/api/v1/namespaces/shop", stamped(EVENING))
        api.put("/api/v1/namespaces/bare")
        api.put(EXPIRY_POLICIES.path(name="previews"), manifest())
        api.put(WEB, stamped(NOON, app="web"))
        api.put(API, stamped("2026-11-23T12:00:00Z"))
        api.put("/apis/apps/v1/namespaces/shop/deployments/plain")
        yield Shell(api, tmp_path)
