"""What the originals were configured with still configures Dayfly, or is said to do nothing."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from dayfly_kube.config import ConfigError
from dayfly_operator.own import originals

CLIENT = "K8S_NSMAN_K8S_CLIENT_"


@pytest.mark.parametrize(
    ("environ", "patterns"),
    [
        pytest.param({}, (), id="nothing is ignored by default"),
        pytest.param(
            {"EPHEMERATOR_IGNORE_NAMESPACES": "a, b ,,c*"}, ("a", "b", "c*"), id="names are trimmed"
        ),
        pytest.param(
            {"EPHEMERATOR_IGNORED_NAMESPACES": "a"}, ("a",), id="as the docstring spelt it"
        ),
        pytest.param(
            {"EPHEMERATOR_IGNORED_NAMESPACES": "a,b", "EPHEMERATOR_IGNORE_NAMESPACES": "b,c"},
            ("b", "c", "a"),
            id="with both, what either names is spared",
        ),
    ],
)
def test_ignored_namespaces(environ: Mapping[str, str], patterns: tuple[str, ...]) -> None:
    assert originals.ignored_namespaces(environ) == patterns


@pytest.mark.parametrize(
    ("name", "told"),
    [
        pytest.param("EPHEMERATE_INTERVAL", True, id="the interval of Ephemerate"),
        pytest.param("K8S_NSMAN_K8S_INFORMER_RECYNC_PERIOD_SEC", True, id="resync, misspelt"),
        pytest.param("K8S_NSMAN_K8S_INFORMER_RESYNC_PERIOD_SEC", True, id="resync, spelt"),
        pytest.param("K8S_NSMAN_NAMESPACE_MONITORING_INTERVAL_SEC", True, id="never used"),
        pytest.param(f"{CLIENT}CLIENT_KEY_ALGO", True, id="the key's algorithm"),
        pytest.param("JAVA_OPTS", True, id="options of a JVM"),
        pytest.param("EPHEMERATOR_IGNORE_NAMESPACES", False, id="what has an effect is not noted"),
    ],
)
def test_what_has_no_effect_is_said(name: str, told: bool) -> None:
    assert [note.split()[0] for note in originals.notes({name: "60"})] == [name] * told


def files(directory: Path, phrase: bytes = b"") -> dict[str, str]:
    """Return the six variables, with files to go with them."""
    key = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(phrase) if phrase else serialization.NoEncryption(),
    )
    for name, content in (("ca.crt", b"authority"), ("c.crt", b"certificate"), ("c.key", key)):
        (directory / name).write_bytes(content)
    return {
        f"{CLIENT}USE_AUTOCONFIG": "false",
        f"{CLIENT}MASTER_URL": "https://k8s.master.url/",
        f"{CLIENT}CA_CERT_FILE": str(directory / "ca.crt"),
        f"{CLIENT}CLIENT_CERT_FILE": str(directory / "c.crt"),
        f"{CLIENT}CLIENT_KEY_FILE": str(directory / "c.key"),
        f"{CLIENT}CLIENT_KEY_PASS_PHRASE": phrase.decode() or "ClientKeyPassphrase",
        f"{CLIENT}CLIENT_KEY_ALGO": "RSA",
    }


@pytest.mark.parametrize("phrase", [b"", b"sesame"])
async def test_the_six_variables_say_how_to_connect(tmp_path: Path, phrase: bytes) -> None:
    found = originals.load(None, files(tmp_path, phrase))
    assert (found.server, found.ca_data) == ("https://k8s.master.url", "authority")
    credential = await found.token_source.current()
    assert credential.certificate == b"certificate"
    assert b"ENCRYPTED" not in credential.key
    serialization.load_pem_private_key(credential.key, None)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        pytest.param({"MASTER_URL": " "}, "MASTER_URL: not set", id="a blank address"),
        pytest.param({"CA_CERT_FILE": ""}, "CA_CERT_FILE: not set", id="no authority"),
        pytest.param({"CLIENT_KEY_FILE": "/none"}, "No such file", id="a file that is not there"),
        pytest.param({"CLIENT_KEY_PASS_PHRASE": "x"}, "does not open", id="a wrong pass phrase"),
    ],
)
def test_what_is_wrong_with_them_is_named(
    tmp_path: Path, changes: Mapping[str, str], complaint: str
) -> None:
    environ = files(tmp_path, b"sesame") | {CLIENT + name: text for name, text in changes.items()}
    with pytest.raises(ConfigError, match=complaint):
        originals.load(None, environ)


@pytest.mark.parametrize("switch", ["true", " TRUE", "on"])
def test_otherwise_the_connection_is_found_as_always(tmp_path: Path, switch: str) -> None:
    environ = files(tmp_path) | {f"{CLIENT}USE_AUTOCONFIG": switch, "KUBECONFIG": "/none"}
    with pytest.raises(ConfigError, match="/none"):
        originals.load(None, environ)


def test_a_kubeconfig_on_the_command_line_wins(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="/none"):
        originals.load("/none", files(tmp_path))
