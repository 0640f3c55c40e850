"""Claiming a name, one step at a time."""

from datetime import UTC, datetime

import pytest

from dayfly_core import names
from dayfly_core.api import ClaimState, Holder, NameClaim
from dayfly_core.claim_key import ClaimKey
from dayfly_core.claim_steps import (
    Act,
    Attempt,
    Begun,
    Create,
    Exists,
    Find,
    Found,
    Granted,
    Look,
    Looked,
    Outcome,
    Presence,
    Refused,
    Replace,
    Reserved,
    Seen,
    Step,
    Stored,
    Taken,
    Unsure,
)
from dayfly_core.claims import bound, decide, pending, taken
from support.claim_values import SHOP, a_claim, a_namespace, an_attempt, host

PENDING, BOUND = ClaimState.PENDING, ClaimState.BOUND
MINE = a_namespace("mine")
EARLIER = a_namespace("mine", "uid-of-an-earlier-one")
THEIRS = a_namespace("theirs")

CREATING = an_attempt()
UPDATING = an_attempt(act=Act.UPDATE)
INSIDE = an_attempt(act=Act.INSIDE)
READING = an_attempt(read_only=True)

THERE, ELSEWHERE = Presence("uid-theirs", lists=True), Presence("uid-theirs", lists=False)


def swap(attempt: Attempt, claim: NameClaim) -> Replace:
    return Replace(taken(attempt, claim))


# One key, without overlaps.


@pytest.mark.parametrize(
    ("attempt", "seen", "want"),
    [
        pytest.param(
            CREATING, Begun(), Create(pending(CREATING)), id="first of all the claim is created"
        ),
        pytest.param(
            CREATING, Stored(a_claim()), Granted(a_claim()), id="who created it has the name"
        ),
        pytest.param(CREATING, Refused(), Look(), id="a lost race: who was first?"),
        pytest.param(CREATING, Unsure(), Look(), id="no answer: what happened?"),
        pytest.param(
            CREATING,
            Looked(None),
            Create(pending(CREATING)),
            id="the claim went away meanwhile: created after all",
        ),
        pytest.param(
            CREATING,
            Looked(a_claim(holder=MINE)),
            swap(CREATING, a_claim(holder=MINE)),
            id="one's own claim is written again, for an old version may be about to be deleted",
        ),
        pytest.param(
            UPDATING,
            Looked(a_claim(holder=MINE, state=BOUND)),
            swap(UPDATING, a_claim(holder=MINE, state=BOUND)),
            id="also one's own Bound claim: it is Pending until the object is seen again",
        ),
        pytest.param(
            CREATING,
            Looked(a_claim(holder=EARLIER)),
            Find(a_claim(holder=EARLIER)),
            id="an object of that name had it: is it there?",
        ),
        pytest.param(
            UPDATING,
            Looked(a_claim(holder=EARLIER)),
            Find(a_claim(holder=EARLIER)),
            id="an object of that name had it, and this one says that it is there: is it?",
        ),
        pytest.param(
            UPDATING,
            Found(a_claim(holder=EARLIER), Presence(MINE.uid, lists=False)),
            swap(UPDATING, a_claim(holder=EARLIER)),
            id="it is, so the other is gone",
        ),
        pytest.param(
            UPDATING,
            Found(a_claim(holder=EARLIER, state=BOUND), Presence(EARLIER.uid, lists=True)),
            Reserved(a_claim(holder=EARLIER, state=BOUND)),
            id="it is the other that is there: the review is old, or no API server's",
        ),
        pytest.param(
            UPDATING,
            Found(a_claim(holder=EARLIER, state=BOUND), None),
            Reserved(a_claim(holder=EARLIER, state=BOUND)),
            id="neither is there: what is updated would not be stored",
        ),
        pytest.param(
            INSIDE,
            Looked(a_claim(holder=EARLIER)),
            swap(INSIDE, a_claim(holder=EARLIER)),
            id="a namespace is known by its watch, whatever a review says",
        ),
        pytest.param(
            CREATING, Looked(a_claim()), Find(a_claim()), id="another object has it: is it there?"
        ),
        pytest.param(
            CREATING,
            Looked(a_claim(ClaimKey(SHOP.kind, "other"))),
            Taken(a_claim(ClaimKey(SHOP.kind, "other"))),
            id="a claim of that name is for another key: never taken",
        ),
        pytest.param(
            CREATING,
            Found(a_claim(holder=EARLIER), Presence("x", lists=False)),
            Exists(a_claim(holder=EARLIER)),
            id="the object that is to be created is there already",
        ),
        pytest.param(
            CREATING,
            Found(a_claim(holder=EARLIER), None),
            swap(CREATING, a_claim(holder=EARLIER)),
            id="it is gone: its successor has the name at once, Pending or not",
        ),
        pytest.param(
            CREATING,
            Found(a_claim(state=BOUND), THERE),
            Taken(a_claim(state=BOUND)),
            id="the holder is there and lists it",
        ),
        pytest.param(
            CREATING,
            Found(a_claim(), Presence("another uid", lists=True)),
            Taken(a_claim()),
            id="whatever its uid, and though it is not Bound yet",
        ),
        pytest.param(
            CREATING,
            Found(a_claim(state=BOUND), None),
            swap(CREATING, a_claim(state=BOUND)),
            id="a Bound claim whose holder is gone is taken at once",
        ),
        pytest.param(
            CREATING,
            Found(a_claim(state=BOUND), ELSEWHERE),
            swap(CREATING, a_claim(state=BOUND)),
            id="so is one whose holder gave up the name",
        ),
        pytest.param(
            CREATING,
            Found(a_claim(), None),
            Reserved(a_claim()),
            id="a Pending claim is left alone, however old it looks",
        ),
        pytest.param(
            CREATING,
            Found(a_claim(), ELSEWHERE),
            Reserved(a_claim()),
            id="also if its holder is there: a request may be giving it the name",
        ),
    ],
)
def test_a_claim(attempt: Attempt, seen: Seen, want: Step | Outcome) -> None:
    assert decide(attempt, seen) == want


@pytest.mark.parametrize(
    ("seen", "want"),
    [
        pytest.param(Begun(), Look(), id="begins with a look"),
        pytest.param(Looked(None), Granted(None), id="nobody has it"),
        pytest.param(Looked(a_claim(holder=MINE)), Granted(None), id="it is one's own"),
        pytest.param(Looked(a_claim()), Find(a_claim()), id="asks after the holder"),
        pytest.param(Found(a_claim(), THERE), Taken(a_claim()), id="taken"),
        pytest.param(
            Found(a_claim(), THERE._replace(ending=True)),
            Taken(a_claim(), ending=True),
            id="taken by what is being deleted",
        ),
        pytest.param(Found(a_claim(), None), Reserved(a_claim()), id="reserved"),
        pytest.param(Found(a_claim(state=BOUND), None), Granted(None), id="would be taken over"),
    ],
)
def test_a_dry_run_writes_nothing(seen: Seen, want: Step | Outcome) -> None:
    assert decide(READING, seen) == want


# What is written.


def test_the_claim_of_a_request() -> None:
    claim = pending(an_attempt(host("x.a.example")))
    assert claim.metadata.name == host("x.a.example").claim_name
    assert claim.metadata.label_map == {names.CLAIM: "host"}
    wide = pending(an_attempt(host("*.a.example")))
    assert wide.metadata.label_map == {names.CLAIM: "host", names.WILDCARD: "true"}
    assert (claim.spec.holder, claim.spec.state, claim.spec.contested) == (MINE, PENDING, False)
    assert (claim.spec.key.value, claim.spec.key.written) == ("x.a.example", "x.a.example")
    assert claim.spec.claimed_at == "2026-11-22T10:00:00Z"


def test_a_swap_is_of_one_version_and_keeps_labels() -> None:
    before = a_claim(state=BOUND)
    after = taken(CREATING, before)
    assert (after.metadata.name, after.metadata.uid) == (before.metadata.name, before.metadata.uid)
    assert after.metadata.resource_version == "7"
    assert after.metadata.label_map == before.metadata.label_map
    assert (after.spec.holder, after.spec.state) == (MINE, PENDING)


def test_a_swap_never_writes_what_is_there_already() -> None:
    # The API server makes no new version of what does not change.
    before = pending(CREATING)
    after = taken(CREATING, before)
    assert after.spec.claimed_at == "2026-11-22T10:00:00.000001Z"
    assert taken(CREATING, after).spec.claimed_at == "2026-11-22T10:00:00Z"


@pytest.mark.parametrize(
    ("before", "act", "want"),
    [
        pytest.param(a_claim(), Act.CREATE, True, id="another object's, Pending"),
        pytest.param(a_claim(holder=EARLIER), Act.CREATE, True, id="an earlier CREATE's, Pending"),
        pytest.param(a_claim(holder=EARLIER), Act.UPDATE, True, id="that CREATE's, by an UPDATE"),
        pytest.param(a_claim(holder=MINE), Act.CREATE, False, id="this very CREATE's"),
        pytest.param(
            a_claim(holder=MINE, contested=True), Act.CREATE, True, id="once contested, always"
        ),
        pytest.param(a_claim(holder=MINE), Act.UPDATE, True, id="Pending, by another UPDATE"),
        pytest.param(a_claim(holder=MINE), Act.INSIDE, True, id="Pending, by a second Ingress"),
        pytest.param(a_claim(state=BOUND), Act.CREATE, False, id="another's, Bound: it is done"),
        pytest.param(a_claim(state=BOUND), Act.INSIDE, False, id="the same by an Ingress"),
        pytest.param(a_claim(holder=EARLIER, state=BOUND), Act.CREATE, False, id="a predecessor's"),
        pytest.param(
            a_claim(holder=MINE, state=BOUND), Act.UPDATE, False, id="one's own, by an UPDATE"
        ),
        pytest.param(
            a_claim(holder=MINE, state=BOUND),
            Act.INSIDE,
            True,
            id="one's own, by an Ingress: another one that lists it hides that this is not stored",
        ),
    ],
)
def test_whether_an_earlier_request_may_still_store_its_object(
    before: NameClaim, act: Act, *, want: bool
) -> None:
    assert taken(an_attempt(act=act), before).spec.contested is want


def test_a_bound_claim() -> None:
    later = datetime(2026, 11, 22, 11, tzinfo=UTC)
    holder: Holder = a_namespace("theirs", "uid-now")
    after = bound(a_claim(contested=True), holder, later)
    assert (after.spec.holder, after.spec.state, after.spec.contested) == (holder, BOUND, False)
    assert after.spec.claimed_at == "2026-11-22T11:00:00Z"
    assert after.metadata.resource_version == "7"
