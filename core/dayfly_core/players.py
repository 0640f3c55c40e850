"""Ephemerators and NamespaceManagers in a simulation: their own plans, with every act a success.

Pods are not foreseen: what waits for them to succeed waits for ever.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, assert_never, cast

import msgspec

from dayfly_core import ephemerator, namespace_manager
from dayfly_core.api.namespace_manager import ConditionType
from dayfly_core.ephemerator import Settings
from dayfly_core.errand import (
    Act,
    Announce,
    Came,
    DeleteItself,
    EndNamespace,
    Outcome,
    Plan,
    ScaleNamespace,
    Send,
    Stored,
    as_map,
)
from dayfly_core.guard import Guard
from dayfly_core.lifecycle import Result
from dayfly_core.objects import (
    EPHEMERATORS,
    NAMESPACE_MANAGERS,
    NAMESPACES,
    Key,
    ObjectMeta,
    OwnMeta,
)
from dayfly_core.reasons import Reason
from dayfly_core.simulation import END, SCALE_DOWN, Event, Turn

DONE = Outcome(Came.DONE)

STANDING: Final = frozenset(
    {Reason.TARGET_MISSING, Reason.TERMINATING, Reason.GUARDED, Reason.PROTECTED}
)
"""Why nothing is done until somebody does something, which nobody does here: the operator looks
again every few minutes, which on this clock would be for ever."""


class Copy(msgspec.Struct, frozen=True):
    """An object as it would be stored."""

    metadata: OwnMeta
    spec: Any
    status: Any

    def written(self, plan: Plan) -> "Copy":
        """Return it with what a plan writes."""
        metadata = merged(msgspec.to_builtins(self.metadata), plan.metadata)
        spec = {**as_map(self.spec), "deactivated": True} if plan.deactivate else self.spec
        status = merged(as_map(self.status), {**plan.status, **plan.concluded})
        return Copy(msgspec.convert(metadata, OwnMeta), spec, status)


def merged(target: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """Apply a merge patch (RFC 7386)."""
    result = dict(target)
    for name, value in patch.items():
        below = as_map(value)
        if value is None:
            result.pop(name, None)
        elif below:
            result[name] = merged(as_map(result.get(name)), below)
        else:
            result[name] = value
    return result


class EphemeratorPlayer:
    """One Ephemerator."""

    def __init__(self, stored: Stored, guard: Guard, settings: Settings) -> None:
        self._stored = Copy(stored.metadata, stored.spec, stored.status)
        self._guard = guard
        self._settings = settings
        self.key = Key(EPHEMERATORS, "", stored.metadata.name)
        self.target = ephemerator.aimed_at(stored)

    def play(self, objects: Mapping[Key, ObjectMeta], now: datetime) -> Turn:
        """Act; asked again at once until it has nothing more to do."""
        namespace = objects.get(Key(NAMESPACES, "", self.target))
        plan = ephemerator.plan(self._stored, namespace, self._guard, self._settings, now)
        self._stored = self._stored.written(plan)
        if plan.act is None and plan.again is not None and plan.again <= now:
            return self.play(objects, now)  # what would have kept it is taken away now
        return _turn(self.key, "END", plan, now)


class ManagerPlayer:
    """One NamespaceManager."""

    def __init__(self, stored: Stored, guard: Guard) -> None:
        # Without what asks for pods every few seconds, in vain: it would look for years.
        self._stored = Copy(stored.metadata, _without_pods(stored.spec), stored.status)
        self._guard = guard
        meta = stored.metadata
        self.key = Key(NAMESPACE_MANAGERS, meta.namespace, meta.name)
        self.target = namespace_manager.aimed_at(stored)

    def play(self, objects: Mapping[Key, ObjectMeta], now: datetime) -> Turn:
        """Act; asked again at once until it has nothing more to do."""
        namespace = objects.get(Key(NAMESPACES, "", self.target))
        seen = namespace_manager.Observed()
        plan = namespace_manager.plan(self._stored, namespace, seen, self._guard, now)
        self._stored = self._stored.written(plan)
        rule = self._begun()
        if plan.act:
            settled = namespace_manager.settle(self._stored, DONE, now)
            self._stored = self._stored.written(settled)
        return _turn(self.key, rule, plan, now)

    def _begun(self) -> str:
        policies = namespace_manager.read_status(self._stored).policies
        begun = (each.name for each in policies if each.result == Result.PENDING)
        return next(begun, "")


def _without_pods(spec: object) -> object:
    policies = as_map(spec).get("policies")
    if not isinstance(policies, list):
        return spec  # nobody can read it: its own plan says so
    kept = [policy for policy in cast("list[object]", policies) if not _awaits_pods(policy)]
    return {**as_map(spec), "policies": kept}


def _awaits_pods(policy: object) -> bool:
    condition = as_map(policy).get("condition")
    return bool(as_map(condition).get("type") == ConditionType.PODS_SUCCEED)


def _turn(key: Key, rule: str, plan: Plan, now: datetime) -> Turn:
    if plan.act is None:
        return Turn(again=None if plan.reason in STANDING else plan.again)
    target, what, gone = _told(plan.act, key)
    by = f"{key.resource.kind}/{f'{key.namespace}/' if key.namespace else ''}{key.name}"
    event = Event(now, target, what, rule, by)
    return Turn((event,), frozenset({target}) if gone else frozenset(), plan.again)


def _told(act: Act, key: Key) -> tuple[Key, str, bool]:
    """Say what an act is about, what it is, and whether that is gone afterwards."""
    match act:
        case EndNamespace(name=name):
            return Key(NAMESPACES, "", name), END, True
        case DeleteItself():
            return key, END, True
        case ScaleNamespace(namespace=namespace):
            return Key(NAMESPACES, "", namespace), SCALE_DOWN, False
        case Announce(namespace=namespace):
            return Key(NAMESPACES, "", namespace), "warn", False
        case Send():
            return key, "call", False
        case _:
            assert_never(act)
