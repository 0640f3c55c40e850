"""A namespace and the objects in it: they share a host, and hold it against everybody else."""

import pytest

from dayfly_core.api import ClaimState, Holder, NameClaim
from dayfly_core.claim_steps import (
    Act,
    Attempt,
    Exists,
    Find,
    Found,
    Granted,
    Inspect,
    Inspected,
    Looked,
    Outcome,
    Presence,
    Replace,
    Reserved,
    Seen,
    Step,
    Survey,
    Surveyed,
    Taken,
)
from dayfly_core.claims import decide, kin, namespace_of, related, shared, taken
from support.claim_values import a_claim, a_namespace, an_attempt, host
from support.claim_world import a_holder

PENDING, BOUND = ClaimState.PENDING, ClaimState.BOUND
HOST, WILD, BELOW = host("web"), host("*.a.example"), host("x.a.example")

SPACE, ELSEWHERE = a_namespace("x"), a_namespace("y")
WEB = a_holder("web", "uid-web", namespace="x")
EARLIER = a_holder("web", "uid-earlier", namespace="x")
BESIDE = a_holder("beside", "uid-beside", namespace="x")
STRANGER = a_holder("web", "uid-stranger", namespace="y")
NODE = a_holder("x", "uid-node")


@pytest.mark.parametrize(
    ("one", "other", "are_kin", "are_related"),
    [
        pytest.param(SPACE, WEB, True, True, id="a namespace and an object in it"),
        pytest.param(WEB, BESIDE, False, True, id="two objects in one namespace"),
        pytest.param(WEB, WEB, False, True, id="an object and itself"),
        pytest.param(SPACE, SPACE, False, True, id="a namespace and itself"),
        pytest.param(SPACE, a_namespace("x", "another"), False, True, id="made anew"),
        pytest.param(SPACE, STRANGER, False, False, id="an object elsewhere"),
        pytest.param(WEB, STRANGER, False, False, id="objects of one name elsewhere"),
        pytest.param(SPACE, ELSEWHERE, False, False, id="two namespaces"),
        pytest.param(NODE, WEB, False, False, id="something else that is called as the namespace"),
    ],
)
def test_who_is_kin(one: Holder, other: Holder, *, are_kin: bool, are_related: bool) -> None:
    assert (kin(one, other), kin(other, one)) == (are_kin, are_kin)
    assert (related(one, other), related(other, one)) == (are_related, are_related)


def test_the_namespace_of_an_object() -> None:
    assert (namespace_of(WEB).kind, namespace_of(WEB).name) == ("Namespace", "x")


CREATING = an_attempt(HOST, Act.CREATE, WEB)
ROUTING = an_attempt(HOST, Act.INSIDE, SPACE)
BESIDES = an_attempt(HOST, Act.CREATE, BESIDE)
FOREIGN = an_attempt(HOST, Act.CREATE, STRANGER)
ROUTING_ELSEWHERE = an_attempt(HOST, Act.INSIDE, ELSEWHERE)

OF_SPACE, OF_SPACE_BOUND = a_claim(HOST, SPACE), a_claim(HOST, SPACE, BOUND)
OF_WEB, OF_WEB_BOUND = a_claim(HOST, WEB), a_claim(HOST, WEB, BOUND)
OF_EARLIER = a_claim(HOST, EARLIER)

HAS = Presence("uid-web", lists=True)
BARE = Presence("uid-web", lists=False)
ROUTED = Presence("uid-web", lists=False, kin=True)
ONLY_ROUTED = Presence("", lists=False, kin=True)


@pytest.mark.parametrize(
    ("attempt", "seen", "want"),
    [
        pytest.param(
            CREATING,
            Looked(OF_SPACE),
            Replace(taken(CREATING, OF_SPACE)),
            id="an object takes the claim of its namespace: it is the more precise holder",
        ),
        pytest.param(
            CREATING,
            Looked(OF_SPACE_BOUND),
            Replace(taken(CREATING, OF_SPACE_BOUND)),
            id="also a Bound one",
        ),
        pytest.param(
            ROUTING,
            Looked(OF_WEB),
            Replace(shared(ROUTING, OF_WEB)),
            id="a namespace shares the claim of an object that may be under way",
        ),
        pytest.param(
            ROUTING, Looked(OF_WEB_BOUND), Find(OF_WEB_BOUND), id="is the object there still?"
        ),
        pytest.param(
            ROUTING,
            Found(OF_WEB_BOUND, HAS),
            Replace(shared(ROUTING, OF_WEB_BOUND)),
            id="it is: shared",
        ),
        pytest.param(
            ROUTING,
            Found(OF_WEB_BOUND, None),
            Replace(taken(ROUTING, OF_WEB_BOUND)),
            id="it is gone: taken",
        ),
        pytest.param(
            ROUTING,
            Found(OF_WEB_BOUND, ROUTED),
            Replace(taken(ROUTING, OF_WEB_BOUND)),
            id="it has given up the host, whoever else in the namespace has it: taken",
        ),
        pytest.param(
            BESIDES, Looked(OF_WEB), Find(OF_WEB), id="a second object of the namespace contends"
        ),
        pytest.param(BESIDES, Found(OF_WEB, None), Reserved(OF_WEB), id="with one under way"),
        pytest.param(BESIDES, Found(OF_WEB_BOUND, HAS), Taken(OF_WEB_BOUND), id="and one there"),
        pytest.param(
            BESIDES,
            Found(OF_WEB_BOUND, ONLY_ROUTED),
            Replace(taken(BESIDES, OF_WEB_BOUND)),
            id="not with Ingresses of its own namespace",
        ),
        pytest.param(
            FOREIGN, Found(OF_WEB_BOUND, ONLY_ROUTED), Taken(OF_WEB_BOUND), id="strangers do"
        ),
        pytest.param(
            ROUTING_ELSEWHERE,
            Found(OF_WEB, ROUTED),
            Taken(OF_WEB),
            id="also where the object is there without the host",
        ),
        pytest.param(FOREIGN, Found(OF_WEB, BARE), Reserved(OF_WEB), id="nobody has it yet"),
        pytest.param(
            CREATING,
            Found(OF_EARLIER, ONLY_ROUTED),
            Replace(taken(CREATING, OF_EARLIER)),
            id="an object that is gone does not exist, though its namespace has the host",
        ),
        pytest.param(
            CREATING, Found(OF_EARLIER, BARE), Exists(OF_EARLIER), id="one that is there does"
        ),
    ],
)
def test_claims_among_kin(attempt: Attempt, seen: Seen, want: Step | Outcome) -> None:
    assert decide(attempt, seen) == want


WIDE_OF_WEB = a_claim(WILD, WEB, BOUND)
CHECK = Survey(a_claim(BELOW, SPACE))


@pytest.mark.parametrize(
    ("holder", "seen", "want"),
    [
        pytest.param(
            SPACE, Surveyed(CHECK, [WIDE_OF_WEB]), Granted(CHECK.mine), id="kin is no rival"
        ),
        pytest.param(
            BESIDE,
            Surveyed(CHECK, [WIDE_OF_WEB]),
            Inspect(CHECK, (WIDE_OF_WEB,)),
            id="another object of the namespace is",
        ),
        pytest.param(
            BESIDE,
            Inspected(Inspect(CHECK, (WIDE_OF_WEB,)), ONLY_ROUTED),
            Granted(CHECK.mine),
            id="but not once it is gone",
        ),
        pytest.param(
            STRANGER,
            Inspected(Inspect(CHECK, (WIDE_OF_WEB,)), ONLY_ROUTED),
            Taken(WIDE_OF_WEB),
            id="strangers are kept out by its namespace",
        ),
    ],
)
def test_hosts_that_overlap_among_kin(holder: Holder, seen: Seen, want: Step | Outcome) -> None:
    assert decide(an_attempt(BELOW, Act.INSIDE, holder), seen) == want


def test_a_dry_run_shares_nothing() -> None:
    reading = an_attempt(HOST, Act.INSIDE, SPACE, read_only=True)
    assert decide(reading, Looked(OF_WEB)) == Granted(None)


def test_overlaps_are_looked_at_before_a_claim_is_shared() -> None:
    routing = an_attempt(WILD, Act.INSIDE, SPACE)
    before = a_claim(WILD, WEB)
    survey = Survey(None, swap=shared(routing, before))
    assert decide(routing, Looked(before)) == survey
    assert decide(routing, Surveyed(survey, [])) == Replace(shared(routing, before))


def test_a_shared_claim_stays_the_objects_and_is_not_bound_yet() -> None:
    after = shared(ROUTING, OF_WEB_BOUND)
    assert (after.spec.holder, after.spec.state, after.spec.contested) == (WEB, PENDING, True)
    assert after.spec.claimed_at != OF_WEB_BOUND.spec.claimed_at
    assert after.metadata.resource_version == "7"


@pytest.mark.parametrize(
    ("attempt", "before", "want"),
    [
        pytest.param(CREATING, OF_SPACE, True, id="an Ingress may be under way"),
        pytest.param(CREATING, OF_SPACE_BOUND, False, id="none is"),
        pytest.param(
            ROUTING, OF_WEB_BOUND, True, id="another Ingress there hides that this is not stored"
        ),
    ],
)
def test_what_kin_has_under_way(attempt: Attempt, before: NameClaim, *, want: bool) -> None:
    assert taken(attempt, before).spec.contested is want
