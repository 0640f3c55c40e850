"""ExpiryPolicies made ready for deciding: read once, checked whole, indexed by kind."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import cache, cached_property
from itertools import product, takewhile

import msgspec
from msgspec import UNSET, UnsetType

from dayfly_core import api, conformance, duration, faults, selectors, structural, timeline
from dayfly_core.hosts import Naming, Template
from dayfly_core.objects import NAMESPACES, ObjectMeta
from dayfly_core.reasons import Reason
from dayfly_core.timeline import DELETION, Step
from dayfly_core.triggers import FIRST
from dayfly_core.violations import Violation

GroupResource = tuple[str, str]
"""API group and plural: ``("apps", "deployments")``, ``("", "configmaps")``."""


class InvalidPolicy(ValueError):
    """A policy that the present schema would refuse; ``violations`` names every fault."""

    def __init__(self, violations: Iterable[Violation]) -> None:
        self.violations = tuple(violations)
        super().__init__("; ".join(violation.text for violation in self.violations))


class Policy(msgspec.Struct, frozen=True, dict=True):
    """An ExpiryPolicy with its durations read; None for a bound that is not set."""

    name: str
    uid: str
    generation: int
    priority: int
    suspended: bool
    namespace_selector: api.LabelSelector
    object_selector: api.LabelSelector
    resources: frozenset[GroupResource]
    minimum: timedelta | None
    default: timedelta | None
    maximum: timedelta | None
    max_total: timedelta | None
    renew_on: api.RenewOn
    enforcement: api.Enforcement
    receipts: api.Receipts
    grace: timedelta
    host: Naming | None = None
    """How its objects get a host; None if they get none."""
    timeline: tuple[Step, ...] = ()
    """Empty: the object is deleted at its end."""
    unit: api.Unit = api.Unit.OBJECT
    renew_on_wake: bool = True
    known: Mapping[str, datetime] = {}
    """Since when the operator knows a step, by the step's name; one that is not here was always
    there. See ``timeline.known_since``."""
    since: datetime = FIRST
    """Since when it does what it does to the objects that it does it to. See ``reach``."""

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """What happens around the end, in order."""
        return self.timeline or (DELETION,)

    @cached_property
    def changed(self) -> datetime:
        """When what it does, or that it does it, was last news: what is due later is expected."""
        return max(self.since, *self.known.values(), FIRST)

    @property
    def scales_namespaces(self) -> bool:
        """Whether it scales down all that a Namespace holds."""
        scales = any(step.type is api.StepType.SCALE_DOWN for step in self.timeline)
        return scales and NAMESPACES.pair in self.resources


def compile_policy(policy: api.ExpiryPolicy) -> Policy:
    """Read a policy; raises InvalidPolicy, with every fault, for what the schema refuses."""
    raw = msgspec.to_builtins(policy.spec)
    found = [*conformance.faults(_schema(), raw, "spec")]
    found += faults.of_policy(policy.metadata.name, policy.spec)
    if found:
        raise InvalidPolicy(found)
    return _policy(policy.metadata, policy.spec)


def read_policy(stored: api.StoredPolicy) -> Policy:
    """Read a policy of whatever schema version it was stored under; raises as compile_policy."""
    try:
        raw = conformance.without_nulls(msgspec.json.decode(stored.spec))
        found = [*conformance.faults(_schema(), raw, "spec")]
    except (RecursionError, UnicodeDecodeError) as error:
        why = "cannot be read: it is nested too deeply, or no UTF-8; write it as in the examples"
        raise InvalidPolicy([Violation(Reason.INVALID_POLICY, "spec", "", why)]) from error
    if found:
        raise InvalidPolicy(found)
    spec = msgspec.convert(raw, api.ExpiryPolicySpec)
    return compile_policy(api.ExpiryPolicy(metadata=stored.metadata, spec=spec))


def unknown_fields(spec: object) -> tuple[str, ...]:
    """Return the paths of fields in a written spec that no ExpiryPolicy has."""
    return tuple(conformance.unknown(_schema(), spec, "spec"))


@cache
def _schema() -> structural.Schema:
    return structural.schema(api.ExpiryPolicySpec)


def _policy(meta: ObjectMeta, spec: api.ExpiryPolicySpec) -> Policy:
    return Policy(
        name=meta.name,
        uid=meta.uid,
        generation=meta.generation,
        priority=spec.priority,
        suspended=spec.suspend,
        namespace_selector=spec.match.namespace_selector,
        object_selector=spec.match.object_selector,
        resources=frozenset(
            pair
            for rule in spec.match.resources
            for pair in product(rule.api_groups, rule.resources)
        ),
        minimum=_bound(spec.ttl.min),
        default=_bound(spec.ttl.default),
        maximum=_bound(spec.ttl.max),
        max_total=_bound(spec.ttl.max_total),
        renew_on=spec.ttl.renew_on,
        enforcement=spec.enforcement,
        receipts=spec.receipts,
        grace=duration.parse(spec.grace),
        host=_naming(spec.host),
        timeline=timeline.compiled(spec.timeline),
        unit=spec.unit,
        renew_on_wake=spec.ttl.renew_on_wake,
    )


def _naming(host: api.Host | UnsetType) -> Naming | None:
    if host is UNSET:
        return None
    return Naming(Template(host.template), "" if host.domain is UNSET else host.domain)


def _bound(text: str | UnsetType) -> timedelta | None:
    return None if text is UNSET else duration.parse(text)


def fits(
    policy: Policy,
    group_resource: GroupResource,
    meta: ObjectMeta,
    namespace_labels: Mapping[str, str] | None,
) -> bool:
    """Whether kind, object labels and namespace labels fit; None for cluster-scoped objects.

    A Namespace counts as its own namespace. Other cluster-scoped objects have none: they fit only
    an empty ``namespaceSelector``.
    """
    own = group_resource == NAMESPACES.pair
    around = meta.label_map if own else namespace_labels
    if group_resource not in policy.resources:
        return False
    if not selectors.matches(policy.object_selector, meta.label_map):
        return False
    if around is None:
        return policy.namespace_selector == api.LabelSelector()
    return selectors.matches(policy.namespace_selector, around)


class Policies:
    """All policies in force, in the order in which they decide: higher priority, then name."""

    def __init__(self, policies: Iterable[Policy] = ()) -> None:
        self._ordered = tuple(sorted(policies, key=lambda policy: (-policy.priority, policy.name)))
        self._by_name = {policy.name: policy for policy in self._ordered}
        self._by_kind: dict[GroupResource, list[Policy]] = {}
        for policy in self._ordered:
            for group_resource in policy.resources:
                self._by_kind.setdefault(group_resource, []).append(policy)

    def __iter__(self) -> Iterator[Policy]:
        return iter(self._ordered)

    def __len__(self) -> int:
        return len(self._ordered)

    def get(self, name: str) -> Policy | None:
        """Return the policy of that name."""
        return self._by_name.get(name)

    @property
    def resources(self) -> frozenset[GroupResource]:
        """Every kind that at least one policy names."""
        return frozenset(self._by_kind)

    def deciding(
        self,
        group_resource: GroupResource,
        meta: ObjectMeta,
        namespace_labels: Mapping[str, str] | None,
    ) -> Policy | None:
        """Return the first policy that fits and is not Audit.

        A suspended policy decides too: it keeps its objects from the next one and does nothing.
        """
        fitting = self._fitting(group_resource, meta, namespace_labels)
        return next((policy for policy in fitting if not _audits(policy)), None)

    def auditing(
        self,
        group_resource: GroupResource,
        meta: ObjectMeta,
        namespace_labels: Mapping[str, str] | None,
    ) -> tuple[Policy, ...]:
        """Return the Audit policies that fit before the deciding one: they only report."""
        return tuple(takewhile(_audits, self._fitting(group_resource, meta, namespace_labels)))

    def _fitting(
        self,
        group_resource: GroupResource,
        meta: ObjectMeta,
        namespace_labels: Mapping[str, str] | None,
    ) -> Iterator[Policy]:
        candidates = self._by_kind.get(group_resource, ())
        return (
            policy for policy in candidates if fits(policy, group_resource, meta, namespace_labels)
        )


def _audits(policy: Policy) -> bool:
    return policy.enforcement is api.Enforcement.AUDIT
