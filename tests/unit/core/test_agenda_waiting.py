"""The quick look at an object on which nothing is recorded says what the whole one says."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from dayfly_core import agenda, instant, outlook
from dayfly_core.api import StepType
from dayfly_core.objects import DEPLOYMENTS
from dayfly_core.policies import Policy
from dayfly_core.triggers import FIRST, LAST
from dayfly_core.wish import read
from support.build import NOW
from support.subjects import about
from support.timelines import a_step, ending, on_timeline

STEPS = (
    "NOTIFY@-2h", "WEBHOOK@-90m", "NOTIFY+@-1h", "SCALE_DOWN@-30m", "SCALE_DOWN@0s", "WEBHOOK@0s",
    "NOTIFY@1h", "DELETE@2h",
)  # fmt: skip

MOMENTS = st.one_of(
    st.integers(-600, 600).map(lambda minutes: NOW + timedelta(minutes=minutes)),
    st.sampled_from([FIRST, LAST]),
)
KNOWN = st.dictionaries(st.sampled_from([a_step(name).name for name in STEPS]), MOMENTS)


def a_policy(places: set[int], known: dict[str, datetime], since: datetime) -> Policy:
    steps = tuple(a_step(STEPS[place]) for place in sorted(places))
    return replace(on_timeline(), timeline=steps, known=known, since=since)


PLACES = st.sampled_from(range(len(STEPS)))
POLICIES = st.builds(a_policy, st.sets(PLACES, min_size=1), KNOWN, MOMENTS)


@given(policy=POLICIES, minutes=st.integers(-600, 600))
def test_who_waits_for_the_first_step_waits_as_by_the_whole_plan(
    policy: Policy, minutes: int
) -> None:
    meta = ending(instant.render(NOW + timedelta(minutes=minutes)))
    wish, subject = read(meta), about(meta, DEPLOYMENTS)
    assert wish.at
    waits = agenda.waiting(policy, wish.at, NOW)
    whole = agenda.plan(subject, policy, wish, NOW)
    assert waits in (None, whole)
    assert waits or whole.actions or agenda.due(policy, policy.steps[0], wish.at).late


@given(policy=POLICIES, end=MOMENTS)
def test_nothing_is_taken_away_before_the_earliest(policy: Policy, end: datetime) -> None:
    first = outlook.earliest_ending(policy, end)
    taken = [s for s in policy.steps if s.type in (StepType.SCALE_DOWN, StepType.DELETE)]
    assert (first is None) == (not taken)
    assert all(first and agenda.due(policy, step, end).at >= first for step in taken)
