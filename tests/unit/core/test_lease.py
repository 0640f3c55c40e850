"""Leader election: the table of client-go, and no two leaders whatever happens."""

from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from dayfly_core import lease
from dayfly_core.lease import (
    Claim,
    Lease,
    LeaseMeta,
    LeaseRecord,
    Sighting,
    StepDown,
    Timing,
    Wait,
    claimed,
    released,
    sight,
    step,
)
from support.candidates import CALM, Faults, Rules, View, World

TIMING = Timing(duration=10, deadline=7, retry=2, request_timeout=2)
WALL = datetime(2026, 11, 22, 10, 0, 0, tzinfo=UTC)
NOW = 1000.0


def a_lease(holder: str | None, duration: int | None = 10, transitions: int | None = 0) -> Lease:
    record = LeaseRecord(
        holder_identity=holder,
        lease_duration_seconds=duration,
        acquire_time="2026-11-22T09:00:00.000000Z",
        renew_time="2026-11-22T09:30:00.000000Z",
        lease_transitions=transitions,
    )
    return Lease(LeaseMeta("7"), record)


def seen(found: Lease | None, ago: float = 0) -> Sighting:
    return sight(None, found, NOW - ago)


# client-go `testTryAcquireOrRenew`: me = "baz", duration 10.


@pytest.mark.parametrize(
    ("sighting", "want", "transitions"),
    [
        pytest.param(seen(None), Claim(""), 0, id="no object: created, the first term"),
        pytest.param(
            seen(Lease(LeaseMeta("7"))), Claim("7"), 1, id="an object without a record is taken"
        ),
        pytest.param(
            seen(Lease(LeaseMeta("7"), LeaseRecord())), Claim("7"), 1, id="an empty record is taken"
        ),
        pytest.param(
            seen(a_lease("bing", 3)), Wait(NOW + 2), None, id="another holder at first sight waits"
        ),
        pytest.param(
            seen(a_lease("bing", 3), ago=2.5),
            Wait(NOW + 0.5),
            None,
            id="a wait ends when the record's duration does",
        ),
        pytest.param(
            seen(a_lease("bing", 3), ago=3),
            Claim("7"),
            1,
            id="the record's duration counts, not ours",
        ),
        pytest.param(
            seen(a_lease("bing", 60), ago=59),
            Wait(NOW + 1),
            None,
            id="a longer promise than ours is waited for",
        ),
        pytest.param(seen(a_lease("", 10)), Claim("7"), 1, id="a released lease is taken at once"),
        pytest.param(
            seen(a_lease("bing"), ago=-5), Wait(NOW + 2), None, id="a sighting to come waits"
        ),
        pytest.param(
            seen(a_lease("", 10), ago=-5), Claim("7"), 1, id="no holder, whenever seen, is taken"
        ),
        pytest.param(
            seen(a_lease("baz")), Claim("7"), 0, id="one's own record goes on, in the same term"
        ),
        pytest.param(
            seen(a_lease("bing", None), ago=9.9),
            Wait(NOW + 0.1),
            None,
            id="no duration in the record: ours, and not yet",
        ),
        pytest.param(
            seen(a_lease("bing", -5), ago=10), Claim("7"), 1, id="a negative duration: ours, over"
        ),
        pytest.param(
            seen(a_lease("bing", transitions=None), ago=10),
            Claim("7"),
            1,
            id="no count of transitions is a count of none",
        ),
    ],
)
def test_a_follower(sighting: Sighting, want: lease.Step, transitions: int | None) -> None:
    got = step("baz", sighting, None, NOW, TIMING)
    if isinstance(want, Wait):
        assert isinstance(got, Wait)
        assert got.until == pytest.approx(want.until)
    else:
        assert got == want
        assert claimed("baz", sighting, WALL, TIMING).transitions == transitions


@pytest.mark.parametrize(
    ("sighting", "renewed_ago", "want"),
    [
        pytest.param(seen(a_lease("baz")), 1, Wait(NOW + 1), id="renews each retry period"),
        pytest.param(seen(a_lease("baz")), 2, Claim("7"), id="renews when the period is over"),
        pytest.param(
            seen(a_lease("baz")), 7, Claim("7"), id="renews also when its gate has closed"
        ),
        pytest.param(
            seen(a_lease("bing")), 1, StepDown("bing"), id="steps down when another one holds it"
        ),
        pytest.param(seen(a_lease("")), 1, StepDown(""), id="steps down when it was released"),
        pytest.param(
            sight(seen(a_lease("baz")), None, NOW),
            2,
            Claim(""),
            id="creates a lease that was deleted under it",
        ),
        pytest.param(
            sight(seen(a_lease("baz")), None, NOW),
            7,
            StepDown("baz"),
            id="steps down from a deleted lease when its gate has closed",
        ),
    ],
)
def test_a_leader(sighting: Sighting, renewed_ago: float, want: lease.Step) -> None:
    assert step("baz", sighting, NOW - renewed_ago, NOW, TIMING) == want


def test_a_lease_deleted_under_its_holder_is_waited_for() -> None:
    gone = sight(seen(a_lease("bing", 10), ago=60), None, NOW)
    assert step("baz", gone, None, NOW, TIMING) == Wait(NOW + 2)
    assert sight(gone, None, NOW + 5) is gone
    assert step("baz", gone, None, NOW + 10, TIMING) == Claim("")
    assert claimed("baz", gone, WALL, TIMING).transitions == 1


@pytest.mark.parametrize(
    "before",
    [
        pytest.param(a_lease("", 1), id="somebody may have taken a released lease since"),
        pytest.param(a_lease("baz"), id="somebody may have taken one's own lease since"),
    ],
)
def test_a_lease_deleted_after_an_absence_is_waited_for(before: Lease) -> None:
    gone = sight(seen(before, ago=60), None, NOW)
    assert step("baz", gone, None, NOW + 9, TIMING) == Wait(NOW + 10)
    assert step("baz", gone, None, NOW + 10, TIMING) == Claim("")


def test_a_version_seen_before_keeps_its_time() -> None:
    first = seen(a_lease("bing"), ago=5)
    assert sight(first, a_lease("bing"), NOW) is first
    renewed = Lease(LeaseMeta("8"), first.record)
    assert sight(first, renewed, NOW) == Sighting("8", first.record, NOW)


def test_a_renewal_keeps_acquire_time_and_term() -> None:
    record = claimed("baz", seen(a_lease("baz", transitions=4)), WALL, TIMING)
    assert record == LeaseRecord(
        holder_identity="baz",
        lease_duration_seconds=10,
        acquire_time="2026-11-22T09:00:00.000000Z",
        renew_time="2026-11-22T10:00:00.000000Z",
        lease_transitions=4,
    )


def test_times_are_utc_with_six_digits_wherever_the_host_is() -> None:
    kolkata = WALL.astimezone(timezone(timedelta(hours=5, minutes=30)))
    record = claimed("baz", seen(None), kolkata, TIMING)
    assert record.acquire_time == record.renew_time == "2026-11-22T10:00:00.000000Z"


def test_a_release_names_nobody_and_keeps_the_term() -> None:
    record = released(claimed("baz", seen(a_lease("bing", transitions=4)), WALL, TIMING), WALL)
    assert (record.holder, record.transitions, record.lease_duration_seconds) == ("", 5, 1)
    assert b'"holderIdentity":""' in msgspec.json.encode(record)


@pytest.mark.parametrize(
    ("text", "holder"),
    [
        pytest.param('{"metadata":{"resourceVersion":"1"}}', "", id="no spec"),
        pytest.param('{"metadata":{"resourceVersion":"1"},"spec":null}', "", id="null spec"),
        pytest.param('{"spec":{"holderIdentity":null,"renewTime":null}}', "", id="null fields"),
        pytest.param(
            '{"spec":{"holderIdentity":"a","new":1},"kind":"Lease"}', "a", id="more fields"
        ),
        pytest.param('{"spec":{"holderIdentity":"a","renewTime":"gestern"}}', "a", id="odd times"),
    ],
)
def test_stored_leases_are_decoded_tolerantly(text: str, holder: str) -> None:
    found = msgspec.json.decode(text, type=Lease)
    assert (found.spec or LeaseRecord()).holder == holder


def test_a_manifest_creates_without_a_version_and_updates_with_one() -> None:
    record = LeaseRecord(holder_identity="baz")
    created = msgspec.to_builtins(lease.manifest("system", "op", "", record))
    assert created == {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"namespace": "system", "name": "op"},
        "spec": {"holderIdentity": "baz"},
    }
    updated = lease.manifest("system", "op", "7", record)
    assert updated["metadata"] == {"namespace": "system", "name": "op", "resourceVersion": "7"}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        pytest.param({"deadline": 10}, "must be shorter than the lease duration", id="L <= D"),
        pytest.param({"deadline": 2.4}, "1.2 times the retry", id="D <= 1.2 R"),
        pytest.param({"duration": 10.5}, "whole number of seconds", id="half a second"),
        pytest.param({"duration": 0}, "at least 1", id="no duration"),
        pytest.param({"duration": float("nan")}, "whole number", id="not a number"),
        pytest.param({"duration": float("inf")}, "whole number", id="infinite"),
        pytest.param({"deadline": float("nan")}, "must be shorter", id="deadline not a number"),
        pytest.param({"retry": 0}, "longer than 0s", id="no retry period"),
        pytest.param({"request_timeout": -1}, "longer than 0s", id="negative time-out"),
        pytest.param({"request_timeout": 5}, "time for a second", id="R + T >= D"),
    ],
)
def test_timings_that_break_a_relation_are_refused(changes: dict[str, float], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        replace(TIMING, **changes)


@pytest.mark.parametrize(
    "timing",
    [
        pytest.param(Timing(), id="the shipped default"),
        pytest.param(Timing(2, 1.4, 0.5, 0.6), id="the shortest that is documented"),
        pytest.param(Timing(15, 10, 2, 5), id="client-go's"),
    ],
)
def test_usual_timings_are_accepted(timing: Timing) -> None:
    assert timing.valid_until(100.0) == 100.0 + timing.deadline


# No two leaders.

FAST = Timing(2, 1.4, 0.5, 0.6)
SEEDS = st.integers(0, 2**32)


@given(seed=SEEDS, timing=st.sampled_from([Timing(), FAST]), candidates=st.integers(2, 5))
def test_no_schedule_gives_two_leaders(seed: int, timing: Timing, candidates: int) -> None:
    world = World(seed, timing).run(candidates)
    assert not list(world.overlaps)


def deletion(at: float) -> Faults:
    # Without new processes: one that starts at that very moment cannot know of the old holder.
    return Faults(crashes_every=0, deleted_at=at, quiet=5)


@given(seed=SEEDS, at=st.floats(10, 80))
def test_deleting_the_lease_gives_no_two_leaders(seed: int, at: float) -> None:
    assert not list(World(seed, FAST, faults=deletion(at)).run().overlaps)


@settings(max_examples=30)
@given(seed=SEEDS)
def test_somebody_leads_nearly_always_when_nothing_is_wrong(seed: int) -> None:
    world = World(seed, FAST, faults=CALM).run(seconds=60)
    led = sum(min(term.end, 60) - term.start for term in world.terms)
    assert led > 0.9 * 60


@settings(max_examples=30)
@given(seed=SEEDS)
def test_after_any_trouble_somebody_leads_again(seed: int) -> None:
    world = World(seed, FAST).run(seconds=120)
    assert max(term.end for term in world.terms) > 90


def trusts_renew_time(view: View) -> lease.Step:
    holder, renewed = view.seen.record.holder, view.seen.record.renew_time
    if holder in ("", view.me) or view.renewed is not None or renewed is None:
        return step(view.me, view.seen, view.renewed, view.now, view.timing)
    expiry = datetime.fromisoformat(renewed) + timedelta(seconds=view.timing.duration)
    return Claim(view.seen.version) if view.wall >= expiry else Wait(view.now + view.timing.retry)


def waits_for_own_deadline_only(view: View) -> lease.Step:
    hurried = view.seen.record.lease_duration_seconds
    record = msgspec.structs.replace(view.seen.record, lease_duration_seconds=hurried and 1)
    impatient = replace(view.seen, record=record)
    return step(view.me, impatient, view.renewed, view.now, view.timing)


@pytest.mark.parametrize(
    ("rules", "timing"),
    [
        pytest.param(Rules(trusts_renew_time), FAST, id="trusting another host's clock"),
        pytest.param(Rules(waits_for_own_deadline_only), FAST, id="waiting less than was promised"),
        pytest.param(
            Rules(valid_until=lambda timing, _, arrived: arrived + timing.deadline),
            FAST,
            id="counting the deadline from the answer",
        ),
        pytest.param(
            Rules(sighted_when_sent=True),
            # Where a request takes no longer than duration - deadline, this mistake is harmless.
            Timing(2, 1.9, 0.5, 1.3),
            id="counting a sighting from the question",
        ),
    ],
)
def test_a_broken_elector_is_caught(rules: Rules, timing: Timing) -> None:
    assert any(any(World(seed, timing, rules).run().overlaps) for seed in range(200))


def test_claiming_a_deleted_lease_at_once_is_caught() -> None:
    def forgets(view: View) -> lease.Step:
        blank = view.seen if view.seen.version else Sighting("", LeaseRecord(), view.now)
        return step(view.me, blank, view.renewed, view.now, view.timing)

    worlds = (World(seed, FAST, Rules(forgets), deletion(20)).run() for seed in range(200))
    assert any(any(world.overlaps) for world in worlds)
