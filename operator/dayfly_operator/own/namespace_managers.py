"""NamespaceManagers: of their policies the first that is true acts; pods are read when it asks."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple, Protocol

from dayfly_core import namespace_manager
from dayfly_core.errand import Outcome, Plan
from dayfly_core.guard import Guard
from dayfly_core.namespace_manager import ManagerPlan, Observed, PodQuery
from dayfly_core.objects import NAMESPACE_MANAGERS, Key, ObjectMeta
from dayfly_core.outgoing.outbox import Retries
from dayfly_core.triggers import Checks
from dayfly_kube.errors import ApiError
from dayfly_operator.own.kinds import OwnObject

log = logging.getLogger(__name__)


class Pods(Protocol):
    """Who reads pods."""

    async def phases(self, namespace: str, labels: Mapping[str, str]) -> list[str]:
        """Return the phase of each pod with these labels."""
        ...


Subjects = tuple[str, int, str]
"""Uid and generation of a manager, and the uid of its namespace: which pods were checked, and how.
"""


class Remembered(NamedTuple):
    """What the checks of pods came to."""

    of: Subjects
    checks: Mapping[str, Checks]


def _subjects(found: OwnObject, namespace: ObjectMeta | None) -> Subjects:
    meta = found.metadata
    return meta.uid, meta.generation, namespace.uid if namespace else ""


class ManagerJudge:
    """Decides about one NamespaceManager; remembers what the checks of its pods came to."""

    def __init__(
        self,
        pods: Pods,
        guard: Callable[[], Guard],
        now: Callable[[], datetime],
        retries: Retries,
    ) -> None:
        """``retries`` are those of webhooks."""
        self._pods = pods
        self._retries = retries
        self._guard = guard
        self._now = now
        self._checks: dict[Key, Remembered] = {}

    def target(self, found: OwnObject) -> str:
        """Return the namespace that it is about; empty if that cannot be read."""
        return namespace_manager.aimed_at(found)

    def glance(self, found: OwnObject, namespace: ObjectMeta | None) -> Plan | None:
        """Decide by what is known already; None if pods have to be read first."""
        return None if self._wanted(found, namespace) else self._judged(found, namespace, {})

    async def plan(self, found: OwnObject, namespace: ObjectMeta | None) -> Plan:
        """Decide; reads the pods of the rules whose check is due."""
        queries = self._wanted(found, namespace)
        read = {query.rule: await self._read(query) for query in queries}
        pods = {rule: phases for rule, phases in read.items() if phases is not None}
        plan = self._judged(found, namespace, pods)
        subjects = _subjects(found, namespace)
        self._checks[found.key(NAMESPACE_MANAGERS)] = Remembered(subjects, plan.checks)
        return plan

    def settle(self, found: OwnObject, outcome: Outcome) -> Plan:
        """Decide what follows from what came of the act."""
        return namespace_manager.settle(found, outcome, self._now(), self._retries)

    def forget(self, key: Key) -> None:
        """Hear that an object is gone."""
        self._checks.pop(key, None)

    def _remembered(self, found: OwnObject, namespace: ObjectMeta | None) -> Mapping[str, Checks]:
        last = self._checks.get(found.key(NAMESPACE_MANAGERS))
        return last.checks if last and last.of == _subjects(found, namespace) else {}

    def _wanted(self, found: OwnObject, namespace: ObjectMeta | None) -> tuple[PodQuery, ...]:
        checks = self._remembered(found, namespace)
        return namespace_manager.pods_wanted(found, namespace, checks, self._now())

    def _judged(
        self, found: OwnObject, namespace: ObjectMeta | None, pods: Mapping[str, list[str]]
    ) -> ManagerPlan:
        observed = Observed(pods, self._remembered(found, namespace))
        return namespace_manager.plan(found, namespace, observed, self._guard(), self._now())

    async def _read(self, query: PodQuery) -> list[str] | None:
        """Read the pods of one rule; None if the API server refuses, so that others go on."""
        try:
            return await self._pods.phases(query.namespace, query.labels)
        except ApiError as error:
            log.warning(
                "pods not readable namespace=%s policy=%r error=%s",
                query.namespace,
                query.rule,
                error,
            )
            return None
