"""What the leader does about a name, and who loses it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import msgspec
import pytest

from dayfly_core.api import ClaimState, Holder, KeyKind, NameClaim
from dayfly_core.claim_key import ClaimKey
from dayfly_core.claim_repair import (
    GRACE,
    Bind,
    Case,
    Claimant,
    Create,
    Remove,
    Sighting,
    Wait,
    Write,
    census,
    confirmed,
    conflicts,
    repair,
    seniority,
    sight,
)
from dayfly_core.claim_steps import Presence
from dayfly_core.claims import bound
from support.claim_values import AT, SHOP, a_claim, a_namespace, host

PENDING, BOUND = ClaimState.PENDING, ClaimState.BOUND
THEIRS, OTHER = a_namespace("theirs"), a_namespace("other")
AGAIN = a_namespace("theirs", "uid-now")


def claimant(holder: Holder, age: int = 0) -> Claimant:
    return Claimant(holder, AT - timedelta(seconds=age), "Shop")


def a_case(claim: NameClaim | None, *claimants: Claimant, unchanged: float = 0) -> Case:
    return Case(SHOP, claim, unchanged, claimants)


def binds(claim: NameClaim, holder: Holder, former: Holder | None = None) -> Bind:
    return Bind(bound(claim, holder, AT), former)


BY_HAND = msgspec.structs.replace(
    a_claim(), metadata=msgspec.structs.replace(a_claim().metadata, name="by-hand")
)
MISNAMED = msgspec.structs.replace(
    a_claim(ClaimKey(SHOP.kind, "cart")), metadata=a_claim().metadata
)


@pytest.mark.parametrize(
    ("case", "want"),
    [
        pytest.param(a_case(None), None, id="no claim, no object: nothing"),
        pytest.param(
            a_case(a_claim(), claimant(THEIRS)),
            binds(a_claim(), THEIRS),
            id="a request's claim is bound when its object is seen",
        ),
        pytest.param(
            a_case(a_claim(state=BOUND), claimant(THEIRS)), None, id="a bound claim is well"
        ),
        pytest.param(
            a_case(a_claim(contested=True), claimant(THEIRS), unchanged=74),
            Wait(1.0),
            id="an earlier request may be under way: not bound before that has ended",
        ),
        pytest.param(
            a_case(a_claim(contested=True), claimant(THEIRS), unchanged=75),
            binds(a_claim(contested=True), THEIRS),
            id="by now it has",
        ),
        pytest.param(
            a_case(a_claim(), claimant(AGAIN)),
            Wait(75.0),
            id="the object is another of that name: the claimed one may be under way",
        ),
        pytest.param(
            a_case(a_claim(state=BOUND), claimant(AGAIN)),
            binds(a_claim(state=BOUND), AGAIN),
            id="re-created without admission: the claim follows at once",
        ),
        pytest.param(
            a_case(a_claim(state=BOUND), claimant(OTHER)),
            binds(a_claim(state=BOUND), OTHER, former=THEIRS),
            id="another object has it and the holder not: if that is so, the claim moves",
        ),
        pytest.param(
            a_case(a_claim(), claimant(OTHER), unchanged=10),
            Wait(65.0),
            id="another object has it, but the holder may be under way",
        ),
        pytest.param(
            a_case(a_claim(), claimant(OTHER), unchanged=75),
            binds(a_claim(), OTHER, former=THEIRS),
            id="the holder never came",
        ),
        pytest.param(
            a_case(a_claim(state=BOUND), claimant(THEIRS), claimant(OTHER, age=1)),
            binds(a_claim(state=BOUND), OTHER),
            id="two have it: the oldest wins",
        ),
        pytest.param(
            a_case(a_claim(state=BOUND), claimant(THEIRS), claimant(OTHER, age=-1)),
            None,
            id="two have it, and the oldest holds the claim",
        ),
        pytest.param(a_case(a_claim(), unchanged=30), Wait(45.0), id="nobody has it: wait"),
        pytest.param(
            a_case(a_claim(), unchanged=75), Remove(a_claim(), THEIRS), id="nobody came: removed"
        ),
        pytest.param(
            a_case(a_claim(state=BOUND), unchanged=75),
            Remove(a_claim(state=BOUND), THEIRS),
            id="given up: removed after the same time",
        ),
        pytest.param(a_case(BY_HAND, unchanged=70), Wait(5.0), id="a stray claim waits as well"),
        pytest.param(
            a_case(BY_HAND, claimant(THEIRS), unchanged=75),
            Remove(BY_HAND, None),
            id="and goes, whatever its holder lists: by that name it claims nothing",
        ),
        pytest.param(
            a_case(MISNAMED, claimant(THEIRS), unchanged=75),
            Remove(MISNAMED, None),
            id="so does one that stands where another key's belongs",
        ),
        pytest.param(
            Case(ClaimKey(SHOP.kind, "the same hash"), a_claim(), 99, [claimant(OTHER)]),
            None,
            id="another key with the same hash was first",
        ),
    ],
)
def test_repair(case: Case, want: Write | Wait | None) -> None:
    assert repair(case, AT) == want


def test_an_object_without_a_claim_gets_one() -> None:
    step = repair(a_case(None, claimant(OTHER), claimant(THEIRS, age=5)), AT)
    assert isinstance(step, Create)
    spec = step.claim.spec
    assert (spec.holder, spec.state, spec.contested) == (THEIRS, BOUND, False)
    assert (spec.key.kind, spec.key.value, spec.key.written) == (SHOP.kind, "shop", "Shop")
    assert step.claim.metadata.name == SHOP.claim_name


def test_what_is_not_known_as_written_is_written_as_compared() -> None:
    step = repair(a_case(None, Claimant(THEIRS, AT)), AT)
    assert isinstance(step, Create)
    assert step.claim.spec.key.written == "shop"


def test_the_grace_is_the_callers() -> None:
    assert repair(a_case(a_claim(), unchanged=5), AT, grace=10) == Wait(5.0)
    assert GRACE > 60


HERE, ANOTHER = Presence("uid-theirs", lists=True), Presence("uid-now", lists=True)
BARE = Presence("uid-theirs", lists=False)
BIND = binds(a_claim(), THEIRS, former=OTHER)


@pytest.mark.parametrize(
    ("step", "holder", "former", "want"),
    [
        pytest.param(BIND, HERE, None, True, id="it is there and lists the key"),
        pytest.param(BIND, HERE, BARE, True, id="and the former holder gave it up"),
        pytest.param(BIND, HERE, HERE, False, id="the former holder has it still"),
        pytest.param(BIND, None, None, False, id="it is gone"),
        pytest.param(BIND, BARE, None, False, id="it does not list the key any more"),
        pytest.param(BIND, ANOTHER, None, False, id="it is another object of that name"),
        pytest.param(Create(a_claim()), HERE, None, True, id="a claim to be created"),
        pytest.param(Create(a_claim()), None, None, False, id="for an object that is gone"),
        pytest.param(Remove(a_claim(), THEIRS), None, None, True, id="the holder is gone"),
        pytest.param(Remove(a_claim(), THEIRS), None, BARE, True, id="the holder gave it up"),
        pytest.param(Remove(a_claim(), THEIRS), None, ANOTHER, False, id="it is there again"),
    ],
)
def test_what_a_read_confirms(
    step: Write, holder: Presence | None, former: Presence | None, *, want: bool
) -> None:
    assert confirmed(step, holder, former) is want


def test_a_version_keeps_the_time_of_its_first_sight() -> None:
    first = sight(None, a_claim(), 10.0)
    assert first == Sighting("claim-theirs", "7", 10.0)
    assert sight(first, a_claim(), 20.0) is first
    made_anew = sight(first, a_claim(holder=OTHER), 20.0)
    assert made_anew.since == 20.0


# Conflicts.

WILD, BELOW, DEEPER, ASIDE = (
    host("*.a.example"),
    host("x.a.example"),
    host("*.x.a.example"),
    host("x.b.example"),
)
A, B, C = (claimant(a_namespace(name), age) for name, age in (("a", 3), ("b", 2), ("c", 1)))


@pytest.mark.parametrize(
    ("claimants", "want"),
    [
        pytest.param({BELOW: [A], ASIDE: [B]}, [], id="names apart"),
        pytest.param(
            {BELOW: [C, A, B]}, [("b", "a", BELOW), ("c", "a", BELOW)], id="all but the oldest lose"
        ),
        pytest.param({WILD: [A], BELOW: [A]}, [], id="nobody loses against itself"),
        pytest.param({WILD: [A], BELOW: [B]}, [("b", "a", WILD)], id="an older wildcard above"),
        pytest.param({WILD: [B], BELOW: [A]}, [("b", "a", BELOW)], id="an older host below"),
        pytest.param(
            {WILD: [B], BELOW: [A], host("y.a.example"): [C]},
            [("b", "a", BELOW)],
            id="who loses stands in nobody's way",
        ),
        pytest.param(
            {WILD: [A], DEEPER: [B], host("z.x.a.example"): [B]},
            [("b", "a", WILD), ("b", "a", WILD)],
            id="once for each of its keys",
        ),
        pytest.param(
            {BELOW: [claimant(THEIRS), claimant(OTHER)]},
            [("theirs", "other", BELOW)],
            id="of the same age the first by name",
        ),
    ],
)
def test_conflicts(
    claimants: Mapping[ClaimKey, Sequence[Claimant]], want: list[tuple[str, str, ClaimKey]]
) -> None:
    found = [(c.loser.holder.name, c.winner.holder.name, c.winning) for c in conflicts(claimants)]
    assert found == want


def test_an_age_that_is_not_known_goes_first() -> None:
    # It cannot happen with stored objects; what matters is that all agree.
    assert seniority(Claimant(THEIRS, None)) < seniority(A)


def test_claims_are_counted_by_kind_and_state() -> None:
    claims = [a_claim(), a_claim(state=BOUND), a_claim(WILD), a_claim(BELOW)]
    assert census(claims) == {
        (KeyKind.ENVIRONMENT, PENDING): 1,
        (KeyKind.ENVIRONMENT, BOUND): 1,
        (KeyKind.HOST, PENDING): 2,
        (KeyKind.HOST, BOUND): 0,
    }
