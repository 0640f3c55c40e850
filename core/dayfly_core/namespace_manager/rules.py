"""What a NamespaceManager says: its policies as rules of the engine, and its webhook's body."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import starmap
from typing import Any, Final, cast

import msgspec
from msgspec import UNSET

from dayfly_core import api, errand, grammar, instant
from dayfly_core.api.namespace_manager import (
    ActionParams,
    ActionType,
    ConditionParams,
    ConditionType,
    PolicyAction,
    PolicyCondition,
)
from dayfly_core.errand import Stored
from dayfly_core.guard import Guard
from dayfly_core.lifecycle import Rule
from dayfly_core.objects import DEPLOYMENTS, NAMESPACES, ObjectMeta
from dayfly_core.triggers import Condition, PodsSucceed, Ttl, Until
from dayfly_core.violations import shown

TTL: Final = 1800
INITIAL_DELAY: Final = 60
PERIOD: Final = 10
"""Seconds that count where a policy does not say."""

SCALABLE: Final = ("deployment", "statefulset")
"""Kinds that a selector of SCALE_DOWN may name, in any case."""


class InvalidRule(ValueError):
    """A policy that cannot be carried out; the text says what to write."""


class UnreadablePolicy(api.ManagerPolicy, frozen=True, kw_only=True):
    """A policy that was stored before there were rules, and stops no other one."""

    fault: str


def target(name: str, spec: api.NamespaceManagerSpec) -> str:
    """Return the namespace that is managed: the one called like the manager, unless it says."""
    return spec.namespace or name


def read(stored: Stored) -> api.NamespaceManagerSpec:
    """Read the spec; raises msgspec.ValidationError, whose text names the field.

    A policy that cannot be read is kept as an ``UnreadablePolicy``: the others are in force.
    """
    written = errand.written_spec(stored)
    try:
        return msgspec.convert(written, api.NamespaceManagerSpec)
    except msgspec.ValidationError:
        policies = written.get("policies")
        if not isinstance(policies, list) or not policies:
            raise
        rest = msgspec.convert({**written, "policies": [_SOUND]}, api.NamespaceManagerSpec)
        each = list(starmap(_policy, enumerate(cast("Sequence[Any]", policies), start=1)))
        return msgspec.structs.replace(rest, policies=each)


_SOUND: Final = {"name": "sound", "condition": {"type": "TTL"}, "action": {"type": "DELETE"}}


def _policy(position: int, written: Any) -> api.ManagerPolicy:
    try:
        return msgspec.convert(written, api.ManagerPolicy)
    except msgspec.ValidationError as error:
        return UnreadablePolicy(
            name=_name(written) or f"policy {position}",
            condition=PolicyCondition(type=""),
            action=PolicyAction(type=""),
            fault=str(error),
        )


class _Named(msgspec.Struct):
    name: str = ""


def _name(written: Any) -> str:
    try:
        return msgspec.convert(written, _Named).name
    except msgspec.ValidationError:
        return ""


def read_status(stored: Stored) -> api.NamespaceManagerStatus:
    """Read the status; one that cannot be read is as good as none."""
    return errand.read_status(stored, api.NamespaceManagerStatus)


def aimed_at(stored: Stored) -> str:
    """Return the namespace that is managed; empty if the spec cannot be read."""
    try:
        return target(stored.metadata.name, read(stored))
    except msgspec.ValidationError:
        return ""


def guarded(guard: Guard, action: str, namespace: str) -> str | None:
    """Say why an action is out of the question in a namespace; a webhook touches nothing there."""
    if action == ActionType.DELETE:
        return guard.refuses(NAMESPACES, "", namespace)
    touches = action in (ActionType.SCALE_DOWN, ActionType.NOTIFY)
    return guard.refuses(DEPLOYMENTS, namespace, "any") if touches else None


def rules(spec: api.NamespaceManagerSpec) -> tuple[Rule, ...]:
    """Return the policies that can be carried out, in their order; ``action`` is the policy."""
    return tuple(rule for _, rule in understood(spec) if isinstance(rule, Rule))


def faults(spec: api.NamespaceManagerSpec) -> dict[str, str]:
    """Return, by name, what is wrong with the policies that ``rules`` leaves out."""
    return {name: rule for name, rule in understood(spec) if isinstance(rule, str)}


def understood(spec: api.NamespaceManagerSpec) -> Iterator[tuple[str, Rule | str]]:
    """Yield each policy's name, made unique by its position, with its rule or its fault."""
    taken = set[str]()
    for position, policy in enumerate(spec.policies, start=1):
        name = f"{policy.name} ({position})" if policy.name in taken else policy.name
        taken.add(policy.name)
        try:
            yield name, _rule(name, policy)
        except InvalidRule as fault:
            yield name, str(fault)


def _rule(name: str, policy: api.ManagerPolicy) -> Rule:
    if isinstance(policy, UnreadablePolicy):
        raise InvalidRule(policy.fault)
    params = policy.action.params or ActionParams()
    if policy.action.type not in list(ActionType):
        raise InvalidRule(f"action.type: {policy.action.type} is not known")
    if policy.action.type == ActionType.WEBHOOK and not params.url:
        raise InvalidRule(f"action: {grammar.URL_NEEDED_HINT}")
    for place, labels in _labels(policy):
        for value in labels.values():
            if not re.fullmatch(grammar.LABEL_VALUE, value):
                raise InvalidRule(f"{place}: '{shown(value)}' {grammar.LABEL_VALUE_HINT}")
    condition = policy.condition
    read = _CONDITIONS.get(condition.type)
    if read is None:
        raise InvalidRule(f"condition.type: {condition.type} is not known")
    return Rule(name, read(condition.params or ConditionParams(), name), policy)


def _labels(policy: api.ManagerPolicy) -> Iterator[tuple[str, Mapping[str, str]]]:
    condition, action = policy.condition.params, policy.action.params
    if condition and condition.pod_labels:
        yield "condition.params.podLabels", condition.pod_labels
    for index, selector in enumerate(action.selectors or () if action else ()):
        yield f"action.params.selectors[{index}].labels", selector.labels or {}


def _ttl(params: ConditionParams, name: str) -> Condition:
    return Ttl(_seconds(params.ttl_seconds, TTL))


def _until(params: ConditionParams, name: str) -> Condition:
    if not params.until:
        raise InvalidRule(f"condition: {grammar.UNTIL_NEEDED_HINT}")
    try:
        return Until(instant.parse(params.until))
    except instant.InvalidInstant as error:
        raise InvalidRule(f"condition.params.until: {error}") from error


def _pods_succeed(params: ConditionParams, name: str) -> Condition:
    return PodsSucceed(
        initial_delay=_seconds(params.initial_delay_seconds, INITIAL_DELAY),
        period=_seconds(params.period_seconds, PERIOD),
        min_checks=params.min_checks or 1,
        name=name,
    )


_CONDITIONS: Final[Mapping[str, Callable[[ConditionParams, str], Condition]]] = {
    ConditionType.TTL: _ttl,
    ConditionType.UNTIL: _until,
    ConditionType.PODS_SUCCEED: _pods_succeed,
}


def _seconds(written: int | msgspec.UnsetType, default: int) -> timedelta:
    return timedelta(seconds=default if written is UNSET else written)


# The webhook.


def webhook_body(manager: ObjectMeta, policy: api.ManagerPolicy, namespace: str) -> bytes:
    """Write what is POSTed, as k8s-namespace-manager writes it: what is unset is null."""
    condition, action = policy.condition, policy.action
    return msgspec.json.encode(
        {
            "namespaceManager": {"namespace": manager.namespace, "name": manager.name},
            "policy": {
                "name": policy.name,
                "condition": {"type": condition.type, "params": _condition_params(condition)},
                "action": {"type": action.type, "params": _action_params(action)},
            },
            "namespace": namespace,
        }
    )


_CONDITION_FIELDS: Final = (
    "ttlSeconds",
    "podLabels",
    "initialDelaySeconds",
    "periodSeconds",
    "minChecks",
)
_ACTION_FIELDS: Final = ("selectors", "url")
_SELECTOR_FIELDS: Final = ("kind", "labels")


def _condition_params(condition: PolicyCondition) -> dict[str, Any] | None:
    if condition.params is UNSET:
        return None
    written = msgspec.to_builtins(condition.params)
    # What the original did not know is there only if it is set.
    return {**_spelled_out(written, _CONDITION_FIELDS), **written}


def _action_params(action: PolicyAction) -> dict[str, Any] | None:
    if action.params is UNSET:
        return None
    written = msgspec.to_builtins(action.params)
    spelled = _spelled_out(written, _ACTION_FIELDS)
    if spelled["selectors"] is not None:
        selectors = [_spelled_out(each, _SELECTOR_FIELDS) for each in spelled["selectors"]]
        return {**spelled, "selectors": selectors}
    return spelled


def _spelled_out(written: Mapping[str, Any], fields: Iterable[str]) -> dict[str, Any]:
    return {field: written.get(field) for field in fields}


def policy_of(rule: Rule) -> api.ManagerPolicy:
    """Return what a rule was made from."""
    assert isinstance(rule.action, api.ManagerPolicy)
    return rule.action


def action_of(rule: Rule) -> str:
    """Return the type of a rule's action."""
    return policy_of(rule).action.type
