"""What an Ephemerator or NamespaceManager waits for that no clock tells, and why it does nothing.

Each decides here as it does in the operator, from what is stored; pods are not read.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import msgspec

from dayfly_cli.managed import Managers, settings_of
from dayfly_core import api, ephemerator, namespace_manager
from dayfly_core.api.namespace_manager import PolicyResult
from dayfly_core.namespace_manager import Observed, does, once_pods_succeed
from dayfly_core.namespace_manager.case import WAITING
from dayfly_core.objects import EPHEMERATORS, NAMESPACE_MANAGERS, NAMESPACES, Key
from dayfly_core.reasons import Reason
from dayfly_core.simulation import Player, World
from dayfly_core.triggers import PodsSucceed
from dayfly_operator.own.kinds import OwnObject

IDLE: Final = frozenset({
    Reason.DEACTIVATED,
    Reason.DISABLED,
    Reason.GUARDED,
    Reason.IGNORED,
    Reason.INVALID_LIFETIME,
    Reason.INVALID_SPEC,
    Reason.PROTECTED,
    Reason.TARGET_MISSING,
    Reason.TERMINATING,
})  # fmt: skip
"""Why nothing is done until somebody does something."""


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence about one of them."""

    by: str
    """Which: ``NamespaceManager/team/ci``."""
    sentence: str


def standing(managers: Managers, key: Key, world: World) -> Iterator[Said]:
    """Yield what is to be said of those that are this object, or are about it."""
    inside = key.resource not in (NAMESPACES, EPHEMERATORS, NAMESPACE_MANAGERS)
    for player in managers.about(key):
        stored = managers.found[player.key]
        idle = _idle(player, stored, world)
        if idle and not inside:
            yield Said(named(player.key), f"it does nothing: {idle}")
        if not idle and player.key.resource == NAMESPACE_MANAGERS:
            yield from (Said(named(player.key), each) for each in _waiting(stored))


def named(key: Key) -> str:
    """``NamespaceManager/team/ci``: as it is written on what it ends."""
    return "/".join(part for part in (key.resource.kind, key.namespace, key.name) if part)


def _idle(player: Player, stored: OwnObject, world: World) -> str:
    """Say why it does nothing until somebody does something; empty if that is not so."""
    namespace = world.objects.get(Key(NAMESPACES, "", player.target))
    if player.key.resource == EPHEMERATORS:
        settings = settings_of(stored)
        plan = ephemerator.plan(stored, namespace, world.guard, settings, world.now)
    else:
        plan = namespace_manager.plan(stored, namespace, Observed(), world.guard, world.now)
    if plan.act or plan.reason not in IDLE:
        return ""
    unread = ", or you may not read it" if plan.reason == Reason.TARGET_MISSING else ""
    return f"{plan.note}{unread} ({plan.reason})"


def _waiting(stored: OwnObject) -> Iterator[str]:
    try:
        spec = namespace_manager.read(stored)
    except msgspec.ValidationError:
        return
    target = namespace_manager.aimed_at(stored)
    results = {each.name: each for each in namespace_manager.read_status(stored).policies}
    pairs = zip(spec.policies, namespace_manager.understood(spec), strict=True)
    for policy, (name, rule) in pairs:
        if isinstance(rule, str):
            yield f"its policy {name} cannot be carried out: {rule}"
        elif isinstance(rule.condition, PodsSucceed):
            yield from _of_pods(policy, name, target, results.get(name))


def _of_pods(
    policy: api.ManagerPolicy, name: str, target: str, seen: PolicyResult | None
) -> Iterator[str]:
    if seen and seen.result != WAITING:
        yield f"its policy {name} is {seen.result.lower()}: {seen.message}"
        return
    found = f"; {seen.message}" if seen and seen.message else ""
    yield f"{does(policy, target)} {once_pods_succeed(policy)}, by its policy {name}{found}"
