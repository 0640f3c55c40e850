"""kubeconfig files: read, merged as kubectl merges them, and turned into a ``Config``."""

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple, TypeVar
from urllib.parse import urlsplit

import msgspec

from dayfly_kube.config import Config, ConfigError
from dayfly_kube.credentials import Credential, Fixed, Plugin, PluginSource, TokenFile, TokenSource

T = TypeVar("T")
Entry = TypeVar("Entry", bound=msgspec.Struct)

EXEC_VERSIONS: Final = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")


class Cluster(msgspec.Struct, frozen=True, rename="kebab"):
    """``clusters[].cluster``."""

    server: str = ""
    certificate_authority: str = ""
    certificate_authority_data: str = ""
    insecure_skip_tls_verify: bool = False
    tls_server_name: str = ""
    proxy_url: str = ""


class ExecVariable(msgspec.Struct, frozen=True):
    """``exec.env[]``."""

    name: str
    value: str = ""


class Exec(msgspec.Struct, frozen=True, rename="camel"):
    """``users[].user.exec``."""

    command: str
    api_version: str = ""
    args: list[str] | None = None
    env: list[ExecVariable] | None = None
    install_hint: str = ""


class User(msgspec.Struct, frozen=True, rename="kebab"):
    """``users[].user``; ``tokenFile`` is the one key that is not written with a hyphen."""

    token: str = ""
    token_file: str = msgspec.field(default="", name="tokenFile")
    client_certificate: str = ""
    client_certificate_data: str = ""
    client_key: str = ""
    client_key_data: str = ""
    exec: Exec | None = None
    username: str = ""
    auth_provider: dict[str, object] | None = None
    impersonate: str = msgspec.field(default="", name="as")
    as_uid: str = ""
    as_groups: list[str] | None = None
    as_user_extra: dict[str, list[str]] | None = None


class Context(msgspec.Struct, frozen=True):
    """``contexts[].context``."""

    cluster: str = ""
    user: str = ""
    namespace: str = ""


class NamedCluster(msgspec.Struct, frozen=True):
    """``clusters[]``."""

    name: str
    cluster: Cluster = Cluster()


class NamedUser(msgspec.Struct, frozen=True):
    """``users[]``."""

    name: str
    user: User = User()


class NamedContext(msgspec.Struct, frozen=True):
    """``contexts[]``."""

    name: str
    context: Context = Context()


class File(msgspec.Struct, frozen=True, rename="kebab"):
    """One kubeconfig file; a key that is there but empty is ``null`` in YAML."""

    current_context: str | None = None
    clusters: list[NamedCluster] | None = None
    users: list[NamedUser] | None = None
    contexts: list[NamedContext] | None = None


def read(paths: Sequence[Path], *, context: str, environ: Mapping[str, str]) -> Config:
    """Merge the files that exist and resolve a context: the one named, or the current one."""
    files = [_parse(path) for path in paths if path.exists()]
    where = ":".join(str(path) for path in paths)
    if not files:
        raise ConfigError(f"{where}: no such file; give --kubeconfig PATH or set KUBECONFIG")
    return _resolve(_merged(files), where, context, environ)


def _parse(path: Path) -> File:
    import yaml

    try:
        tree: object = yaml.load(
            path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        )
        file = msgspec.convert(tree or {}, File)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: {error}") from error
    return _anchored(file, path.parent)


def _anchored(file: File, directory: Path) -> File:
    """Make relative paths absolute: they start from the file they stand in."""
    return msgspec.structs.replace(
        file,
        clusters=[
            NamedCluster(c.name, _with_paths(c.cluster, directory, "certificate_authority"))
            for c in file.clusters or ()
        ],
        users=[NamedUser(u.name, _anchored_user(u.user, directory)) for u in file.users or ()],
    )


def _anchored_user(user: User, directory: Path) -> User:
    user = _with_paths(user, directory, "token_file", "client_certificate", "client_key")
    # A bare command is looked up on PATH; one with a slash is a path beside the file.
    if user.exec and "/" in user.exec.command:
        command = str(directory / user.exec.command)
        return msgspec.structs.replace(
            user, exec=msgspec.structs.replace(user.exec, command=command)
        )
    return user


def _with_paths(entry: Entry, directory: Path, *fields: str) -> Entry:
    given = {name: getattr(entry, name) for name in fields}
    absolute = {name: str(directory / path) for name, path in given.items() if path}
    return msgspec.structs.replace(entry, **absolute)


class Merged(NamedTuple):
    """All files as one: of two entries with one name the first file's counts."""

    current_context: str
    clusters: dict[str, Cluster]
    users: dict[str, User]
    contexts: dict[str, Context]


def _merged(files: Sequence[File]) -> Merged:
    backwards = files[::-1]
    return Merged(
        next((file.current_context for file in files if file.current_context), ""),
        {c.name: c.cluster for file in backwards for c in file.clusters or ()},
        {u.name: u.user for file in backwards for u in file.users or ()},
        {c.name: c.context for file in backwards for c in file.contexts or ()},
    )


def _resolve(merged: Merged, where: str, name: str, environ: Mapping[str, str]) -> Config:
    name = name or merged.current_context
    if not name:
        raise ConfigError(
            f"{where}: current-context: not set; set it to one of: {_names(merged.contexts)}"
        )
    context = _entry(merged.contexts, name, f"{where}: current-context")
    at = f"{where}: contexts[{name}].context"
    cluster = _entry(merged.clusters, context.cluster, f"{at}.cluster")
    user = _entry(merged.users, context.user, f"{at}.user") if context.user else User()
    return Config(
        server=_server(cluster.server, f"{where}: clusters[{context.cluster}].cluster.server"),
        ca_data=_authority(cluster, f"{where}: clusters[{context.cluster}].cluster"),
        token_source=_source(user, f"{where}: users[{context.user}].user", environ),
        namespace=context.namespace or "default",
        insecure=cluster.insecure_skip_tls_verify,
        server_name=cluster.tls_server_name,
        proxy=_proxy(cluster.proxy_url, f"{where}: clusters[{context.cluster}].cluster.proxy-url"),
        headers=tuple(_impersonation(user)),
    )


def _entry(entries: Mapping[str, T], name: str, at: str) -> T:
    if name not in entries:
        raise ConfigError(f"{at}: {name!r} is not defined; defined are: {_names(entries)}")
    return entries[name]


def _names(entries: Mapping[str, object]) -> str:
    return ", ".join(sorted(entries)) or "none"


def _server(server: str, at: str) -> str:
    try:
        parts = urlsplit(server)
        valid = parts.scheme in {"https", "http"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise ConfigError(f"{at}: {server!r} is not a URL, for example https://[::1]:6443")
    return server.rstrip("/")


def _proxy(proxy: str, at: str) -> str:
    if proxy and not proxy.startswith(("http://", "https://")):
        raise ConfigError(f"{at}: {proxy!r}: only http:// and https:// proxies are supported")
    return proxy


def _authority(cluster: Cluster, at: str) -> str | None:
    data, path = cluster.certificate_authority_data, cluster.certificate_authority
    pem = _pem(data, path, f"{at}.certificate-authority").decode("utf-8", "replace")
    if (data or path) and "-----BEGIN CERTIFICATE-----" not in pem:
        key = "certificate-authority-data" if data else "certificate-authority"
        raise ConfigError(f"{at}.{key}: holds no PEM certificate (-----BEGIN CERTIFICATE-----)")
    return pem or None


def _source(user: User, at: str, environ: Mapping[str, str]) -> TokenSource:
    _refuse_removed(user, at)
    base = _certificate(user, at)
    if user.exec:
        return PluginSource(_plugin(user.exec, f"{at}.exec", environ))
    if user.token_file:
        return TokenFile(Path(user.token_file), base)
    return Fixed(Credential(user.token, base.certificate, base.key))


def _refuse_removed(user: User, at: str) -> None:
    if user.username:
        raise ConfigError(
            f"{at}.username: API servers have no password login any more; "
            "use token, tokenFile, client-certificate or exec"
        )
    if user.auth_provider:
        raise ConfigError(
            f"{at}.auth-provider: replaced by exec plugins, as in kubectl; "
            "for example command: gke-gcloud-auth-plugin"
        )


def _certificate(user: User, at: str) -> Credential:
    certificate = _pem(
        user.client_certificate_data, user.client_certificate, f"{at}.client-certificate"
    )
    key = _pem(user.client_key_data, user.client_key, f"{at}.client-key")
    if bool(certificate) != bool(key):
        missing = "client-key" if certificate else "client-certificate"
        raise ConfigError(f"{at}.{missing}: not set; a client certificate needs both")
    return Credential("", certificate, key)


def _plugin(exec_: Exec, at: str, environ: Mapping[str, str]) -> Plugin:
    if exec_.api_version not in EXEC_VERSIONS:
        raise ConfigError(
            f"{at}.apiVersion: {exec_.api_version!r} is not supported; use {EXEC_VERSIONS[0]}"
        )
    return Plugin(
        argv=(exec_.command, *(exec_.args or ())),
        environ={**environ, **{variable.name: variable.value for variable in exec_.env or ()}},
        api_version=exec_.api_version,
        hint=exec_.install_hint,
    )


def _impersonation(user: User) -> Iterator[tuple[str, str]]:
    if user.impersonate:
        yield "Impersonate-User", user.impersonate
    if user.as_uid:
        yield "Impersonate-Uid", user.as_uid
    for group in user.as_groups or ():
        yield "Impersonate-Group", group
    for key, values in (user.as_user_extra or {}).items():
        for value in values:
            yield f"Impersonate-Extra-{key}", value


def _pem(data: str, path: str, at: str) -> bytes:
    if not data:
        return _file(path, at) if path else b""
    try:
        return base64.b64decode(data, validate=False)
    except binascii.Error as error:
        raise ConfigError(f"{at}-data: not base64 of a PEM file: {error}") from error


def _file(path: str, at: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(f"{at}: {path}: {error.strerror}") from error
