"""Wakes that the API server refuses: they go before everything else, but not for ever.

A quota, another webhook or a missing right may keep a workload from coming back. Whoever asked is
served as soon as that is over; until then it must not keep an end from coming, or anybody could
live on by asking for what cannot be done.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import msgspec
from msgspec.structs import replace

from dayfly_core import names
from dayfly_core.actions import Delete, Wake
from dayfly_core.objects import Key
from dayfly_core.subject import Plan, Subject

PATIENCE: Final = timedelta(hours=1)
"""For so long a wake is refused before an end that has come goes first; a scale-down that is
forbidden is tried as long."""


class Unserved(msgspec.Struct):
    """Since when which object's wake is refused; a new leader begins anew."""

    now: Callable[[], datetime]
    _since: dict[Key, tuple[str, datetime]] = {}

    def refused(self, order: Wake) -> None:
        """Hear that it could not be done."""
        if self._of(order.key, order.uid) is None:
            self._since[order.key] = order.uid, self.now()

    def over(self, key: Key) -> None:
        """Hear that something was done, or that the object is gone."""
        self._since.pop(key, None)

    def judged(self, subject: Subject, judge: Callable[[Subject], Plan]) -> Plan:
        """Judge, and let an end that has come go before a wake that was refused for too long."""
        plan = judge(subject)
        since = self._of(subject.key, subject.meta.uid)
        if since is None or self.now() - since < PATIENCE:
            return plan
        otherwise = judge(_unasked(subject))
        return otherwise if any(isinstance(a, Delete) for a in otherwise.actions) else plan

    def _of(self, key: Key, uid: str) -> datetime | None:
        known, since = self._since.get(key, ("", None))
        return since if known == uid else None


def _unasked(subject: Subject) -> Subject:
    meta = subject.meta
    annotations = {k: v for k, v in meta.annotation_map.items() if k != names.WAKE_REQUESTED}
    return replace(subject, meta=msgspec.structs.replace(meta, annotations=annotations))
