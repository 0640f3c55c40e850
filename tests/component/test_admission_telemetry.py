"""What is counted of names, and which requests are written down."""

import json
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace

from dayfly_core.reasons import Reason
from support.admission import SETTINGS, Replica, a_replica, ask, install, new_environment, ready
from support.fake_api import FakeApi
from support.handshakes import a_bundle
from support.waiting import eventually

BUNDLE = a_bundle()


@pytest.fixture
async def api() -> AsyncIterator[FakeApi]:
    async with FakeApi() as api:
        install(api, BUNDLE)
        yield api


@pytest.fixture
async def replica(api: FakeApi) -> AsyncIterator[Replica]:
    async with a_replica(api, BUNDLE) as replica:
        await eventually(partial(ready, replica))
        yield replica


async def test_names_are_counted_by_what_came_of_them(replica: Replica) -> None:
    await ask(replica, new_environment("shop"))
    await ask(replica, new_environment("other"))
    _, text = await replica.health("/metrics")
    assert 'dayfly_admission_claims_total{kind="environment",outcome="Granted"} 1.0' in text
    assert 'dayfly_admission_claims_total{kind="environment",outcome="Reserved"} 1.0' in text
    series = 'reason="NameReserved",result="refused",webhook="environments"'
    assert f"dayfly_admission_reviews_total{{{series}}} 1.0" in text
    assert "dayfly_admission_waiting 0.0" in text


async def test_each_refusal_is_a_line_of_json(api: FakeApi, tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with path.open("wb", buffering=0) as journal:
        async with a_replica(
            api, BUNDLE, replace(SETTINGS, log_sample=0), journal.write
        ) as replica:
            await eventually(partial(ready, replica))
            for name in ("shop", "other"):
                await ask(replica, new_environment(name))
    (line,) = path.read_text().splitlines()
    said = json.loads(line)
    assert (said["webhook"], said["user"], said["name"]) == ("environments", "alice", "other")
    assert (said["verdict"], said["reason"]) == ("refused", Reason.NAME_RESERVED)
    assert said["ms"] > 0
