"""The reflector against a real HTTP server that does everything wrong that it can."""

import asyncio

import pytest

from dayfly_core.api import ExpiryPolicy
from dayfly_core.objects import PartialObject
from dayfly_kube.client import Client
from dayfly_kube.reflector import Reflector
from support.fake_api import FakeApi, Fault
from support.reflecting import MAPS, QUICK, Seen, config_map, names, reflecting, synced, uid_of
from support.waiting import eventually


async def test_lists_by_pages_and_asks_for_metadata_only() -> None:
    async with FakeApi() as api:
        for number in range(10):
            api.put(config_map(f"m{number}"), {"data": {"x": "y" * 1000}})
        async with reflecting(api, Seen()) as reflector:
            await synced(reflector)
            assert len(reflector.items) == 10
        pages = [r for r in api.requests if not r.watch]
        assert [p.query.get("limit") for p in pages] == ["3"] * 4
        assert all("resourceVersion" not in p.query for p in pages)
        assert "as=PartialObjectMetadataList" in pages[0].headers["Accept"]


async def test_a_page_that_fails_is_asked_for_again_not_the_whole_list() -> None:
    async with FakeApi() as api:
        for number in range(9):
            api.put(config_map(f"m{number}"))
        async with Client(api.config(), user_agent="test") as client:
            reflector = Reflector(client, MAPS, keep=uid_of, on_change=Seen(), tempo=QUICK)
            api.fault(Fault("status", MAPS, times=1))
            async with asyncio.TaskGroup() as group:
                group.create_task(reflector.run())
                await synced(reflector)
                reflector.stop()
        assert len(reflector.items) == 9
        assert len([r for r in api.requests if not r.watch]) == 4


async def test_an_expired_continue_token_starts_the_list_anew() -> None:
    async with FakeApi() as api:
        for number in range(5):
            api.put(config_map(f"m{number}"))

        def compact_after_the_first_page(found: PartialObject) -> str:
            if not api.store.compacted:
                api.compact()
            return found.metadata.uid

        async with Client(api.config(), user_agent="test") as client:
            reflector = Reflector(
                client, MAPS, keep=compact_after_the_first_page, on_change=Seen(), tempo=QUICK
            )
            async with asyncio.TaskGroup() as group:
                group.create_task(reflector.run())
                await synced(reflector)
                reflector.stop()
        assert len(reflector.items) == 5
        assert reflector.lists == 2


async def test_follows_creation_change_and_deletion() -> None:
    async with FakeApi() as api:
        seen = Seen()
        async with reflecting(api, seen) as reflector:
            await synced(reflector)
            uid = api.put(config_map("b"))["metadata"]["uid"]
            await eventually(lambda: reflector.items)
            api.put(config_map("b"), {"data": {"now": "other"}})
            api.remove(config_map("b"))
            await eventually(lambda: not reflector.items)
        assert seen.changes == [(("a", "b"), uid), (("a", "b"), None)]


async def test_a_change_of_what_is_not_kept_is_not_reported() -> None:
    async with FakeApi() as api:
        seen = Seen()
        api.put(config_map("b"))
        async with reflecting(api, seen) as reflector:
            await synced(reflector)
            api.put(config_map("b"), {"metadata": {"labels": {"new": "label"}}})
            api.put(config_map("c"))
            await eventually(lambda: len(reflector.items) == 2)
        assert [name for (_, name), _ in seen.changes] == ["b", "c"]


async def test_the_server_filters_by_label_and_a_lost_label_is_a_deletion() -> None:
    async with FakeApi() as api:
        api.put(config_map("other"))
        api.put(config_map("ours"), {"metadata": {"labels": {"dayfly.dev/policy": "p"}}})
        seen = Seen()
        async with reflecting(api, seen, label_selector="dayfly.dev/policy") as reflector:
            await synced(reflector)
            assert names(reflector) == ["ours"]
            api.put(config_map("ours"))
            await eventually(lambda: not reflector.items)
        assert seen.gone() == ["ours"]
        assert {r.query["labelSelector"] for r in api.requests} == {"dayfly.dev/policy"}


async def test_deletions_while_nobody_watched_are_reported_once_after_410() -> None:
    async with FakeApi() as api:
        for name in ("a", "b", "c"):
            api.put(config_map(name))
        seen = Seen()
        async with reflecting(api, seen) as reflector:
            await synced(reflector)
            api.fault(Fault("status", MAPS, times=3, watch=True))
            api.release()
            await eventually(lambda: len(api.watches()) >= 2)
            api.remove(config_map("b"))
            api.compact()
            await eventually(lambda: reflector.lists == 2 and names(reflector) == ["a", "c"])
            await eventually(lambda: api.watches()[-1].query["resourceVersion"] == "105")
        assert seen.gone() == ["b"]
        assert len(seen.changes) == 4  # unchanged objects are not told again


async def test_an_object_made_anew_under_its_name_while_nobody_watched_is_reported() -> None:
    async with FakeApi() as api:
        api.put(config_map("a"))
        seen = Seen()
        async with reflecting(api, seen) as reflector:
            await synced(reflector)
            api.fault(Fault("status", MAPS, code=410, reason="Expired", watch=True))
            api.release()
            api.remove(config_map("a"))
            uid = api.put(config_map("a"))["metadata"]["uid"]
            await eventually(lambda: reflector.items[("a", "a")] == uid)
        assert seen.changes[-1] == (("a", "a"), uid)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault("error-event", MAPS, times=3), id="an ERROR event: etcd has no leader"),
        pytest.param(
            Fault("error-event", MAPS, code=410, reason="Expired", times=2),
            id="an ERROR event: too old",
        ),
        pytest.param(Fault("garbage", MAPS, times=3), id="a line that is not JSON"),
        pytest.param(Fault("close", MAPS, times=3), id="a stream that ends at once"),
        pytest.param(Fault("reset", MAPS, times=3), id="a connection reset"),
        pytest.param(Fault("status", MAPS, code=500, times=8), id="a burst of 500"),
        pytest.param(Fault("status", MAPS, code=503, times=3), id="a burst of 503"),
        pytest.param(Fault("status", MAPS, code=403, times=3), id="rights that come late"),
        pytest.param(Fault("status", MAPS, code=404, times=3), id="a kind that is installed later"),
        pytest.param(Fault("silent", MAPS, times=1, watch=True), id="a half-open stream"),
        pytest.param(Fault("cut", MAPS, times=1, watch=True), id="a stream cut within a line"),
    ],
)
async def test_converges_after(fault: Fault) -> None:
    async with FakeApi() as api:
        api.put(config_map("before"))
        fault.watch = fault.kind not in {"status", "reset"} or None
        api.fault(fault)
        seen = Seen()
        async with reflecting(api, seen) as reflector:
            await synced(reflector)
            api.put(config_map("after"))
            await eventually(lambda: names(reflector) == ["after", "before"])
            api.remove(config_map("before"))
            await eventually(lambda: names(reflector) == ["after"])
        assert seen.gone() == ["before"]
        assert len(seen.changes) == 3


async def test_a_server_that_is_away_and_back_loses_nothing() -> None:
    async with FakeApi() as api:
        api.put(config_map("a"))
        seen = Seen()
        async with reflecting(api, seen) as reflector:
            await synced(reflector)
            await api.down()
            api.put(config_map("b"))
            api.remove(config_map("a"))
            await eventually(lambda: not reflector.alive(asyncio.get_running_loop().time(), 0.05))
            await api.up()
            await eventually(lambda: names(reflector) == ["b"])
        assert reflector.lists == 1  # the version from before is still known


async def test_a_stream_that_ended_goes_on_from_where_it_was() -> None:
    async with FakeApi() as api:
        api.put(config_map("a"))
        async with reflecting(api, Seen()) as reflector:
            await synced(reflector)
            version = api.put(config_map("b"))["metadata"]["resourceVersion"]
            await eventually(lambda: len(reflector.items) == 2)
            api.release()
            await eventually(lambda: len(api.watches()) == 2)
        assert api.watches()[1].query["resourceVersion"] == version
        assert reflector.lists == 1


async def test_a_stream_that_was_opened_again_says_nothing_of_what_happened_meanwhile() -> None:
    async with FakeApi() as api:
        api.put(config_map("a"))
        async with reflecting(api, Seen()) as reflector:
            await synced(reflector)
            await eventually(api.watches)
            heard = reflector.heard
            api.fault(Fault("silent", watch=True))
            api.release()
            await eventually(lambda: len(api.watches()) == 2)
            opened = asyncio.get_running_loop().time()
            await eventually(lambda: reflector.alive(opened, within=0))
            assert reflector.heard == heard


async def test_bookmarks_move_the_version_and_keep_the_copy_fresh() -> None:
    async with FakeApi() as api:
        api.bookmark_seconds = 0.05
        async with reflecting(api, Seen()) as reflector:
            await synced(reflector)
            version = api.put("/api/v1/namespaces/elsewhere")["metadata"]["resourceVersion"]
            now = asyncio.get_running_loop().time()
            await eventually(lambda: reflector.alive(now + 0.2, within=0.1))
            api.release()
            await eventually(lambda: len(api.watches()) == 2)
        assert api.watches()[1].query["resourceVersion"] == version


async def test_an_object_that_does_not_decode_is_named_and_hides_no_other() -> None:
    path = "/apis/dayfly.dev/v1alpha1/expirypolicies"
    good = {"spec": {"match": {"resources": [{"apiGroups": [""], "resources": ["pods"]}]}}}
    seen = Seen()

    def keep(found: ExpiryPolicy) -> str:
        return found.metadata.uid

    async with FakeApi() as api, Client(api.config(), user_agent="test") as client:
        api.put(f"{path}/bad", {"spec": {"match": 5}})
        api.put(f"{path}/good", good)
        reflector = Reflector(
            client,
            path,
            keep=keep,
            on_change=seen,
            decode=ExpiryPolicy,
            metadata_only=False,
            tempo=QUICK,
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(reflector.run())
            await synced(reflector)
            assert names(reflector) == ["good"]
            assert "$.spec.match" in reflector.rejected["", "bad"]
            api.put(f"{path}/good", {"spec": {"priority": "high", **good["spec"]}})
            await eventually(lambda: names(reflector) == [])
            api.put(f"{path}/bad", good)
            await eventually(lambda: names(reflector) == ["bad"])
            assert list(reflector.rejected) == [("", "good")]
            reflector.stop()
        assert seen.gone() == ["good"]


async def test_cancelling_leaves_no_task_and_no_connection() -> None:
    async with FakeApi() as api, Client(api.config(), user_agent="test") as client:
        reflector = Reflector(client, MAPS, keep=uid_of, on_change=Seen(), tempo=QUICK)
        task = asyncio.create_task(reflector.run())
        await eventually(lambda: api.streams)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        ours = [t for t in asyncio.all_tasks() if "dayfly_kube" in repr(t.get_coro())]
        assert ours == []
        await eventually(lambda: not api.streams)
