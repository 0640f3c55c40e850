"""Whatever stands in the annotations of the operator: it ends, in time, and by the policy alone."""

from datetime import datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from dayfly_core import instant, names
from dayfly_core.actions import Action, Call, Delete, ScaleDown, Wake
from dayfly_core.lifecycle import Result, occurrence
from dayfly_core.objects import DEPLOYMENTS, ObjectMeta
from dayfly_core.policies import Policy
from dayfly_core.simulation import apply
from support.build import DAY, HOUR, NOW, in_
from support.subjects import about, do
from support.timelines import HOOK, ending, on_timeline, told

STEPS = ("NOTIFY@-2h", "NOTIFY+@-1h", "WEBHOOK@-30m", "SCALE_DOWN@0s", "WEBHOOK@1h", "DELETE@2h")
POLICY = on_timeline(*STEPS, renew_on_wake=False)
NAMES = [step.name for step in POLICY.timeline]
END = in_("3h")

TEXTS = st.text(max_size=20)
INSTANTS = st.sampled_from([in_("-1h"), in_("30m"), in_("9h"), "9999-12-31T23:59:59Z"])
ODD_INSTANTS = st.sampled_from(["0001-01-01T00:00:00Z", "x", ""])
NUMBERS = st.integers(-(10**20), 10**20)
PLAUSIBLE = st.fixed_dictionaries(
    {
        "step": st.sampled_from(NAMES),
        "id": TEXTS | st.just("\r\nX-Evil: 1"),
        "result": st.sampled_from(Result),
        "at": INSTANTS,
    },
    optional={"attempts": st.integers(0, 9999), "message": TEXTS},
)
ODD = st.fixed_dictionaries(
    {"step": TEXTS, "id": TEXTS, "result": TEXTS, "at": INSTANTS | ODD_INSTANTS},
    optional={"attempts": NUMBERS, "message": TEXTS, "webhook": TEXTS},
)
LEDGERS = st.fixed_dictionaries(
    {
        "end": st.just(END),
        "uid": st.just("u-1"),
        "done": st.lists(PLAUSIBLE, min_size=1, max_size=4),
    },
    optional={"woken": TEXTS},
) | st.fixed_dictionaries(
    {"end": INSTANTS | ODD_INSTANTS, "done": st.lists(PLAUSIBLE | ODD, max_size=4)},
    optional={"woken": TEXTS, "uid": TEXTS},
)
ANNOTATIONS = LEDGERS.map(lambda stored: msgspec.json.encode(stored).decode())
HOSTILE = st.fixed_dictionaries(
    {},
    optional={
        names.STEPS: ANNOTATIONS | TEXTS,
        names.WARNING: TEXTS,
        names.WAKE_REQUESTED: TEXTS,
        names.REPLICAS: TEXTS | NUMBERS.map(str),
        names.SCALED_BY: TEXTS,
        names.CAUGHT_UP: TEXTS | INSTANTS | ODD_INSTANTS,
        names.ENDED_BY: TEXTS,
    },
)

Done = list[tuple[datetime, Action]]


def life(meta: ObjectMeta, policy: Policy) -> Done:
    """Return all that the engine does to an object, from now to its end."""
    done, now, left = Done(), NOW, meta
    for _ in range(99):
        plan = do(about(left, DEPLOYMENTS), policy, now=now)
        if not plan.actions:
            assert plan.again, "it would never be looked at again"
            assert plan.again > now, "it would be looked at again and again"
            now = plan.again
            continue
        (action,) = plan.actions
        done.append((now, action))
        after = apply(action, left, now)
        if after is None:
            return done
        left = after
    raise AssertionError("it never ends")


def written(annotations: dict[str, str]) -> ObjectMeta:
    meta = ending(END)
    return msgspec.structs.replace(meta, annotations={**meta.annotation_map, **annotations})


@given(annotations=HOSTILE)
def test_whatever_is_written_it_ends_in_time_and_by_the_policy_alone(
    annotations: dict[str, str],
) -> None:
    done = life(written(annotations), POLICY)
    assert done[-1][0] - NOW <= 8 * HOUR
    for _, action in done:
        assert (action.key.name, action.uid) == ("settings", "u-1")
        if isinstance(action, Call):
            at = instant.render(NOW + 3 * HOUR)
            assert action.webhook == HOOK
            assert action.step in NAMES
            assert action.occurrence == occurrence("previews", "u-1", at, action.step)
        if isinstance(action, Delete):
            assert (action.expires_at, action.step) == (NOW + 3 * HOUR, "DELETE@2h")


@given(planted=LEDGERS, late=st.integers(0, 9))
def test_records_that_were_planted_on_a_new_object_skip_and_delay_nothing(
    planted: dict[str, object], late: int
) -> None:
    text = msgspec.json.encode({**planted, "uid": "whoever"}).decode()
    policy = replace(POLICY, known={name: NOW - late * DAY for name in NAMES})
    clean = [(at, told(action)) for at, action in life(written({}), policy)]
    assert [(at, told(action)) for at, action in life(written({names.STEPS: text}), policy)] == (
        clean
    )


@given(text=st.text(min_size=1, max_size=600))
def test_each_request_to_wake_is_served_once(text: str) -> None:
    done = life(written({names.WAKE_REQUESTED: text}), POLICY)
    assert sum(isinstance(action, Wake) for _, action in done) == 1
    assert isinstance(done[-1][1], Delete)
    assert sum(isinstance(action, ScaleDown) for _, action in done) == 1
    assert done[-1][0] - NOW == timedelta(hours=5)
