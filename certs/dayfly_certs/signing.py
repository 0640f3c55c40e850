"""What every certificate made here has in common, whoever it is for and whoever signs it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import ip_address

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from dayfly_certs.bundle import Pair

BACKDATE = timedelta(hours=1)
"""Certificates begin in the past: the clocks of API servers are not ours."""


class Subject(msgspec.Struct, frozen=True):
    """Whom a certificate is for, and from when to when it is valid."""

    name: x509.Name
    key: ec.EllipticCurvePrivateKey
    life: tuple[datetime, datetime]


def begin(subject: Subject, issuer: x509.Name) -> x509.CertificateBuilder:
    """Begin a certificate: everything but what it may be used for."""
    start, end = subject.life
    return (
        x509.CertificateBuilder()
        .subject_name(subject.name)
        .issuer_name(issuer)
        .public_key(subject.key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
    )


def finish(
    builder: x509.CertificateBuilder,
    key: ec.EllipticCurvePrivateKey,
    signed_by: ec.EllipticCurvePrivateKey,
) -> Pair:
    """Add both key identifiers, sign, and write certificate and key as PEM."""
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(signed_by.public_key())
    builder = builder.add_extension(own, critical=False).add_extension(issuer, critical=False)
    certificate = builder.sign(signed_by, hashes.SHA256())
    return Pair(certificate.public_bytes(serialization.Encoding.PEM), key_pem(key))


def key_usage(*, ca: bool) -> x509.KeyUsage:
    """Signing certificates for a CA, signing handshakes for everybody else."""
    return x509.KeyUsage(
        digital_signature=not ca,
        key_cert_sign=ca,
        crl_sign=ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def alternative_names(names: Sequence[str]) -> x509.SubjectAlternativeName:
    """Read each name as an IP address where it is one, else as DNS."""
    return x509.SubjectAlternativeName([_general_name(name) for name in names])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def key_pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    """Write a key as unencrypted PKCS #8, which Go programs read as well."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def load_key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    """Read a CA's key; raises ValueError if it is none of ours."""
    key = serialization.load_pem_private_key(pem, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("the CA's key is not an elliptic curve key")
    return key
