"""Mending claims by what the watches say, and never by that alone."""

import gc
from typing import cast

import msgspec
import pytest

from dayfly_core.api import KeyKind
from dayfly_core.claim_key import ClaimKey
from dayfly_core.claim_repair import GRACE, Bind, Create, Remove, Sighting
from dayfly_core.objects import ObjectMeta
from dayfly_kube.errors import ApiError, Status
from dayfly_operator.naming.claim_repair import LOST, SLICE, Mended
from support.claim_cluster import Cluster, steps
from support.claim_values import a_claim, host
from support.claim_world import Desk

A, B = (ClaimKey(KeyKind.ENVIRONMENT, name) for name in "ab")


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


def mend(cluster: Cluster, key: ClaimKey) -> Mended:
    return cluster.run(cluster.leader.mend(key))


def test_what_was_written_is_told(cluster: Cluster) -> None:
    cluster.admit("m", A)
    cluster.store("n", B)
    assert {type(step) for step in cluster.mend()} == {Bind, Create}
    assert cluster.mend() == []
    assert mend(cluster, A) == Mended()


def test_a_name_that_nobody_knows_needs_nothing(cluster: Cluster) -> None:
    assert mend(cluster, A) == Mended()


def test_a_claim_without_an_object_is_looked_at_again_when_its_time_is_over(
    cluster: Cluster,
) -> None:
    cluster.claim("m", A)
    cluster.watch()
    assert mend(cluster, A) == Mended(again=GRACE)
    cluster.schedule.run(cluster.schedule.time + 30)
    assert mend(cluster, A).again == pytest.approx(GRACE - 30, abs=0.02)


def test_a_claim_that_changed_is_waited_for_anew(cluster: Cluster) -> None:
    cluster.claim("m", A)
    cluster.mend()
    cluster.schedule.run(GRACE + 10)
    cluster.claim("m", A)
    cluster.watch()
    assert mend(cluster, A) == Mended(again=GRACE)


def test_time_is_counted_by_who_saw_it(cluster: Cluster) -> None:
    cluster.claim("m", A)
    cluster.mend()
    cluster.schedule.run(GRACE + 10)
    other = cluster.new_leader()
    assert cluster.run(other.mend(A)) == Mended(again=GRACE)
    assert isinstance(mend(cluster, A).step, Remove)


def test_whoever_may_lead_next_counts_as_well(cluster: Cluster) -> None:
    cluster.claim("m", A)
    cluster.watch()
    assert cluster.leader.due(A)
    assert not cluster.leader.due(B)
    cluster.schedule.run(GRACE + 10)
    assert isinstance(mend(cluster, A).step, Remove)


@pytest.mark.parametrize("event", ["deleted", "renamed", "created anew"])
def test_a_watch_that_is_behind_binds_nothing(cluster: Cluster, event: str) -> None:
    cluster.admit("m", A)
    cluster.watch()
    cluster.delete("m")
    if event != "deleted":
        uid, keys = ("another", (A,)) if event == "created anew" else ("", (B,))
        cluster.store("m", *keys, uid=uid)
    assert mend(cluster, A) == LOST
    assert cluster.holder_of(A) == "m Pending"


def test_a_watch_that_is_behind_removes_nothing(cluster: Cluster) -> None:
    cluster.claim("m", A)
    cluster.mend()
    cluster.schedule.run(GRACE + 10)
    cluster.store("m", A)
    assert mend(cluster, A) == LOST
    assert cluster.holder_of(A) == "m Pending"


def test_a_watch_that_is_behind_takes_no_claim_from_its_holder(cluster: Cluster) -> None:
    cluster.admit("m", A)
    cluster.mend()
    cluster.store("n", A)
    cluster.watch()
    del cluster.view.seen_things["m"]
    assert mend(cluster, A) == LOST
    assert cluster.holder_of(A) == "m Bound"


def test_a_claim_that_moved_on_is_left_alone(cluster: Cluster) -> None:
    cluster.admit("m", A)
    cluster.watch()
    cluster.claim("m", A)
    assert mend(cluster, A) == LOST
    assert cluster.holder_of(A) == "m Pending"


@pytest.mark.parametrize(
    ("code", "raised"),
    [
        pytest.param(409, False, id="a lost race is none of ours"),
        pytest.param(404, True, id="a kind that is not served"),
        pytest.param(403, True, id="a missing right"),
        pytest.param(500, True, id="an error of the server's"),
    ],
)
def test_what_goes_wrong_comes_through(cluster: Cluster, code: int, *, raised: bool) -> None:
    class Failing(Desk):
        async def create(self, claim: object) -> None:
            raise ApiError(Status(code=code))

    cluster.store("m", A)
    cluster.leader = cluster.new_leader(Failing(cluster.world))
    if not raised:
        assert cluster.mend() == []
        return
    with pytest.raises(ApiError):
        cluster.mend()


def test_a_claim_by_a_name_of_its_own_is_removed_in_time(cluster: Cluster) -> None:
    cluster.admit("m", A)
    cluster.mend()
    claim = cluster.world.claims[A.claim_name]
    meta = msgspec.structs.replace(claim.metadata, name="by-hand")
    cluster.world.claims["by-hand"] = msgspec.structs.replace(claim, metadata=meta)
    assert cluster.mend() == []
    cluster.wait_out()
    assert list(cluster.world.claims) == [A.claim_name]


def remembered() -> int:
    # By what holds them: alone, none could be in a cycle, so the collector does not know them.
    maps = cast("list[dict[str, object]]", [o for o in gc.get_objects() if isinstance(o, dict)])
    return sum(isinstance(value, Sighting) for each in maps for value in each.values())


def test_of_a_claim_that_is_gone_nothing_is_remembered(cluster: Cluster) -> None:
    before = remembered()
    cluster.admit("m", A)
    cluster.mend()
    assert remembered() == before + 1
    cluster.world.claims.clear()
    cluster.watch()
    cluster.leader.due(A)
    assert remembered() == before


def test_nor_of_one_by_a_name_of_its_own(cluster: Cluster) -> None:
    before = remembered()
    stray = msgspec.structs.replace(a_claim(), metadata=ObjectMeta(name="by-hand", uid="u"))
    cluster.world.claims = {"by-hand": stray}
    cluster.mend()
    assert remembered() == before + 1
    cluster.world.claims.clear()
    cluster.mend()
    assert remembered() == before


def test_a_full_pass_over_many_lets_others_run(cluster: Cluster) -> None:
    names = [f"m{number}" for number in range(SLICE + 1)]
    cluster.world.claims = {
        claim.metadata.name: claim
        for name in names
        for claim in [a_claim(ClaimKey(KeyKind.ENVIRONMENT, name))]
    }
    cluster.watch()
    before, found = cluster.schedule.steps, list[ClaimKey]()
    cluster.run(cluster.leader.look_at_all(found.append))
    assert len(found) == len(names)
    assert cluster.schedule.steps - before == 2


def test_wildcards_lose_and_win_too(cluster: Cluster) -> None:
    cluster.store("old", host("x.a.example"))
    cluster.schedule.run(5)
    cluster.store("new", host("*.a.example"), A)
    cluster.store("newest", host("x.b.example"))
    cluster.mend()
    (conflict,) = cluster.conflicts()
    assert (conflict.loser.holder.name, conflict.winner.holder.name) == ("new", "old")


def test_steps_are_those_that_were_taken() -> None:
    assert steps((Mended(again=1.0),)) == []
