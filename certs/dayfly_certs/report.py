"""What there is, for people and for scripts: never a private key."""

from datetime import datetime

import msgspec
from cryptography import x509

from dayfly_certs.bundle import Bundle, Pair
from dayfly_certs.reading import alternative_names
from dayfly_certs.renewal import Decision, Keep, authority_needs, needs


class Certificate(msgspec.Struct, frozen=True, rename="camel"):
    """One certificate; ``because`` is the reason to make it anew, empty when it is kept."""

    secret: str
    subject: str
    not_before: datetime | None
    not_after: datetime | None
    renewed_at: datetime | None
    because: str
    names: list[str]
    serial: str


class Report(msgspec.Struct, frozen=True):
    """The certificates of an installation."""

    certificates: list[Certificate]

    @property
    def good(self) -> bool:
        """Whether nothing has to be made anew."""
        return not any(c.because for c in self.certificates)


def report(authority: tuple[str, Pair], serving: tuple[str, Bundle], now: datetime) -> Report:
    """Describe both Secrets, each given with its name."""
    (ca_secret, ca), (tls_secret, bundle) = authority, serving
    known = Bundle(ca.cert_pem, bundle.cert_pem, bundle.key_pem)
    return Report(
        [
            _described(ca_secret, ca.cert_pem, authority_needs(ca, now)),
            _described(tls_secret, bundle.cert_pem, needs(known, (), now)),
        ]
    )


def _described(secret: str, pem: bytes, decision: Decision) -> Certificate:
    until = decision.until if isinstance(decision, Keep) else None
    because = "" if isinstance(decision, Keep) else decision.reason
    try:
        found = x509.load_pem_x509_certificate(pem)
    except ValueError:
        return Certificate(secret, "", None, None, until, because, [], "")
    return Certificate(
        secret,
        found.subject.rfc4514_string(),
        found.not_valid_before_utc,
        found.not_valid_after_utc,
        until,
        because,
        sorted(alternative_names(found)),
        f"{found.serial_number:x}",
    )


def as_text(shown: Report) -> str:
    """Write it for people: one block a certificate, one fact a line."""
    return "\n".join("\n".join(_lines(c)) for c in shown.certificates)


def _lines(shown: Certificate) -> list[str]:
    if shown.not_after is None:
        return [f"{shown.secret}: no certificate ({shown.because}); run: dayfly certs ensure"]
    state = (
        f"to be made anew: {shown.because}" if shown.because else f"kept until {shown.renewed_at}"
    )
    lines = [
        f"{shown.secret}: {shown.subject}, {state}",
        f"  from {shown.not_before} to {shown.not_after}",
        f"  serial {shown.serial}",
    ]
    return [*lines, f"  names {', '.join(shown.names)}"] if shown.names else lines
