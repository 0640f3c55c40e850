"""What the leader does about a host that a namespace and objects in it have."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from dayfly_core.api import ClaimState, Holder, NameClaim
from dayfly_core.claim_repair import (
    Bind,
    Case,
    Claimant,
    Remove,
    Wait,
    Write,
    confirmed,
    conflicts,
    repair,
)
from dayfly_core.claim_steps import Presence
from dayfly_core.claims import bound
from support.claim_values import AT, a_claim, a_namespace, host
from support.claim_world import a_holder

BOUND, HOST = ClaimState.BOUND, host("web")
SPACE, ELSEWHERE = a_namespace("x"), a_namespace("y")
WEB = a_holder("web", "uid-web", namespace="x")
BESIDE = a_holder("beside", "uid-beside", namespace="x")
STRANGER = a_holder("web", "uid-stranger", namespace="y")
OF_WEB, OF_WEB_BOUND = a_claim(HOST, WEB), a_claim(HOST, WEB, BOUND)
OF_SPACE_BOUND = a_claim(HOST, SPACE, BOUND)

HAS = Presence("uid-web", lists=True)
BARE = Presence("uid-web", lists=False)
ROUTED = Presence("uid-web", lists=False, kin=True)
ONLY_ROUTED = Presence("", lists=False, kin=True)


def aged(holder: Holder, age: int = 0) -> Claimant:
    return Claimant(holder, AT - timedelta(seconds=age), "web")


def a_case(claim: NameClaim, *claimants: Claimant, unchanged: float = 0) -> Case:
    return Case(HOST, claim, unchanged, claimants)


def binds(claim: NameClaim, holder: Holder, former: Holder | None = None) -> Bind:
    return Bind(bound(claim, holder, AT), former)


@pytest.mark.parametrize(
    ("case", "want"),
    [
        pytest.param(
            a_case(OF_WEB_BOUND, aged(SPACE, 9), aged(WEB)), None, id="the object holds the claim"
        ),
        pytest.param(
            a_case(OF_SPACE_BOUND, aged(SPACE, 9), aged(WEB)),
            binds(OF_SPACE_BOUND, WEB),
            id="and gets it from its namespace, which need not be gone",
        ),
        pytest.param(
            a_case(OF_SPACE_BOUND, aged(WEB)),
            binds(OF_SPACE_BOUND, WEB),
            id="also if that does not have the host any more",
        ),
        pytest.param(
            a_case(OF_WEB_BOUND, aged(SPACE)),
            binds(OF_WEB_BOUND, SPACE, former=WEB),
            id="a namespace gets it once the object is gone",
        ),
        pytest.param(
            a_case(OF_WEB, aged(SPACE), unchanged=70), Wait(5.0), id="and cannot be under way"
        ),
        pytest.param(
            a_case(OF_WEB_BOUND, aged(SPACE, 9), aged(BESIDE, 5), aged(WEB)),
            binds(OF_WEB_BOUND, BESIDE),
            id="of two objects the older has it",
        ),
        pytest.param(
            a_case(OF_WEB_BOUND, aged(ELSEWHERE, 3), aged(SPACE, 9), aged(WEB)),
            None,
            id="an old Ingress keeps it for a young object beside it",
        ),
        pytest.param(
            a_case(OF_WEB_BOUND, aged(ELSEWHERE, 9), aged(SPACE, 3), aged(WEB)),
            binds(OF_WEB_BOUND, ELSEWHERE),
            id="an older one elsewhere has it",
        ),
    ],
)
def test_repair_among_kin(case: Case, want: Write | Wait | None) -> None:
    assert repair(case, AT) == want


@pytest.mark.parametrize(
    ("step", "former", "want"),
    [
        pytest.param(
            Remove(OF_WEB, WEB), ONLY_ROUTED, False, id="its namespace has the host: it stays"
        ),
        pytest.param(Remove(OF_WEB, WEB), BARE, True, id="nobody there has it"),
        pytest.param(
            binds(OF_WEB, STRANGER, former=WEB), ONLY_ROUTED, False, id="nor does it go elsewhere"
        ),
        pytest.param(
            binds(OF_WEB, SPACE, former=WEB), ONLY_ROUTED, True, id="but to that namespace"
        ),
        pytest.param(
            binds(OF_WEB, BESIDE, former=WEB), ROUTED, True, id="or another object in that"
        ),
        pytest.param(
            binds(OF_WEB, SPACE, former=WEB),
            HAS,
            False,
            id="never while the object has it: a second one could take it from the namespace",
        ),
    ],
)
def test_what_a_read_confirms_among_kin(step: Write, former: Presence, *, want: bool) -> None:
    holder = None if isinstance(step, Remove) else Presence(step.claim.spec.holder.uid, lists=True)
    assert confirmed(step, holder, former) is want


@pytest.mark.parametrize(
    ("claimants", "want"),
    [
        pytest.param([aged(SPACE, 2), aged(WEB)], [], id="kin is in no conflict"),
        pytest.param(
            [aged(SPACE, 9), aged(WEB, 5), aged(BESIDE)],
            [(BESIDE, WEB)],
            id="two objects are, and the namespace with neither",
        ),
        pytest.param(
            [aged(SPACE, 9), aged(STRANGER, 5), aged(WEB)],
            [(STRANGER, SPACE)],
            id="a stranger loses against the namespace, and not the object",
        ),
        pytest.param(
            [aged(WEB, 9), aged(SPACE, 5), aged(ELSEWHERE)],
            [(ELSEWHERE, WEB)],
            id="or against the object, and not the namespace",
        ),
    ],
)
def test_conflicts_among_kin(
    claimants: Sequence[Claimant], want: list[tuple[Holder, Holder]]
) -> None:
    found = conflicts({HOST: claimants})
    assert [(each.loser.holder, each.winner.holder) for each in found] == want
