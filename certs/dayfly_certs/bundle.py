"""What a server needs to serve and its callers to trust it: PEM texts, read on demand.

``cryptography`` is imported by those who read: a server that only serves them does without.
"""

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from cryptography import x509


class Pair(msgspec.Struct, frozen=True):
    """A certificate and its private key, both PEM."""

    cert_pem: bytes
    key_pem: bytes


class Bundle(msgspec.Struct, frozen=True):
    """A serving certificate, its key, and the CAs that callers should trust.

    ``ca_pem`` may hold several certificates, the one that signs first: while a CA is replaced,
    old and new overlap. The properties raise ``ValueError`` if the PEM is not what it should be.
    """

    ca_pem: bytes
    cert_pem: bytes
    key_pem: bytes

    @property
    def certificate(self) -> "x509.Certificate":
        """The serving certificate."""
        from dayfly_certs import reading

        return reading.certificate(self.cert_pem)

    @property
    def authorities(self) -> "list[x509.Certificate]":
        """The CAs, the one that signs first."""
        from dayfly_certs import reading

        return reading.certificates(self.ca_pem)

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
        from dayfly_certs import reading

        return reading.alternative_names(self.certificate)
