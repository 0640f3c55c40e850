"""Exchanging the certificate of a live context: a good one at once, a bad one never."""

import ssl
from dataclasses import replace
from datetime import timedelta

import pytest

from dayfly_certs.bundle import Bundle
from dayfly_certs.reload import BadBundle, ServingContext
from support.handshakes import NAMES, a_bundle, served, today

GOOD = a_bundle()
NEXT = a_bundle()


@pytest.mark.parametrize("name", NAMES)
def test_strict_verification_accepts_every_name(name: str) -> None:
    serving = ServingContext(today)
    serving.load(GOOD)
    assert served(serving.ssl_context, GOOD.ca_pem, name) == GOOD.certificate.serial_number


def test_another_name_is_refused_by_the_client() -> None:
    serving = ServingContext(today)
    serving.load(GOOD)
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        served(serving.ssl_context, GOOD.ca_pem, "elsewhere.svc")


def test_without_a_certificate_no_handshake_succeeds() -> None:
    serving = ServingContext(today)
    assert not serving.loaded
    with pytest.raises(ssl.SSLError):
        served(serving.ssl_context, GOOD.ca_pem)


def test_the_next_handshake_gets_the_next_certificate() -> None:
    serving = ServingContext(today)
    assert serving.load(GOOD) is True
    assert serving.load(NEXT) is True
    assert served(serving.ssl_context, NEXT.ca_pem) == NEXT.certificate.serial_number


def test_the_same_bundle_again_changes_nothing() -> None:
    serving = ServingContext(today)
    serving.load(GOOD)
    assert serving.load(GOOD) is False


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(Bundle(b"", b"", b""), id="empty"),
        pytest.param(replace(NEXT, key_pem=GOOD.key_pem), id="another certificate's key"),
        pytest.param(replace(NEXT, ca_pem=GOOD.ca_pem), id="another CA"),
        pytest.param(replace(NEXT, cert_pem=b"rubbish"), id="rubbish"),
        pytest.param(replace(NEXT, key_pem=b"rubbish"), id="a key that is rubbish"),
        pytest.param(a_bundle(age=timedelta(days=31)), id="expired"),
    ],
)
def test_a_bad_bundle_leaves_the_good_one_in_place(bad: Bundle) -> None:
    serving = ServingContext(today)
    serving.load(GOOD)
    with pytest.raises(BadBundle):
        serving.load(bad)
    assert served(serving.ssl_context, GOOD.ca_pem) == GOOD.certificate.serial_number


def test_names_can_be_demanded() -> None:
    serving = ServingContext(today, ["elsewhere.svc"])
    with pytest.raises(BadBundle, match="NamesMissing"):
        serving.load(GOOD)
