"""Where the API server is: every way of saying it, and every way of saying it wrong."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import trustme

from dayfly_kube.config import Config, ConfigError, load
from dayfly_kube.credentials import Credential

Json = dict[str, Any]
CA = trustme.CA()
CA_PEM = CA.cert_pem.bytes().decode()


def base64_of(text: str | bytes) -> str:
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


def kubeconfig(
    *, cluster: Json | None = None, user: Json | None = None, context: Json | None = None
) -> Json:
    """A complete file with one entry of each kind, all named ``c``."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c", **(context or {})}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://api:6443", **(cluster or {})}}],
        "users": [{"name": "c", "user": user or {"token": "t"}}],
    }


def write(path: Path, tree: Json) -> str:
    path.write_text(json.dumps(tree))
    return str(path)


def loaded(tmp_path: Path, tree: Json) -> Config:
    return load(write(tmp_path / "config", tree), {})


async def credential(config: Config) -> Credential:
    return await config.token_source.current()


@pytest.mark.parametrize(
    ("tree", "field", "want"),
    [
        pytest.param(kubeconfig(), "server", "https://api:6443", id="server"),
        pytest.param(
            kubeconfig(cluster={"server": "https://[::1]:6443/"}),
            "server",
            "https://[::1]:6443",
            id="IPv6 server, trailing slash",
        ),
        pytest.param(
            kubeconfig(cluster={"server": "https://rancher/k8s/clusters/c-1"}),
            "server",
            "https://rancher/k8s/clusters/c-1",
            id="server behind a path",
        ),
        pytest.param(
            kubeconfig(cluster={"certificate-authority-data": base64_of(CA_PEM)}),
            "ca_data",
            CA_PEM,
            id="authority as data",
        ),
        pytest.param(kubeconfig(), "ca_data", None, id="no authority: the system's"),
        pytest.param(
            kubeconfig(cluster={"insecure-skip-tls-verify": True}), "insecure", True, id="insecure"
        ),
        pytest.param(
            kubeconfig(cluster={"tls-server-name": "api"}), "server_name", "api", id="server name"
        ),
        pytest.param(
            kubeconfig(cluster={"proxy-url": "http://proxy:1"}),
            "proxy",
            "http://proxy:1",
            id="proxy",
        ),
        pytest.param(kubeconfig(), "namespace", "default", id="no namespace"),
        pytest.param(
            kubeconfig(context={"namespace": "team"}), "namespace", "team", id="namespace"
        ),
        pytest.param(
            kubeconfig(user={"token": "t", "as": "jane", "as-groups": ["a", "b"]}),
            "headers",
            (
                ("Impersonate-User", "jane"),
                ("Impersonate-Group", "a"),
                ("Impersonate-Group", "b"),
            ),
            id="impersonation",
        ),
    ],
)
def test_a_kubeconfig_says(tmp_path: Path, tree: Json, field: str, want: object) -> None:
    assert getattr(loaded(tmp_path, tree), field) == want


def test_relative_paths_start_from_the_file_they_stand_in(tmp_path: Path) -> None:
    (tmp_path / "pki").mkdir()
    (tmp_path / "pki" / "ca.pem").write_text(CA_PEM)
    config = loaded(tmp_path, kubeconfig(cluster={"certificate-authority": "pki/ca.pem"}))
    assert config.ca_data == CA_PEM


async def test_a_client_certificate_comes_as_data_or_as_files(tmp_path: Path) -> None:
    pair = CA.issue_cert("me@example.com")
    certificate, key = pair.cert_chain_pems[0].bytes(), pair.private_key_pem.bytes()
    (tmp_path / "me.crt").write_bytes(certificate)
    user = {"client-certificate": "me.crt", "client-key-data": base64_of(key)}
    config = loaded(tmp_path, kubeconfig(user=user))
    assert await credential(config) == Credential("", certificate, key)


async def test_a_token_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("first\n")
    config = loaded(tmp_path, kubeconfig(user={"tokenFile": "token"}))
    assert (await credential(config)).token == "first"
    (tmp_path / "next").write_text("second\n")
    (tmp_path / "next").rename(tmp_path / "token")
    assert (await credential(config)).token == "second"


def test_of_several_files_the_first_to_name_something_counts(tmp_path: Path) -> None:
    first: Json = {"current-context": "c", "users": [{"name": "c", "user": {"token": "mine"}}]}
    second = kubeconfig(context={"namespace": "second"})
    third = kubeconfig(context={"namespace": "third"})
    paths = [
        write(tmp_path / name, tree)
        for name, tree in (("1", first), ("2", second), ("3", third | {"current-context": "no"}))
    ]
    config = load(None, {"KUBECONFIG": ":".join([str(tmp_path / "missing"), *paths])})
    assert config.namespace == "second"


async def test_of_several_files_the_users_are_merged_too(tmp_path: Path) -> None:
    first: Json = {"users": [{"name": "c", "user": {"token": "mine"}}], "clusters": None}
    paths = [write(tmp_path / "1", first), write(tmp_path / "2", kubeconfig())]
    config = load(None, {"KUBECONFIG": ":".join(paths)})
    assert (await credential(config)).token == "mine"


def test_the_order_is_flag_then_environment_then_pod_then_home(tmp_path: Path) -> None:
    def at(name: str) -> str:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        return write(tmp_path / name, kubeconfig(context={"namespace": Path(name).name}))

    account = tmp_path / "account"
    account.mkdir()
    for name in ("ca.crt", "token", "namespace"):
        (account / name).write_text("pod")
    flag, variable, _ = at("flag"), at("variable"), at(".kube/config")
    environ = {
        "KUBECONFIG": variable,
        "KUBERNETES_SERVICE_HOST": "10.0.0.1",
        "HOME": str(tmp_path),
    }

    def found(kubeconfig: str | None) -> str:
        return load(kubeconfig, environ, service_account=account).namespace

    assert found(flag) == "flag"
    assert found(None) == "variable"
    del environ["KUBECONFIG"]
    assert found(None) == "pod"
    del environ["KUBERNETES_SERVICE_HOST"]
    assert found(None) == "config"


@pytest.mark.parametrize(
    ("host", "server"),
    [
        pytest.param("10.96.0.1", "https://10.96.0.1:6443", id="IPv4"),
        pytest.param("fd00::1", "https://[fd00::1]:6443", id="IPv6"),
    ],
)
async def test_in_a_pod(tmp_path: Path, host: str, server: str) -> None:
    for name, text in (("ca.crt", CA_PEM), ("token", "mounted"), ("namespace", "dayfly-system")):
        (tmp_path / name).write_text(text)
    environ = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": "6443"}
    config = load(None, environ, service_account=tmp_path)
    assert (config.server, config.namespace, config.ca_data) == (server, "dayfly-system", CA_PEM)
    assert (await credential(config)).token == "mounted"


def test_a_pod_without_a_token_is_told_what_to_mount(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="automountServiceAccountToken: true"):
        load(None, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, service_account=tmp_path)


def without(tree: Json, key: str) -> Json:
    return {name: value for name, value in tree.items() if name != key}


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        pytest.param(
            kubeconfig() | {"current-context": "prod"},
            "current-context: 'prod' is not defined; defined are: c",
            id="a context that does not exist",
        ),
        pytest.param(
            without(kubeconfig(), "current-context"),
            "current-context: not set; set it to one of: c",
            id="no current context",
        ),
        pytest.param(
            kubeconfig(context={"cluster": "x"}),
            "contexts[c].context.cluster: 'x' is not defined; defined are: c",
            id="a cluster that does not exist",
        ),
        pytest.param(
            kubeconfig(context={"user": "x"}),
            "contexts[c].context.user: 'x' is not defined; defined are: c",
            id="a user that does not exist",
        ),
        pytest.param(
            kubeconfig(cluster={"server": "example:6443"}),
            "clusters[c].cluster.server: 'example:6443' is not a URL, "
            "for example https://[::1]:6443",
            id="a server without a scheme",
        ),
        pytest.param(
            kubeconfig(cluster={"server": "https://[::1:6443"}),
            "is not a URL, for example https://[::1]:6443",
            id="a broken IPv6 address",
        ),
        pytest.param(
            kubeconfig(cluster={"certificate-authority": "missing.pem"}),
            "missing.pem: No such file or directory",
            id="an authority that is not there",
        ),
        pytest.param(
            kubeconfig(cluster={"certificate-authority-data": base64_of("no PEM")}),
            "clusters[c].cluster.certificate-authority-data: holds no PEM certificate",
            id="an authority that is none",
        ),
        pytest.param(
            kubeconfig(cluster={"certificate-authority-data": "a"}),
            "clusters[c].cluster.certificate-authority-data: not base64",
            id="an authority that is not base64",
        ),
        pytest.param(
            kubeconfig(cluster={"proxy-url": "socks5://proxy"}),
            "clusters[c].cluster.proxy-url: 'socks5://proxy': only http:// and https://",
            id="a SOCKS proxy",
        ),
        pytest.param(
            kubeconfig(user={"client-certificate-data": base64_of(CA_PEM)}),
            "users[c].user.client-key: not set; a client certificate needs both",
            id="a certificate without its key",
        ),
        pytest.param(
            kubeconfig(user={"username": "u", "password": "p"}),
            "users[c].user.username: API servers have no password login any more",
            id="a password",
        ),
        pytest.param(
            kubeconfig(user={"auth-provider": {"name": "gcp"}}),
            "users[c].user.auth-provider: replaced by exec plugins",
            id="an old auth provider",
        ),
        pytest.param(
            kubeconfig(user={"exec": {"command": "x", "apiVersion": "v1alpha1"}}),
            "users[c].user.exec.apiVersion: 'v1alpha1' is not supported; "
            "use client.authentication.k8s.io/v1",
            id="an old plugin version",
        ),
        pytest.param(
            {"clusters": [{"name": "c", "cluster": {"server": 5}}]},
            "Expected `str`, got `int` - at `$.clusters[0].cluster.server`",
            id="a number where text belongs",
        ),
        pytest.param({"users": "nobody"}, "- at `$.users`", id="text where a list belongs"),
    ],
)
def test_a_wrong_kubeconfig_says_which_field_and_what_would_be_right(
    tmp_path: Path, tree: Json, message: str
) -> None:
    with pytest.raises(ConfigError) as wrong:
        loaded(tmp_path, tree)
    assert str(tmp_path) in str(wrong.value)
    assert message in str(wrong.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("a: [", "not YAML", id="not YAML"),
        pytest.param("", "current-context: not set; set it to one of: none", id="empty"),
        pytest.param("- a", "Expected `object`, got `array`", id="a list"),
        pytest.param("\x00", "not YAML", id="binary"),
    ],
)
def test_a_file_that_is_no_kubeconfig(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "config").write_text(text)
    with pytest.raises(ConfigError, match=message):
        load(str(tmp_path / "config"), {})


def test_a_missing_file_says_how_to_name_another(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file; give --kubeconfig PATH or set KUBECONFIG"):
        load(str(tmp_path / "config"), {})
    with pytest.raises(ConfigError, match=r"\.kube/config: no such file"):
        load(None, {"HOME": str(tmp_path)})
    with pytest.raises(ConfigError, match="HOME is not set"):
        load(None, {})


def test_a_context_can_be_chosen_by_name(tmp_path: Path) -> None:
    tree = kubeconfig(context={"namespace": "one"})
    tree["contexts"].append({"name": "d", "context": {"cluster": "c", "namespace": "two"}})
    path = write(tmp_path / "config", tree)
    assert load(path, {}, context="d").namespace == "two"
