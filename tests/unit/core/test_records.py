"""What the operator notes on an object stays through other people's writes, and copies lose it."""

import msgspec
import pytest
from msgspec.structs import replace

from dayfly_core import names, scaling
from dayfly_core.actions import Stamp
from dayfly_core.api import LabelSelector, RenewOn
from dayfly_core.objects import DEPLOYMENTS, ObjectMeta
from dayfly_core.policies import Policies, Policy
from dayfly_core.request import Request
from dayfly_core.scaling import Workload, WorkloadSpec
from dayfly_core.stamps import Stamps, applied
from dayfly_core.verdict import stamp
from support.build import HOUR, NOW, a_policy, a_request, an_object, in_
from support.subjects import about, do

TEAM = ObjectMeta(name="team-a", labels={"team": "a"})
PREVIEWS = a_policy()
ELSEWHERE = replace(PREVIEWS, namespace_selector=LabelSelector(match_labels={"team": "b"}))
STAMPED = an_object(ttl="8h", at=in_("2h"), by="alice", policy="previews", age=HOUR)


def changed(meta: ObjectMeta, **annotations: str | None) -> ObjectMeta:
    """Change annotations of the prefix: ``ttl``, ``expires_at``, ``steps``."""
    changes = {f"dayfly.dev/{key.replace('_', '-')}": v for key, v in annotations.items()}
    return msgspec.structs.replace(meta, annotations=applied(meta.annotation_map, changes))


def stamped(request: Request, policy: Policy) -> dict[str, str | None]:
    """Return which annotations the webhook writes, or takes off."""
    written = stamp(request, Policies([policy]), TEAM, NOW).stamps or Stamps()
    return dict(written.annotations)


DONE = {f"dayfly.dev/{key}": key for key in ("steps", "replicas", "scaled-by", "warning")}
SURPRISED = msgspec.structs.replace(
    STAMPED, annotations={**STAMPED.annotation_map, **DONE, names.CAUGHT_UP: in_("-1h")}
)
"""An object that the operator has given its end, and worked on since."""

PRETENDING = msgspec.structs.replace(an_object(age=HOUR), annotations=DONE)
"""One that was created with them while no webhook looked."""


def carrying(**annotations: str) -> ObjectMeta:
    written = {f"dayfly.dev/{key.replace('_', '-')}": text for key, text in annotations.items()}
    return msgspec.structs.replace(an_object(), annotations=written)


RECORDS = [
    pytest.param(
        a_request(carrying(steps="steps", warning="warning")),
        PREVIEWS,
        {names.STEPS: None, names.WARNING: None},
        id="CREATE with records: another's, taken off",
    ),
    pytest.param(
        a_request(carrying(replicas="3")),
        PREVIEWS,
        {names.REPLICAS: None},
        id="CREATE with replicas alone: nobody has scaled that down",
    ),
    pytest.param(
        a_request(carrying(replicas="3", scaled_by="an-occurrence its-uid", steps="steps")),
        ELSEWHERE,
        {names.STEPS: None},
        id="CREATE of what sleeps: it keeps its way back",
    ),
    pytest.param(
        a_request(msgspec.structs.replace(an_object(), annotations={names.ENDED_BY: "x"})),
        ELSEWHERE,
        {names.ENDED_BY: None},
        id="CREATE that no policy covers: taken off as well",
    ),
    pytest.param(
        a_request(msgspec.structs.replace(SURPRISED, creation_timestamp=None)),
        PREVIEWS,
        {names.STEPS: None, names.WARNING: None, names.CAUGHT_UP: None},
        id="CREATE of a copy: taken off with its stamps",
    ),
    pytest.param(
        a_request(changed(PRETENDING, ttl="3h"), PRETENDING),
        PREVIEWS,
        {names.STEPS: None, names.WARNING: None},
        id="UPDATE that brings the first stamp: steps of no end are taken off",
    ),
    pytest.param(
        a_request(SURPRISED, SURPRISED, spec_changed=True), PREVIEWS, {}, id="UPDATE: they stay"
    ),
    pytest.param(
        a_request(an_object(ttl="8h"), SURPRISED),
        PREVIEWS,
        {**DONE, names.CAUGHT_UP: in_("-1h")},
        id="UPDATE by replace that drops them: restored",
    ),
    pytest.param(
        a_request(changed(SURPRISED, steps="none"), SURPRISED),
        PREVIEWS,
        {names.STEPS: "steps"},
        id="UPDATE that forges one: restored",
    ),
    pytest.param(
        a_request(changed(SURPRISED, expires_at=in_("5h")), SURPRISED),
        PREVIEWS,
        {names.CAUGHT_UP: None},
        id="UPDATE of the end: no surprise any more",
    ),
    pytest.param(
        a_request(changed(SURPRISED, ttl="12h"), SURPRISED),
        PREVIEWS,
        {names.CAUGHT_UP: None},
        id="UPDATE of the wish: nor by that",
    ),
    pytest.param(
        a_request(changed(SURPRISED, ttl="never"), SURPRISED),
        PREVIEWS,
        {names.CAUGHT_UP: None},
        id="UPDATE to never: nor by that",
    ),
    pytest.param(
        a_request(changed(SURPRISED, expires_at=None), SURPRISED),
        PREVIEWS,
        {},
        id="UPDATE that drops the end, which is restored: still one",
    ),
    pytest.param(
        a_request(SURPRISED, SURPRISED, spec_changed=True),
        replace(PREVIEWS, renew_on=RenewOn.GENERATION_CHANGE),
        {names.CAUGHT_UP: None},
        id="UPDATE that renews: no surprise any more",
    ),
]


@pytest.mark.parametrize(("request_", "policy", "want"), RECORDS)
def test_what_the_operator_has_noted(
    request_: Request, policy: Policy, want: dict[str, str | None]
) -> None:
    written = stamped(request_, policy)
    assert {key: text for key, text in written.items() if key in names.RECORDS} == want


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(a_request(changed(an_object(), wake_requested="now, bob")), id="on a new one"),
        pytest.param(a_request(changed(STAMPED, wake_requested="now, bob"), STAMPED), id="later"),
    ],
)
def test_a_wish_to_wake_is_left_alone(request_: Request) -> None:
    assert names.WAKE_REQUESTED not in stamped(request_, PREVIEWS)


def test_the_operator_takes_off_steps_of_no_end_too() -> None:
    (action,) = do(about(PRETENDING), PREVIEWS).actions
    assert isinstance(action, Stamp)
    assert action.stamps.annotations[names.STEPS] is None
    assert action.stamps.annotations[names.WARNING] is None
    assert names.REPLICAS not in action.stamps.annotations


def restored(replicas: int) -> Workload:
    """A workload that somebody created with the records of one that an occurrence has put down."""
    written = carrying(replicas="3", scaled_by="an-occurrence its-uid")
    annotations = applied(written.annotation_map, stamped(a_request(written), PREVIEWS))
    meta = msgspec.structs.replace(written, uid="another-uid", annotations=annotations)
    return Workload(meta, WorkloadSpec(replicas=replicas))


def test_a_restored_workload_is_woken_with_what_it_had() -> None:
    change = scaling.up(DEPLOYMENTS.pair, restored(0))
    assert change
    assert change.spec == {"replicas": 3}


def test_what_claims_to_be_scaled_down_already_is_scaled_down() -> None:
    change = scaling.down(DEPLOYMENTS.pair, restored(5), "an-occurrence")
    assert change
    assert change.annotations[names.REPLICAS] == "5"
