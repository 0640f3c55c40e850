"""Hosts that overlap: store first, then check."""

from datetime import timedelta

import msgspec
import pytest

from dayfly_core.api import ClaimState, NameClaim
from dayfly_core.claim_steps import (
    PAUSES,
    Attempt,
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
    Stored,
    Survey,
    Surveyed,
    Taken,
)
from dayfly_core.claims import decide, taken
from support.claim_values import AT, a_claim, a_namespace, an_attempt, host

BOUND = ClaimState.BOUND
MINE = a_namespace("mine")
EARLIER = a_namespace("mine", "uid-of-an-earlier-one")
THEIRS = a_namespace("theirs")
THERE, ELSEWHERE = Presence("uid-theirs", lists=True), Presence("uid-theirs", lists=False)


def swap(attempt: Attempt, claim: NameClaim) -> Replace:
    return Replace(taken(attempt, claim))


WILD, BELOW = host("*.a.example"), host("x.a.example")
WANTED = an_attempt(BELOW)
SOONER, LATER = AT - timedelta(seconds=1), AT + timedelta(seconds=1)

OWN = a_claim(BELOW, MINE)
STALE = a_claim(WILD, THEIRS, BOUND)
RIVAL_FIRST = a_claim(WILD, THEIRS, created=SOONER)
RIVAL_LAST = a_claim(WILD, THEIRS, created=LATER)
CHECK = Survey(OWN)
FOREIGN = a_claim(host("*.b.example"))
UNNAMED = msgspec.structs.replace(
    STALE, metadata=msgspec.structs.replace(STALE.metadata, name="by-hand")
)


@pytest.mark.parametrize(
    ("attempt", "seen", "want"),
    [
        pytest.param(WANTED, Stored(OWN), CHECK, id="what is written is not granted yet"),
        pytest.param(
            an_attempt(host("*.example")),
            Stored(OWN),
            Survey(OWN),
            id="nothing covers a widest wildcard, but it covers",
        ),
        pytest.param(
            an_attempt(host("localhost")), Stored(OWN), Granted(OWN), id="one label is alone"
        ),
        pytest.param(WANTED, Surveyed(CHECK, []), Granted(OWN), id="nothing overlaps"),
        pytest.param(
            WANTED,
            Surveyed(CHECK, [OWN, FOREIGN, UNNAMED, a_claim(WILD, EARLIER)]),
            Granted(OWN),
            id="nor what is elsewhere, claims nothing by its name, or is the same object's",
        ),
        pytest.param(
            WANTED,
            Surveyed(CHECK, [STALE, RIVAL_LAST]),
            Inspect(CHECK, (STALE, RIVAL_LAST)),
            id="each rival is asked after",
        ),
        pytest.param(
            WANTED,
            Inspected(Inspect(CHECK, (STALE, RIVAL_LAST)), None),
            Inspect(CHECK, (RIVAL_LAST,)),
            id="a Bound claim whose holder is gone is nobody's: the next one",
        ),
        pytest.param(
            WANTED,
            Inspected(Inspect(CHECK, (STALE,)), ELSEWHERE),
            Granted(OWN),
            id="that was the last",
        ),
        pytest.param(
            WANTED,
            Inspected(Inspect(CHECK, (STALE,)), THERE),
            Taken(STALE),
            id="a rival that holds its name",
        ),
        pytest.param(
            WANTED,
            Inspected(Inspect(CHECK, (RIVAL_FIRST,)), None),
            Reserved(RIVAL_FIRST),
            id="of two under way the later goes back at once",
        ),
        pytest.param(
            WANTED,
            Inspected(Inspect(CHECK, (RIVAL_LAST,)), ELSEWHERE),
            Survey(OWN, looks=1),
            id="and the first looks again, for the other goes back",
        ),
        pytest.param(
            WANTED,
            Inspected(Inspect(CHECK, (a_claim(WILD, THEIRS),)), None),
            Survey(OWN, looks=1),
            id="within one second the uid says who is first",
        ),
        pytest.param(
            WANTED,
            Inspected(Inspect(Survey(OWN, looks=len(PAUSES)), (RIVAL_LAST,)), None),
            Reserved(RIVAL_LAST),
            id="but not for ever",
        ),
    ],
)
def test_overlaps(attempt: Attempt, seen: Seen, want: Step | Outcome) -> None:
    assert decide(attempt, seen) == want


FORMER = a_claim(BELOW, EARLIER)
BEFORE = Survey(None, swap=taken(WANTED, FORMER))


@pytest.mark.parametrize(
    ("attempt", "seen", "want"),
    [
        pytest.param(WANTED, Found(FORMER, None), BEFORE, id="looks before it takes a claim over"),
        pytest.param(
            WANTED,
            Surveyed(BEFORE, []),
            swap(WANTED, FORMER),
            id="nothing overlaps: takes it, and will look again",
        ),
        pytest.param(
            WANTED,
            Inspected(Inspect(BEFORE, (RIVAL_LAST,)), None),
            Reserved(RIVAL_LAST),
            id="a rival: refused, and the old claim ages in peace",
        ),
        pytest.param(
            an_attempt(BELOW, read_only=True),
            Looked(None),
            Survey(None),
            id="a dry run looks as well",
        ),
        pytest.param(
            an_attempt(BELOW, read_only=True),
            Surveyed(Survey(None), []),
            Granted(None),
            id="and would get it",
        ),
        pytest.param(
            an_attempt(BELOW, read_only=True),
            Found(FORMER, None),
            Survey(None),
            id="also where it would be taken over",
        ),
    ],
)
def test_overlaps_are_looked_at_before_a_claim_is_swapped(
    attempt: Attempt, seen: Seen, want: Step | Outcome
) -> None:
    assert decide(attempt, seen) == want


def test_the_pauses_between_looks() -> None:
    assert [Survey(OWN, looks=n).pause for n in range(len(PAUSES) + 1)] == [0.0, *PAUSES]
    assert sum(PAUSES) < 1.0
