"""Ephemerators: a namespace ends at an instant, and then the Ephemerator itself."""

from collections.abc import Callable
from datetime import datetime

from dayfly_core import ephemerator
from dayfly_core.ephemerator import Settings
from dayfly_core.errand import Outcome, Plan
from dayfly_core.guard import Guard
from dayfly_core.objects import Key, ObjectMeta
from dayfly_operator.own.kinds import OwnObject


class EphemeratorJudge:
    """Decides about one Ephemerator."""

    def __init__(
        self, settings: Settings, guard: Callable[[], Guard], now: Callable[[], datetime]
    ) -> None:
        self._settings = settings
        self._guard = guard
        self._now = now

    def target(self, found: OwnObject) -> str:
        """Return the namespace that it is about; empty if that cannot be read."""
        return ephemerator.aimed_at(found)

    def glance(self, found: OwnObject, namespace: ObjectMeta | None) -> Plan:
        """Decide by what is known already; there is nothing else."""
        return ephemerator.plan(found, namespace, self._guard(), self._settings, self._now())

    async def plan(self, found: OwnObject, namespace: ObjectMeta | None) -> Plan:
        """Decide; there is nothing else to read."""
        return self.glance(found, namespace)

    def settle(self, found: OwnObject, outcome: Outcome) -> Plan:
        """Decide what follows from what came of the act."""
        return ephemerator.settle(found, outcome, self._now())

    def forget(self, key: Key) -> None:
        """Nothing is remembered."""
