"""How people are told: Kubernetes Events, on an object and on its policy, each complaint once.

Nothing here waits, and nothing here fails what it tells of.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Literal, Protocol

from dayfly_core.objects import EXPIRY_POLICIES, Key
from dayfly_kube.events import Regarding

REMEMBERED: Final = 1000
"""Complaints that are not repeated while they stay the same."""

ACTION: Final = "Expire"
"""What the controller was doing: the same for all, while ``reason`` tells them apart."""


class Recorder(Protocol):
    """Who writes Events, later, and drops them rather than wait."""

    def record(
        self,
        regarding: Regarding,
        *,
        type: Literal["Normal", "Warning"],
        reason: str,
        action: str,
        note: str,
    ) -> None:
        """Take an Event."""
        ...


class Teller:
    """Tells of objects and of policies."""

    def __init__(self, recorder: Recorder, policy_uid: Callable[[str], str]) -> None:
        self._recorder = recorder
        self._policy_uid = policy_uid
        self._said: OrderedDict[Key, str] = OrderedDict()

    def tell(self, key: Key, uid: str, reason: str, note: str) -> None:
        """Say on an object what was done."""
        self._record(Regarding.of(key, uid), "Normal", reason, note)

    def warn(self, key: Key, uid: str, reason: str, note: str) -> None:
        """Say on an object what is amiss."""
        self._record(Regarding.of(key, uid), "Warning", reason, note)

    def tell_policy(self, policy: str, reason: str, note: str, *, warn: bool = False) -> None:
        """Say it on the policy whose doing it is."""
        uid = self._policy_uid(policy)
        if uid:
            regarding = Regarding.of(Key(EXPIRY_POLICIES, "", policy), uid)
            self._record(regarding, "Warning" if warn else "Normal", reason, note)

    def news(self, key: Key, what: str) -> bool:
        """Whether that was not what was said of the object last."""
        if self._said.get(key) == what:
            return False
        self._said[key] = what
        self._said.move_to_end(key)
        if len(self._said) > REMEMBERED:
            self._said.popitem(last=False)
        return True

    def settled(self, key: Key) -> None:
        """Forget what was said of an object: should it come again, it is news."""
        self._said.pop(key, None)

    def _record(
        self, regarding: Regarding, kind: Literal["Normal", "Warning"], reason: str, note: str
    ) -> None:
        self._recorder.record(regarding, type=kind, reason=reason, action=ACTION, note=note)
