"""The index of names, from either side."""

import sys
from collections.abc import Callable

import pytest

from dayfly_core.claim_key import ClaimKey, KeyKind
from dayfly_core.objects import INGRESSES, NAMESPACES, Key
from dayfly_operator.naming.wanted import Route, Source, Wanted


def host(value: str) -> ClaimKey:
    return ClaimKey(KeyKind.HOST, value)


A, B = Key(NAMESPACES, "", "a"), Key(NAMESPACES, "", "b")
X, Y, ALL = host("x.example.com"), host("y.example.com"), host("*.example.com")
DEEP = host("*.x.example.com")
FAR = host("x.example.org")


@pytest.fixture
def heard() -> list[ClaimKey]:
    return []


@pytest.fixture
def wanted(heard: list[ClaimKey]) -> Wanted:
    return Wanted(heard.append)


def test_what_lists_nothing_leaves_no_trace(wanted: Wanted, heard: list[ClaimKey]) -> None:
    wanted.note(A, ())
    assert (list(wanted.listed), heard) == ([], [])


@pytest.mark.parametrize(
    ("before", "now", "listed"),
    [
        pytest.param((X,), (X, Y), {X, Y}, id="one more"),
        pytest.param((X, Y), (Y,), {Y}, id="one less"),
        pytest.param((X,), (Y,), {Y}, id="another"),
        pytest.param((X,), (), set[ClaimKey](), id="none any more"),
        pytest.param((X,), (X,), {X}, id="the same: the object itself may be another one"),
    ],
)
def test_all_that_an_object_listed_and_lists_is_heard_of(
    wanted: Wanted,
    heard: list[ClaimKey],
    before: tuple[ClaimKey, ...],
    now: tuple[ClaimKey, ...],
    listed: set[ClaimKey],
) -> None:
    wanted.note(A, before)
    heard.clear()
    wanted.note(A, now)
    assert sorted(heard) == sorted({*before, *now})
    assert set(wanted.listed) == listed
    assert all(wanted.sources(key) == (A,) for key in listed)


def test_an_ingress_lists_by_its_spec_and_by_its_own_host() -> None:
    wanted, ingress = Wanted(lambda _key: None), Key(INGRESSES, "team", "web")
    wanted.note(ingress, (X,))
    wanted.note(Route(ingress), (X, Y))
    wanted.note(ingress, ())
    assert wanted.sources(X) == (Route(ingress),)


@pytest.mark.parametrize(
    ("listed", "contested"),
    [
        pytest.param({A: (X,), B: (Y,)}, set[ClaimKey](), id="one each"),
        pytest.param({A: (X,), B: (X, Y)}, {X}, id="two want one"),
        pytest.param({A: (ALL,), B: (X, FAR)}, {ALL, X}, id="a wildcard and what is below it"),
        pytest.param({B: (X, FAR), A: (ALL,)}, {ALL, X}, id="the same, the wildcard last"),
        pytest.param({A: (ALL,), B: (DEEP, FAR)}, {ALL, DEEP}, id="a wildcard below a wildcard"),
        pytest.param({A: (X, ALL), B: (X,)}, {X, ALL}, id="each once"),
    ],
)
def test_what_may_be_in_conflict(
    wanted: Wanted, listed: dict[Source, tuple[ClaimKey, ...]], contested: set[ClaimKey]
) -> None:
    for source, keys in listed.items():
        wanted.note(source, keys)
    found = list(wanted.contested())
    assert set(found) == contested
    assert len(found) == len(contested)
    for source in listed:
        wanted.note(source, ())
    assert list(wanted.contested()) == []


def test_what_a_wildcard_covered_is_in_no_conflict_once_that_is_gone(wanted: Wanted) -> None:
    wanted.note(A, (ALL,))
    wanted.note(B, (X,))
    wanted.note(A, ())
    assert list(wanted.contested()) == []


def test_one_wildcard_makes_nobody_look_through_all_names(wanted: Wanted) -> None:
    for number in range(2000):
        wanted.note(Key(NAMESPACES, "", str(number)), (host(f"h{number}.example.org"),))
    wanted.note(A, (ALL,))
    wanted.note(B, (X,))
    assert calls(lambda: list(wanted.contested())) < 20


def calls(act: Callable[[], object]) -> int:
    """Count the functions that are called, which no other load on the machine changes."""
    events: list[str] = []
    sys.setprofile(lambda _frame, event, _arg: events.append(event))
    try:
        act()
    finally:
        sys.setprofile(None)
    return len(events)
