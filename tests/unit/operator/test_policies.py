"""What is known of the policies: how fresh, and at what price."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from dayfly_kube.errors import ApiError, Status, Unreachable
from dayfly_operator.policies import Knowledge, PolicyBook
from support.policy_manifests import manifest

BEGINNING = datetime(2026, 11, 22, 10, tzinfo=UTC)


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

    return PolicyBook(server, asyncio.get_running_loop().time, changed, now), told


def now() -> datetime:
    return BEGINNING + timedelta(seconds=asyncio.get_running_loop().time())


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


def since_of(found: PolicyBook) -> datetime | None:
    policy = found.known.entries["a"].policy
    return policy.since if policy else None


def with_reach(body: dict[str, Any], digest: str, since: str) -> dict[str, Any]:
    return body | {"status": {"reach": {"digest": digest, "since": since}}}


@pytest.mark.looptime(start=0)
async def test_a_policy_does_what_it_does_since_it_was_resumed() -> None:
    server = Server(stored("a", 2, suspend=True), delay=0)
    found, told = book(server)
    await found.refresh()
    await asyncio.sleep(60)
    server.policies = [stored("a", 3)]
    await found.refresh()
    resumed = BEGINNING + timedelta(seconds=60)
    assert since_of(found) == resumed
    await asyncio.sleep(60)
    server.policies = [stored("a", 4, ttl={"default": "1h"})]
    await found.refresh()
    assert since_of(found) == resumed, "who lives how long moves no end that is due"
    assert told == [{"a"}, {"a"}, {"a"}]


@pytest.mark.looptime(start=0)
@pytest.mark.parametrize(
    ("written", "since"),
    [
        pytest.param("2026-11-20T10:00:00Z", BEGINNING - timedelta(days=2), id="as written"),
        pytest.param("yesterday", BEGINNING, id="what cannot be read was never written"),
    ],
)
async def test_the_next_leader_knows_since_when(written: str, since: datetime) -> None:
    first, _ = book(Server(stored("a", 3)))
    await first.refresh()
    reach = first.known.entries["a"].reach
    assert reach
    next_, _ = book(Server(with_reach(stored("a", 3), reach.digest, written), delay=0))
    await next_.refresh()
    assert since_of(next_) == since


async def test_a_policy_that_could_not_be_read_does_something_only_since_it_can() -> None:
    server = Server(stored("a", 1, grace="5"), delay=0)
    found, _ = book(server)
    await found.refresh()
    unreadable = found.known.entries["a"].reach
    server.policies = [stored("a", 2)]
    await found.refresh()
    readable = found.known.entries["a"].reach
    assert unreadable
    assert readable
    assert unreadable.digest == ""
    assert readable.digest != ""


SCALE_DOWN = {"at": "0s", "action": {"type": "SCALE_DOWN"}}
DELETE = {"at": "1d", "action": {"type": "DELETE"}}


def with_steps(body: dict[str, Any], **since: str) -> dict[str, Any]:
    known = [{"step": step.replace("_at_", "@"), "since": at} for step, at in since.items()]
    return body | {"status": {"steps": known}}


def known_in(found: PolicyBook) -> dict[str, datetime]:
    policy = found.known.entries["a"].policy
    assert policy
    return dict(policy.known)


@pytest.mark.looptime(start=0)
async def test_a_step_is_known_since_it_was_first_seen() -> None:
    server = Server(stored("a", 2, timeline=[SCALE_DOWN]))
    found, told = book(server)
    await found.refresh()
    await asyncio.sleep(60)
    server.policies = [stored("a", 3, timeline=[SCALE_DOWN, DELETE])]
    await found.refresh()
    first, second = BEGINNING, BEGINNING + timedelta(seconds=60)
    assert known_in(found) == {"SCALE_DOWN@0s": first, "DELETE@1d": second}
    await asyncio.sleep(60)
    await found.refresh()
    assert known_in(found) == {"SCALE_DOWN@0s": first, "DELETE@1d": second}
    assert told == [{"a"}, {"a"}, frozenset()]


@pytest.mark.looptime(start=0)
async def test_what_the_status_says_counts_more_than_what_was_seen() -> None:
    body = stored("a", 2, timeline=[SCALE_DOWN, DELETE])
    server = Server(body)
    found, told = book(server)
    await found.refresh()
    # The leader saw it earlier, and has written that by now.
    earlier = BEGINNING - timedelta(seconds=3)
    server.policies = [with_steps(body, SCALE_DOWN_at_0s="2026-11-22T09:59:57Z", DELETE_at_1d="?")]
    await found.refresh()
    assert known_in(found) == {"SCALE_DOWN@0s": earlier, "DELETE@1d": BEGINNING}
    assert told == [{"a"}, {"a"}]


@pytest.mark.looptime(start=0)
async def test_a_policy_made_anew_under_the_same_name_is_not_remembered() -> None:
    body = stored("a", 2, timeline=[SCALE_DOWN])
    server = Server(body)
    found, _ = book(server)
    await found.refresh()
    await asyncio.sleep(60)
    server.policies = [body | {"metadata": {"name": "a", "uid": "another", "generation": 2}}]
    await found.refresh()
    assert known_in(found) == {"SCALE_DOWN@0s": now().replace(microsecond=0)}


@pytest.mark.looptime(start=0)
async def test_what_a_policy_said_from_its_beginning_is_known_from_its_creation() -> None:
    body = stored("a", 1, timeline=[SCALE_DOWN])
    body["metadata"]["creationTimestamp"] = "2026-11-20T10:00:00Z"
    found, _ = book(Server(body))
    await found.refresh()
    assert known_in(found) == {"SCALE_DOWN@0s": BEGINNING - timedelta(days=2)}
