"""What an object claims: the environment that a Namespace is, and hosts."""

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import msgspec

from dayfly_core import grammar, hosts, names
from dayfly_core.claim_key import ClaimKey, KeyKind
from dayfly_core.objects import ObjectMeta
from dayfly_core.reasons import Reason
from dayfly_core.violations import Violation, shown

HOST_FIELD: Final = f"metadata.annotations[{names.HOST}]"

MOST: Final = 100
"""Hosts that one request may newly ask for: each is a write, and a few reads, while it waits."""

_LABEL_VALUE = re.compile(grammar.LABEL_VALUE)
_NO_NAME: Final = (
    "names no environment; write at most 63 letters, digits, '-', '_' and '.', for example "
    "shop-pr-17, or leave the label out"
)


class Demand(NamedTuple):
    """One name that an object asks for, and where in the object it does."""

    key: ClaimKey
    written: str
    field: str


class Demands(NamedTuple):
    """Each name once, where it is first written; and what nobody could claim."""

    demands: tuple[Demand, ...] = ()
    violations: tuple[Violation, ...] = ()


class IngressRule(msgspec.Struct, frozen=True):
    """``spec.rules[]`` of an Ingress."""

    host: str | None = None


class IngressTLS(msgspec.Struct, frozen=True):
    """``spec.tls[]`` of an Ingress."""

    hosts: list[str] | None = None


class IngressSpec(msgspec.Struct, frozen=True):
    """What an Ingress says of hosts."""

    rules: list[IngressRule] | None = None
    tls: list[IngressTLS] | None = None


class HTTPRouteSpec(msgspec.Struct, frozen=True):
    """What an HTTPRoute says of hosts."""

    hostnames: list[str] | None = None


# Environments.


def environment_of(meta: ObjectMeta) -> Demands:
    """Return the environment that a Namespace is by either label: one register for both.

    That of a Namespace which a controller owns counts too: nothing copies labels to Namespaces.
    """
    written: dict[str, str] = {
        label: meta.label_map[label]
        for label in names.ENVIRONMENT_LABELS
        if label in meta.label_map
    }
    violations = tuple(_environment_violations(written))
    if violations or not written:
        return Demands(violations=violations)
    label, name = next(iter(written.items()))
    key = ClaimKey(KeyKind.ENVIRONMENT, name)
    return Demands((Demand(key, name, _label_field(label)),))


def _environment_violations(written: dict[str, str]) -> Iterator[Violation]:
    for label, name in written.items():
        if not name or not _LABEL_VALUE.fullmatch(name):
            yield Violation(Reason.INVALID_ENVIRONMENT, _label_field(label), name, _NO_NAME)
    if len(set(written.values())) > 1:
        (first, name), (second, other) = written.items()
        differs = f'is not "{shown(name)}" as in {first}; leave one out, or write the same in both'
        yield Violation(Reason.INVALID_ENVIRONMENT, _label_field(second), other, differs)


def _label_field(label: str) -> str:
    return f"metadata.labels[{label}]"


def environment_name(meta: ObjectMeta) -> str:
    """Return the name of the environment that a Namespace is, empty if it is none."""
    return next((demand.key.value for demand in environment_of(meta).demands), "")


# Hosts.


def stamped_host_of(meta: ObjectMeta) -> Demands:
    """Return the host that Dayfly gave an object.

    Without a stamp anybody may have written it, and what a controller made may carry a copy.
    """
    written = meta.annotation_map.get(names.HOST)
    if written is None or names.POLICY not in meta.label_map or meta.controlled:
        return Demands()
    return _hosts([(HOST_FIELD, written)])


def ingress_hosts(spec: IngressSpec) -> Demands:
    """Return the hosts of an Ingress, of its rules and its certificates.

    A rule without a host takes what is left over: it claims nothing.
    """
    rules = ((f"spec.rules[{i}].host", rule.host) for i, rule in enumerate(spec.rules or ()))
    certificates = (
        (f"spec.tls[{i}].hosts[{j}]", host)
        for i, tls in enumerate(spec.tls or ())
        for j, host in enumerate(tls.hosts or ())
    )
    return _hosts((*rules, *certificates))


def route_hosts(spec: HTTPRouteSpec) -> Demands:
    """Return the hosts of an HTTPRoute; without any it takes those of its Gateway."""
    return _hosts((f"spec.hostnames[{i}]", host) for i, host in enumerate(spec.hostnames or ()))


def bounded(demands: Demands) -> Demands:
    """Ask for no name at all instead of for more than can be looked up while a client waits."""
    asked = demands.demands
    if len(asked) <= MOST:
        return demands
    first = asked[MOST]
    says = (
        f"is one of {len(asked)} hosts that this adds, and one request may add {MOST}; spread them "
        "over several objects, or add them in several steps"
    )
    violation = Violation(Reason.TOO_MANY_HOSTS, first.field, first.written, says)
    return Demands((), (*demands.violations, violation))


def of_namespace(meta: ObjectMeta, routed: Demands) -> Demands:
    """Return which of the hosts that an Ingress or HTTPRoute routes its namespace claims.

    None of what a controller made; and the host that Dayfly gave it the object holds itself.
    """
    if meta.controlled:
        return Demands()
    own = {demand.key for demand in stamped_host_of(meta).demands}
    rest = tuple(demand for demand in routed.demands if demand.key not in own)
    return routed._replace(demands=rest)


def _hosts(written: Iterable[tuple[str, str | None]]) -> Demands:
    demands: dict[ClaimKey, Demand] = {}
    violations: list[Violation] = []
    for field, text in written:
        if not text:
            continue
        try:
            key = ClaimKey(KeyKind.HOST, hosts.normalise(text))
        except hosts.InvalidHost as error:
            violations.append(Violation(Reason.INVALID_HOST, field, text, error.detail))
            continue
        demands.setdefault(key, Demand(key, text, field))
    return Demands(tuple(demands.values()), tuple(violations))
