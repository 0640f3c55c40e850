"""A certificate authority and the serving certificates that it signs.

Every extension that Python 3.13's strict verification and the API server ask for is there:
critical basic constraints and key usage, subject and authority key identifiers, SANs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from dayfly_certs.bundle import Pair

AUTHORITY_LIFE = timedelta(days=730)
LEAF_LIFE = timedelta(days=30)
BACKDATE = timedelta(hours=1)
"""Certificates begin in the past: the clocks of API servers are not ours."""


@dataclass(frozen=True, slots=True)
class _Subject:
    name: str
    key: ec.EllipticCurvePrivateKey
    life: tuple[datetime, datetime]


def authority(now: datetime) -> Pair:
    """Make a self-signed CA that may sign leaves only."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _Subject("dayfly-ca", key, (now - BACKDATE, now + AUTHORITY_LIFE))
    builder = _begin(subject, issuer=_name(subject.name))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_key_usage(ca=True), critical=True)
    return _finish(builder, key, signed_by=key)


def leaf(ca: Pair, names: Sequence[str], now: datetime) -> Pair:
    """Make a serving certificate for DNS names and IP addresses, never outliving its CA."""
    issuer = x509.load_pem_x509_certificate(ca.cert_pem)
    key = ec.generate_private_key(ec.SECP256R1())
    end = min(now + LEAF_LIFE, issuer.not_valid_after_utc)
    builder = _begin(_Subject(names[0][:64], key, (now - BACKDATE, end)), issuer.subject)
    builder = builder.add_extension(
        x509.BasicConstraints(ca=False, path_length=None), critical=True
    )
    builder = builder.add_extension(_key_usage(ca=False), critical=True)
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    builder = builder.add_extension(usage, critical=False)
    builder = builder.add_extension(_alternative_names(names), critical=False)
    return _finish(builder, key, signed_by=_load_key(ca.key_pem))


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _begin(subject: _Subject, issuer: x509.Name) -> x509.CertificateBuilder:
    start, end = subject.life
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject.name))
        .issuer_name(issuer)
        .public_key(subject.key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
    )


def _finish(
    builder: x509.CertificateBuilder,
    key: ec.EllipticCurvePrivateKey,
    signed_by: ec.EllipticCurvePrivateKey,
) -> Pair:
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(signed_by.public_key())
    builder = builder.add_extension(own, critical=False).add_extension(issuer, critical=False)
    certificate = builder.sign(signed_by, hashes.SHA256())
    return Pair(
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )


def _key_usage(*, ca: bool) -> x509.KeyUsage:
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


def _alternative_names(names: Sequence[str]) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([_general_name(name) for name in names])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _load_key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(pem, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("the CA's key is not an elliptic curve key")
    return key
