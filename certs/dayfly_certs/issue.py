"""A certificate authority and the serving certificates that it signs.

Every extension that Python 3.13's strict verification and the API server ask for is there:
critical basic constraints and key usage, subject and authority key identifiers, SANs.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from dayfly_certs import signing
from dayfly_certs.bundle import Pair
from dayfly_certs.signing import BACKDATE, Subject

AUTHORITY_LIFE = timedelta(days=730)
LEAF_LIFE = timedelta(days=30)


def authority(now: datetime) -> Pair:
    """Make a self-signed CA that may sign leaves only."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = Subject(_name("dayfly-ca"), key, (now - BACKDATE, now + AUTHORITY_LIFE))
    builder = signing.begin(subject, issuer=subject.name)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(signing.key_usage(ca=True), critical=True)
    return signing.finish(builder, key, signed_by=key)


def leaf(ca: Pair, names: Sequence[str], now: datetime) -> Pair:
    """Make a serving certificate for DNS names and IP addresses, never outliving its CA."""
    issuer = x509.load_pem_x509_certificate(ca.cert_pem)
    key = ec.generate_private_key(ec.SECP256R1())
    end = min(now + LEAF_LIFE, issuer.not_valid_after_utc)
    subject = Subject(_name(names[0][:64]), key, (now - BACKDATE, end))
    builder = signing.begin(subject, issuer.subject)
    builder = builder.add_extension(
        x509.BasicConstraints(ca=False, path_length=None), critical=True
    )
    builder = builder.add_extension(signing.key_usage(ca=False), critical=True)
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    builder = builder.add_extension(usage, critical=False)
    builder = builder.add_extension(signing.alternative_names(names), critical=False)
    return signing.finish(builder, key, signed_by=signing.load_key(ca.key_pem))


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
