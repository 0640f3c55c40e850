"""What becomes of a NamespaceManager: the first of its policies that is true acts, once.

What is begun is recorded before it is done, with the uid of the namespace that it is meant for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from dayfly_core import api, errand
from dayfly_core.errand import Outcome, Plan, Stored
from dayfly_core.guard import Guard
from dayfly_core.lifecycle import Rule
from dayfly_core.objects import ObjectMeta
from dayfly_core.triggers import Checks


@dataclass(frozen=True, slots=True)
class Observed:
    """What was looked at for this decision."""

    pods: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    """Phases of the pods that ``pods_wanted`` asked for, by the name of its rule; what could not be
    read is left out."""
    checks: Mapping[str, Checks] = field(default_factory=dict[str, Checks])
    """What the last plan of this manager returned as ``checks``; empty after a start."""


@dataclass(frozen=True, slots=True)
class PodQuery:
    """Pods to list, from etcd, for one rule; no labels means all of the namespace."""

    rule: str
    namespace: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ManagerPlan(Plan):
    """A plan, and what to remember for the next."""

    checks: Mapping[str, Checks] = field(default_factory=dict[str, Checks])


def target(name: str, spec: api.NamespaceManagerSpec) -> str:
    """Return the namespace that is managed: the one called like the manager, unless it says."""
    return spec.namespace or name


def rules(spec: api.NamespaceManagerSpec) -> tuple[Rule, ...]:
    """Return the policies that can be understood, in their order; ``action`` is the policy."""
    raise NotImplementedError


def faults(spec: api.NamespaceManagerSpec) -> Mapping[str, str]:
    """Return, by name, what is wrong with the policies that ``rules`` leaves out."""
    raise NotImplementedError


def read(stored: Stored) -> api.NamespaceManagerSpec:
    """Read the spec; raises msgspec.ValidationError, whose text names the field."""
    return msgspec.convert(dict(stored.spec or {}), api.NamespaceManagerSpec)


def read_status(stored: Stored) -> api.NamespaceManagerStatus:
    """Read the status; one that cannot be read is as good as none."""
    return errand.read_status(stored, api.NamespaceManagerStatus)


def pods_wanted(
    stored: Stored, namespace: ObjectMeta | None, checks: Mapping[str, Checks], now: datetime
) -> tuple[PodQuery, ...]:
    """Return the pods to list before deciding; none of a rule whose check is not due."""
    raise NotImplementedError


def plan(
    stored: Stored,
    namespace: ObjectMeta | None,
    observed: Observed,
    guard: Guard,
    now: datetime,
) -> ManagerPlan:
    """Decide about one NamespaceManager; ``namespace`` is its target as etcd has it."""
    raise NotImplementedError


def settle(stored: Stored, outcome: Outcome, now: datetime) -> ManagerPlan:
    """Say what follows from what came of the act that ``plan`` returned.

    ``stored`` is the manager as it is after ``Plan.status`` was written.
    """
    raise NotImplementedError


def webhook_body(manager: ObjectMeta, policy: api.ManagerPolicy, namespace: str) -> bytes:
    """Write what is POSTed, as k8s-namespace-manager writes it: what is unset is null."""
    raise NotImplementedError
