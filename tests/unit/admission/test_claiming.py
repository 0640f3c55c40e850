"""Carrying out the steps of a claim: several names, lost answers, and no time."""

from dataclasses import dataclass, field

import pytest

from dayfly_admission.claiming import Claiming
from dayfly_core.api import Holder, KeyKind, NameClaim
from dayfly_core.claim_key import ClaimKey
from dayfly_core.claim_steps import Act, Granted, Outcome, Presence, Reserved, Taken, Unverified
from dayfly_kube.errors import ApiError, Status, Unreachable
from support.claim_cluster import DEADLINE, Cluster
from support.claim_world import Store

A, B, C, D = (ClaimKey(KeyKind.ENVIRONMENT, name) for name in "abcd")


@dataclass
class Wire(Store):
    """Notes the calls, and fails some of them."""

    calls: list[str] = field(default_factory=list[str])
    failures: dict[str, list[Exception]] = field(default_factory=dict[str, list[Exception]])
    """What the next calls of a verb raise, instead of being carried out."""
    deaf: int = 0
    """How many writes are carried out without an answer."""

    def note(self, verb: str) -> None:
        self.calls.append(verb)
        if failures := self.failures.get(verb):
            raise failures.pop(0)

    def answered(self) -> None:
        self.deaf -= 1
        if self.deaf >= 0:
            raise Unreachable("no answer")

    async def create(self, claim: NameClaim, seconds: float) -> NameClaim:
        self.note("create")
        stored = await super().create(claim, seconds)
        self.answered()
        return stored

    async def read(self, name: str, seconds: float) -> NameClaim | None:
        self.note("read")
        return await super().read(name, seconds)

    async def replace(self, claim: NameClaim, seconds: float) -> NameClaim:
        self.note("replace")
        stored = await super().replace(claim, seconds)
        self.answered()
        return stored

    async def delete(self, claim: NameClaim, seconds: float) -> None:
        self.note("delete")
        await super().delete(claim, seconds)

    async def find(self, holder: Holder, key: ClaimKey, seconds: float) -> Presence | None:
        self.note("find")
        return await super().find(holder, key, seconds)


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def wire(cluster: Cluster) -> Wire:
    return Wire(cluster.world)


def claim(cluster: Cluster, wire: Wire, *keys: ClaimKey, act: Act = Act.CREATE) -> list[Outcome]:
    claiming = Claiming(wire, cluster.schedule)
    return list(cluster.run(claiming.claim(cluster.ask("m", *keys, act=act))))


def refused(code: int, reason: str = "") -> ApiError:
    return ApiError(Status(code=code, reason=reason, message="because"))


def test_a_new_name_costs_one_write(cluster: Cluster, wire: Wire) -> None:
    (outcome,) = claim(cluster, wire, A)
    assert isinstance(outcome, Granted)
    assert outcome.claim == cluster.stored(A)
    assert wire.calls == ["create"]


def test_nothing_asked_costs_nothing(cluster: Cluster, wire: Wire) -> None:
    assert claim(cluster, wire) == []
    assert wire.calls == []


def test_several_names_are_claimed_in_order_and_each_once(cluster: Cluster, wire: Wire) -> None:
    outcomes = claim(cluster, wire, C, A, C, B)
    assert [o.claim for o in outcomes if isinstance(o, Granted)] == [
        cluster.stored(key) for key in (C, A, C, B)
    ]
    assert [claim.spec.key.value for claim in cluster.world.claims.values()] == ["a", "b", "c"]


def test_after_a_refusal_all_is_withdrawn_and_the_rest_only_read(
    cluster: Cluster, wire: Wire
) -> None:
    cluster.admit("n", B)
    cluster.claim("o", D)
    outcomes = claim(cluster, wire, A, B, C, D)
    assert [type(outcome) for outcome in outcomes] == [Granted, Taken, Granted, Reserved]
    assert {claim.spec.holder.name for claim in cluster.world.claims.values()} == {"n", "o"}


def test_what_this_call_did_not_create_is_not_withdrawn(cluster: Cluster, wire: Wire) -> None:
    # Another request of the same object may go by it.
    cluster.claim("m", A, uid="another request's")
    cluster.admit("n", B)
    assert [type(o) for o in claim(cluster, wire, A, B)] == [Granted, Taken]
    assert cluster.holder_of(A) == "m Pending"


def test_a_claim_that_cannot_be_withdrawn_is_left_to_the_operator(
    cluster: Cluster, wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    cluster.admit("n", B)
    wire.failures["delete"] = [Unreachable("no answer")]
    assert [type(o) for o in claim(cluster, wire, A, B)] == [Granted, Taken]
    assert cluster.holder_of(A) == "m Pending"
    assert "claim is left" in caplog.text


@pytest.mark.parametrize("deaf", [1, 2, 3])
def test_an_answer_that_is_lost_is_looked_after(cluster: Cluster, wire: Wire, deaf: int) -> None:
    wire.deaf = deaf
    (outcome,) = claim(cluster, wire, A)
    assert isinstance(outcome, Granted)
    assert outcome.claim == cluster.stored(A)
    assert wire.calls == ["create", *["read", "replace"] * deaf]


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(Unreachable("connection reset"), id="no answer"),
        pytest.param(refused(500), id="an error of the server's"),
        pytest.param(refused(429), id="throttled"),
    ],
)
def test_a_write_that_was_not_carried_out_is_tried_again(
    cluster: Cluster, wire: Wire, error: Exception
) -> None:
    wire.failures["create"] = [error]
    assert isinstance(claim(cluster, wire, A)[0], Granted)
    assert wire.calls == ["create", "read", "create"]


@pytest.mark.parametrize(
    ("verb", "error"),
    [
        pytest.param("create", refused(403, "Forbidden"), id="a right is missing"),
        pytest.param("create", refused(404, "NotFound"), id="the kind is not served"),
        pytest.param("create", refused(422, "Invalid"), id="the claim is not valid"),
        pytest.param("read", refused(403, "Forbidden"), id="the claim may not be read"),
        pytest.param("find", refused(400, "BadRequest"), id="the holder cannot be asked about"),
    ],
)
def test_what_cannot_be_found_out_is_said(
    cluster: Cluster, wire: Wire, verb: str, error: Exception
) -> None:
    if verb != "create":
        cluster.admit("n", A)
    wire.failures[verb] = [error]
    assert claim(cluster, wire, A) == [Unverified(str(error))]


def test_an_error_without_words_is_named(cluster: Cluster, wire: Wire) -> None:
    wire.failures["create"] = [Unreachable()] * 1000
    assert claim(cluster, wire, A) == [Unverified("Unreachable")]


@pytest.mark.parametrize(
    ("verb", "error"),
    [
        pytest.param("read", Unreachable("no time left"), id="whose, could not be read"),
        pytest.param("read", refused(500), id="the server failed"),
        pytest.param("find", refused(429), id="the server had too much to do"),
    ],
)
def test_what_is_known_to_be_claimed_is_not_given_away_for_want_of_time(
    cluster: Cluster, wire: Wire, verb: str, error: Exception
) -> None:
    cluster.admit("n", A)
    wire.failures[verb] = [error]
    [outcome] = claim(cluster, wire, A)
    assert isinstance(outcome, Reserved)


@pytest.mark.parametrize(
    "lost",
    [
        pytest.param(refused(409, "Conflict"), id="another version"),
        pytest.param(refused(404, "NotFound"), id="deleted"),
    ],
)
def test_a_swap_that_lost_its_race_begins_anew(
    cluster: Cluster, wire: Wire, lost: Exception
) -> None:
    cluster.store("m")
    cluster.claim("m", A, act=Act.UPDATE)
    wire.failures["replace"] = [lost]
    assert isinstance(claim(cluster, wire, A, act=Act.UPDATE)[0], Granted)
    assert wire.calls == ["create", "read", "replace", "read", "replace"]


def test_trouble_that_lasts_ends_with_the_time(cluster: Cluster, wire: Wire) -> None:
    wire.failures["create"] = [Unreachable("no route") for _ in range(1000)]
    assert claim(cluster, wire, A) == [Unverified("no route")]
    assert DEADLINE <= cluster.schedule.time < DEADLINE + 0.3
    # With a breath after each failure.
    assert len(wire.calls) < 2 * DEADLINE / 0.05


def test_without_time_nothing_is_asked_nor_withdrawn(cluster: Cluster, wire: Wire) -> None:
    ask = cluster.ask("m", A, B)
    cluster.schedule.run(DEADLINE + 1)
    outcomes = cluster.run(Claiming(wire, cluster.schedule).claim(ask))
    assert outcomes == (Unverified("there was no time left"),) * 2
    assert wire.calls == []


@dataclass
class Bounds(Store):
    """Notes how long each call may take."""

    seconds: list[float] = field(default_factory=list[float])

    async def create(self, claim: NameClaim, seconds: float) -> NameClaim:
        self.seconds.append(seconds)
        await self.world.schedule.pause(seconds)
        raise Unreachable("no answer")


def test_a_call_that_hangs_leaves_time_to_look_after_it(cluster: Cluster) -> None:
    bounds = Bounds(cluster.world)
    cluster.run(cluster.request("m", A, store=bounds))
    assert bounds.seconds[0] == pytest.approx(DEADLINE / 2)
    assert sum(bounds.seconds) < DEADLINE
    assert len(bounds.seconds) > 2
