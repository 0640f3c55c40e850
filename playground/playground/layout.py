"""Where the files of one control plane are, and on which ports it listens."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import msgspec
import yaml

from playground import ports
from playground.build import Binaries


@dataclass(frozen=True, slots=True)
class Ports:
    """The loopback ports of the control plane's processes."""

    etcd: int
    etcd_peer: int
    server: int
    controller_manager: int
    scheduler: int
    kwok: int

    @classmethod
    def choose(cls, free: Callable[[int], list[int]] = ports.free) -> "Ports":
        """Take six that are free now."""
        return cls(*free(6))


@dataclass(frozen=True, slots=True)
class Layout:
    """One control plane's directory."""

    directory: Path
    binaries: Binaries
    ports: Ports

    @property
    def server(self) -> str:
        """The API server's URL."""
        return f"https://127.0.0.1:{self.ports.server}"

    @property
    def pki(self) -> Path:
        """Certificates and keys."""
        return self.directory / "pki"

    @property
    def audit_log(self) -> Path:
        """Who did what, when: one JSON object a line."""
        return self.directory / "audit.log"

    def save(self) -> None:
        """Write it to ``layout.json`` of its directory."""
        (self.directory / "layout.json").write_bytes(msgspec.json.encode(self, enc_hook=str))

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read ``layout.json``; raises FileNotFoundError."""
        saved = (directory / "layout.json").read_bytes()
        return msgspec.json.decode(saved, type=cls, dec_hook=lambda kind, text: kind(text))

    def credential(self, name: str) -> Path:
        """Tell where the kubeconfig of a client is."""
        return self.directory / "kubeconfigs" / f"{name}.yaml"


def kubeconfig(server: str, authority: str, user: dict[str, str]) -> str:
    """Write a kubeconfig: ``authority`` is base64 PEM, ``user`` a token or certificate data."""
    cluster = {"server": server, "certificate-authority-data": authority}
    context = {"cluster": "playground", "user": "me", "namespace": "default"}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "playground", "cluster": cluster}],
        "users": [{"name": "me", "user": user}],
        "contexts": [{"name": "playground", "context": context}],
        "current-context": "playground",
    }
    return yaml.safe_dump(document, sort_keys=False)
