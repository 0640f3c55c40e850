"""What a NamespaceManager says before it is stored: everything wrong with it, or what it does."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from msgspec import UNSET

from dayfly_core import api, duration
from dayfly_core.api.namespace_manager import ActionType
from dayfly_core.entitlement import Right
from dayfly_core.intent import (
    Intent,
    InvalidSpec,
    Version,
    Yardstick,
    before,
    news,
    read,
    to_webhooks,
)
from dayfly_core.namespace_manager.rules import SCALABLE, guarded, rules, target, understood
from dayfly_core.namespace_manager.words import does, once_pods_succeed
from dayfly_core.objects import DEPLOYMENTS, NAMESPACES, STATEFUL_SETS
from dayfly_core.reasons import Reason
from dayfly_core.receipts import fitted, line, when
from dayfly_core.triggers import Condition, Ttl, Until
from dayfly_core.violations import Violation, shown

SCALED: Final = (DEPLOYMENTS, STATEFUL_SETS)
"""What a SCALE_DOWN patches."""

TOLD: Final = 4
"""Policies that a receipt is for; the API server drops warnings if there are too many."""


def judge(new: Version, old: Version | None, by: Yardstick) -> Intent:
    """Judge a write.

    In a namespace other than its own its author must be allowed to do what it does; unless an
    update leaves target and policies alone, and arms nothing again.
    """
    try:
        spec = read(api.NamespaceManagerSpec, new.spec)
    except InvalidSpec as error:
        return Intent(violations=() if _only_switched_off(new, old) else error.violations)
    stored = before(api.NamespaceManagerSpec, old)
    name = target(new.meta.name, spec)
    faults = _faults(spec, name, by)
    found = (
        news(faults, _faults(stored, target(old.meta.name, stored), by))
        if old and stored
        else faults
    )
    asks = old is None or stored is None or _goes_further(spec, stored)
    return Intent(
        target=name,
        place="spec.namespace" if spec.namespace else "metadata.name",
        rights=tuple(_rights(spec, name)) if asks and name != new.meta.namespace else (),
        violations=found,
        warnings=tuple(_skipped(spec)),
        receipts=() if faults else tuple(_receipts(new, spec, name, by)),
    )


def _only_switched_off(new: Version, old: Version | None) -> bool:
    """Whether nothing else is written: what was stored before there were rules can be stopped."""
    before: object = old.spec if old else None
    if not isinstance(before, Mapping):
        return False
    stopped: object = {**cast("Mapping[str, Any]", before), "deactivated": True}
    after: object = new.spec
    return after == stopped


def _goes_further(spec: api.NamespaceManagerSpec, stored: api.NamespaceManagerSpec) -> bool:
    armed = bool(stored.deactivated) and not spec.deactivated
    return armed or (spec.namespace, spec.policies) != (stored.namespace, stored.policies)


def _does(spec: api.NamespaceManagerSpec, action: ActionType) -> bool:
    return any(policy.action.type == action for policy in spec.policies)


def _rights(spec: api.NamespaceManagerSpec, name: str) -> Iterator[Right]:
    deletes, scales = _does(spec, ActionType.DELETE), _does(spec, ActionType.SCALE_DOWN)
    tells = _does(spec, ActionType.NOTIFY)
    if deletes:
        yield Right("delete", NAMESPACES, name=name)
    if scales:
        yield from (Right("patch", kind, name) for kind in SCALED)
    if tells:  # a warning is written on it
        yield Right("patch", NAMESPACES, name=name)
    if not (deletes or scales or tells):  # what happens in it is told to a webhook
        yield Right("get", NAMESPACES, name=name)


# What is wrong with it.


def _faults(spec: api.NamespaceManagerSpec, name: str, by: Yardstick) -> tuple[Violation, ...]:
    return (
        *_guarded(spec, name, by),
        *_not_understood(spec),
        *to_webhooks(_urls(spec), by.webhooks),
    )


def _guarded(spec: api.NamespaceManagerSpec, name: str, by: Yardstick) -> Iterator[Violation]:
    refusals = [guarded(by.guard, action, name) for action in ActionType if _does(spec, action)]
    place = "spec.namespace" if spec.namespace else "metadata.name"
    for refusal in dict.fromkeys(filter(None, refusals)):
        yield Violation(Reason.GUARDED, place, name, f"{refusal}; name another one")


def _not_understood(spec: api.NamespaceManagerSpec) -> Iterator[Violation]:
    """Object to what the schema cannot see, such as an instant that is in no calendar."""
    for index, (policy, (_, rule)) in enumerate(zip(spec.policies, understood(spec), strict=True)):
        if isinstance(rule, str):
            place = f"spec.policies[{index}]"
            yield Violation(Reason.INVALID_RULE, place, policy.name, rule)


def _urls(spec: api.NamespaceManagerSpec) -> dict[str, str]:
    return {
        f"spec.policies[{index}].action.params.url": policy.action.params.url
        for index, policy in enumerate(spec.policies)
        if policy.action.params is not UNSET and policy.action.params.url is not UNSET
    }


def _skipped(spec: api.NamespaceManagerSpec) -> Iterator[str]:
    for policy in spec.policies:
        selectors = UNSET if policy.action.params is UNSET else policy.action.params.selectors
        for selector in selectors or ():
            if selector.kind.lower() not in SCALABLE:
                fact = f" skips the kind {shown(selector.kind)}: it knows {' and '.join(SCALABLE)}"
                yield fitted(f"policy {policy.name}", fact)


# What it does.


def _receipts(
    new: Version, spec: api.NamespaceManagerSpec, name: str, by: Yardstick
) -> Iterator[str]:
    if spec.deactivated:
        yield fitted(f"NamespaceManager {new.meta.name}", " is deactivated: it does nothing")
        return
    for policy, rule in list(zip(spec.policies, rules(spec), strict=True))[:TOLD]:
        # What its author has written gives way: the policy's name comes last.
        since = _since(policy, rule.condition, name, by)
        yield line(f"{does(policy, name)} {since}, by its policy {shown(policy.name)}")
    more = len(spec.policies) - TOLD
    if more > 0:
        yield line(f"and {more} more; of all policies the first whose condition is true acts")


def _since(policy: api.ManagerPolicy, condition: Condition, name: str, by: Yardstick) -> str:
    match condition:
        case Until(at):
            return when(at, by.now)
        case Ttl(length):
            known = by.known(name)
            created = known.creation_timestamp if known else None
            if created is None:
                return f"{duration.render(length)} after its creation"
            return when(created + length, by.now)
        case _:
            return once_pods_succeed(policy)
