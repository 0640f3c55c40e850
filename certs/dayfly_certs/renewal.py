"""When a certificate has to be made anew: ordered rules, each with its reason.

::

    Keep ──half of its life──> Reissue(HalfLife)
      └───any rule below─────> Reissue(reason)

The CA is replaced while it can still outlive every leaf it signed. Its predecessor stays in
``ca.crt``, behind it, until it has expired, and a good leaf is kept until its own half life: so the
API servers have long known the new CA when the first leaf signed by it is served. Steps that
*wait for proof* of that (verify every ``caBundle``, wait for the replicas, then retire the old CA)
belong between ``authority_needs`` and ``issue.authority``.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from ipaddress import ip_address

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from dayfly_certs.bundle import Bundle, Pair
from dayfly_certs.issue import LEAF_LIFE
from dayfly_certs.reading import alternative_names, belongs

AUTHORITY_MARGIN = LEAF_LIFE + timedelta(days=1)
"""A CA with less left could not cover a full leaf, and its leaves would shrink for ever."""


class Because:
    """Why a certificate is made anew."""

    MISSING = "Missing"
    UNREADABLE = "Unreadable"
    KEY_MISMATCH = "KeyMismatch"
    UNTRUSTED = "Untrusted"
    NAMES_MISSING = "NamesMissing"
    NOT_YET_VALID = "NotYetValid"
    EXPIRED = "Expired"
    OUTLIVES_AUTHORITY = "OutlivesAuthority"
    NOT_AN_AUTHORITY = "NotAnAuthority"
    HALF_LIFE = "HalfLife"
    ENDS_SOON = "EndsSoon"


class Keep(msgspec.Struct, frozen=True):
    """It is good; look again at ``until``."""

    until: datetime


class Reissue(msgspec.Struct, frozen=True):
    """Make a new one."""

    reason: str


Decision = Keep | Reissue


class _Leaf(msgspec.Struct, frozen=True):
    """A serving certificate with everything that is compared with it, read once."""

    bundle: Bundle
    certificate: x509.Certificate
    authorities: Sequence[x509.Certificate]
    names: Sequence[str]
    now: datetime

    @property
    def issuer(self) -> x509.Certificate | None:
        return next((ca for ca in self.authorities if _signed(self.certificate, ca)), None)


def _key_mismatch(leaf: _Leaf) -> bool:
    return not belongs(leaf.bundle.key_pem, leaf.certificate)


def _untrusted(leaf: _Leaf) -> bool:
    return leaf.issuer is None


def _issuer_expired(leaf: _Leaf) -> bool:
    return leaf.issuer is not None and leaf.issuer.not_valid_after_utc <= leaf.now


def _names_missing(leaf: _Leaf) -> bool:
    return not {_canonical(n) for n in leaf.names} <= alternative_names(leaf.certificate)


def _not_yet_valid(leaf: _Leaf) -> bool:
    return leaf.now < leaf.certificate.not_valid_before_utc


def _expired(leaf: _Leaf) -> bool:
    return leaf.certificate.not_valid_after_utc <= leaf.now


def _outlives_authority(leaf: _Leaf) -> bool:
    issuer = leaf.issuer
    return issuer is not None and (
        leaf.certificate.not_valid_after_utc > issuer.not_valid_after_utc
    )


# The first that holds is the reason; those that make a handshake fail come first.
_DEFECTS: tuple[tuple[Callable[[_Leaf], bool], str], ...] = (
    (_key_mismatch, Because.KEY_MISMATCH),
    (_untrusted, Because.UNTRUSTED),
    (_issuer_expired, Because.UNTRUSTED),
    (_expired, Because.EXPIRED),
    (_not_yet_valid, Because.NOT_YET_VALID),
    (_names_missing, Because.NAMES_MISSING),
    (_outlives_authority, Because.OUTLIVES_AUTHORITY),
)


def defect(bundle: Bundle, names: Sequence[str], now: datetime) -> str | None:
    """Why this bundle must not be served, None when it may; no names: any name will do."""
    if not (bundle.ca_pem and bundle.cert_pem and bundle.key_pem):
        return Because.MISSING
    try:
        leaf = _Leaf(bundle, bundle.certificate, bundle.authorities, names, now)
        return next((reason for fails, reason in _DEFECTS if fails(leaf)), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # what `cryptography` says of bad PEM
        return Because.UNREADABLE


def needs(bundle: Bundle, names: Sequence[str], now: datetime) -> Decision:
    """Decide about a serving certificate that must be good for all of ``names``."""
    reason = defect(bundle, names, now)
    if reason is not None:
        return Reissue(reason)
    until = bundle.not_before + (bundle.not_after - bundle.not_before) / 2
    return Keep(until) if now < until else Reissue(Because.HALF_LIFE)


def authority_needs(pair: Pair, now: datetime) -> Decision:
    """Decide about a CA; of several certificates the first is the one that signs."""
    if not (pair.cert_pem and pair.key_pem):
        return Reissue(Because.MISSING)
    try:
        ca = x509.load_pem_x509_certificate(pair.cert_pem)
        return _about_authority(ca, pair.key_pem, now)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return Reissue(Because.UNREADABLE)


def _about_authority(ca: x509.Certificate, key_pem: bytes, now: datetime) -> Decision:
    if not belongs(key_pem, ca):
        return Reissue(Because.KEY_MISMATCH)
    if not _may_sign(ca):
        return Reissue(Because.NOT_AN_AUTHORITY)
    # One that begins later is kept: our own clock is behind, and a new CA would not put it right.
    until = ca.not_valid_after_utc - AUTHORITY_MARGIN
    return Keep(until) if now < until else Reissue(Because.ENDS_SOON)


def _may_sign(ca: x509.Certificate) -> bool:
    try:
        return ca.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _signed(certificate: x509.Certificate, ca: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(ca)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _canonical(name: str) -> str:
    """IPv6 addresses have many spellings, and certificates keep none of them."""
    try:
        return str(ip_address(name))
    except ValueError:
        return name
