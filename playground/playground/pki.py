"""The control plane's certificates: one CA, one server, and a client for each who speaks to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID as Usage
from cryptography.x509.oid import NameOID

from dayfly_certs import signing
from dayfly_certs.bundle import Pair

LIFETIME = timedelta(days=365)

SERVER_NAMES = ("127.0.0.1", "10.96.0.1", "localhost", "kubernetes.default.svc")


def write_pair(pair: Pair, directory: Path, name: str) -> None:
    """Write ``NAME.crt`` and, readable by its owner alone, ``NAME.key``."""
    (directory / f"{name}.crt").write_bytes(pair.cert_pem)
    write_secret(directory / f"{name}.key", pair.key_pem)


def write_secret(path: Path, content: bytes) -> None:
    """Write a file that nobody else could read, not even for a moment."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(content)


@dataclass(frozen=True, slots=True)
class Authority:
    """A CA that signs for this one control plane, at the instant it was given."""

    now: datetime
    pair: Pair
    """The CA with its key, also for the controller that signs CSRs."""

    @classmethod
    def create(cls, now: datetime) -> "Authority":
        """Make a fresh CA."""
        key = ec.generate_private_key(ec.SECP256R1())
        own = signing.Subject(subject("playground-ca"), key, life(now))
        basic = x509.BasicConstraints(ca=True, path_length=0)
        builder = signing.begin(own, issuer=own.name)
        builder = builder.add_extension(basic, critical=True)
        builder = builder.add_extension(signing.key_usage(ca=True), critical=True)
        return cls(now, signing.finish(builder, key, signed_by=key))

    @classmethod
    def read(cls, directory: Path, now: datetime) -> "Authority":
        """Read back ``ca.crt`` and ``ca.key``."""
        return cls(now, Pair(*((directory / f"ca.{end}").read_bytes() for end in ("crt", "key"))))

    def server(self, names: Sequence[str] = SERVER_NAMES) -> Pair:
        """Issue a serving certificate for these DNS names and IP addresses."""
        alternative = signing.alternative_names(names)
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
        issuer = x509.load_pem_x509_certificate(self.pair.cert_pem).subject
        builder = signing.begin(signing.Subject(name, key, life(self.now)), issuer)
        builder = builder.add_extension(signing.key_usage(ca=False), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        if alternative:
            builder = builder.add_extension(alternative, critical=False)
        return signing.finish(builder, key, signed_by=signing.load_key(self.pair.key_pem))


def life(now: datetime) -> tuple[datetime, datetime]:
    """Return from when to when everything here is valid."""
    return now - signing.BACKDATE, now + LIFETIME


def subject(common_name: str, *groups: str) -> x509.Name:
    """Name user and groups as Kubernetes reads them: CN and every O."""
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    return x509.Name([*attributes, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def service_account_key() -> bytes:
    """Make the key that signs service accounts' tokens (RS256, as most clusters have)."""
    return signing.key_pem(rsa.generate_private_key(public_exponent=65537, key_size=2048))
