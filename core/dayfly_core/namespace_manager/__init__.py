"""NamespaceManagers: what they say, what is to be done for one of them, and what came of it."""

from dayfly_core.namespace_manager.case import ManagerPlan
from dayfly_core.namespace_manager.deciding import Observed, PodQuery, plan, pods_wanted
from dayfly_core.namespace_manager.intent import judge
from dayfly_core.namespace_manager.rules import (
    SCALABLE,
    aimed_at,
    faults,
    read,
    read_status,
    rules,
    target,
    understood,
    webhook_body,
)
from dayfly_core.namespace_manager.settling import settle
from dayfly_core.namespace_manager.words import does, once_pods_succeed

__all__ = [
    "SCALABLE",
    "ManagerPlan",
    "Observed",
    "PodQuery",
    "aimed_at",
    "does",
    "faults",
    "judge",
    "once_pods_succeed",
    "plan",
    "pods_wanted",
    "read",
    "read_status",
    "rules",
    "settle",
    "target",
    "understood",
    "webhook_body",
]
