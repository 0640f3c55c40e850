"""What can go wrong with a claim, row by row of the table in the design of unique names."""

from collections.abc import Iterable
from datetime import timedelta
from functools import partial

import msgspec
import pytest

from dayfly_admission.claiming import Claiming
from dayfly_core.api import ClaimState, KeyKind, NameClaim
from dayfly_core.claim_key import ClaimKey
from dayfly_core.claim_repair import Bind, Create, Remove, census
from dayfly_core.claim_steps import Act, Exists, Granted, Outcome, Reserved, Taken, Unverified
from dayfly_kube.errors import Unreachable
from support.claim_cluster import Cluster, SkewedClock, mend_all, steps
from support.claim_values import host
from support.claim_world import Crash, Store

A, B = (ClaimKey(KeyKind.ENVIRONMENT, name) for name in ("alpha", "beta"))
SEEDS = pytest.mark.parametrize("seed", range(20))


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


def granted(outcomes: Iterable[Outcome]) -> int:
    return sum(isinstance(outcome, Granted) for outcome in outcomes)


@SEEDS
def test_b3_row_01_of_two_replicas_at_the_same_instant_one_admits(seed: int) -> None:
    cluster = Cluster(seed)
    outcomes = cluster.race(*(cluster.request(name, A) for name in "mn"))
    assert granted(outcomes) == 1
    assert any(isinstance(outcome, Reserved) for outcome in outcomes)


def test_b3_row_02_what_something_else_refuses_keeps_its_name_for_a_while(cluster: Cluster) -> None:
    assert isinstance(cluster.claim("m", A, uid="refused by a quota"), Granted)
    assert isinstance(cluster.claim("n", A), Reserved)
    assert isinstance(cluster.claim("m", A, uid="the next attempt"), Granted)
    assert [type(step) for step in cluster.wait_out()] == [Remove]
    assert isinstance(cluster.claim("n", A), Granted)


def test_b3_row_03_a_replica_that_dies_leaves_a_reservation(cluster: Cluster) -> None:
    dying = Store(cluster.world, crash_after=1)
    with pytest.raises(Crash):
        cluster.run(cluster.request("m", A, store=dying))
    assert cluster.holder_of(A) == "m Pending"
    assert isinstance(cluster.claim("n", A), Reserved)
    assert isinstance(cluster.claim("m", A, uid="again"), Granted)
    cluster.wait_out()
    assert cluster.stored(A) is None


def test_b3_row_04_an_update_that_is_admitted_again_writes_its_claim_again(
    cluster: Cluster,
) -> None:
    cluster.store("m")
    versions: list[str] = []
    for _ in range(3):
        assert isinstance(cluster.claim("m", A, act=Act.UPDATE), Granted)
        claim = cluster.stored(A)
        versions += [claim.metadata.resource_version] if claim else []
    assert len(set(versions)) == 3


def test_b3_row_04_a_generated_name_stands_in_its_own_way(cluster: Cluster) -> None:
    # Which is why the environments' webhook refuses generateName.
    assert isinstance(cluster.claim("m-x7k2p", A, uid="one"), Granted)
    assert isinstance(cluster.claim("m-9qv4z", A, uid="two"), Reserved)


def test_b3_row_05_a_dry_run_writes_nothing(cluster: Cluster) -> None:
    cluster.admit("m", A)
    cluster.mend()
    before = dict(cluster.world.claims)
    claiming = Claiming(Store(cluster.world), cluster.schedule)
    ask = cluster.ask("n", A, B, read_only=True)
    taken, free = cluster.run(claiming.claim(ask))
    assert isinstance(taken, Taken)
    assert free == Granted(None)
    assert cluster.world.claims == before


def test_b3_row_06_deleted_and_created_again_at_once(cluster: Cluster) -> None:
    cluster.admit("m", A, uid="old")
    cluster.mend()
    cluster.delete("m")
    cluster.admit("m", A, uid="new")
    cluster.mend()
    assert cluster.world.unclaimed() == []


def test_b3_row_06_with_a_finalizer_the_old_object_is_still_there(cluster: Cluster) -> None:
    cluster.admit("m", A, uid="old")
    assert isinstance(cluster.claim("m", A, uid="new"), Exists)


@SEEDS
def test_b3_row_07_a_name_that_became_free_is_taken_at_once_by_one(seed: int) -> None:
    cluster = Cluster(seed)
    cluster.admit("m", A)
    cluster.mend()
    cluster.delete("m")
    outcomes = cluster.race(*(cluster.request(name, A) for name in "nop"))
    assert granted(outcomes) == 1


def test_b3_row_08_what_is_terminating_still_holds_its_name(cluster: Cluster) -> None:
    # Its deletion has been asked for, and a finalizer keeps it: traffic may still flow.
    cluster.admit("m", A)
    assert isinstance(cluster.claim("n", A), Taken)
    assert cluster.wait_out() == []
    assert cluster.holder_of(A) == "m Bound"


def test_b3_row_09_a_rename_claims_the_new_name_and_then_gives_up_the_old(
    cluster: Cluster,
) -> None:
    cluster.admit("m", A)
    cluster.mend()
    cluster.admit("m", B, act=Act.UPDATE)
    cluster.mend()
    assert (cluster.holder_of(A), cluster.holder_of(B)) == ("m Bound", "m Bound")
    cluster.wait_out()
    assert (cluster.holder_of(A), cluster.holder_of(B)) == ("", "m Bound")


def test_b3_row_09_a_rename_that_fails_gives_up_the_new_name(cluster: Cluster) -> None:
    cluster.admit("m", A)
    assert isinstance(cluster.claim("m", B, act=Act.UPDATE), Granted)
    cluster.wait_out()
    assert (cluster.holder_of(A), cluster.holder_of(B)) == ("m Bound", "")


def test_b3_row_09_there_and_back_again(cluster: Cluster) -> None:
    cluster.admit("m", A)
    cluster.mend()
    cluster.admit("m", B, act=Act.UPDATE)
    cluster.mend()
    assert isinstance(cluster.claim("m", A, act=Act.UPDATE), Granted)
    # On its way back to A: nobody may have it, though the object does not list it now.
    assert isinstance(cluster.claim("n", A), Reserved)
    cluster.store("m", A)
    cluster.mend()
    assert cluster.holder_of(A) == "m Bound"


def test_b3_row_10_two_objects_cannot_swap_their_names(cluster: Cluster) -> None:
    cluster.admit("m", A)
    cluster.admit("n", B)
    both = (cluster.claim("m", B, act=Act.UPDATE), cluster.claim("n", A, act=Act.UPDATE))
    assert [type(outcome) for outcome in both] == [Taken, Taken]


def test_b3_row_11_a_claim_that_was_deleted_by_hand_is_made_again(cluster: Cluster) -> None:
    cluster.admit("m", A)
    cluster.mend()
    cluster.world.claims.clear()
    assert [type(step) for step in cluster.mend()] == [Create]
    assert cluster.world.unclaimed() == []


def test_b3_row_11_a_claim_that_was_given_to_another_is_given_back(cluster: Cluster) -> None:
    cluster.admit("m", A)
    cluster.mend()
    claim = cluster.world.claims[A.claim_name]
    spec = msgspec.structs.replace(claim.spec, holder=cluster.holder("nobody"))
    cluster.world.claims[A.claim_name] = msgspec.structs.replace(claim, spec=spec)
    assert [type(step) for step in cluster.mend()] == [Bind]
    assert cluster.world.unclaimed() == []


def test_b3_row_12_of_two_that_were_stored_without_admission_the_oldest_wins(
    cluster: Cluster,
) -> None:
    cluster.store("n", A)
    cluster.schedule.run(10)
    cluster.store("m", A)
    cluster.mend()
    (conflict,) = cluster.conflicts()
    assert (conflict.loser.holder.name, conflict.winner.holder.name) == ("m", "n")
    assert cluster.holder_of(A) == "n Bound"
    assert set(cluster.world.things) == {"m", "n"}


def test_b3_row_12_when_the_winner_goes_the_loser_gets_the_name(cluster: Cluster) -> None:
    for name in "mn":
        cluster.store(name, A)
    cluster.mend()
    cluster.delete("m")
    cluster.mend()
    assert cluster.holder_of(A) == "n Bound"
    assert cluster.conflicts() == ()


def test_b3_row_13_without_an_api_server_nothing_is_admitted_in_time(cluster: Cluster) -> None:
    class Cut(Store):
        async def create(self, claim: NameClaim, seconds: float) -> NameClaim:
            await cluster.schedule.pause(seconds)
            raise Unreachable("no answer")

        async def read(self, name: str, seconds: float) -> NameClaim | None:
            await cluster.schedule.pause(seconds)
            raise Unreachable("connection refused")

    outcome = cluster.run(cluster.request("m", A, store=Cut(cluster.world)))
    assert outcome == Unverified("connection refused")
    assert cluster.schedule.time < 4.75


@SEEDS
def test_b3_row_14_two_leaders_undo_nothing(seed: int) -> None:
    cluster = Cluster(seed)
    cluster.claim("gone", A)
    cluster.admit("m", B)
    other = cluster.new_leader()
    cluster.watch()
    for leader in (cluster.leader, other):
        cluster.run(leader.mend(A))
    cluster.schedule.run(100)
    cluster.watch()
    done = cluster.race(mend_all(cluster.leader), mend_all(other))
    assert sorted(type(step).__name__ for each in done for step in steps(each)) == [
        "Bind",
        "Remove",
    ]
    assert (cluster.holder_of(A), cluster.holder_of(B)) == ("", "m Bound")


WILD, BELOW = host("*.a.example"), host("x.a.example")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(WILD, BELOW, id="the wildcard was first"),
        pytest.param(BELOW, WILD, id="the host was first"),
        pytest.param(host("y.x.a.example"), WILD, id="at any depth"),
        pytest.param(host("*.x.a.example"), WILD, id="a wildcard below a wildcard"),
    ],
)
def test_b3_row_15_overlapping_hosts_are_refused(first: ClaimKey, second: ClaimKey) -> None:
    cluster = Cluster()
    assert isinstance(cluster.claim("m", first), Granted)
    assert isinstance(cluster.claim("n", second), Reserved)
    assert cluster.stored(second) is None
    cluster.store("m", first)
    assert isinstance(cluster.claim("n", second), Taken)
    assert cluster.stored(second) is None


@SEEDS
def test_b3_row_15_of_two_overlapping_hosts_at_once_exactly_one_is_admitted(seed: int) -> None:
    cluster = Cluster(seed)
    outcomes = cluster.race(cluster.request("m", WILD), cluster.request("n", BELOW))
    assert granted(outcomes) == 1
    assert len(cluster.world.claims) == 1


def test_b3_row_15_a_wildcard_that_was_given_up_is_in_nobodys_way(cluster: Cluster) -> None:
    cluster.admit("m", WILD)
    cluster.mend()
    cluster.delete("m")
    assert isinstance(cluster.claim("n", BELOW), Granted)
    cluster.store("n", BELOW)
    # And who comes back to it finds the host there.
    assert isinstance(cluster.claim("m", WILD, uid="another"), Taken)


def test_b3_row_15_two_that_retry_for_ever_do_not_keep_each_other_out(cluster: Cluster) -> None:
    # Both were admitted one after the other's claim had aged away, and neither was stored.
    cluster.claim("m", WILD)
    cluster.world.claims |= another_admitted("n", BELOW)
    for _ in range(4):
        assert isinstance(cluster.claim("m", WILD, uid="again"), Reserved)
        assert isinstance(cluster.claim("n", BELOW, uid="again"), Reserved)
        cluster.mend()
        cluster.schedule.run(cluster.schedule.time + 20)
    cluster.mend()
    assert isinstance(cluster.claim("m", WILD, uid="at last"), Granted)


def another_admitted(name: str, key: ClaimKey) -> dict[str, NameClaim]:
    cluster = Cluster()
    cluster.claim(name, key)
    return cluster.world.claims


@pytest.mark.parametrize(
    "second",
    [
        pytest.param("example.com", id="a domain below one"),
        pytest.param("*.org", id="a wildcard elsewhere"),
        pytest.param("xcom", id="a name that ends alike"),
    ],
)
def test_b3_row_15_what_does_not_overlap_is_admitted(second: str) -> None:
    cluster = Cluster()
    cluster.admit("m", host("com"))
    assert isinstance(cluster.claim("n", host(second)), Granted)


def test_b3_row_16_claims_without_objects_are_counted(cluster: Cluster) -> None:
    cluster.admit("m", A)
    cluster.mend()
    cluster.claim("n", B)
    counted = census(cluster.world.claims.values())
    assert counted[KeyKind.ENVIRONMENT, ClaimState.PENDING] == 1
    assert counted[KeyKind.ENVIRONMENT, ClaimState.BOUND] == 1


@pytest.mark.parametrize("hours", [-30, 30])
def test_b3_row_17_no_wall_clock_ends_a_reservation(cluster: Cluster, hours: int) -> None:
    cluster.claim("m", A)
    clock = SkewedClock(cluster.schedule, timedelta(hours=hours))
    claiming = Claiming(Store(cluster.world), clock)
    ask = partial(cluster.ask, "n", A)
    assert isinstance(cluster.run(claiming.claim(ask()))[0], Reserved)
    # Without a leader it stays, for any time.
    cluster.schedule.run(10_000)
    assert isinstance(cluster.run(claiming.claim(ask()))[0], Reserved)
    # And a new leader counts from what it sees itself.
    assert cluster.mend() == []
    cluster.wait_out()
    assert isinstance(cluster.run(claiming.claim(ask()))[0], Granted)
