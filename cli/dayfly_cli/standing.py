"""What an Ephemerator or NamespaceManager waits for that no clock tells, and why it does nothing.

Each decides here as it does in the operator, from what is stored; pods are not read.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from dayfly_cli.managed import Managers, settings_of
from dayfly_core import api, ephemerator, namespace_manager
from dayfly_core.api.namespace_manager import PolicyResult
from dayfly_core.lifecycle import Rule
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


class Said(msgspec.Struct, frozen=True):
    """One sentence about one of them."""

    by: str
    """Which: ``NamespaceManager/team/ci``."""
    sentence: str


class Idle(msgspec.Struct, frozen=True):
    """Why one of them does nothing until somebody does something."""

    reason: str
    note: str


def standing(managers: Managers, key: Key, world: World) -> Iterator[Said]:
    """Yield what is to be said of those that are this object, or are about it."""
    inside = key.resource not in (NAMESPACES, EPHEMERATORS, NAMESPACE_MANAGERS)
    for player in managers.about(key):
        stored = managers.found[player.key]
        why = idle(player, stored, world)
        if why and not inside:
            yield Said(named(player.key), f"it does nothing: {why.note} ({why.reason})")
        if not why and player.key.resource == NAMESPACE_MANAGERS:
            yield from (Said(named(player.key), each) for each in _waiting(stored))


def named(key: Key) -> str:
    """``NamespaceManager/team/ci``: as it is written on what it ends."""
    return "/".join(part for part in (key.resource.kind, key.namespace, key.name) if part)


def idle(player: Player, stored: OwnObject, world: World) -> Idle | None:
    """Say why it does nothing until somebody does something; None if that is not so."""
    namespace = world.objects.get(Key(NAMESPACES, "", player.target))
    if player.key.resource == EPHEMERATORS:
        settings = settings_of(stored)
        plan = ephemerator.plan(stored, namespace, world.guard, settings, world.now)
    else:
        plan = namespace_manager.plan(stored, namespace, Observed(), world.guard, world.now)
    if plan.act or plan.reason not in IDLE:
        return None
    unread = ", or you may not read it" if plan.reason == Reason.TARGET_MISSING else ""
    return Idle(plan.reason, f"{plan.note}{unread}")


Ruled = tuple[str, api.ManagerPolicy, Rule | str]
"""A policy's name, itself, and its rule or what is wrong with it."""


def rules_of(stored: OwnObject) -> Iterator[Ruled]:
    """Yield the policies of a NamespaceManager; none of one that cannot be read."""
    try:
        spec = namespace_manager.read(stored)
    except msgspec.ValidationError:
        return
    pairs = zip(spec.policies, namespace_manager.understood(spec), strict=True)
    for policy, (name, rule) in pairs:
        yield name, policy, rule


def _waiting(stored: OwnObject) -> Iterator[str]:
    for name, policy, rule in rules_of(stored):
        if isinstance(rule, str):
            yield f"its policy {name} cannot be carried out: {rule}"
        elif isinstance(rule.condition, PodsSucceed):
            yield waits_for_pods(stored, name, policy, rule) or _became(stored, name)


def _became(stored: OwnObject, name: str) -> str:
    seen = _result(stored, name)
    return f"its policy {name} is {seen.result.lower()}: {seen.message}" if seen else ""


def waits_for_pods(stored: OwnObject, name: str, policy: api.ManagerPolicy, rule: Rule) -> str:
    """Say what happens once pods have succeeded, and how far they are; empty if it waits not."""
    seen = _result(stored, name)
    if not isinstance(rule.condition, PodsSucceed) or (seen and seen.result != WAITING):
        return ""
    found = f"; {seen.message}" if seen and seen.message else ""
    target = namespace_manager.aimed_at(stored)
    return f"{does(policy, target)} {once_pods_succeed(policy)}, by its policy {name}{found}"


def _result(stored: OwnObject, name: str) -> PolicyResult | None:
    results = namespace_manager.read_status(stored).policies
    return next((each for each in results if each.name == name), None)
