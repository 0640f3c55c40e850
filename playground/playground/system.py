"""Dayfly on a control plane: its manifests applied, its programs running as local processes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from dayfly_core import names
from playground import ports, programs
from playground.adaptation import adapt
from playground.commands import CommandFailedError
from playground.plane import ControlPlane
from playground.preparation import write_kubeconfig
from playground.process import DidNotStartError, Process, Rank, eventually
from playground.progress import Say, silent, timed

MANIFESTS = Path(__file__).resolve().parents[2] / "manifests" / "base"
TOKEN_LIFETIME = "720h"

ADMISSION = "dayfly-admission-"
OPERATOR = "dayfly-operator-"


@dataclass(frozen=True, slots=True)
class Shape:
    """How many of each, and what is added to their flags."""

    admissions: int = 2
    operators: int = 3
    admission_flags: tuple[str, ...] = ()
    operator_flags: tuple[str, ...] = ()


@dataclass(slots=True)
class System:
    """A running Dayfly; as a context manager its programs end with the block."""

    plane: ControlPlane
    webhook_url: str

    @classmethod
    def install(
        cls,
        plane: ControlPlane,
        *,
        admissions: int = 2,
        operators: int = 3,
        operator_flags: Sequence[str] = (),
        admission_flags: Sequence[str] = (),
    ) -> Self:
        """Apply the manifests, start the programs, and wait until all of it works."""
        shape = Shape(admissions, operators, tuple(admission_flags), tuple(operator_flags))
        return cls.install_shape(plane, shape)

    @classmethod
    def install_shape(cls, plane: ControlPlane, shape: Shape, say: Say = silent) -> Self:
        """Install as ``install`` does, telling what is done."""
        front, *others = ports.free(1 + 2 * shape.admissions + shape.operators)
        system = cls(plane, f"https://127.0.0.1:{front}")
        try:
            with timed(say, "manifests/base is applied"):
                system.apply()
            with timed(
                say, f"{shape.admissions} admission and {shape.operators} operators are ready"
            ):
                system._start(shape, front, others)
                system.wait_ready()
        except BaseException:
            # Ctrl-C as well: the plane may live on, and half a system is of no use on it.
            system.stop()
            raise
        return system

    @classmethod
    def attach(cls, plane: ControlPlane) -> Self:
        """Take charge of the system that another run installed on this plane."""
        [forwarder] = plane.roster.named("forwarder")
        return cls(plane, f"https://127.0.0.1:{forwarder.spec.argv[3]}")

    def apply(self) -> str:
        """Apply ``manifests/base`` as shipped but for what a machine without pods needs."""
        return self.plane.apply(
            adapt(self.plane.kubectl("kustomize", str(MANIFESTS)), self.webhook_url)
        )

    def _start(self, shape: Shape, front: int, others: list[int]) -> None:
        serving, rest = others[: shape.admissions], others[shape.admissions :]
        health, operator_health = rest[: shape.admissions], rest[shape.admissions :]
        account = self.credential(names.ADMISSION_ACCOUNT)
        admissions = [
            programs.Replica(f"{ADMISSION}{i}", account, port, shape.admission_flags)
            for i, port in enumerate(health)
        ]
        account = self.credential(names.OPERATOR_ACCOUNT)
        operators = [
            programs.Replica(f"{OPERATOR}{i}", account, port, shape.operator_flags)
            for i, port in enumerate(operator_health)
        ]
        self.plane.roster.launch(
            programs.forwarder(front, list(zip(serving, health, strict=True))),
            *map(programs.admission, admissions, serving),
            *map(programs.operator, operators),
        )

    def credential(self, account: str) -> Path:
        """Make a kubeconfig of this service account, good for 30 days."""
        token = self.plane.kubectl(
            *("create", "token", account, "-n", names.SYSTEM_NAMESPACE),
            f"--duration={TOKEN_LIFETIME}",
        )
        layout = self.plane.layout
        return write_kubeconfig(layout, layout.credential(account), {"token": token.strip()})

    @property
    def admissions(self) -> list[Process]:
        """The admission replicas, in the order of their numbers."""
        return self.plane.roster.named(ADMISSION)

    @property
    def operators(self) -> list[Process]:
        """The operator replicas, in the order of their numbers."""
        return self.plane.roster.named(OPERATOR)

    def holder(self) -> str:
        """Who holds the operators' Lease, by its own word; empty if nobody does."""
        try:
            lease = self.plane.read("lease", names.LEASE, "-n", names.SYSTEM_NAMESPACE)
        except CommandFailedError:
            return ""
        return lease["spec"].get("holderIdentity") or ""

    def leader(self) -> Process | None:
        """Find the operator replica that the Lease names, if it runs."""
        holder = self.holder()
        return next((p for p in self.operators if p.alive and names_replica(holder, p.name)), None)

    def wait_leader(self, limit: float = 15.0, *, other_than: Process | None = None) -> Process:
        """Wait until a running replica holds the Lease; raises DidNotStartError."""
        if not eventually(lambda: self.leader() not in (None, other_than), limit):
            raise DidNotStartError(f"no operator became leader in {limit:g} s")
        leader = self.leader()
        return leader if leader else self.wait_leader(limit, other_than=other_than)

    def wait_ready(self, limit: float = 60.0) -> None:
        """Wait until every replica is ready, one leads, and the API server trusts the webhooks."""
        for process in (*self.operators, *self.admissions):
            process.wait_ready(limit)
        self.wait_leader(limit)
        if not eventually(self.trusted, limit):
            raise DidNotStartError(f"no caBundle in the webhook configurations after {limit:g} s")

    def trusted(self) -> bool:
        """Whether the leader has written the CA into every webhook entry."""
        configurations = (
            ("mutatingwebhookconfiguration", names.MUTATING_CONFIGURATION),
            ("validatingwebhookconfiguration", names.VALIDATING_CONFIGURATION),
        )
        return all(has_authority(self.plane.read(*name)) for name in configurations)

    def stop(self) -> None:
        """End the programs and the forwarder; the control plane lives on."""
        self.plane.roster.stop(Rank.FORWARDER)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.stop()


def names_replica(holder: str, name: str) -> bool:
    """Whether a Lease's holder is this replica: its name, perhaps with a suffix."""
    return holder == name or holder.startswith(f"{name}_")


def has_authority(configuration: dict[str, Any]) -> bool:
    """Whether every entry of a webhook configuration carries a CA."""
    return all(entry["clientConfig"].get("caBundle") for entry in configuration.get("webhooks", ()))
