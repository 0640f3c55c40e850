"""An object that may end, and what was decided about it."""

from datetime import datetime
from typing import Final

import msgspec

from dayfly_core.actions import Action
from dayfly_core.objects import NAMESPACES, Key, ObjectMeta
from dayfly_core.policies import GroupResource
from dayfly_core.reasons import Reason


class Subject(msgspec.Struct, frozen=True):
    """An object as it was last seen, and the namespace around it; None around cluster-scoped ones.

    Of a namespaced object without its namespace nothing is decided: no selector can be asked.
    """

    key: Key
    meta: ObjectMeta
    namespace: ObjectMeta | None

    @property
    def group_resource(self) -> GroupResource:
        """Group and plural, as policies list them."""
        return self.key.resource.pair

    @property
    def is_namespace(self) -> bool:
        """Whether it is a Namespace: its end is the end of all in it."""
        return self.group_resource == NAMESPACES.pair

    @property
    def namespace_labels(self) -> dict[str, str] | None:
        """Labels for a policy's ``namespaceSelector``; None where only an empty one may fit."""
        if self.is_namespace:
            return self.meta.label_map
        return self.namespace.label_map if self.namespace else None


class Plan(msgspec.Struct, frozen=True):
    """What to do now, when to look again if nothing changes before, and why."""

    actions: tuple[Action, ...]
    again: datetime | None
    reason: str
    note: str = ""
    policy: str = ""
    """Whose rule it is that nothing is done; an action names its own."""

    @property
    def unreadable(self) -> bool:
        """Whether nothing is done because of what is written there: somebody has to hear of it."""
        return self.reason in UNREADABLE


UNREADABLE: Final = frozenset({Reason.INVALID_EXPIRES_AT, Reason.INVALID_TTL, Reason.UNREADABLE})


def nothing(reason: str, note: str = "") -> Plan:
    """Return the plan to do nothing, and to wait for a change."""
    return Plan((), None, reason, note)
