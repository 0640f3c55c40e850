"""Dayfly on a control plane: its manifests applied, its programs running as local processes."""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from dayfly_core import names
from playground import ports, programs, webhooks
from playground.adaptation import adapt, added_flags
from playground.commands import CommandFailedError
from playground.health import leads
from playground.plane import ControlPlane
from playground.preparation import write_kubeconfig
from playground.process import DidNotStartError, Process, Rank, eventually
from playground.progress import Say, silent, timed

MANIFESTS = Path(__file__).resolve().parents[2] / "manifests"
BASE = MANIFESTS / "base"
EVERYTHING = MANIFESTS / "everything"
TOKEN_LIFETIME = "720h"

ADMISSION = "dayfly-admission-"
OPERATOR = "dayfly-operator-"

MISDIRECTED = "the webhooks lead to a Service, which has no pods here"
"""After ``kubectl apply -k manifests/base`` by somebody, as on a real cluster."""
SWITCHED_OFF = "a webhook configuration is missing"


@dataclass(frozen=True, slots=True)
class Shape:
    """How many of each, and what is added to their flags."""

    admissions: int = 2
    operators: int = 3
    admission_flags: tuple[str, ...] = ()
    operator_flags: tuple[str, ...] = ()
    manifests: Path = BASE
    """What ``kubectl apply -k`` is given; the flags that components add are the programs' too."""


@dataclass(slots=True)
class System:
    """A running Dayfly; as a context manager its programs end with the block."""

    plane: ControlPlane
    webhook_url: str
    manifests: Path = BASE

    @classmethod
    def install(
        cls,
        plane: ControlPlane,
        *,
        admissions: int = 2,
        operators: int = 3,
        operator_flags: Sequence[str] = (),
        admission_flags: Sequence[str] = (),
        manifests: Path = BASE,
    ) -> Self:
        """Apply the manifests, start the programs, and wait until all of it works."""
        flags = tuple(admission_flags), tuple(operator_flags)
        return cls.install_shape(plane, Shape(admissions, operators, *flags, manifests))

    @classmethod
    def install_shape(cls, plane: ControlPlane, shape: Shape, say: Say = silent) -> Self:
        """Install as ``install`` does, telling what is done."""
        front, *others = ports.free(1 + 2 * shape.admissions + shape.operators)
        system = cls(plane, f"https://127.0.0.1:{front}", shape.manifests)
        try:
            with timed(say, f"manifests/{shape.manifests.name} is applied"):
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
    def attach(cls, plane: ControlPlane, manifests: Path = BASE) -> Self:
        """Take charge of the system that another run installed on this plane."""
        [forwarder] = plane.roster.named("forwarder")
        return cls(plane, f"https://127.0.0.1:{forwarder.spec.argv[3]}", manifests)

    def apply(self) -> str:
        """Apply the manifests as shipped but for what a machine without pods needs."""
        return self.plane.apply(adapt(self._rendered(self.manifests), self.webhook_url))

    def _rendered(self, manifests: Path) -> str:
        return self.plane.kubectl("kustomize", str(manifests))

    def _added_flags(self, deployment: str) -> tuple[str, ...]:
        if self.manifests == BASE:
            return ()
        return added_flags(self._rendered(BASE), self._rendered(self.manifests), deployment)

    def _start(self, shape: Shape, front: int, others: list[int]) -> None:
        serving, rest = others[: shape.admissions], others[shape.admissions :]
        health, operator_health = rest[: shape.admissions], rest[shape.admissions :]
        account = self.credential(names.ADMISSION_ACCOUNT)
        flags = (*self._added_flags(names.ADMISSION_ACCOUNT), *shape.admission_flags)
        admissions = [
            programs.Replica(f"{ADMISSION}{i}", account, port, flags)
            for i, port in enumerate(health)
        ]
        account = self.credential(names.OPERATOR_ACCOUNT)
        flags = (*self._added_flags(names.OPERATOR_ACCOUNT), *shape.operator_flags)
        operators = [
            programs.Replica(f"{OPERATOR}{i}", account, port, flags)
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

    def leading(self) -> Process | None:
        """Find the replica that the Lease names at this moment, if it says so itself.

        A replica that was started again bears the name of its previous run, whose Lease may stand.
        """
        holder = self.holder()
        named = (p for p in self.operators if p.alive and names_replica(holder, p.name))
        return next((p for p in named if leads(p.spec.health)), None)

    def leader(self, *, other_than: Process | None = None, limit: float = 60.0) -> Process:
        """Wait until a running replica holds the Lease; raises DidNotStartError."""
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            leading = self.leading()
            if leading and leading is not other_than:
                return leading
        raise DidNotStartError(f"no operator became leader in {limit:g} s: {self._last_words()}")

    def wait_ready(self, limit: float = 60.0) -> None:
        """Wait until every replica is ready, one leads, and the API server trusts the webhooks."""
        for process in (*self.operators, *self.admissions):
            process.wait_ready(limit)
        self.leader(limit=limit)
        self._wait_webhooks(webhooks.trusted, "every entry carries a CA", limit)

    def wait_enforced(self, resources: Collection[str], limit: float = 60.0) -> None:
        """Wait until the API server asks the webhooks about these resources (plurals)."""
        what = f"the webhooks' rules name {', '.join(resources)}"
        self._wait_webhooks(lambda entries: webhooks.enforced(entries, resources), what, limit)

    def _wait_webhooks(self, condition: webhooks.Condition, what: str, limit: float) -> None:
        if not eventually(lambda: condition(self.webhooks()), limit):
            raise DidNotStartError(f"not so after {limit:g} s: {what}: {self._last_words()}")

    def webhooks(self) -> list[webhooks.Entry]:
        """Read the entries of our two webhook configurations."""
        configurations = (
            ("mutatingwebhookconfiguration", names.MUTATING_CONFIGURATION),
            ("validatingwebhookconfiguration", names.VALIDATING_CONFIGURATION),
        )
        return [entry for name in configurations for entry in self.plane.read(*name)["webhooks"]]

    def unasked(self) -> str:
        """Say why the API server asks no webhook; empty if it does, or if it cannot say."""
        try:
            return "" if webhooks.by_url(self.webhooks()) else MISDIRECTED
        except CommandFailedError as failed:
            return SWITCHED_OFF if "(NotFound)" in failed.result.stderr else ""

    def _last_words(self) -> str:
        return "\n".join(f"{p.name}: {line}" for p in self.operators for line in p.tail(5))

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
