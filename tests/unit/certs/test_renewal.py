"""When certificates are made anew, and what they are made like."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from msgspec.structs import replace

from dayfly_certs import issue
from dayfly_certs.bundle import Bundle, Pair
from dayfly_certs.reading import trusted
from dayfly_certs.renewal import (
    AUTHORITY_MARGIN,
    Because,
    Keep,
    Reissue,
    authority_needs,
    defect,
    needs,
)
from dayfly_certs.signing import BACKDATE

START = datetime(2026, 11, 22, 10, tzinfo=UTC)
NAMES = ("dayfly-admission.dayfly-system.svc", "127.0.0.1", "::1")
CA = issue.authority(START)
OTHER_CA = issue.authority(START)
LEAF = issue.leaf(CA, NAMES, START)
GOOD = Bundle(CA.cert_pem, LEAF.cert_pem, LEAF.key_pem)
HALF = START - BACKDATE + (issue.LEAF_LIFE + BACKDATE) / 2
SECOND = timedelta(seconds=1)


def capped(*, left: timedelta) -> Bundle:
    """A leaf made when its CA has only ``left`` to live."""
    pair = issue.leaf(CA, NAMES, START + issue.AUTHORITY_LIFE - left)
    return Bundle(CA.cert_pem, pair.cert_pem, pair.key_pem)


@pytest.mark.parametrize(
    ("bundle", "names", "now", "want"),
    [
        pytest.param(GOOD, NAMES, START, Keep(HALF), id="fresh"),
        pytest.param(GOOD, NAMES, HALF - SECOND, Keep(HALF), id="a second before half of its life"),
        pytest.param(GOOD, NAMES, HALF, Reissue(Because.HALF_LIFE), id="at half of its life"),
        pytest.param(
            GOOD,
            NAMES,
            START + issue.LEAF_LIFE,
            Reissue(Because.EXPIRED),
            id="renewal missed: the machine slept for a month",
        ),
        pytest.param(
            GOOD, NAMES, START - timedelta(hours=2), Reissue(Because.NOT_YET_VALID), id="not begun"
        ),
        pytest.param(
            GOOD, (*NAMES, "more"), START, Reissue(Because.NAMES_MISSING), id="a new name"
        ),
        pytest.param(GOOD, NAMES[:1], START, Keep(HALF), id="a name less is no reason"),
        pytest.param(
            GOOD, ("0:0:0:0:0:0:0:1",), START, Keep(HALF), id="an IPv6 address spelt in full"
        ),
        pytest.param(Bundle(b"", b"", b""), NAMES, START, Reissue(Because.MISSING), id="empty"),
        pytest.param(
            replace(GOOD, key_pem=b""), NAMES, START, Reissue(Because.MISSING), id="half filled"
        ),
        pytest.param(
            replace(GOOD, cert_pem=b"x"), NAMES, START, Reissue(Because.UNREADABLE), id="no PEM"
        ),
        pytest.param(
            replace(GOOD, key_pem=CA.key_pem),
            NAMES,
            START,
            Reissue(Because.KEY_MISMATCH),
            id="another certificate's key",
        ),
        pytest.param(
            replace(GOOD, ca_pem=OTHER_CA.cert_pem),
            NAMES,
            START,
            Reissue(Because.UNTRUSTED),
            id="signed by another CA",
        ),
        pytest.param(
            replace(GOOD, ca_pem=OTHER_CA.cert_pem + CA.cert_pem),
            NAMES,
            START,
            Keep(HALF),
            id="signed by the CA that is being replaced",
        ),
    ],
)
def test_a_serving_certificate(
    bundle: Bundle, names: tuple[str, ...], now: datetime, want: Keep | Reissue
) -> None:
    assert needs(bundle, names, now) == want


def test_a_leaf_never_outlives_its_authority() -> None:
    bundle = capped(left=timedelta(days=3))
    assert bundle.not_after == bundle.authorities[0].not_valid_after_utc
    assert defect(bundle, NAMES, bundle.not_after - SECOND) is None


LAST_DAY = START + issue.AUTHORITY_LIFE - AUTHORITY_MARGIN


@pytest.mark.parametrize(
    ("pair", "now", "want"),
    [
        pytest.param(CA, START, Keep(LAST_DAY), id="fresh"),
        pytest.param(CA, LAST_DAY - SECOND, Keep(LAST_DAY), id="good for one more full leaf"),
        pytest.param(CA, LAST_DAY, Reissue(Because.ENDS_SOON), id="too short for a full leaf"),
        pytest.param(CA, START - timedelta(days=1), Keep(LAST_DAY), id="our own clock is behind"),
        pytest.param(Pair(b"", b""), START, Reissue(Because.MISSING), id="empty"),
        pytest.param(Pair(b"x", b"y"), START, Reissue(Because.UNREADABLE), id="no PEM"),
        pytest.param(
            Pair(CA.cert_pem, OTHER_CA.key_pem),
            START,
            Reissue(Because.KEY_MISMATCH),
            id="another CA's key",
        ),
        pytest.param(LEAF, START, Reissue(Because.NOT_AN_AUTHORITY), id="a leaf in its place"),
    ],
)
def test_an_authority(pair: Pair, now: datetime, want: Keep | Reissue) -> None:
    assert authority_needs(pair, now) == want


AFTER_THE_FIRST = START + issue.AUTHORITY_LIFE + SECOND
LATER_CA = issue.authority(START + timedelta(days=700))


@pytest.mark.parametrize(
    ("first", "others", "now", "want"),
    [
        pytest.param(CA, b"", START, [CA], id="alone"),
        pytest.param(LATER_CA, CA.cert_pem, START, [LATER_CA, CA], id="the old one stays behind"),
        pytest.param(CA, CA.cert_pem, START, [CA], id="each once"),
        pytest.param(LATER_CA, CA.cert_pem, AFTER_THE_FIRST, [LATER_CA], id="expired ones go"),
        pytest.param(CA, b"rubbish", START, [CA], id="rubbish goes"),
    ],
)
def test_overlapping_authorities(
    first: Pair, others: bytes, now: datetime, want: list[Pair]
) -> None:
    assert trusted(first.cert_pem, others, now) == b"".join(pair.cert_pem for pair in want)


def test_extensions_are_those_that_api_servers_and_python_demand() -> None:
    ca = x509.load_pem_x509_certificate(CA.cert_pem).extensions
    leaf = GOOD.certificate.extensions
    for extensions in (ca, leaf):
        assert extensions.get_extension_for_class(x509.BasicConstraints).critical
        assert extensions.get_extension_for_class(x509.KeyUsage).critical
        assert extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
        assert extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
    assert ca.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    assert leaf.get_extension_for_class(x509.KeyUsage).value.digital_signature
    assert GOOD.names == set(NAMES)
