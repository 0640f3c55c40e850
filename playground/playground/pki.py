"""The control plane's certificates: one CA, one server, and a client for each who speaks to it."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID as Usage
from cryptography.x509.oid import NameOID

LIFETIME = timedelta(days=365)
BACKDATED = timedelta(hours=1)

SERVER_NAMES = ("127.0.0.1", "10.96.0.1", "localhost", "kubernetes.default.svc")


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key as PEM."""

    certificate: bytes
    key: bytes

    def write(self, directory: Path, name: str) -> None:
        """Write ``NAME.crt`` and, readable by its owner alone, ``NAME.key``."""
        (directory / f"{name}.crt").write_bytes(self.certificate)
        write_secret(directory / f"{name}.key", self.key)


def write_secret(path: Path, content: bytes) -> None:
    """Write a file that nobody else could read, not even for a moment."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(content)


@dataclass(frozen=True, slots=True)
class Authority:
    """A CA that signs for this one control plane, at the instant it was given."""

    now: datetime
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def create(cls, now: datetime) -> "Authority":
        """Make a fresh CA."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = subject("playground-ca")
        basic = x509.BasicConstraints(ca=True, path_length=0)
        builder = unsigned(name, name, key.public_key(), now)
        builder = builder.add_extension(basic, critical=True)
        builder = builder.add_extension(key_usage(ca=True), critical=True)
        return cls(now, key, builder.sign(key, hashes.SHA256()))

    @classmethod
    def read(cls, directory: Path, now: datetime) -> "Authority":
        """Read back ``ca.crt`` and ``ca.key``."""
        key = serialization.load_pem_private_key((directory / "ca.key").read_bytes(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError(f"{directory}/ca.key is not an elliptic-curve key")
        return cls(now, key, x509.load_pem_x509_certificate((directory / "ca.crt").read_bytes()))

    @property
    def pem(self) -> bytes:
        """The CA's certificate."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def pair(self) -> Pair:
        """The CA with its key, for the controller that signs CSRs."""
        return Pair(self.pem, key_pem(self.key))

    def server(self, names: Sequence[str] = SERVER_NAMES) -> Pair:
        """Issue a serving certificate for these DNS names and IP addresses."""
        alternative = x509.SubjectAlternativeName([san(name) for name in names])
        return self._issue(subject("kube-apiserver"), Usage.SERVER_AUTH, alternative)

    def client(self, user: str, *groups: str) -> Pair:
        """Issue what authenticates as this user in these groups."""
        return self._issue(subject(user, *groups), Usage.CLIENT_AUTH, None)

    def _issue(
        self,
        name: x509.Name,
        usage: x509.ObjectIdentifier,
        alternative: x509.SubjectAlternativeName | None,
    ) -> Pair:
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        builder = unsigned(name, self.certificate.subject, key.public_key(), self.now)
        builder = builder.add_extension(issuer, critical=False)
        builder = builder.add_extension(key_usage(ca=False), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        if alternative:
            builder = builder.add_extension(alternative, critical=False)
        signed = builder.sign(self.key, hashes.SHA256())
        return Pair(signed.public_bytes(serialization.Encoding.PEM), key_pem(key))


def subject(common_name: str, *groups: str) -> x509.Name:
    """Name user and groups as Kubernetes reads them: CN and every O."""
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    return x509.Name([*attributes, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def san(name: str) -> x509.GeneralName:
    """Read a name as an IP address where it is one, else as DNS."""
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def unsigned(
    name: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime
) -> x509.CertificateBuilder:
    """Begin a certificate: everything but usage and signature."""
    identifier = x509.SubjectKeyIdentifier.from_public_key(key)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + LIFETIME)
        .add_extension(identifier, critical=False)
    )


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


def key_pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    """Write a key as unencrypted PKCS #8, which every Go program reads."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def service_account_key() -> bytes:
    """Make the key that signs service accounts' tokens (RS256, as most clusters have)."""
    return key_pem(rsa.generate_private_key(public_exponent=65537, key_size=2048))
