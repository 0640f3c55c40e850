"""Certificates and keys read from PEM; ``ValueError`` when it is not what it should be."""

from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import serialization


def certificate(pem: bytes) -> x509.Certificate:
    """Read the first certificate."""
    return x509.load_pem_x509_certificate(pem)


def certificates(pem: bytes) -> list[x509.Certificate]:
    """Read all certificates."""
    return x509.load_pem_x509_certificates(pem)


def alternative_names(of: x509.Certificate) -> frozenset[str]:
    """SANs as text; none when the certificate has no such extension."""
    try:
        extension = of.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return frozenset()
    return frozenset(str(name.value) for name in extension.value)


def trusted(first: bytes, others: bytes, now: datetime) -> bytes:
    """Join CAs, ``first`` leading: each once, order kept, expired and unreadable dropped."""
    each = dict.fromkeys([*_readable(first), *_readable(others)])
    return b"".join(
        c.public_bytes(serialization.Encoding.PEM) for c in each if c.not_valid_after_utc > now
    )


def _readable(pem: bytes) -> list[x509.Certificate]:
    try:
        return certificates(pem)
    except ValueError:
        return []


def belongs(key_pem: bytes, to: x509.Certificate) -> bool:
    """Whether the private key is the certificate's."""
    key = serialization.load_pem_private_key(key_pem, password=None)
    return key.public_key() == to.public_key()
