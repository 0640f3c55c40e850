"""What is simulated is what the engine does: the same acts on the same objects at the same time."""

from collections.abc import Sequence
from datetime import timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from dayfly_core import instant, names
from dayfly_core.api import Enforcement
from dayfly_core.objects import DEPLOYMENTS, NAMESPACES, Key, ObjectMeta
from dayfly_core.policies import Policies, Policy
from dayfly_core.simulation import Event, World, simulate
from support.build import CONFIG_MAPS, HOUR, NOW, SECOND, a_policy, an_object
from support.stage import Cluster, executed
from support.subjects import GUARD
from support.timelines import a_step
from support.virtual_loop import run

SPAN = timedelta(hours=73)
LATENESS = timedelta(milliseconds=50)
"""Of the engine's timers, which fire together what is due together."""

STEPS = (
    "NOTIFY@-1d",
    "NOTIFY+@-1h",
    "WEBHOOK@-30m",
    "SCALE_DOWN@-5m",
    "NOTIFY@0s",
    "SCALE_DOWN@0s",
    "WEBHOOK@0s",
    "WEBHOOK@1h",
    "SCALE_DOWN@2h",
    "NOTIFY@20h",
    "DELETE@24h",
)

TIMELINES = st.sets(st.sampled_from(range(len(STEPS)))).map(
    lambda chosen: tuple(a_step(STEPS[place]) for place in sorted(chosen))
)

KNOWN = st.dictionaries(
    st.sampled_from(["SCALE_DOWN@0s", "WEBHOOK@0s", "DELETE@1d", "DELETE@0s"]),
    st.sampled_from([NOW - timedelta(minutes=10), NOW - 5 * HOUR]),
)

POLICY = st.builds(
    a_policy,
    st.sampled_from(["previews", "heir"]),
    default=st.sampled_from([None, HOUR, 30 * HOUR]),
    maximum=st.sampled_from([None, timedelta(days=2)]),
    grace=st.sampled_from([timedelta(minutes=1), HOUR]),
    resources=st.just(frozenset({("apps", "deployments"), ("", "configmaps")})),
    enforcement=st.sampled_from([Enforcement.ENFORCE] * 4 + [Enforcement.AUDIT]),
    suspended=st.sampled_from([False] * 4 + [True]),
    timeline=TIMELINES,
    known=KNOWN,
)

# Who is first, a namespace or what is in it, is nobody's promise: never let both be due at once.
OF_NAMESPACES = st.builds(
    a_policy,
    st.just("spaces"),
    default=st.sampled_from([None, timedelta(hours=7, minutes=7)]),
    grace=st.just(timedelta(minutes=7, seconds=7)),
    resources=st.just(frozenset({("", "namespaces")})),
    timeline=TIMELINES,
    known=KNOWN,
)

ENDS = st.none() | st.integers(-48 * 3600, 48 * 3600)


def an_end(seconds: int | None, fraction: float) -> str | None:
    return None if seconds is None else instant.render(NOW + (seconds + fraction) * SECOND)


def an_occupant(
    number: int, policy: str | None, end: int | None, age: int, more: dict[str, str], *, map_: bool
) -> tuple[Key, ObjectMeta]:
    meta = an_object(at=an_end(end, 0), policy=policy, age=age * HOUR, uid=f"u-{number}")
    annotations = {**meta.annotation_map, **more}
    meta = msgspec.structs.replace(meta, name=f"o-{number}", annotations=annotations)
    return Key(CONFIG_MAPS if map_ else DEPLOYMENTS, "team-a", meta.name), meta


OCCUPANTS = st.lists(
    st.builds(
        an_occupant,
        st.integers(0, 99),
        st.sampled_from([None, "previews", "previews", "heir", "gone"]),
        ENDS,
        st.sampled_from([0, 5, 900]),
        st.dictionaries(
            st.sampled_from([names.WAKE_REQUESTED, names.WARNING, names.CAUGHT_UP, names.TTL]),
            st.sampled_from(["8h", "never"]),
        ),
        map_=st.booleans(),
    ),
    max_size=4,
    unique_by=lambda found: found[0].name,
)


def a_namespace(policy: str | None, end: int | None) -> tuple[Key, ObjectMeta]:
    meta = an_object(at=an_end(end, 0.5), policy=policy, age=HOUR, uid="u-team")
    meta = msgspec.structs.replace(meta, name="team-a", namespace="")
    return Key(NAMESPACES, "", "team-a"), meta


NAMESPACE = st.builds(
    a_namespace, st.sampled_from([None, "spaces"]), st.none() | st.integers(0, 48 * 3600)
)


def in_order(events: Sequence[Event]) -> list[Event]:
    """Sort what happens to each object; of several objects at one instant any may be first."""
    return sorted(events, key=lambda event: event.key)


@given(
    policies=st.lists(POLICY, max_size=2, unique_by=lambda policy: policy.name),
    spaces=OF_NAMESPACES,
    namespace=NAMESPACE,
    occupants=OCCUPANTS,
)
def test_what_is_simulated_is_executed(
    policies: list[Policy],
    spaces: Policy,
    namespace: tuple[Key, ObjectMeta],
    occupants: list[tuple[Key, ObjectMeta]],
) -> None:
    objects, rules = dict([namespace, *occupants]), Policies([*policies, spaces])
    foreseen = in_order(list(simulate(World(NOW, dict(objects), rules, GUARD), NOW + SPAN)))
    cluster = Cluster(NOW, dict(objects), rules, GUARD)
    done = in_order(run(executed(cluster, SPAN + SECOND)))
    assert list(map(what, done)) == list(map(what, foreseen))
    for real, virtual in zip(done, foreseen, strict=True):
        assert timedelta() <= real.at - virtual.at <= LATENESS


def what(event: Event) -> tuple[Key, str, str, str]:
    return event.key, event.what, event.rule, event.by
