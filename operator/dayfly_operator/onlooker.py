"""What this replica sees others do while it does not lead, for when it does.

Whoever leads next has seen all that the last leader did, up to its last request. What that one has
told by itself is found in the history; the rest is told now.
"""

import logging
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, Protocol

from dayfly_core import testimony
from dayfly_core.actions import Delete
from dayfly_core.history import Entry
from dayfly_core.objects import Key, ObjectMeta
from dayfly_core.reasons import Reason
from dayfly_core.subject import Plan, Subject, nothing
from dayfly_core.testimony import Change
from dayfly_operator.stamped import Stamped
from dayfly_operator.writing import Gate

log = logging.getLogger(__name__)

REMEMBERED: Final = timedelta(seconds=60)
"""A leader that lives tells what it does within a second, and another one leads within ten."""

CAPACITY: Final = 5_000
"""Entries remembered: two minutes of as many ends as Dayfly is made for, 2 MB."""

AHEAD: Final = timedelta(seconds=1)
"""The other's clock may be ahead of ours: what it did was due by its own."""


class Places(Protocol):
    """What is known of namespaces."""

    def namespace(self, name: str) -> ObjectMeta | None:
        """Return a namespace, if it is known."""
        ...


class Onlooker:
    """Hears of every change, and keeps for a while what it says about acts."""

    def __init__(
        self,
        plan: Callable[[Subject], Plan],
        places: Places,
        gate: Gate,
        now: Callable[[], datetime],
    ) -> None:
        """``plan`` judges an object as of ``AHEAD`` of now."""
        self._plan = plan
        self._places = places
        self._gate = gate
        self._now = now
        self.breaker_is_open: Callable[[str], bool] = lambda policy: False
        """Whether what is surprising under a policy is held back, by what is known of it."""
        self._seen: deque[Entry] = deque(maxlen=CAPACITY)

    def replaced(self, key: Key, before: Stamped, after: Stamped | None) -> None:
        """Hear what a stamped object, or a namespace, was and is."""
        if self._gate.holds():
            return
        now = self._now()
        while self._seen and self._seen[0].at < now - REMEMBERED:
            self._seen.popleft()
        change = Change(key, before.meta, after.meta if after else None, now)
        try:
            self._seen.extend(testimony.acts(change, lambda: self._judged(key, before.meta)))
        except Exception:
            # A watch calls this, and a defect met by one object must not end it: the history may
            # lack an act, and the log says why.
            log.exception("what was seen is not understood object=%s", key)

    def testify(self) -> list[Entry]:
        """Return what was seen, once: nothing while others lead, as they may tell it yet."""
        if not self._gate.holds():
            return []
        since = self._now() - REMEMBERED
        told = [entry for entry in self._seen if entry.at >= since]
        self._seen.clear()
        return told

    def _judged(self, key: Key, meta: ObjectMeta) -> Plan:
        around = self._places.namespace(key.namespace) if key.namespace else None
        if around and around.deletion_timestamp:
            return nothing(Reason.DELETED, "Kubernetes deletes all that is in its namespace")
        plan = self._plan(Subject(key, meta, around))
        held = (each for each in plan.actions if isinstance(each, Delete) and each.surprising)
        if any(self.breaker_is_open(each.policy) for each in held):
            return nothing(Reason.BREAKER_OPEN, "whoever deletes it now, Dayfly does not")
        return plan
