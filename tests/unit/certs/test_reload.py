"""Exchanging the certificate of a live context: a good one at once, a bad one never."""

import ssl
import subprocess
import sys
from datetime import timedelta

import pytest
from msgspec.structs import replace

from dayfly_certs.bundle import Bundle
from dayfly_certs.reload import BadBundle, ServingContext
from support.handshakes import NAMES, a_bundle, served

GOOD = a_bundle()
NEXT = a_bundle()


@pytest.mark.parametrize("name", NAMES)
def test_strict_verification_accepts_every_name(name: str) -> None:
    serving = ServingContext()
    serving.load(GOOD)
    assert served(serving.ssl_context, GOOD.ca_pem, name) == GOOD.certificate.serial_number


def test_another_name_is_refused_by_the_client() -> None:
    serving = ServingContext()
    serving.load(GOOD)
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        served(serving.ssl_context, GOOD.ca_pem, "elsewhere.svc")


def test_without_a_certificate_no_handshake_succeeds() -> None:
    serving = ServingContext()
    assert not serving.loaded
    with pytest.raises(ssl.SSLError):
        served(serving.ssl_context, GOOD.ca_pem)


def test_the_next_handshake_gets_the_next_certificate() -> None:
    serving = ServingContext()
    assert serving.load(GOOD) is True
    assert serving.load(NEXT) is True
    assert served(serving.ssl_context, NEXT.ca_pem) == NEXT.certificate.serial_number


def test_the_same_bundle_again_changes_nothing() -> None:
    serving = ServingContext()
    serving.load(GOOD)
    assert serving.load(GOOD) is False


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        pytest.param(Bundle(b"", b"", b""), "empty", id="empty"),
        pytest.param(
            replace(NEXT, key_pem=GOOD.key_pem), "MISMATCH", id="another certificate's key"
        ),
        pytest.param(replace(NEXT, ca_pem=GOOD.ca_pem), "certificate", id="another CA"),
        pytest.param(replace(NEXT, ca_pem=b"\xff"), ".", id="a CA that is rubbish"),
        pytest.param(replace(NEXT, cert_pem=b"rubbish"), ".", id="a certificate that is rubbish"),
        pytest.param(replace(NEXT, key_pem=b"rubbish"), ".", id="a key that is rubbish"),
        pytest.param(a_bundle(age=timedelta(days=31)), "has expired", id="expired"),
        pytest.param(a_bundle(age=timedelta(days=-1)), "not yet valid", id="not begun"),
    ],
)
def test_a_bad_bundle_leaves_the_good_one_in_place(bad: Bundle, says: str) -> None:
    serving = ServingContext()
    serving.load(GOOD)
    with pytest.raises(BadBundle, match=says):
        serving.load(bad)
    assert served(serving.ssl_context, GOOD.ca_pem) == GOOD.certificate.serial_number


def test_when_it_ends_is_known() -> None:
    serving = ServingContext()
    serving.load(GOOD)
    assert serving.not_after == GOOD.not_after


def test_who_serves_does_without_what_it_takes_to_issue() -> None:
    program = "import sys, dayfly_certs.reload; sys.exit('cryptography' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
