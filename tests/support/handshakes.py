"""TLS between OpenSSL and OpenSSL, in memory, verified as strictly as Python 3.13 does."""

import ssl
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from cryptography import x509

from dayfly_certs import issue
from dayfly_certs.bundle import Bundle, Pair

NAMES = ("dayfly-admission.dayfly-system.svc", "localhost", "127.0.0.1", "::1")


def today() -> datetime:
    """OpenSSL judges by the machine's clock, and lets nobody tell it another time."""
    return datetime.now(UTC)  # noqa: TID251


def a_bundle(ca: Pair | None = None, age: timedelta = timedelta()) -> Bundle:
    """A bundle that is good today, made ``age`` ago."""
    made = today() - age
    ca = ca or issue.authority(made)
    leaf = issue.leaf(ca, NAMES, made)
    return Bundle(ca.cert_pem, leaf.cert_pem, leaf.key_pem)


def client_context(*authorities: bytes) -> ssl.SSLContext:
    """Trust these CAs, as Python 3.13's ``create_default_context`` would."""
    context = ssl.create_default_context(cadata=b"".join(authorities).decode())
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


def served(server_side: ssl.SSLContext, trusted: bytes, name: str = NAMES[0]) -> int:
    """Shake hands; return the serial number of the certificate that was served."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context(trusted).wrap_bio(down, up, server_hostname=name)
    server = server_side.wrap_bio(up, down, server_side=True)
    for _ in range(3):
        for side in (client, server):
            with suppress(ssl.SSLWantReadError):
                side.do_handshake()
    certificate = client.getpeercert(binary_form=True)
    assert certificate
    return x509.load_der_x509_certificate(certificate).serial_number
