"""Whatever the timeline, whoever extends, and however late somebody looks: what always holds."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from dayfly_core import instant, names, timeline
from dayfly_core.actions import Annotate, Call, Delete, ScaleDown
from dayfly_core.objects import DEPLOYMENTS, ObjectMeta
from dayfly_core.policies import Policy
from dayfly_core.reasons import Reason
from dayfly_core.simulation import apply
from dayfly_core.timeline import Step
from support.build import HOUR, NOW, in_
from support.subjects import about, do
from support.timelines import a_step, ending, on_timeline

STEPS = (
    "NOTIFY@-2h", "WEBHOOK@-90m", "NOTIFY+@-1h", "SCALE_DOWN@-30m", "SCALE_DOWN@0s", "WEBHOOK@0s",
    "NOTIFY@1h", "DELETE@2h",
)  # fmt: skip

TIMELINES = st.sets(st.sampled_from(range(len(STEPS))), min_size=1).map(
    lambda chosen: tuple(a_step(STEPS[place]) for place in sorted(chosen))
)

KNOWN = st.dictionaries(
    st.sampled_from([a_step(name).name for name in STEPS]),
    st.integers(-600, 300).map(lambda minutes: NOW + timedelta(minutes=minutes)),
)


def a_timeline(steps: tuple[Step, ...], known: dict[str, datetime]) -> Policy:
    return replace(on_timeline(), timeline=steps, known=known)


POLICIES = st.builds(a_timeline, TIMELINES, KNOWN)

LOOKS = st.lists(st.integers(0, 90), min_size=1, max_size=40)
"""Minutes between one look and the next."""

EXTENSIONS = st.dictionaries(st.integers(0, 39), st.integers(1, 240), max_size=3)
"""Before which look the end is moved to how many minutes from then."""


@dataclass
class Story:
    """What has happened to one object, and for which end."""

    policy: Policy
    meta: ObjectMeta | None
    done: list[tuple[str, str, datetime]] = field(default_factory=list[tuple[str, str, datetime]])

    def look(self, now: datetime) -> None:
        """Do all that is due, as the engine does."""
        for _ in range(99):
            plan = do(about(self.meta, DEPLOYMENTS), self.policy, now=now) if self.meta else None
            if plan is None or not plan.actions:
                return
            (action,) = plan.actions
            end = self.meta.annotation_map[names.EXPIRES_AT] if self.meta else ""
            if isinstance(action, Delete | ScaleDown | Call):
                self.done.append((end, action.step, now))
            elif isinstance(action, Annotate) and action.reason == Reason.WARNED:
                self.done.append((end, f"warned of {action.step}", now))
            assert self.meta
            self.meta = apply(action, self.meta, now)
        raise AssertionError("it never ends")

    def extend(self, until: datetime) -> None:
        """Move the end, as a person does."""
        if self.meta:
            annotations = {**self.meta.annotation_map, names.EXPIRES_AT: instant.render(until)}
            self.meta = msgspec.structs.replace(self.meta, annotations=annotations)


def told(policy: Policy, looks: list[int], extensions: dict[int, int]) -> Story:
    story, now = Story(policy, ending(in_("3h"))), NOW
    for number, minutes in enumerate(looks):
        now += timedelta(minutes=minutes)
        if number in extensions:
            story.extend(now + timedelta(minutes=extensions[number]))
        story.look(now)
    return story


@given(policy=POLICIES, looks=LOOKS, extensions=EXTENSIONS)
def test_each_step_happens_at_most_once_for_an_end_and_in_order(
    policy: Policy, looks: list[int], extensions: dict[int, int]
) -> None:
    story = told(policy, looks, extensions)
    order = [step.name for step in policy.timeline]
    for end in {end for end, _, _ in story.done}:
        steps = [step for of, step, _ in story.done if of == end]
        assert len(steps) == len(set(steps))
        places = [order.index(step.removeprefix("warned of ")) for step in steps]
        assert places == sorted(places)


@given(policy=POLICIES, looks=LOOKS, extensions=EXTENSIONS)
def test_no_step_happens_before_its_time_for_the_end_that_the_object_has(
    policy: Policy, looks: list[int], extensions: dict[int, int]
) -> None:
    at = {step.name: step.at for step in policy.timeline}
    for end, step, when in told(policy, looks, extensions).done:
        name = step.removeprefix("warned of ")
        due = instant.parse(end) + at[name]
        known = policy.known.get(name)
        assert when >= due
        assert known is None or known <= due or when >= known + policy.grace


@given(policy=POLICIES, looks=LOOKS, extensions=EXTENSIONS)
def test_at_last_every_step_is_closed_and_no_call_was_left_out(
    policy: Policy, looks: list[int], extensions: dict[int, int]
) -> None:
    story = told(policy, looks, extensions)
    story.look(NOW + timedelta(days=90))
    calls = {step.name for step in policy.timeline if step.name.startswith("WEBHOOK")}
    last_end = story.done[-1][0]  # not the latest one: an end may be moved to an earlier time
    assert calls <= {step for end, step, _ in story.done if end == last_end}
    if story.meta is None:
        assert policy.timeline[-1].name == "DELETE@2h"
    else:
        ledger = timeline.of(story.meta)
        assert ledger.records.keys() == {step.name for step in policy.timeline}


@given(policy=POLICIES, looks=LOOKS)
def test_nothing_happens_to_what_is_protected_guarded_or_suspended(
    policy: Policy, looks: list[int]
) -> None:
    meta = ending(in_("3h"), wake_requested="x")
    now = NOW + timedelta(minutes=sum(looks))
    for spared, rule in (
        (msgspec.structs.replace(meta, labels={**meta.label_map, names.PROTECTED: "true"}), policy),
        (msgspec.structs.replace(meta, namespace="kube-system"), policy),
        (meta, replace(policy, suspended=True)),
    ):
        decided = do(about(spared, DEPLOYMENTS), rule, now=now)
        assert (decided.actions, decided.again) == ((), None)


@given(policy=POLICIES, looks=LOOKS, extensions=EXTENSIONS)
def test_a_plan_follows_from_the_object_alone_and_never_looks_back(
    policy: Policy, looks: list[int], extensions: dict[int, int]
) -> None:
    story = told(policy, looks, extensions)
    if story.meta is None:
        return
    copy = msgspec.json.decode(msgspec.json.encode(story.meta), type=ObjectMeta)
    now = NOW + timedelta(minutes=sum(looks)) + HOUR
    plans = [do(about(meta, DEPLOYMENTS), policy, now=now) for meta in (story.meta, copy)]
    assert plans[0] == plans[1]
    assert plans[0].again is None or plans[0].again > now
