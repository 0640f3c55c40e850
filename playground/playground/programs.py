"""Dayfly's own programs as local processes, and their flags."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from dayfly_core import names
from playground.process import Rank, Spec

RENEW_DEADLINE = timedelta(seconds=1.4)
"""A leader's gate closes so long after its last renewal."""

OPERATOR_TIMING = (
    *("--lease-duration", "2s", "--renew-deadline", f"{RENEW_DEADLINE.total_seconds():g}s"),
    *("--retry-period", "0.5s", "--request-timeout", "0.6s"),
)

_SERVICE = f"{names.ADMISSION_SERVICE}.{names.SYSTEM_NAMESPACE}"
SERVING_NAMES = ("127.0.0.1", _SERVICE, f"{_SERVICE}.svc", f"{_SERVICE}.svc.cluster.local")
"""Where the API server finds admission: here by address, in a cluster by the Service's names."""


@dataclass(frozen=True, slots=True)
class Replica:
    """What distinguishes one replica of a program from the next."""

    name: str
    kubeconfig: Path
    health_port: int
    flags: tuple[str, ...] = ()


def admission(replica: Replica, port: int) -> Spec:
    """Make an admission replica that serves on this port."""
    # The forwarder asks twice a second, a cluster's endpoints follow more slowly: 2 s are enough.
    flags = ("--listen", f"127.0.0.1:{port}", "--lame-duck", "2s")
    return program("admission", replica, flags)


def operator(replica: Replica) -> Spec:
    """Make an operator replica with the playground's short lease."""
    serving = [word for name in SERVING_NAMES for word in ("--serving-name", name)]
    return program("operator", replica, (*OPERATOR_TIMING, *serving))


def program(command: str, replica: Replica, flags: Sequence[str]) -> Spec:
    """Run ``dayfly COMMAND`` under its service account; the replica's own flags win."""
    common = ("--kubeconfig", str(replica.kubeconfig), "--identity", replica.name)
    health = f"127.0.0.1:{replica.health_port}"
    python = (sys.executable, "-m", "dayfly_cli", command)
    return Spec(
        name=replica.name,
        rank=Rank.PROGRAMS,
        argv=(*python, *common, "--health-listen", health, *flags, *replica.flags),
        health=f"http://{health}/readyz",
        # The current directory may hold an `operator/`, which is not the one of the library.
        env={"PYTHONSAFEPATH": "1", "PYTHONUNBUFFERED": "1"},
    )


def forwarder(listen: int, backends: Sequence[tuple[int, int]]) -> Spec:
    """Put the forwarder before admission replicas, given as (serving, health) ports."""
    pairs = [f"{serving}/{health}" for serving, health in backends]
    return Spec(
        name="forwarder",
        rank=Rank.FORWARDER,
        argv=(sys.executable, "-m", "playground.forwarder", str(listen), *pairs),
        health="",
        env={"PYTHONSAFEPATH": "1"},
    )
