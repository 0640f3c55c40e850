import stat
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from playground import pki
from playground.preparation import clear

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


def test_clear_leaves_what_somebody_else_put_there(tmp_path: Path) -> None:
    for name in ("etcd", "logs", "notes"):
        (tmp_path / name).mkdir()
    (tmp_path / "state.json").touch()
    (tmp_path / "kubeconfig").symlink_to(tmp_path / "gone")
    clear(tmp_path, keep=("logs",))
    assert {path.name for path in tmp_path.iterdir()} == {"logs", "notes"}


def test_the_server_is_known_by_addresses_and_names() -> None:
    pair = pki.Authority.create(NOW).server()
    certificate = x509.load_pem_x509_certificate(pair.cert_pem)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(a) for a in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "10.96.0.1"]
    assert "kubernetes.default.svc" in names.get_values_for_type(x509.DNSName)


def test_a_client_is_its_common_name_in_its_organisations() -> None:
    pair = pki.Authority.create(NOW).client("ann", "team-a", "team-b")
    subject = x509.load_pem_x509_certificate(pair.cert_pem).subject
    assert subject.rfc4514_string() == "CN=ann,O=team-b,O=team-a"


def test_an_authority_is_read_back_and_signs_on(tmp_path: Path) -> None:
    first = pki.Authority.create(NOW)
    pki.write_pair(first.pair, tmp_path, "ca")
    pair = pki.Authority.read(tmp_path, NOW).client("ann")
    certificate = x509.load_pem_x509_certificate(pair.cert_pem)
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(first.pair.cert_pem))


def test_keys_are_for_their_owner_alone(tmp_path: Path) -> None:
    pki.write_pair(pki.Authority.create(NOW).pair, tmp_path, "ca")
    assert stat.S_IMODE((tmp_path / "ca.key").stat().st_mode) == 0o600
