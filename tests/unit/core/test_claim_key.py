"""One name in, always the same claim out."""

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly_core.claim_key import ClaimKey, KeyKind, is_canonical, key_of
from support.claim_values import a_claim, host

ENVIRONMENT = KeyKind.ENVIRONMENT
OBJECT_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


@pytest.mark.parametrize(
    ("key", "slug"),
    [
        pytest.param(ClaimKey(ENVIRONMENT, "shop"), "environment-shop", id="an environment"),
        pytest.param(host("shop.example.com"), "host-shop.example.com", id="a host"),
        pytest.param(host("*.example.com"), "host-wildcard.example.com", id="a wildcard"),
        pytest.param(
            ClaimKey(ENVIRONMENT, "Shop_PR.-17"),
            "environment-shop-pr.17",
            id="what an object's name may not have becomes dashes",
        ),
        pytest.param(ClaimKey(ENVIRONMENT, "..."), "environment", id="nothing readable is left"),
        pytest.param(
            host("a" * 63 + "." + "b" * 63 + ".example"),
            "host-" + "a" * 63 + "." + "b" * 56,
            id="a long one is cut",
        ),
    ],
)
def test_the_name_of_a_claim(key: ClaimKey, slug: str) -> None:
    assert re.fullmatch(re.escape(slug) + "-[0-9a-f]{20}", key.claim_name)


def test_the_name_of_a_claim_is_for_ever() -> None:
    # Replicas of two versions must meet at one object.
    assert host("shop.example.com").claim_name == "host-shop.example.com-314eab1e31b3fb766097"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(
            ClaimKey(ENVIRONMENT, "shop"), ClaimKey(ENVIRONMENT, "Shop"), id="case of environments"
        ),
        pytest.param(
            ClaimKey(ENVIRONMENT, "a.example"), host("a.example"), id="an environment and a host"
        ),
        pytest.param(host("*.a.example"), host("wildcard.a.example"), id="a label of that name"),
    ],
)
def test_what_differs_has_two_claims(one: ClaimKey, other: ClaimKey) -> None:
    assert one.claim_name != other.claim_name


@given(st.sampled_from(KeyKind), st.text(min_size=1, max_size=300))
def test_every_key_gives_a_valid_name(kind: KeyKind, value: str) -> None:
    name = ClaimKey(kind, value).claim_name
    assert len(name) <= 253
    assert OBJECT_NAME.fullmatch(name)


def test_as_people_read_it() -> None:
    assert host("shop.example.com").text == "host:shop.example.com"


@pytest.mark.parametrize(
    ("one", "other", "want"),
    [
        pytest.param("*.a.example", "x.a.example", True, id="a wildcard and what lies below"),
        pytest.param("x.a.example", "*.a.example", True, id="in the other order"),
        pytest.param("*.a.example", "y.x.a.example", True, id="at any depth"),
        pytest.param("*.a.example", "*.x.a.example", True, id="a wildcard below a wildcard"),
        pytest.param("*.a.example", "a.example", False, id="not what it hangs from"),
        pytest.param("*.a.example", "xa.example", False, id="not half a label"),
        pytest.param("*.a.example", "*.b.example", False, id="two wildcards side by side"),
        pytest.param("*.a.example", "*.a.example", False, id="a key is no overlap of itself"),
        pytest.param("com", "example.com", False, id="a domain and its parent"),
    ],
)
def test_overlaps(one: str, other: str, *, want: bool) -> None:
    assert host(one).overlaps(host(other)) is want
    assert (host(other) in host(one).covering or host(one) in host(other).covering) is want


def test_an_environment_overlaps_nothing() -> None:
    star = ClaimKey(ENVIRONMENT, "*.a.example")
    assert not star.wildcard
    assert not star.overlaps(ClaimKey(ENVIRONMENT, "x.a.example"))
    assert not host("*.a.example").overlaps(ClaimKey(ENVIRONMENT, "x.a.example"))
    assert ClaimKey(ENVIRONMENT, "x.a.example").covering == ()


@pytest.mark.parametrize(
    ("value", "want"),
    [
        pytest.param("x.a.example", ("*.a.example", "*.example"), id="each parent's"),
        pytest.param("*.a.example", ("*.example",), id="of a wildcard, not itself"),
        pytest.param("*.example", (), id="the widest one"),
        pytest.param("localhost", (), id="one label"),
    ],
)
def test_the_wildcards_that_cover_a_host(value: str, want: tuple[str, ...]) -> None:
    assert tuple(key.value for key in host(value).covering) == want


def test_a_claim_is_canonical_by_the_name_that_its_key_gives() -> None:
    claim = a_claim(host("x.a.example"))
    assert key_of(claim) == host("x.a.example")
    assert is_canonical(claim)
    meta = msgspec.structs.replace(claim.metadata, name="host-x.a.example-mine")
    assert not is_canonical(msgspec.structs.replace(claim, metadata=meta))
