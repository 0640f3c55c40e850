"""Who carries webhooks: every attempt once, beside whoever asks for it, at the right times."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from dayfly_core.outgoing.outbox import (
    Delivered,
    Failed,
    Outcome,
    Refused,
    Retries,
    SecretRef,
    follow_up,
)
from dayfly_operator.outgoing.courier import REMEMBERED, Courier, Parcel
from dayfly_operator.writing import NotLeading

pytestmark = pytest.mark.looptime(start=0)

REF = SecretRef("team-a", "dayfly-webhook")
FIRST = Parcel("an-id", 1, "http://a.example/", b"{}")
START = datetime(2026, 11, 22, 12, tzinfo=UTC)


@dataclass
class Post:
    """A sender that takes a second, and the secrets."""

    outcomes: list[Outcome | Exception] = field(default_factory=list[Outcome | Exception])
    sent: list[tuple[float, str, bytes | None]] = field(
        default_factory=list[tuple[float, str, bytes | None]]
    )
    secret: bytes | Failed = b"a secret"
    hung: set[str] = field(default_factory=set[str])

    async def send(self, url: str, body: bytes, *, key: str, secret: bytes | None) -> Outcome:
        self.sent.append((asyncio.get_running_loop().time(), key, secret))
        await asyncio.sleep(10_000 if url in self.hung else 1)
        outcome = self.outcomes.pop(0) if self.outcomes else Delivered(200)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def hmac(self, ref: SecretRef) -> bytes | Failed:
        assert ref == REF
        return self.secret


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
async def courier(post: Post) -> AsyncIterator[Courier]:
    courier = Courier(post, post)
    running = asyncio.create_task(courier.run())
    yield courier
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


class Bell:
    def __init__(self) -> None:
        self.rung = asyncio.Event()

    def __call__(self) -> None:
        self.rung.set()


async def outcome_of(courier: Courier, parcel: Parcel) -> Outcome | None:
    """Hand over, wait for the bell, collect."""
    bell = Bell()
    assert courier.collect(parcel, bell) is None
    await bell.rung.wait()
    return courier.collect(parcel, bell)


async def test_an_attempt_is_made_once_however_often_somebody_asks(
    courier: Courier, post: Post
) -> None:
    bell = Bell()
    for _ in range(5):
        assert courier.collect(FIRST, bell) is None
        await asyncio.sleep(0.1)
    await bell.rung.wait()
    assert [courier.collect(FIRST, bell) for _ in range(5)] == [Delivered(200)] * 5
    assert len(post.sent) == 1


async def test_the_next_attempt_has_the_same_key(courier: Courier, post: Post) -> None:
    post.outcomes = [Failed("the receiver answered 503"), Delivered(204)]
    assert await outcome_of(courier, FIRST) == Failed("the receiver answered 503")
    assert await outcome_of(courier, replace(FIRST, attempt=2)) == Delivered(204)
    assert [key for _, key, _ in post.sent] == ["an-id", "an-id"]


@pytest.mark.parametrize(
    ("outcomes", "times", "delivered"),
    [
        pytest.param([], [0], True, id="at once"),
        pytest.param([Failed("503")] * 2, [0, 16, 47], True, id="later and later"),
        pytest.param([Failed("503", 60.0)], [0, 61], True, id="when the receiver says"),
        pytest.param([Failed("503", 1.0)], [0, 16], True, id="never sooner than we would"),
        pytest.param([Failed("503", 1e6)], [0, 3601], True, id="an hour later at most"),
        pytest.param([Failed("503")] * 9, [0, 16, 47, 108, 229, 470], False, id="six times"),
        pytest.param([Refused("loopback")], [0], False, id="once, where nothing may be sent"),
    ],
)
async def test_the_attempts_of_a_call_in_virtual_time(
    courier: Courier, post: Post, outcomes: list[Outcome], times: list[float], delivered: bool
) -> None:
    post.outcomes = list(outcomes)
    assert await carried(courier) is delivered
    assert [time for time, _, _ in post.sent] == pytest.approx(times)
    assert {key for _, key, _ in post.sent} == {"an-id"}


async def carried(courier: Courier) -> bool:
    """Do as the engine does: collect, judge, wait, until there is nothing more to do."""
    loop, attempt = asyncio.get_running_loop(), 0
    while True:
        attempt += 1
        outcome = await outcome_of(courier, replace(FIRST, attempt=attempt))
        assert outcome
        now = START + timedelta(seconds=loop.time())
        found = follow_up(outcome, attempt, Retries(), now, chance=0.0)
        if found.again is None:
            return found.delivered
        await asyncio.sleep((found.again - now).total_seconds())


async def test_a_call_is_signed_with_its_secret(courier: Courier, post: Post) -> None:
    assert await outcome_of(courier, replace(FIRST, secret=REF)) == Delivered(200)
    assert post.sent == [(0, "an-id", b"a secret")]


async def test_without_its_secret_it_is_not_sent(courier: Courier, post: Post) -> None:
    post.secret = Failed("Secret team-a/dayfly-webhook to sign with does not exist")
    assert await outcome_of(courier, replace(FIRST, secret=REF)) == post.secret
    assert not post.sent


async def test_one_that_hangs_holds_up_no_other(courier: Courier, post: Post) -> None:
    post.hung = {"http://dead.example/"}
    for number in range(100):
        courier.collect(replace(FIRST, id=str(number), url="http://dead.example/"), Bell())
    assert await outcome_of(courier, FIRST) == Delivered(200)
    assert asyncio.get_running_loop().time() == pytest.approx(1)


async def test_who_does_not_lead_forgets_it_and_can_begin_again(
    courier: Courier, post: Post
) -> None:
    post.outcomes = [NotLeading()]
    bell = Bell()
    assert courier.collect(FIRST, bell) is None
    await asyncio.sleep(2)
    assert not bell.rung.is_set()
    assert await outcome_of(courier, FIRST) == Delivered(200)


async def test_what_nobody_collects_does_not_fill_the_memory(courier: Courier) -> None:
    parcels = [replace(FIRST, id=str(number)) for number in range(REMEMBERED + 1)]
    for parcel in parcels:
        courier.collect(parcel, Bell())
    await asyncio.sleep(2)
    assert courier.collect(parcels[-1], Bell()) == Delivered(200)
    assert courier.collect(parcels[0], Bell()) is None
