"""NamespaceManagers, and one look after the other at them as the operator looks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from dayfly_core import namespace_manager
from dayfly_core.errand import Act, Came, Outcome, as_map
from dayfly_core.namespace_manager import ManagerPlan, Observed, pods_wanted
from dayfly_core.objects import ObjectMeta
from dayfly_core.triggers import Checks
from support.own_kinds import GUARD, NOW, Kept, a_namespace, kept, written

TTL = {"type": "TTL", "params": {"ttlSeconds": 40}}
SOON = {"type": "TTL", "params": {"ttlSeconds": 60}}
PODS = {"type": "PODS_SUCCEED", "params": {"initialDelaySeconds": 60, "periodSeconds": 10}}
DELETE = {"type": "DELETE"}
SCALE_DOWN = {"type": "SCALE_DOWN"}
WEBHOOK = {"type": "WEBHOOK", "params": {"url": "http://ci.example.com/hook"}}
NOTIFY = {"type": "NOTIFY"}


def a_policy(condition: Any = TTL, action: Any = DELETE, name: str = "end it") -> dict[str, Any]:
    return {"name": name, "condition": condition, "action": action}


def until(at: datetime) -> dict[str, Any]:
    return {"type": "UNTIL", "params": {"until": at.isoformat()}}


def a_manager(*policies: dict[str, Any], meta: Any = None, **spec: Any) -> Kept:
    """The manager ``ci`` in namespace ``ci``, of namespace ``team-a``."""
    metadata: dict[str, Any] = {"name": "ci", "namespace": "ci", **(meta or {})}
    fields = {"namespace": "team-a", "policies": list(policies or (a_policy(),)), **spec}
    return kept({"metadata": metadata, "spec": fields})


@dataclass(slots=True)
class Watched:
    """A manager whose plans are carried out on paper."""

    stored: Kept
    namespace: ObjectMeta | None = field(default_factory=a_namespace)
    now: datetime = NOW
    checks: Mapping[str, Checks] = field(default_factory=dict[str, Checks])
    acts: list[Act] = field(default_factory=list[Act])

    def at(self, seconds: float) -> "Watched":
        """Go on to so many seconds after the beginning."""
        self.now = NOW + timedelta(seconds=seconds)
        return self

    def plan(self, pods: Mapping[str, Sequence[str]] | None = None) -> ManagerPlan:
        """Decide, with pods of each rule that asks for them; write nothing."""
        asked = pods_wanted(self.stored, self.namespace, self.checks, self.now)
        known = pods or {}
        seen = {query.rule: known[query.rule] for query in asked if query.rule in known}
        observed = Observed(seen, self.checks)
        return namespace_manager.plan(self.stored, self.namespace, observed, GUARD, self.now)

    def look(self, pods: Mapping[str, Sequence[str]] | None = None) -> ManagerPlan:
        """Decide, and write what is decided."""
        plan = self.plan(pods)
        self.stored = written(self.stored, plan)
        self.checks = plan.checks
        if plan.act:
            self.acts.append(plan.act)
        return plan

    def came(self, result: Came = Came.DONE, reason: str = "", note: str = "") -> ManagerPlan:
        """Hear what came of the last act, and write what follows."""
        return self.hear(Outcome(result, reason, note))

    def hear(self, outcome: Outcome) -> ManagerPlan:
        """Hear it in full."""
        plan = namespace_manager.settle(self.stored, outcome, self.now)
        self.stored = written(self.stored, plan)
        return plan

    def entry(self, name: str = "end it") -> dict[str, Any]:
        """What is recorded of a policy."""
        entries = as_map(self.stored.status)["policies"]
        found: dict[str, Any] = next(entry for entry in entries if entry["name"] == name)
        return found

    @property
    def deactivated(self) -> bool:
        return bool(as_map(self.stored.spec).get("deactivated"))
