"""Namespaces that the watch has not delivered yet."""

import asyncio
from dataclasses import dataclass, field

import msgspec
import pytest

from dayfly_admission.namespaces import Namespaces, keep
from dayfly_core import names
from dayfly_core.objects import ObjectMeta, PartialObject
from dayfly_kube.errors import ApiError, Status, Unreachable


@dataclass
class FakeReader:
    """Answers when ``go`` is set, with an error if there is one."""

    error: Exception | None = None
    go: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[str] = field(default_factory=list[str])

    async def get(self, path: str, *, metadata_only: bool, timeout: float) -> bytes:  # noqa: ASYNC109
        assert metadata_only
        assert timeout > 0
        self.asked.append(path)
        await self.go.wait()
        if self.error:
            raise self.error
        return msgspec.json.encode(PartialObject(ObjectMeta(name="fresh", labels={"team": "web"})))


async def test_requests_that_come_together_ask_once() -> None:
    reader = FakeReader()
    spaces = Namespaces({}, reader)
    asking = [asyncio.create_task(spaces.ask("fresh", 5)) for _ in range(50)]
    await asyncio.wait(asking, timeout=0)
    reader.go.set()
    found = await asyncio.gather(*asking)
    assert [meta.label_map for meta in found if meta] == [{"team": "web"}] * 50
    assert reader.asked == ["/api/v1/namespaces/fresh"]


async def test_later_requests_ask_again() -> None:
    reader = FakeReader()
    reader.go.set()
    spaces = Namespaces({}, reader)
    await spaces.ask("fresh", 5)
    await spaces.ask("fresh", 5)
    assert len(reader.asked) == 2


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(ApiError(Status(404, "NotFound")), id="it is not there"),
        pytest.param(ApiError(Status(403, "Forbidden")), id="it may not be read"),
        pytest.param(Unreachable("connection refused"), id="nobody answers"),
    ],
)
async def test_an_error_means_unknown(error: Exception) -> None:
    reader = FakeReader(error)
    reader.go.set()
    assert await Namespaces({}, reader).ask("fresh", 5) is None


async def test_no_answer_in_time_means_unknown() -> None:
    reader = FakeReader()
    assert await Namespaces({}, reader).ask("fresh", 0.01) is None
    reader.go.set()  # nobody waits for it any more, and nothing is left behind
    assert await Namespaces({}, reader).ask("fresh", 5)


def test_of_a_watched_namespace_only_what_is_read_is_kept() -> None:
    annotations = {names.EXPIRES_AT: "2026-11-22T18:00:00Z", "big": "x" * 100_000}
    meta = ObjectMeta(name="a", labels={"b": "c"}, annotations=annotations, resource_version="5")
    kept = keep(PartialObject(meta))
    assert kept.annotation_map == {names.EXPIRES_AT: "2026-11-22T18:00:00Z"}
    assert (kept.label_map, kept.resource_version) == ({"b": "c"}, "")
