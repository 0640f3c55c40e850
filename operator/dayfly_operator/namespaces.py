"""Namespaces end with all that is in them: what keeps one from ending, and what from going."""

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Final, Protocol

import msgspec

from dayfly_core import names
from dayfly_core.objects import ObjectMeta
from dayfly_operator.members import Keeper, Members
from dayfly_operator.stuck import Diagnosis

log = logging.getLogger(__name__)

LOOK_AGAIN: Final = timedelta(seconds=30)
"""Between looks at a namespace that is stuck."""

UNEXPLAINED_AGAIN: Final = timedelta(seconds=2)
"""The same until the namespace controller says why: it does so within seconds."""


class Doctor(Protocol):
    """Who finds out why a namespace does not go."""

    async def examine(self, meta: ObjectMeta) -> Diagnosis:
        """Read what holds it."""
        ...


class Stuck(msgspec.Struct, frozen=True):
    """A namespace that was to end and does not go."""

    namespace: str
    policy: str
    diagnosis: Diagnosis


class Namespaces:
    """Follows namespaces from the DELETE until they are gone. Nothing is ever forced."""

    def __init__(
        self,
        members: Members,
        doctor: Doctor,
        now: Callable[[], datetime],
        patience: timedelta,
        changed: Callable[[Stuck | None], None],
    ) -> None:
        """Tell ``changed`` each new diagnosis, and None when one is settled."""
        self._members = members
        self._doctor = doctor
        self._now = now
        self._patience = patience
        self._changed = changed
        self._stuck: dict[str, Stuck] = {}

    def stuck(self) -> Iterator[Stuck]:
        """Yield what does not go, by name."""
        return iter([self._stuck[name] for name in sorted(self._stuck)])

    async def keeper(self, namespace: str) -> Keeper | None:
        """Say what in the namespace keeps it from its end."""
        return await self._members.keeper(namespace)

    async def going(self, meta: ObjectMeta) -> datetime | None:
        """Look at a namespace that is being deleted; returns when to look again."""
        since = meta.deletion_timestamp or self._now()
        if self._now() < since + self._patience:
            return since + self._patience
        found = Stuck(
            meta.name, meta.label_map.get(names.POLICY, ""), await self._doctor.examine(meta)
        )
        known = self._stuck.get(meta.name)
        # When the last thing in it has gone, nobody says why any more: that is no news.
        if found != known and (found.diagnosis.explained or known is None):
            self._stuck[meta.name] = found
            self._changed(found)
        return self._now() + (LOOK_AGAIN if found.diagnosis.explained else UNEXPLAINED_AGAIN)

    def gone(self, namespace: str) -> None:
        """Hear that it is gone, or not ours any more."""
        if self._stuck.pop(namespace, None):
            self._changed(None)
