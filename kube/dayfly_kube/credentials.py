"""Who we say we are: tokens and client certificates, and how each is renewed.

Every source answers ``current()`` for each request, so that a rotated token is used from the next
request on, and without a restart.
"""

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

import msgspec

from dayfly_kube.errors import Unreachable

REREAD_SECONDS: Final = 60.0
"""Kubelet writes a new token when 80 % of the old one's hour are over: a minute is soon enough,
for file systems on which neither inode nor modification time tell of the change."""

EXEC_SECONDS: Final = 60.0
"""A plugin may ask a person; one that hangs must not hang us for ever."""


@dataclass(frozen=True, slots=True)
class Credential:
    """A bearer token, a client certificate with its key (PEM), both, or nothing."""

    token: str = ""
    certificate: bytes = b""
    key: bytes = field(default=b"", repr=False)


class TokenSource(Protocol):
    """Where the credential comes from."""

    async def current(self, *, renew: bool = False) -> Credential:
        """Return the credential for a request; ``renew`` after the server refused the last one."""
        ...


class Fixed(msgspec.Struct, frozen=True):
    """Credentials that never change."""

    credential: Credential = Credential()

    async def current(self, *, renew: bool = False) -> Credential:
        """Return what was given, whatever the server says of it."""
        return self.credential


class TokenFile:
    """A token in a file that somebody rotates: projected service account tokens."""

    def __init__(
        self,
        path: Path,
        base: Credential = Credential(),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._base = base
        self._monotonic = monotonic
        self._read_at = float("-inf")
        self._version: tuple[int, int, int] | None = None
        self._credential = base

    async def current(self, *, renew: bool = False) -> Credential:
        """Return the file's token; ``Unreachable`` while the file cannot be read at all."""
        try:
            self._refresh(renew)
        except OSError as error:
            # A rotation caught half-way: the token read before serves until the server refuses it.
            if not self._credential.token:
                raise Unreachable(f"token file {self._path}: {error.strerror}") from error
        return self._credential

    def _refresh(self, renew: bool) -> None:
        found = os.stat(self._path)
        version = (found.st_ino, found.st_mtime_ns, found.st_size)
        now = self._monotonic()
        if not renew and version == self._version and now - self._read_at < REREAD_SECONDS:
            return
        token = self._path.read_text("utf-8").strip()
        self._credential = Credential(token, self._base.certificate, self._base.key)
        self._version, self._read_at = version, now


class ExecStatus(msgspec.Struct, frozen=True, rename="camel"):
    """``status`` of an ``ExecCredential``."""

    token: str = ""
    client_certificate_data: str = ""
    client_key_data: str = ""
    expiration_timestamp: datetime | None = None


class ExecCredential(msgspec.Struct, frozen=True):
    """What a credential plugin prints."""

    status: ExecStatus = ExecStatus()


class Plugin(msgspec.Struct, frozen=True):
    """A command that prints an ``ExecCredential``, as kubeconfig's ``user.exec`` names it."""

    argv: tuple[str, ...]
    environ: Mapping[str, str]
    api_version: str
    hint: str = ""


class PluginSource:
    """Credentials of a plugin, kept until the server refuses them."""

    def __init__(self, plugin: Plugin) -> None:
        self._plugin = plugin
        self._credential: Credential | None = None
        self._lock = asyncio.Lock()

    async def current(self, *, renew: bool = False) -> Credential:
        """Run the plugin the first time and whenever the server said 401.

        ``expirationTimestamp`` is not consulted: the server's 401 says the same, on its own clock.
        """
        seen = self._credential
        async with self._lock:
            # Of many requests that were refused together only the first runs the plugin again.
            if self._credential is None or (renew and self._credential is seen):
                self._credential = _credential(await _run(self._plugin), self._plugin)
        return self._credential


def _credential(printed: bytes, plugin: Plugin) -> Credential:
    try:
        status = msgspec.json.decode(printed, type=ExecCredential).status
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Unreachable(f"{plugin.argv[0]} printed no ExecCredential: {error}") from error
    if not status.token and not status.client_certificate_data:
        raise Unreachable(f"{plugin.argv[0]} printed neither a token nor a client certificate")
    certificate, key = status.client_certificate_data, status.client_key_data
    return Credential(status.token, certificate.encode(), key.encode())


async def _run(plugin: Plugin) -> bytes:
    process = await _start(plugin)
    try:
        async with asyncio.timeout(EXEC_SECONDS):
            printed, _ = await process.communicate()
    except TimeoutError as error:
        raise Unreachable(f"{plugin.argv[0]} gave no answer in {EXEC_SECONDS:.0f} s") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise Unreachable(f"{plugin.argv[0]} ended with status {process.returncode}")
    return printed


async def _start(plugin: Plugin) -> asyncio.subprocess.Process:
    request = {
        "apiVersion": plugin.api_version,
        "kind": "ExecCredential",
        "spec": {"interactive": False},
    }
    try:
        # Its standard error is ours: what it says of a failed login is for the person who reads us.
        return await asyncio.create_subprocess_exec(
            *plugin.argv,
            env={**plugin.environ, "KUBERNETES_EXEC_INFO": msgspec.json.encode(request).decode()},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
        )
    except OSError as error:
        hint = f" ({plugin.hint})" if plugin.hint else ""
        raise Unreachable(f"{plugin.argv[0]}: {error.strerror}{hint}") from error
