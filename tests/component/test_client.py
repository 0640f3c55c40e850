"""The client against a real HTTP server."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from datetime import UTC, datetime

import msgspec
import pytest

from dayfly_core.objects import PartialObject
from dayfly_kube.client import Client
from dayfly_kube.config import Config
from dayfly_kube.errors import ApiError, Unreachable
from dayfly_kube.server_clock import OurClocks
from support.fake_api import FakeApi, Fault
from support.waiting import eventually

MAPS = "/api/v1/namespaces/a/configmaps"
ONE = f"{MAPS}/one"


def client_of(api: FakeApi, *, timeout: float = 5.0) -> Client:
    return Client(api.config(), user_agent="dayfly-test/0 (me)", timeout=timeout)


def meta(body: bytes) -> PartialObject:
    return msgspec.json.decode(body, type=PartialObject)


async def test_delete_always_carries_uid_version_and_propagation() -> None:
    async with FakeApi() as api, client_of(api) as client:
        api.put(ONE)
        judged = meta(await client.get(ONE)).metadata
        await client.delete(ONE, uid=judged.uid, resource_version=judged.resource_version)
        assert api.requests[-1].body == {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {"uid": judged.uid, "resourceVersion": judged.resource_version},
            "propagationPolicy": "Background",
        }
        assert not api.objects


def touch(api: FakeApi) -> None:
    api.put(ONE, {"data": {"a": "b"}})


def make_anew(api: FakeApi) -> None:
    api.remove(ONE)
    api.put(ONE)


@pytest.mark.parametrize(
    "meanwhile",
    [
        pytest.param(touch, id="was touched"),
        pytest.param(make_anew, id="was made anew"),
    ],
)
async def test_delete_spares_what(meanwhile: Callable[[FakeApi], None]) -> None:
    async with FakeApi() as api, client_of(api) as client:
        judged = api.put(ONE)["metadata"]
        uid, version = judged["uid"], judged["resourceVersion"]
        meanwhile(api)
        with pytest.raises(ApiError) as refused:
            await client.delete(ONE, uid=uid, resource_version=version)
        assert refused.value.conflict
        assert not refused.value.already_exists
        assert ONE in api.objects


Send = Callable[[Client], Awaitable[bytes]]
WRITES: list[tuple[str, Send, str, str, dict[str, str]]] = [
    (
        "create",
        lambda c: c.create(MAPS, {"metadata": {"name": "two"}}),
        "POST",
        "application/json",
        {},
    ),
    (
        "replace",
        lambda c: c.replace(ONE, {"metadata": {"name": "one"}}),
        "PUT",
        "application/json",
        {},
    ),
    (
        "merge patch, dry run",
        lambda c: c.merge_patch(ONE, {"data": {"a": None}}, params={"dryRun": "All"}),
        "PATCH",
        "application/merge-patch+json",
        {"dryRun": "All"},
    ),
    (
        "server-side apply",
        lambda c: c.apply(ONE, {"data": {}}, manager="dayfly"),
        "PATCH",
        "application/apply-patch+yaml",
        {"fieldManager": "dayfly", "force": "true"},
    ),
]


@pytest.mark.parametrize(
    ("send", "method", "content_type", "query"),
    [pytest.param(*row, id=name) for name, *row in WRITES],
)
async def test_writes(send: Send, method: str, content_type: str, query: dict[str, str]) -> None:
    async with FakeApi() as api, client_of(api) as client:
        api.put(ONE)
        await send(client)
        sent = api.requests[-1]
        assert (sent.method, sent.headers["Content-Type"]) == (method, content_type)
        assert sent.query == query
        assert sent.headers["User-Agent"] == "dayfly-test/0 (me)"


async def test_a_patch_of_an_older_version_is_a_conflict() -> None:
    async with FakeApi() as api, client_of(api) as client:
        version = api.put(ONE)["metadata"]["resourceVersion"]
        api.put(ONE, {"data": {"a": "b"}})
        with pytest.raises(ApiError, match=r"^409 Conflict: .*cannot be fulfilled"):
            await client.merge_patch(ONE, {"metadata": {"resourceVersion": version}})


async def test_metadata_only_asks_for_it() -> None:
    async with FakeApi() as api, client_of(api) as client:
        api.put(ONE, {"data": {"large": "x"}})
        assert b"large" not in await client.get(ONE, metadata_only=True)
        assert b"large" not in await client.get_list(MAPS, metadata_only=True)
        assert b"large" in await client.get(ONE)


@pytest.mark.parametrize(
    ("fault", "holds"),
    [
        pytest.param(Fault("status", code=404, reason="NotFound"), "not_found", id="404"),
        pytest.param(Fault("status", code=410, reason="Expired"), "gone", id="410"),
        pytest.param(Fault("status", code=403, reason="Forbidden"), "forbidden", id="403"),
        pytest.param(Fault("status", code=422, reason="Invalid"), "invalid", id="422"),
        pytest.param(
            Fault("status", code=409, reason="AlreadyExists"), "already_exists", id="409, taken"
        ),
        pytest.param(Fault("status", code=429, retry_after=7), "too_many", id="429"),
    ],
)
async def test_refusals_have_names(fault: Fault, holds: str) -> None:
    async with FakeApi() as api, client_of(api) as client:
        api.fault(fault)
        with pytest.raises(ApiError) as refused:
            await client.get(ONE)
        assert getattr(refused.value, holds)
        assert refused.value.retry_after == fault.retry_after
        assert refused.value.message == "etcdserver: no leader"


async def test_no_answer_in_time_is_unreachable() -> None:
    async with FakeApi() as api, client_of(api, timeout=0.1) as client:
        api.fault(Fault("hang"))
        with pytest.raises(Unreachable, match=r"GET .*one: no answer in time"):
            await client.get(ONE)


async def test_a_refused_connection_and_a_broken_one_are_unreachable() -> None:
    async with FakeApi() as api, client_of(api) as client:
        api.fault(Fault("reset", times=5))
        with pytest.raises(Unreachable):
            await client.get(ONE)
        await api.down()
        with pytest.raises(Unreachable, match=r"GET .*one: Cannot connect"):
            await client.get(ONE)


async def test_watches_leave_the_calls_their_connections() -> None:
    async with FakeApi() as api:
        api.put(ONE)
        async with Client(api.config(), user_agent="test", connections=1) as client:
            opened = asyncio.Event()
            async with aclosing(client.stream(MAPS, opened=opened.set)) as lines:
                first = asyncio.ensure_future(anext(lines))
                await opened.wait()
                await client.get(ONE)
                api.put(ONE, {"data": {"a": "b"}})
                assert b"MODIFIED" in await first
            await eventually(lambda: not api.streams)


async def test_the_clock_of_the_server_is_compared_with_ours() -> None:
    slow = datetime.now(UTC).replace(year=2020)  # noqa: TID251  against the server's real clock
    async with FakeApi() as api:
        api.put(ONE)
        async with Client(
            api.config(), user_agent="test", clocks=OurClocks(lambda: slow, float)
        ) as client:
            assert client.clock_skew is None
            await client.get(ONE)
            assert client.clock_skew is not None
            assert client.clock_skew > 365 * 86400


@pytest.mark.parametrize(
    "date", ["today", "Sun, 22 Nov 2026 10:00:00 -0000", "Sun, 99 Nov 2026 10:00:00 GMT"]
)
async def test_a_date_that_is_none_says_nothing_of_the_clock(date: str) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Length: 2\r\n\r\n{{}}"
        writer.write(head.encode())
        await writer.drain()
        writer.close()

    here = OurClocks(lambda: datetime(2026, 11, 22, tzinfo=UTC), float)
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with (
        server,
        Client(
            Config(f"http://127.0.0.1:{port}"),
            user_agent="test",
            clocks=here,
        ) as client,
    ):
        await client.get(ONE)
        assert client.clock_skew is None


class Permit:
    """Lets so many requests through."""

    def __init__(self, times: int) -> None:
        self.left = times

    def __call__(self) -> None:
        if not self.left:
            raise Unreachable("not any more")
        self.left -= 1


@pytest.mark.parametrize(
    ("fault", "times", "sent"),
    [
        pytest.param(None, 0, 0, id="never when it may not"),
        pytest.param(Fault("status", code=401), 1, 1, id="not again with a new token"),
        pytest.param(Fault("reset"), 1, 1, id="not again when a kept connection was dropped"),
        pytest.param(Fault("status", code=401), 2, 2, id="again when it still may"),
    ],
)
async def test_a_request_that_needs_a_permit_is_sent(
    fault: Fault | None, times: int, sent: int
) -> None:
    async with FakeApi() as api:
        api.put(ONE)
        async with Client(api.config(), user_agent="x", permit=(permit := Permit(times + 1))) as it:
            await it.get(ONE)  # so that there is a connection to reuse
            permit.left = times
            if fault:
                api.fault(fault)
            with contextlib.suppress(ApiError, Unreachable):
                await it.delete(ONE, uid="u", resource_version="1")
        assert [r.method for r in api.requests].count("DELETE") == sent
