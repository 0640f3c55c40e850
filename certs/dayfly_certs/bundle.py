"""What a server needs to serve and its callers to trust it: three PEM texts, read on demand."""

from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import serialization


@dataclass(frozen=True, slots=True)
class Bundle:
    """A serving certificate, its key, and the CAs that callers should trust.

    ``ca_pem`` may hold several certificates, the one that signs first: while a CA is replaced,
    old and new overlap. The properties raise ``ValueError`` if the PEM is not what it should be.
    """

    ca_pem: bytes
    cert_pem: bytes
    key_pem: bytes

    @property
    def certificate(self) -> x509.Certificate:
        """The serving certificate."""
        return x509.load_pem_x509_certificate(self.cert_pem)

    @property
    def authorities(self) -> list[x509.Certificate]:
        """The CAs, the one that signs first."""
        return x509.load_pem_x509_certificates(self.ca_pem)

    @property
    def not_before(self) -> datetime:
        """When the serving certificate begins, UTC."""
        return self.certificate.not_valid_before_utc

    @property
    def not_after(self) -> datetime:
        """When the serving certificate ends, UTC."""
        return self.certificate.not_valid_after_utc

    @property
    def names(self) -> frozenset[str]:
        """DNS names and IP addresses of the serving certificate, as text."""
        return alternative_names(self.certificate)


def alternative_names(certificate: x509.Certificate) -> frozenset[str]:
    """SANs as text; none when the certificate has no such extension."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return frozenset()
    return frozenset(str(name.value) for name in extension.value)


def trusted(first: bytes, others: bytes, now: datetime) -> bytes:
    """Join CAs, ``first`` leading: each once, order kept, expired and unreadable dropped."""
    certificates = dict.fromkeys([*_readable(first), *_readable(others)])
    return b"".join(
        c.public_bytes(serialization.Encoding.PEM)
        for c in certificates
        if c.not_valid_after_utc > now
    )


def _readable(pem: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError:
        return []


def belongs(key_pem: bytes, certificate: x509.Certificate) -> bool:
    """Whether the private key is the certificate's."""
    key = serialization.load_pem_private_key(key_pem, password=None)
    return key.public_key() == certificate.public_key()
