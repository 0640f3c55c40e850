"""Events: posted in the background, made a series when they repeat, dropped when nobody listens."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime

import pytest

from dayfly_core.objects import NAMESPACES, Key
from dayfly_kube import events
from dayfly_kube.client import Client
from dayfly_kube.events import EventRecorder, Regarding
from support.fake_api import CONFIG_MAPS, FakeApi, Fault
from support.waiting import at_most, eventually

NOW = datetime.fromisoformat("2026-11-22T11:00:00.000007+01:00")
PATH = "/apis/events.k8s.io/v1"
SETTINGS = Regarding.of(Key(CONFIG_MAPS, "a", "settings"), "u1")


@asynccontextmanager
async def recording(api: FakeApi) -> AsyncGenerator[EventRecorder, None]:
    async with Client(api.config(), user_agent="test", timeout=2.0) as client:
        recorder = EventRecorder(client, "dayfly-operator", "operator-0", lambda: NOW)
        recorder.window_seconds = 0.05
        task = asyncio.create_task(recorder.run())
        yield recorder
        task.cancel()
        await asyncio.wait({task})


def expired(recorder: EventRecorder, regarding: Regarding, note: str = "its time came") -> None:
    recorder.record(regarding, type="Normal", reason="Expired", action="Delete", note=note)


async def test_an_event_says_who_did_what_to_which_object_and_why() -> None:
    async with FakeApi() as api, recording(api) as recorder:
        expired(recorder, SETTINGS)
        await recorder.drain()
        posted = api.requests[0]
        name = posted.body["metadata"]["name"]
        assert name.startswith("settings.")
        assert posted.path == f"{PATH}/namespaces/a/events"
        assert posted.body == {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": "a"},
            "eventTime": "2026-11-22T10:00:00.000007Z",
            "type": "Normal",
            "reason": "Expired",
            "action": "Delete",
            "note": "its time came",
            "regarding": {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "namespace": "a",
                "name": "settings",
                "uid": "u1",
                "resourceVersion": "",
            },
            "reportingController": "dayfly-operator",
            "reportingInstance": "operator-0",
        }


async def test_an_event_on_a_cluster_scoped_object_is_kept_in_default() -> None:
    async with FakeApi() as api, recording(api) as recorder:
        expired(recorder, Regarding.of(Key(NAMESPACES, "", "team-a")))
        await recorder.drain()
        assert api.requests[0].path == f"{PATH}/namespaces/default/events"


async def test_the_same_said_again_becomes_one_series() -> None:
    async with FakeApi() as api, recording(api) as recorder:
        for _ in range(5):
            expired(recorder, SETTINGS)
        await eventually(lambda: len(api.requests) == 2)
        await recorder.drain()
        first, second = api.requests
        assert (second.method, second.path) == (
            "PATCH",
            f"{first.path}/{first.body['metadata']['name']}",
        )
        assert second.body == {
            "series": {"count": 5, "lastObservedTime": "2026-11-22T10:00:00.000007Z"}
        }


async def test_different_objects_and_reasons_are_different_events() -> None:
    async with FakeApi() as api, recording(api) as recorder:
        expired(recorder, SETTINGS)
        expired(recorder, Regarding.of(Key(CONFIG_MAPS, "a", "other")))
        recorder.record(SETTINGS, type="Warning", reason="Protected", action="None", note="stays")
        await recorder.drain()
        assert [r.method for r in api.requests] == ["POST"] * 3
        assert len({r.body["metadata"]["name"] for r in api.requests}) == 3


async def test_a_note_is_cut_to_what_the_server_takes() -> None:
    async with FakeApi() as api, recording(api) as recorder:
        expired(recorder, SETTINGS, "é" * 2000)
        await recorder.drain()
        assert len(api.requests[0].body["note"].encode()) == 1024


@pytest.mark.parametrize(
    ("fault", "requests", "dropped"),
    [
        pytest.param(Fault("status", code=429, retry_after=1), 2, {}, id="throttled: again"),
        pytest.param(Fault("status", code=500), 2, {}, id="a server error: again"),
        pytest.param(
            Fault("status", code=403, reason="Forbidden"),
            1,
            {"Forbidden": 1},
            id="a namespace that is going: dropped",
        ),
        pytest.param(
            Fault("status", code=422, reason="Invalid"), 1, {"Invalid": 1}, id="invalid: dropped"
        ),
    ],
)
async def test_a_refusal(fault: Fault, requests: int, dropped: dict[str, int]) -> None:
    async with FakeApi() as api, recording(api) as recorder:
        api.fault(fault)
        expired(recorder, SETTINGS)
        await recorder.drain()
        assert len(api.requests) == requests
        assert dict(recorder.dropped) == dropped


async def test_what_is_left_at_the_end_is_posted_through_another_door() -> None:
    async with FakeApi() as api:
        async with recording(api) as recorder:
            api.fault(Fault("hang", times=2))
            for name in ("a", "b", "c"):
                expired(recorder, Regarding.of(Key(CONFIG_MAPS, "a", name)))
            await eventually(lambda: len(api.requests) == 2)
        async with Client(api.config(), user_agent="other") as other:
            await recorder.finish(other, 1.0)
        posted = [r for r in api.requests if r.headers["User-Agent"] == "other"]
        assert {r.body["regarding"]["name"] for r in posted} == {"a", "b", "c"}
        assert len(posted) == 3
        assert not recorder.dropped


async def test_what_cannot_be_posted_at_the_end_is_counted_and_does_not_hold_it_up() -> None:
    counted: list[str] = []
    async with FakeApi() as api, Client(api.config(), user_agent="test") as client:
        api.fault(Fault("hang", times=9))
        recorder = EventRecorder(client, "c", "i", lambda: NOW)
        recorder.dropping = counted.append
        for name in ("a", "b", "c"):
            expired(recorder, Regarding.of(Key(CONFIG_MAPS, "a", name)))
        async with at_most(1.0):
            await recorder.finish(client, 0.1)
        assert counted == ["Stopped"] * 3
        assert recorder.dropped["Stopped"] == 3


async def test_an_event_that_was_posted_before_its_answer_was_lost_is_no_loss() -> None:
    async with FakeApi() as api, recording(api) as recorder:
        taken = Fault("status", PATH, code=409, reason="AlreadyExists")
        api.fault(taken)
        expired(recorder, SETTINGS)
        await recorder.drain()
        assert not recorder.dropped


async def test_a_full_queue_drops_and_counts_and_never_waits() -> None:
    async with FakeApi() as api, Client(api.config(), user_agent="test") as client:
        recorder = EventRecorder(client, "c", "i", lambda: NOW)
        for number in range(events.CAPACITY + 3):
            expired(recorder, Regarding("v1", "Pod", f"p{number}", "a"))
        assert recorder.dropped["QueueFull"] == 3
