"""A control plane: etcd, API server, controllers and KWOK, from nothing to ready in seconds."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from playground import build, components, pki
from playground.audit import AuditEvent, AuditLog
from playground.commands import Commands, Result
from playground.layout import Layout, Ports
from playground.preparation import commands, prepare, write_credential
from playground.process import AddressInUseError
from playground.progress import Say, silent, timed
from playground.roster import Roster

ATTEMPTS = 3
"""How often other ports are tried when somebody took one between choosing and listening."""


class AlreadyRunningError(Exception):
    """Another run's processes live in this directory."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a control plane lives."""

    durable: bool = False
    """Whether etcd waits for the disk, for tests that kill it."""
    detached: bool = False
    """Whether it outlives this program, to be stopped by ``python -m playground down``."""
    say: Say = silent


@dataclass(slots=True)
class ControlPlane:
    """A running control plane; as a context manager it ends with the block."""

    layout: Layout
    roster: Roster
    commands: Commands
    temporary: bool = False

    @classmethod
    def start(cls, directory: Path | str | None = None, options: Options | None = None) -> Self:
        """Start one and wait until pods can run on it.

        Its files go to ``directory``, or to a temporary one that vanishes with it. Builds the
        binaries first if need be. Raises DidNotStartError with the log of whoever did not.
        """
        options = options or Options()
        binaries = build.ensure(os.environ, options.say)
        home = Path(directory or tempfile.mkdtemp(prefix="dayfly-playground-")).resolve()
        if any(process.alive for process in Roster.load(home).processes):
            raise AlreadyRunningError(f"a control plane runs in {home} already")
        for attempt in range(1, ATTEMPTS + 1):
            layout = Layout(home, binaries, Ports.choose())
            roster = Roster(home, tied=not options.detached)
            plane = cls(layout, roster, commands(layout), temporary=directory is None)
            try:
                plane._rise(options)
            except BaseException as error:
                # Ctrl-C as well: whatever was started must not outlive a start that failed.
                plane.stop(keep_files=not isinstance(error, KeyboardInterrupt))
                if not isinstance(error, AddressInUseError) or attempt == ATTEMPTS:
                    raise
            else:
                return plane
        raise AssertionError("the last attempt returns or raises")

    @classmethod
    def attach(cls, directory: Path) -> Self:
        """Take charge of the one that another run left here; raises FileNotFoundError."""
        saved = Layout.load(directory)
        return cls(saved, Roster.load(directory), commands(saved))

    def _rise(self, options: Options) -> None:
        prepare(self.layout)
        with timed(options.say, "etcd and kube-apiserver are ready"):
            store = components.etcd(self.layout, durable=options.durable)
            for process in self.roster.launch(store, components.api_server(self.layout)):
                process.wait_ready()
        with timed(options.say, "controllers, scheduler and KWOK are ready"):
            # The node comes before any pod: a pod found unschedulable first waits for the
            # scheduler's back-off, up to half a minute.
            self.kubectl("apply", "-f", "-", stdin=components.NODE)
            for process in self.roster.launch(
                components.controller_manager(self.layout),
                components.scheduler(self.layout),
                components.kwok(self.layout),
            ):
                process.wait_ready()
            self._wait("--for=condition=Ready", "node/pond")
            self._wait("--for=create", "serviceaccount/default", "--namespace=default")

    def _wait(self, *arguments: str) -> None:
        self.kubectl("wait", *arguments, "--timeout=60s")

    def stop(self, *, keep_files: bool = False) -> None:
        """End every process in order; a temporary directory goes too, unless to be kept."""
        self.roster.stop()
        if self.temporary and not keep_files:
            shutil.rmtree(self.layout.directory, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def server(self) -> str:
        """The API server's URL."""
        return self.layout.server

    @property
    def paths(self) -> Layout:
        """Where everything is."""
        return self.layout

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.layout.directory / "kubeconfig"

    def kubectl(self, *arguments: str, stdin: str = "", user: Path | None = None) -> str:
        """Run kubectl as ``user`` (default: administrator) and give its output.

        Raises CommandFailedError, whose ``result`` has code and stderr. Warnings are on stderr:
        ``try_kubectl`` gives both.
        """
        return self.try_kubectl(*arguments, stdin=stdin, user=user).checked().stdout

    def try_kubectl(self, *arguments: str, stdin: str = "", user: Path | None = None) -> Result:
        """Run kubectl and give output, warnings and code, whatever they are."""
        return self.commands.run("kubectl", *arguments, stdin=stdin, user=user)

    def helm(self, *arguments: str, user: Path | None = None) -> str:
        """Run helm and give its output; raises CommandFailedError."""
        return self.try_helm(*arguments, user=user).checked().stdout

    def try_helm(self, *arguments: str, user: Path | None = None) -> Result:
        """Run helm and give output, warnings and code, whatever they are."""
        return self.commands.run("helm", *arguments, user=user)

    def apply(self, manifest: str, *arguments: str, user: Path | None = None) -> str:
        """``kubectl apply`` this YAML or JSON."""
        return self.kubectl("apply", "-f", "-", *arguments, stdin=manifest, user=user)

    def read(self, *arguments: str) -> Any:
        """``kubectl get ARGUMENTS -o json``, decoded."""
        return msgspec.json.decode(self.kubectl("get", *arguments, "-o", "json"))

    def user(self, name: str, *groups: str) -> Path:
        """Make a kubeconfig that authenticates as this user by certificate."""
        path = self.layout.credential(f"user-{name}".replace("/", "-"))
        authority = pki.Authority.read(self.layout.pki, datetime.now(UTC))
        return write_credential(self.layout, path, authority.client(name, *groups))

    @property
    def audit_log(self) -> AuditLog:
        """The audit log as something to read on from a position."""
        return AuditLog(self.layout.audit_log)

    def audit(self, since: int = 0) -> Iterator[AuditEvent]:
        """Read what the API server was asked, by whom and when, oldest first."""
        return self.audit_log.events(since)
