"""What is known of the policies: how fresh, and at what price."""

import asyncio
from typing import Any

import msgspec
import pytest

from dayfly_kube.errors import ApiError, Status, Unreachable
from dayfly_operator.policies import Knowledge, PolicyBook
from support.policy_manifests import manifest


class Server:
    """Answers with ``policies`` after ``delay`` seconds."""

    def __init__(self, *policies: dict[str, Any], delay: float = 0.1) -> None:
        self.policies = list(policies)
        self.asked: list[float] = []
        self.delay = delay
        self.error: Exception | None = None

    async def get(self, path: str) -> bytes:
        self.asked.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self.delay)
        if self.error:
            raise self.error
        return msgspec.json.encode({"items": self.policies})


def book(server: Server) -> tuple[PolicyBook, list[frozenset[str]]]:
    told: list[frozenset[str]] = []

    def changed(before: Knowledge, known: Knowledge) -> None:
        told.append(before.differing(known))

    return PolicyBook(server, asyncio.get_running_loop().time, changed), told


def stored(name: str, generation: int = 1, **spec: Any) -> dict[str, Any]:
    body = manifest(name, **spec)
    return body | {"metadata": {"name": name, "uid": name, "generation": generation}}


@pytest.mark.looptime(start=0)
async def test_any_number_of_callers_share_one_request() -> None:
    server = Server(stored("a"))
    known, _ = book(server)
    await asyncio.gather(*(known.fresh(1.0) for _ in range(50)))
    await known.fresh(1.0)
    assert len(server.asked) == 1


@pytest.mark.looptime(start=0)
async def test_any_number_of_callers_share_one_failure_and_the_next_asks_again() -> None:
    server = Server(stored("a"))
    server.error = Unreachable("away")
    known, _ = book(server)
    outcomes = await asyncio.gather(*(known.fresh(1.0) for _ in range(5)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Unreachable] * 5
    server.error = None
    await known.fresh(1.0)
    assert len(server.asked) == 2


@pytest.mark.looptime(start=0)
async def test_a_refresh_is_not_content_with_an_answer_to_an_earlier_question() -> None:
    server = Server(stored("a"))
    known, _ = book(server)
    earlier = asyncio.create_task(known.refresh())
    await asyncio.sleep(0.05)
    await known.refresh()
    await earlier
    assert server.asked == [0, pytest.approx(0.1)]


@pytest.mark.looptime(start=0)
async def test_knowledge_is_as_old_as_the_question() -> None:
    server = Server(stored("a"), delay=3)
    known, _ = book(server)
    await known.fresh(1.0)
    assert not known.is_fresh(2.9)
    assert known.is_fresh(3.1)


async def test_a_policy_that_cannot_be_read_spoils_no_other() -> None:
    server = Server(stored("bad", grace="5"), stored("good"), delay=0)
    known, _ = book(server)
    await known.refresh()
    assert [policy.name for policy in known.known.policies] == ["good"]
    assert "spec.grace" in known.known.entries["bad"].fault


async def test_only_what_changes_the_meaning_is_told() -> None:
    server = Server(stored("a"), stored("b"), delay=0)
    known, told = book(server)
    await known.refresh()
    server.policies[0]["status"] = {"matched": 5}
    await known.refresh()
    server.policies[1:] = [stored("b", 2, suspend=True), stored("c")]
    await known.refresh()
    assert told == [{"a", "b"}, frozenset(), {"b", "c"}]


async def test_without_the_kind_there_are_no_policies() -> None:
    server = Server(stored("a"), delay=0)
    known, told = book(server)
    await known.refresh()
    server.error = ApiError(Status(code=404))
    await known.refresh()
    assert not known.known.installed
    assert told[-1] == {"a"}
